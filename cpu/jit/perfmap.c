/* `--engine jit,perf=on`: lets Linux's perf name translations. The file /tmp/perf-PID.map has a line
 * for each, "address size user_401000" or "kernel_ffffffff81000000": the guest's linear address of its
 * first instruction, so that perf report adds up host time by guest code. A translation that was
 * dropped keeps its line; what reuses its memory writes a later one, and perf takes the last.
 *
 * perf looks such files up for anonymous memory only, which the code memory is. Format: the kernel's
 * tools/perf/Documentation/jit-interface.txt. */
#include "cpu/jit/priv.h"

#include <fcntl.h>
#include <unistd.h>

bool jit_perf_open(struct jit *j, struct error *e)
{
    char path[40];
    snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
    /* A link that somebody else put there is not followed. */
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    j->perf = fd < 0 ? NULL : fdopen(fd, "w");
    if (j->perf) {
        setvbuf(j->perf, NULL, _IOLBF, 0); /* whole, whichever way the program ends */
        return true;
    }
    error_set(e, "cannot write %s: %m", path);
    if (fd >= 0) close(fd);
    return false;
}

void jit_perf_close(struct jit *j)
{
    if (j->perf) fclose(j->perf);
    j->perf = NULL;
}

void jit_perf_add(struct jit *j, u32 start, u32 size, u64 gla, bool user)
{
    fprintf(j->perf, "%llx %x %s_%llx\n", (unsigned long long)(uintptr_t)(j->rx + start), size,
            user ? "user" : "kernel", (unsigned long long)gla);
}
