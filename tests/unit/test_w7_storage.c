/* What Windows 7 must be able to trust in a disk, seen from the host: an image fits either controller,
 * a killed emulator loses at most what was not flushed, and a write that the host refused is never
 * reported as done. Names carry the statement of the Windows 7 checklist. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "devices/ata.h"
#include "machine/board/board.h"
#include "machine/machine.h"
#include "tests/unit/storage_rig.h"

enum { SECTORS = 96, CLUSTERS = 24, CLUSTER = 65536 };

/* --- 207 --- */

static bool has_disk(const char *path, const char *iface, const char *wanted, const char *unwanted)
{
    struct config cfg;
    struct error e = { "" };
    char *spec = xasprintf("%s,if=%s", path, iface), dir[] = "/tmp/aeropc-w7-XXXXXX", name[64];
    static const u8 vga[512] = { 0x55, 0xaa, 1, 0xcb };
    static u8 bios[65536];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    for (int k = 0; k < 2; k++) {
        snprintf(name, sizeof(name), "%s/%s", dir, k ? "vgabios.bin" : "bios.bin");
        FILE *f = fopen(name, "wb");
        ck_assert_uint_eq(fwrite(k ? vga : bios, k ? sizeof(vga) : sizeof(bios), 1, f), 1);
        fclose(f);
    }
    config_init(&cfg);
    ck_assert_int_eq(config_set(&cfg, "memory", "64M", &e), 0);
    ck_assert_int_eq(config_set(&cfg, "display", "none", &e), 0);
    ck_assert_int_eq(config_set(&cfg, "rom-dir", dir, &e), 0);
    ck_assert_int_eq(config_set(&cfg, "disk", spec, &e), 0);
    struct machine *m = machine_create(&cfg, &e);
    ck_assert_msg(m != NULL, "%s", e.text);
    struct ata_drive *d = (struct ata_drive *)board_device(m, wanted);
    bool good = d && !board_device(m, unwanted) && board_device(m, "ide") && board_device(m, "ahci");
    u8 sector[512];
    good = good && !block_pread(d->block, 7 * 512, sector, 512) && ld32(sector) == 7 && sector[511] == 7;
    machine_destroy(m);
    config_free(&cfg);
    for (int k = 0; k < 2; k++) {
        snprintf(name, sizeof(name), "%s/%s", dir, k ? "vgabios.bin" : "bios.bin");
        unlink(name);
    }
    rmdir(dir);
    free(spec);
    return good;
}

