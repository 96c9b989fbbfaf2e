/* Images: refusals in one line, locks, overlay contents and safety, requests in virtual time, a full host disk. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/unit/storage_rig.h"

static void expect_refused(const char *path, enum block_mode mode, const char *text)
{
    struct error e = { "" };
    struct block *b = block_open(path, mode, &e);
    ck_assert_ptr_null(b);
    ck_assert_msg(strstr(e.text, text) != NULL, "'%s' does not contain '%s'", e.text, text);
    ck_assert_ptr_null(strchr(e.text, '\n'));
}

static u32 sector_word(struct block *b, u64 sector)
{
    u8 buf[512];
    ck_assert_int_eq(block_pread(b, sector * 512, buf, 512), 0);
    return ld32(buf);
}

static void put_sector(struct block *b, u64 sector, u8 fill)
{
    u8 buf[512];
    memset(buf, fill, sizeof(buf));
    ck_assert_int_eq(block_pwrite(b, sector * 512, buf, 512), 0);
}

START_TEST(bad_images_are_refused_by_name)
{
    struct rig r;
    rig_up(&r, false, true);
    expect_refused("/tmp/aeropc-no-such-file.img", BLOCK_OVERLAY, "no such file");
    expect_refused("/tmp", BLOCK_OVERLAY, "is a folder");
    expect_refused(rig_image(&r, 0), BLOCK_OVERLAY, "is empty");
    expect_refused(rig_image(&r, 1000), BLOCK_OVERLAY, "is truncated");
    const char *path = rig_image(&r, 512);
    int fd = open(path, O_WRONLY);
    ck_assert_int_eq(write(fd, "QFI\xfb", 4), 4);
    close(fd);
    expect_refused(path, BLOCK_OVERLAY, "qcow2");
    rig_down(&r);
}
END_TEST

START_TEST(images_are_locked)
{
    struct rig r;
    struct error e = { "" };
    rig_up(&r, false, true);
    const char *path = rig_image(&r, 65536);
    struct block *w = block_open(path, BLOCK_WRITE, &e);
    ck_assert_ptr_nonnull(w);
    expect_refused(path, BLOCK_OVERLAY, "is locked");
    expect_refused(path, BLOCK_WRITE, "is locked");
    block_close(w);
    struct block *o = block_open(path, BLOCK_OVERLAY, &e);
    ck_assert_ptr_nonnull(o);
    expect_refused(path, BLOCK_OVERLAY, ".overlay is locked");
    expect_refused(path, BLOCK_WRITE, "is locked");
    struct block *t = block_open(path, BLOCK_THROWAWAY, &e);
    ck_assert_ptr_nonnull(t);
    block_close(t);
    block_close(o);
    rig_down(&r);
}
END_TEST

START_TEST(overlay_keeps_changes_and_spares_the_image)
{
    struct rig r;
    struct error e = { "" };
    rig_up(&r, false, true);
    const char *path = rig_image(&r, 300 * 512); /* two clusters and a short one */
    struct block *b = block_open(path, BLOCK_OVERLAY, &e);
    ck_assert_msg(b != NULL, "%s", e.text);
    put_sector(b, 1, 0xaa);
    put_sector(b, 127, 0xbb);
    put_sector(b, 299, 0xcc);
    ck_assert_uint_eq(sector_word(b, 1), 0xaaaaaaaa);
    ck_assert_uint_eq(sector_word(b, 2), 2);
    block_close(b);
    b = block_open(path, BLOCK_OVERLAY, &e);
    ck_assert_msg(b != NULL, "%s", e.text);
    ck_assert_uint_eq(sector_word(b, 1), 0xaaaaaaaa);
    ck_assert_uint_eq(sector_word(b, 127), 0xbbbbbbbb);
    ck_assert_uint_eq(sector_word(b, 128), 128);
    ck_assert_uint_eq(sector_word(b, 298), 298);
    ck_assert_uint_eq(sector_word(b, 299), 0xcccccccc);
    block_close(b);
    b = block_open(path, BLOCK_READONLY, &e);
    for (u32 n = 0; n < 300; n++) ck_assert_uint_eq(sector_word(b, n), n);
    ck_assert_int_ne(block_pwrite(b, 0, &e, 512), 0);
    block_close(b);
    rig_down(&r);
}
END_TEST

START_TEST(throwaway_leaves_nothing)
{
    struct rig r;
    rig_up(&r, false, true);
    struct block *b = rig_block(&r, 65536, BLOCK_THROWAWAY);
    put_sector(b, 5, 0x55);
    ck_assert_uint_eq(sector_word(b, 5), 0x55555555);
    char overlay[80];
    snprintf(overlay, sizeof(overlay), "%s.overlay", r.path[0]);
    ck_assert_int_ne(access(overlay, F_OK), 0);
    block_close(b);
    struct error e;
    b = block_open(r.path[0], BLOCK_WRITE, &e);
    ck_assert_uint_eq(sector_word(b, 5), 5);
    put_sector(b, 6, 0x66);
    block_close(b);
    b = block_open(r.path[0], BLOCK_READONLY, &e);
    ck_assert_uint_eq(sector_word(b, 6), 0x66666666);
    block_close(b);
    rig_down(&r);
}
END_TEST

START_TEST(overlay_of_a_changed_image_is_refused)
{
    struct rig r;
    struct error e = { "" };
    rig_up(&r, false, true);
    const char *path = rig_image(&r, 65536);
    block_close(block_open(path, BLOCK_OVERLAY, &e));
    struct block *b = block_open(path, BLOCK_WRITE, &e);
    put_sector(b, 0, 0x12);
    block_close(b);
    expect_refused(path, BLOCK_OVERLAY, "was changed (content)");
    ck_assert_int_eq(truncate(path, 131072), 0);
    expect_refused(path, BLOCK_OVERLAY, "was changed (size)");
    rig_down(&r);
}
END_TEST

/* Rewrites `len` bytes of the overlay of the first image. */
static void patch_overlay(struct rig *r, off_t at, const void *bytes, size_t len)
{
    char overlay[80];
    snprintf(overlay, sizeof(overlay), "%s.overlay", r->path[0]);
    int fd = open(overlay, O_WRONLY);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, bytes, len, at), (ssize_t)len);
    close(fd);
}

START_TEST(host_crash_drops_unflushed_clusters_only)
{
    struct rig r;
    struct error e = { "" };
    rig_up(&r, false, true);
    const char *path = rig_image(&r, 2 * 65536);
    struct block *b = block_open(path, BLOCK_OVERLAY, &e);
    put_sector(b, 0, 0xaa);
    ck_assert_int_eq(block_flush(b), 0);
    put_sector(b, 128, 0xbb);
    /* What a crash leaves: the second entry still tentative, another boot of the host. */
    u32 entry = 2 | BIT(31);
    block_close(b);
    patch_overlay(&r, 4096 + 4, &entry, 4);
    patch_overlay(&r, 48, "other-boot", 10);
    b = block_open(path, BLOCK_OVERLAY, &e);
    ck_assert_msg(b != NULL, "%s", e.text);
    ck_assert_uint_eq(sector_word(b, 0), 0xaaaaaaaa);
    ck_assert_uint_eq(sector_word(b, 128), 128);
    block_close(b);
    /* The same entry in the same boot is good: the program was killed, the host kept its cache. */
    patch_overlay(&r, 4096 + 4, &entry, 4);
    b = block_open(path, BLOCK_OVERLAY, &e);
    ck_assert_uint_eq(sector_word(b, 128), 0xbbbbbbbb);
    block_close(b);
    rig_down(&r);
}
END_TEST