START_TEST(w7_207_one_image_on_either_controller)
{
    struct rig r;
    struct stat before, after;
    rig_up(&r, false, true);
    const char *path = rig_image(&r, SECTORS * 512);
    stat(path, &before);
    ck_assert(has_disk(path, "ide", "ide0", "ahci0"));
    ck_assert(has_disk(path, "ahci", "ahci0", "ide0"));
    ck_assert(has_disk(path, "ide", "ide0", "ahci0"));
    stat(path, &after);
    ck_assert(before.st_mtim.tv_sec == after.st_mtim.tv_sec && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
    rig_down(&r);
}
END_TEST

/* --- 209 --- */

static u64 place(unsigned n) /* scattered over the clusters */
{
    return (u64)(n % CLUSTERS) * CLUSTER + (n / CLUSTERS * 37 + 5) * 512;
}

/* Writes every place with the round's number, flushes, tells the parent; for ever. */
static void write_rounds(const char *path, enum block_mode mode, u32 round, int tell)
{
    struct error e;
    struct block *b = block_open(path, mode, &e);
    if (!b) _exit(1);
    for (;; round++) {
        for (unsigned n = 0; n < SECTORS; n++) {
            u32 sector[128];
            for (unsigned k = 0; k < 128; k++) sector[k] = round;
            if (block_pwrite(b, place(n), sector, sizeof(sector))) _exit(2);
        }
        if (block_flush(b)) _exit(3);
        if (write(tell, &round, 4) != 4) _exit(4);
    }
}

/* Runs a writer for some milliseconds, or so long behind its first round, kills it; the last round it
 * told, or the one before its first. */
static u32 killed_writer(const char *path, enum block_mode mode, u32 round, unsigned ms, bool behind)
{
    int p[2];
    u32 told, last = round - 1;
    ck_assert_int_eq(pipe(p), 0);
    pid_t child = fork();
    if (!child) write_rounds(path, mode, round, p[1]);
    close(p[1]);
    if (behind && read(p[0], &told, 4) == 4) last = told;
    usleep(ms * 1000);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    while (read(p[0], &told, 4) == 4) last = told;
    close(p[0]);
    return last;
}

static void kill_often(enum block_mode mode)
{
    struct rig r;
    struct error e = { "" };
    rig_up(&r, false, true);
    const char *path = rig_image(&r, CLUSTERS * CLUSTER);
    u32 round = 0x10000, rounds = 0, flushed = 0; /* flushed: by some writer, 0: by none */
    for (unsigned k = 0; k < 12; k++) {
        u32 last = killed_writer(path, mode, round, 5 + k * 7, k & 1);
        if (last >= round) flushed = last;
        struct block *b = block_open(path, mode, &e);
        ck_assert_msg(b != NULL, "%s", e.text);
        for (unsigned n = 0; n < SECTORS; n++) {
            u32 sector[128];
            ck_assert_int_eq(block_pread(b, place(n), sector, sizeof(sector)), 0);
            bool untouched = !flushed && sector[0] < 0x10000;
            ck_assert_msg(untouched || (sector[0] >= flushed && sector[0] <= last + 1), "sector %u has %x, flushed was %x", n,
                          sector[0], flushed);
            for (unsigned i = 1; i < 128 && !untouched; i++) ck_assert_uint_eq(sector[i], sector[0]);
            /* what the writer did not touch is the image's */
            ck_assert_int_eq(block_pread(b, place(n) + 512, sector, 512), 0);
            ck_assert_uint_eq(sector[0], (u32)(place(n) / 512 + 1));
        }
        block_close(b);
        rounds += last + 1 - round;
        round = last + 2;
    }
    ck_assert_uint_ge(rounds, 6);
    rig_down(&r);
}

START_TEST(w7_209_killing_the_program_keeps_what_was_flushed_in_the_overlay)
{
    kill_often(BLOCK_OVERLAY);
}
END_TEST

START_TEST(w7_209_killing_the_program_keeps_what_was_flushed_in_the_image)
{
    kill_often(BLOCK_WRITE);
}
END_TEST

/* The host itself goes down: what was not flushed is dropped, what was is there, and no cluster mixes. */
START_TEST(w7_209_a_host_crash_drops_only_what_was_not_flushed)
{
    struct rig r;
    struct error e = { "" };
    char file[80];
    u8 a[512], b2[512];
    rig_up(&r, false, true);
    const char *path = rig_image(&r, 4 * CLUSTER);
    snprintf(file, sizeof(file), "%s.overlay", path);
    memset(a, 0xaa, 512);
    memset(b2, 0xbb, 512);
    struct block *b = block_open(path, BLOCK_OVERLAY, &e);
    ck_assert_int_eq(block_pwrite(b, 512, a, 512) | block_flush(b), 0);
    ck_assert_int_eq(block_pwrite(b, CLUSTER + 512, b2, 512), 0);
    /* The file as the crash finds it: another boot of the host reads it. */
    int fd = open(file, O_RDWR);
    u8 copy[4 * CLUSTER];
    ssize_t len = pread(fd, copy, sizeof(copy), 0);
    ck_assert_int_gt(len, CLUSTER);
    block_close(b);
    memcpy(copy + 48, "other-boot", 10);
    ck_assert_int_eq(pwrite(fd, copy, (size_t)len, 0), len);
    close(fd);
    b = block_open(path, BLOCK_OVERLAY, &e);
    ck_assert_msg(b != NULL, "%s", e.text);
    u8 got[512];
    ck_assert_int_eq(block_pread(b, 512, got, 512), 0);
    ck_assert_mem_eq(got, a, 512);
    ck_assert_int_eq(block_pread(b, CLUSTER + 512, got, 512), 0);
    ck_assert_uint_eq(ld32(got), CLUSTER / 512 + 1);
    block_close(b);
    rig_down(&r);
}
END_TEST

/* --- 209: committing --- */

/* Writes the round's number to every place of the overlay. */
static void fill_overlay(const char *path, u32 round)
{
    struct error e = { "" };
    struct block *b = block_open(path, BLOCK_OVERLAY, &e);
    ck_assert_msg(b != NULL, "%s", e.text);
    for (unsigned n = 0; n < SECTORS; n++) {
        u32 sector[128];
        for (unsigned k = 0; k < 128; k++) sector[k] = round;
        ck_assert_int_eq(block_pwrite(b, place(n), sector, sizeof(sector)), 0);
    }
    block_close(b);
}

static void expect_round(const char *path, enum block_mode mode, u32 round)
{
    struct error e = { "" };
    struct block *b = block_open(path, mode, &e);
    ck_assert_msg(b != NULL, "%s", e.text);
    for (unsigned n = 0; n < SECTORS; n++) {
        u32 sector[128];
        ck_assert_int_eq(block_pread(b, place(n), sector, sizeof(sector)), 0);
        ck_assert_uint_eq(sector[0], round);
        ck_assert_uint_eq(sector[127], round);
        ck_assert_int_eq(block_pread(b, place(n) + 512, sector, 512), 0);
        ck_assert_uint_eq(sector[0], (u32)(place(n) / 512 + 1));
    }
    block_close(b);
}

START_TEST(w7_209_commit_moves_the_overlay_into_the_image)
{
    struct rig r;
    struct error e = { "" };
    u64 bytes;
    char file[80];
    rig_up(&r, false, true);
    const char *path = rig_image(&r, CLUSTERS * CLUSTER);
    ck_assert_int_eq(block_commit(path, &bytes, &e), -1); /* nothing to commit */
    fill_overlay(path, 0x777);
    ck_assert_msg(block_commit(path, &bytes, &e) == 0, "%s", e.text);
    ck_assert_uint_eq(bytes, CLUSTERS * CLUSTER);
    snprintf(file, sizeof(file), "%s.overlay", path);
    ck_assert_int_ne(access(file, F_OK), 0);
    expect_round(path, BLOCK_READONLY, 0x777);
    /* Discarding is removing the file: the image has what it had. */
    fill_overlay(path, 0x888);
    ck_assert_int_eq(unlink(file), 0);
    expect_round(path, BLOCK_OVERLAY, 0x777);
    rig_down(&r);
}
END_TEST

/* Killed at every moment, even several times, a commit leaves the new content behind the overlay, and in the image
 * once it has come to its end. */
START_TEST(w7_209_a_killed_commit_loses_nothing)
{
    struct rig r;
    struct error e = { "" };
    u64 bytes;
    char file[80];
    unsigned cut = 0;
    rig_up(&r, false, true);
    const char *path = rig_image(&r, CLUSTERS * CLUSTER);
    snprintf(file, sizeof(file), "%s.overlay", path);
    for (unsigned k = 0; k < 16; k++) {
        fill_overlay(path, 0x1000 + k);
        for (unsigned again = 0; again < 3 && !access(file, F_OK); again++) {
            pid_t child = fork();
            if (!child) _exit(block_commit(path, &bytes, &e) ? 1 : 0);
            usleep(200 * (k + 1) + 137 * again);
            kill(child, SIGKILL);
            waitpid(child, NULL, 0);
            cut += !access(file, F_OK);
            expect_round(path, BLOCK_OVERLAY, 0x1000 + k);
        }
        if (!access(file, F_OK)) ck_assert_msg(block_commit(path, &bytes, &e) == 0, "%s", e.text);
        expect_round(path, BLOCK_READONLY, 0x1000 + k);
    }
    ck_assert_uint_gt(cut, 3);
    rig_down(&r);
}
END_TEST

/* Marked as half committed, over an image that has changed and before the changes were complete. */
START_TEST(w7_209_a_commit_cut_short_is_taken_up_again)
{
    struct rig r;
    struct error e = { "" };
    u64 bytes;
    char file[80];
    u32 committing = 1, sector[128];
    rig_up(&r, false, true);
    const char *path = rig_image(&r, CLUSTERS * CLUSTER);
    snprintf(file, sizeof(file), "%s.overlay", path);
    fill_overlay(path, 0x999);
    memset(sector, 0x99, sizeof(sector));
    int fd = open(file, O_RDWR), image = open(path, O_RDWR);
    ck_assert_int_eq(pwrite(fd, &committing, 4, 88), 4);
    ck_assert_int_eq(pwrite(image, sector, 512, (off_t)place(0)), 512);
    close(fd);
    close(image);
    expect_round(path, BLOCK_OVERLAY, 0x999); /* a run in between is allowed */
    ck_assert_msg(block_commit(path, &bytes, &e) == 0, "%s", e.text);
    expect_round(path, BLOCK_READONLY, 0x999);
    rig_down(&r);
}
END_TEST

/* --- 210 --- */

struct disk {
    struct rig r;
    struct block *block;
    struct ata_drive *d;
    unsigned done, ok;
    struct rlimit limit;
};

static void changed(void *opaque, struct ata_drive *d)
{
    (void)opaque, (void)d;
}

static bool queue_data(void *opaque, unsigned tag, u64 offset, u8 *buf, u64 len, bool to_guest)
{
    (void)opaque, (void)tag, (void)offset;
    if (!to_guest) memset(buf, 0x77, len);
    return true;
}

static void queue_done(void *opaque, unsigned tag, bool ok)
{
    struct disk *t = opaque;
    t->done |= BIT(tag);
    if (ok) t->ok |= BIT(tag);
}

static const struct ata_port port = { true, changed, queue_data, queue_done };

static void up(struct disk *t, enum block_mode mode, const char *errors, const char *readonly)
{
    memset(t, 0, sizeof(*t));
    rig_up(&t->r, false, true);
    t->block = rig_block(&t->r, 1 << 20, mode);
    struct device *d = rig_create(&t->r, &ata_disk_class, "hd0");
    ck_assert_int_eq(device_set_option(d, "errors", errors, NULL), 0);
    ck_assert_int_eq(device_set_option(d, "readonly", readonly, NULL), 0);
    device_set_ptr(d, "block", t->block);
    rig_start(d);
    t->d = (struct ata_drive *)d;
    ck_assert_int_eq(ata_attach(t->d, &port, t, NULL), 0);
    d->cls->reset(d, RESET_COLD);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &t->limit);
}