START_TEST(damaged_overlay_is_refused)
{
    struct rig r;
    struct error e = { "" };
    rig_up(&r, false, true);
    const char *path = rig_image(&r, 2 * 65536);
    block_close(block_open(path, BLOCK_OVERLAY, &e));
    u32 entry = 77;
    patch_overlay(&r, 4096, &entry, 4);
    expect_refused(path, BLOCK_OVERLAY, "is damaged");
    patch_overlay(&r, 0, "nonsense", 8);
    expect_refused(path, BLOCK_OVERLAY, "is not an overlay");
    rig_down(&r);
}
END_TEST

static void count_done(void *opaque)
{
    ++*(int *)opaque;
}

START_TEST(requests_complete_in_order_in_virtual_time)
{
    struct rig r;
    rig_up(&r, false, true);
    struct block *b = rig_block(&r, 65536, BLOCK_THROWAWAY);
    block_attach(b, &r.host);
    u8 data[512] = { 0 }, more[512] = { 0 };
    int done = 0;
    struct iovec one = { data, 512 }, two = { more, 512 };
    struct block_req a = { .op = BLOCK_OP_READ, .offset = 512, .bytes = 512, .iov = &one, .iovcnt = 1, .done = count_done, .opaque = &done };
    struct block_req c = a;
    c.offset = 1024;
    c.iov = &two;
    block_submit(b, &a);
    advance_us(&r, 25);
    block_submit(b, &c);
    ck_assert_int_eq(done, 0);
    advance_us(&r, 25);
    ck_assert_int_eq(done, 1);
    ck_assert_uint_eq(ld32(data), 1);
    advance_us(&r, 25);
    ck_assert_int_eq(done, 2);
    block_submit(b, &a);
    block_cancel(b, &a);
    advance_us(&r, 1000);
    ck_assert_int_eq(done, 2);
    block_close(b);
    rig_down(&r);
}
END_TEST

START_TEST(full_host_disk_stops_and_retries)
{
    struct rig r;
    rig_up(&r, false, true);
    struct block *b = rig_block(&r, 1 << 20, BLOCK_OVERLAY);
    block_attach(b, &r.host);
    u8 data[512];
    memset(data, 0x77, sizeof(data));
    int done = 0;
    struct iovec one = { data, 512 };
    struct block_req q = { .op = BLOCK_OP_WRITE, .offset = 0x40000, .bytes = 512, .iov = &one, .iovcnt = 1, .done = count_done, .opaque = &done };
    struct rlimit old, small;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 65536 + 100; /* the overlay's first data cluster does not fit */
    setrlimit(RLIMIT_FSIZE, &small);
    block_submit(b, &q);
    advance_us(&r, 100);
    setrlimit(RLIMIT_FSIZE, &old);
    ck_assert_int_eq(done, 0);
    ck_assert_int_eq(r.requests, 1);
    ck_assert_int_eq(r.request, REQ_STOP);
    ck_assert_ptr_nonnull(strstr(r.why, ".overlay"));
    ck_assert_uint_eq(sector_word(b, 0x200), 0x200);
    advance_us(&r, 2000);
    ck_assert_int_eq(done, 1);
    ck_assert_uint_eq(sector_word(b, 0x200), 0x77777777);
    block_close(b);
    rig_down(&r);
}
END_TEST

START_TEST(read_only_image_says_what_to_do)
{
    struct rig r;
    rig_up(&r, false, true);
    const char *path = rig_image(&r, 65536);
    chmod(path, 0444);
    expect_refused(path, BLOCK_WRITE, "is read-only");
    struct error e = { "" };
    struct block *b = block_open(path, BLOCK_OVERLAY, &e);
    ck_assert_msg(b != NULL, "%s", e.text);
    put_sector(b, 0, 1);
    block_close(b);
    rig_down(&r);
}
END_TEST

RIG_SUITE(block, bad_images_are_refused_by_name, images_are_locked, overlay_keeps_changes_and_spares_the_image,
          throwaway_leaves_nothing, overlay_of_a_changed_image_is_refused, host_crash_drops_unflushed_clusters_only,
          damaged_overlay_is_refused, requests_complete_in_order_in_virtual_time, full_host_disk_stops_and_retries,
          read_only_image_says_what_to_do)