static void down(struct disk *t)
{
    while (t->r.ndevices) device_destroy(t->r.devices[--t->r.ndevices]);
    block_close(t->block);
    rig_down(&t->r);
}

/* From now on the host's files do not grow, or do again. */
static void host_full(struct disk *t, bool full)
{
    struct rlimit l = t->limit;
    if (full) l.rlim_cur = 65536 + 100;
    setrlimit(RLIMIT_FSIZE, &l);
}

static void start_write(struct disk *t, u8 command, u32 lba)
{
    struct ata_drive *d = t->d;
    d->lba_low[0] = (u8)lba, d->lba_mid[0] = (u8)(lba >> 8), d->lba_high[0] = (u8)(lba >> 16);
    d->count[0] = 1, d->count[1] = 0;
    d->device = ATA_LBA;
    ata_command(d, command);
    if (d->win_len != 512) return;
    memset(d->win, 0x77, 512);
    ata_transferred(d, 512);
    advance_us(&t->r, 100);
}

static u32 word_at(struct disk *t, u32 lba)
{
    u8 sector[512];
    ck_assert_int_eq(block_pread(t->block, (u64)lba * 512, sector, 512), 0);
    return ld32(sector);
}

START_TEST(w7_210_a_full_disk_is_an_error_of_the_drive)
{
    static const u8 writes[] = { 0x30, 0xca, 0x35, 0xc5 };
    struct disk t;
    up(&t, BLOCK_OVERLAY, "report", "off");
    for (unsigned k = 0; k < LEN(writes); k++) {
        host_full(&t, true);
        start_write(&t, writes[k], 0x300 + 8 * k);
        host_full(&t, false);
        ck_assert_uint_eq(t.d->status, 0x51);
        ck_assert_uint_eq(t.d->error, ATA_ABRT);
        ck_assert(t.d->irq);
        ck_assert_uint_eq(word_at(&t, 0x300 + 8 * k), 0x300 + 8 * k);
        ck_assert_int_eq(t.r.requests, 0);
    }
    start_write(&t, 0xca, 0x300); /* there is room again */
    ck_assert_uint_eq(t.d->status, 0x50);
    ck_assert_uint_eq(word_at(&t, 0x300), 0x77777777);
    down(&t);
}
END_TEST

START_TEST(w7_210_a_full_disk_is_an_error_of_the_queued_write)
{
    struct disk t;
    up(&t, BLOCK_OVERLAY, "report", "off");
    host_full(&t, true);
    t.d->feature[0] = 1;
    t.d->count[0] = 3 << 3;
    t.d->lba_low[0] = 0x80;
    t.d->lba_mid[0] = 2;
    t.d->device = ATA_LBA;
    ck_assert(ata_queue(t.d, 0x61));
    advance_us(&t.r, 100);
    host_full(&t, false);
    ck_assert_uint_eq(t.done, BIT(3));
    ck_assert_uint_eq(t.ok, 0);
    ck_assert_uint_eq(t.d->status & ATA_ERR, ATA_ERR);
    ck_assert_uint_eq(word_at(&t, 0x280), 0x280);
    down(&t);
}
END_TEST

START_TEST(w7_210_without_the_option_the_write_waits)
{
    struct disk t;
    up(&t, BLOCK_OVERLAY, "stop", "off");
    host_full(&t, true);
    start_write(&t, 0xca, 0x300);
    host_full(&t, false);
    ck_assert_uint_eq(t.d->status & ATA_BSY, ATA_BSY); /* not done, so not a success */
    ck_assert_int_eq(t.r.requests, 1);
    ck_assert_int_eq(t.r.request, REQ_STOP);
    advance_us(&t.r, 2000);
    ck_assert_uint_eq(t.d->status, 0x50);
    ck_assert_uint_eq(word_at(&t, 0x300), 0x77777777);
    down(&t);
}
END_TEST

START_TEST(w7_210_a_read_only_disk_refuses_writes)
{
    static const u8 writes[] = { 0x30, 0x34, 0xca, 0x35, 0xc5, 0x39, 0x3d };
    struct disk t;
    up(&t, BLOCK_OVERLAY, "report", "on");
    for (unsigned k = 0; k < LEN(writes); k++) {
        start_write(&t, writes[k], 0x300);
        ck_assert_uint_eq(t.d->status, 0x51);
        ck_assert_uint_eq(t.d->error & ATA_ABRT, ATA_ABRT);
        ck_assert_uint_eq(word_at(&t, 0x300), 0x300);
    }
    down(&t);
}
END_TEST

START_TEST(w7_210_a_read_only_host_file_is_refused_at_the_start)
{
    struct rig r;
    struct error e = { "" };
    rig_up(&r, false, true);
    const char *path = rig_image(&r, 65536);
    chmod(path, 0444);
    ck_assert_ptr_null(block_open(path, BLOCK_WRITE, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "read-only"));
    rig_down(&r);
}
END_TEST

Suite *w7_storage_suite(void);
Suite *w7_storage_suite(void)
{
    const TTest *const tests[] = {
        w7_207_one_image_on_either_controller,
        w7_209_killing_the_program_keeps_what_was_flushed_in_the_overlay,
        w7_209_killing_the_program_keeps_what_was_flushed_in_the_image,
        w7_209_a_host_crash_drops_only_what_was_not_flushed,
        w7_209_commit_moves_the_overlay_into_the_image,
        w7_209_a_killed_commit_loses_nothing,
        w7_209_a_commit_cut_short_is_taken_up_again,
        w7_210_a_full_disk_is_an_error_of_the_drive,
        w7_210_a_full_disk_is_an_error_of_the_queued_write,
        w7_210_without_the_option_the_write_waits,
        w7_210_a_read_only_disk_refuses_writes,
        w7_210_a_read_only_host_file_is_refused_at_the_start,
    };
    Suite *s = suite_create("w7_storage");
    TCase *tc = tcase_create("w7_storage");
    tcase_set_timeout(tc, 120); /* the host's disk may be slow, and each flush waits for it */
    for (size_t k = 0; k < LEN(tests); k++) tcase_add_test(tc, tests[k]);
    suite_add_tcase(s, tc);
    return s;
}
