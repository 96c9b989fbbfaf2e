/* The disk's commands, driven as a controller drives it: task file in, windows and interrupts out. */
#include "devices/ata.h"
#include "tests/unit/storage_rig.h"

struct disk {
    struct rig r;
    struct block *block;
    struct ata_drive *d;
    unsigned queue_done, queue_ok;
    u8 *queue_memory;
};

static void changed(void *opaque, struct ata_drive *d)
{
    (void)opaque, (void)d;
}

static bool queue_data(void *opaque, unsigned tag, u64 offset, u8 *buf, u64 len, bool to_guest)
{
    struct disk *t = opaque;
    u8 *mem = t->queue_memory + tag * 0x80000 + offset;
    memcpy(to_guest ? mem : buf, to_guest ? buf : mem, len);
    return true;
}

static void queue_done(void *opaque, unsigned tag, bool ok)
{
    struct disk *t = opaque;
    t->queue_done |= BIT(tag);
    if (ok) t->queue_ok |= BIT(tag);
}

static const struct ata_port port = { true, changed, queue_data, queue_done };

static void up(struct disk *t)
{
    memset(t, 0, sizeof(*t));
    rig_up(&t->r, false, true);
    t->block = rig_block(&t->r, 4 << 20, BLOCK_THROWAWAY);
    struct device *d = rig_create(&t->r, &ata_disk_class, "hd0");
    device_set_option(d, "serial", "S1", NULL);
    device_set_ptr(d, "block", t->block);
    rig_start(d);
    t->d = (struct ata_drive *)d;
    ck_assert_int_eq(ata_attach(t->d, &port, t, NULL), 0);
    d->cls->reset(d, RESET_COLD);
    t->queue_memory = calloc(4, 0x80000);
}

static void down(struct disk *t)
{
    while (t->r.ndevices) device_destroy(t->r.devices[--t->r.ndevices]);
    block_close(t->block);
    free(t->queue_memory);
    rig_down(&t->r);
}

static void set_lba(struct disk *t, u64 lba, u32 count)
{
    struct ata_drive *d = t->d;
    d->lba_low[0] = (u8)lba, d->lba_mid[0] = (u8)(lba >> 8), d->lba_high[0] = (u8)(lba >> 16);
    d->lba_low[1] = (u8)(lba >> 24), d->lba_mid[1] = (u8)(lba >> 32), d->lba_high[1] = (u8)(lba >> 40);
    d->count[0] = (u8)count, d->count[1] = (u8)(count >> 8);
    d->device = ATA_LBA;
}

static void run(struct disk *t, u8 command)
{
    ata_command(t->d, command);
    advance_us(&t->r, 60);
}

static void expect_error(struct disk *t, u8 error)
{
    ck_assert_uint_eq(t->d->status, 0x51);
    ck_assert_uint_eq(t->d->error, error);
    ck_assert(t->d->irq);
}

START_TEST(identify_is_complete)
{
    struct disk t;
    up(&t);
    run(&t, 0xec);
    ck_assert_uint_eq(t.d->win_len, 512);
    const u8 *id = t.d->win;
    u8 sum = 0;
    for (int i = 0; i < 512; i++) sum = (u8)(sum + id[i]);
    ck_assert_uint_eq(sum, 0);
    ck_assert_uint_eq(id[510], 0xa5);
    ck_assert_uint_eq(ld32(id + 120), 8192);
    ck_assert_uint_eq(ld64(id + 200), 8192);
    ck_assert_uint_eq(ld16(id + 2), 8);
    ck_assert_mem_eq(id + 20, "1S", 2);
    ck_assert_mem_eq(id + 54, "EAORCPD SI K", 12);
    ck_assert_uint_eq(ld16(id + 83 * 2) & 0xc400, 0x4400);
    ck_assert_uint_eq(ld16(id + 76 * 2), 0x0106);
    ata_transferred(t.d, 512);
    ck_assert_uint_eq(t.d->status, 0x50);
    down(&t);
}
END_TEST

START_TEST(transfer_mode_shows_in_identify)
{
    struct disk t;
    up(&t);
    t.d->feature[0] = 3;
    t.d->count[0] = 0x22;
    run(&t, 0xef);
    ck_assert_uint_eq(t.d->status, 0x50);
    run(&t, 0xec);
    ck_assert_uint_eq(ld16(t.d->win + 63 * 2), 0x0407);
    ck_assert_uint_eq(ld16(t.d->win + 88 * 2), 0x007f);
    ata_transferred(t.d, 512);
    t.d->count[0] = 0x47;
    run(&t, 0xef);
    expect_error(&t, ATA_ABRT);
    down(&t);
}
END_TEST

/* What SET FEATURES switches is what IDENTIFY says is on. */
START_TEST(power_management_level_shows_in_identify)
{
    static const struct {
        u8 feature, count, on, level;
    } steps[] = { { 0x05, 0x80, 8, 0x80 }, { 0x85, 0, 0, 0 } };
    struct disk t;
    up(&t);
    for (unsigned k = 0; k < LEN(steps); k++) {
        t.d->feature[0] = steps[k].feature;
        t.d->count[0] = steps[k].count;
        run(&t, 0xef);
        ck_assert_uint_eq(t.d->status, 0x50);
        run(&t, 0xec);
        ck_assert_uint_eq(ld16(t.d->win + 83 * 2) & 8, 8);
        ck_assert_uint_eq(ld16(t.d->win + 86 * 2) & 8, steps[k].on);
        ck_assert_uint_eq(ld16(t.d->win + 91 * 2), steps[k].level);
        ata_transferred(t.d, 512);
    }
    t.d->feature[0] = 0x05;
    t.d->count[0] = 0xff;
    run(&t, 0xef);
    expect_error(&t, ATA_ABRT);
    down(&t);
}
END_TEST

START_TEST(chs_and_lba_agree)
{
    struct disk t;
    up(&t);
    t.d->device = 1; /* cylinder 2, head 1, sector 3 */
    t.d->lba_mid[0] = 2, t.d->lba_high[0] = 0, t.d->lba_low[0] = 3, t.d->count[0] = 1;
    run(&t, 0x20);
    ck_assert_uint_eq(ld32(t.d->win), (2 * 16 + 1) * 63 + 2);
    ata_transferred(t.d, 512);
    t.d->lba_low[0] = 0; /* sectors count from 1 */
    run(&t, 0x20);
    expect_error(&t, ATA_IDNF);
    t.d->count[0] = 17, t.d->device = 3; /* 4 heads, 17 sectors */
    run(&t, 0x91);
    t.d->device = 2, t.d->lba_low[0] = 5, t.d->count[0] = 1;
    run(&t, 0x20);
    ck_assert_uint_eq(ld32(t.d->win), (2 * 4 + 2) * 17 + 4);
    down(&t);
}
END_TEST

START_TEST(multiple_hands_out_blocks)
{
    struct disk t;
    up(&t);
    t.d->count[0] = 4;
    run(&t, 0xc6);
    ck_assert_uint_eq(t.d->status, 0x50);
    set_lba(&t, 10, 6);
    run(&t, 0xc4);
    ck_assert_uint_eq(t.d->win_len, 2048);
    t.d->irq = false;
    ata_transferred(t.d, 2048);
    ck_assert(t.d->irq);
    ck_assert_uint_eq(t.d->win_len, 1024);
    ck_assert_uint_eq(ld32(t.d->win), 14);
    ata_transferred(t.d, 1024);
    ck_assert_uint_eq(t.d->status, 0x50);
    t.d->count[0] = 3;
    run(&t, 0xc6);
    expect_error(&t, ATA_ABRT);
    t.d->count[0] = 0;
    run(&t, 0xc6);
    set_lba(&t, 0, 1);
    run(&t, 0xc4);
    expect_error(&t, ATA_ABRT);
    down(&t);
}
END_TEST

START_TEST(addresses_past_the_end_fail)
{
    struct disk t;
    up(&t);
    set_lba(&t, 8191, 1);
    run(&t, 0x25);
    ck_assert_uint_eq(t.d->phase, ATA_DMA_IN);
    ata_transferred(t.d, 512);
    ck_assert_uint_eq(t.d->status, 0x50);
    set_lba(&t, 8191, 2);
    run(&t, 0x25);
    expect_error(&t, ATA_IDNF);
    set_lba(&t, 0xffffffffffffull, 0);
    run(&t, 0x35);
    expect_error(&t, ATA_IDNF);
    set_lba(&t, 8192, 1);
    run(&t, 0x40);
    expect_error(&t, ATA_IDNF);
    down(&t);
}
END_TEST

START_TEST(unknown_and_refused_commands_abort)
{
    static const u8 refused[] = { 0x00, 0x06, 0xa0, 0xa1, 0xb0, 0xf1, 0xf6, 0xff, 0xd1, 0x87 };
    struct disk t;
    up(&t);
    for (unsigned i = 0; i < LEN(refused); i++) {
        run(&t, refused[i]);
        expect_error(&t, ATA_ABRT);
    }
    down(&t);
}
END_TEST

START_TEST(non_data_commands_complete)
{
    static const u8 fine[] = { 0x10, 0xe0, 0xe1, 0xe5, 0xe7, 0xea, 0xf8, 0x27, 0x70, 0x42 };
    struct disk t;
    up(&t);
    for (unsigned i = 0; i < LEN(fine); i++) {
        set_lba(&t, 0, 1);
        run(&t, fine[i]);
        ck_assert_msg(t.d->status == 0x50 && t.d->irq, "command %02x", fine[i]);
    }
    set_lba(&t, 0, 0);
    run(&t, 0xe5);
    ck_assert_uint_eq(t.d->count[0], 0xff);
    run(&t, 0xf8);
    ck_assert_uint_eq(t.d->lba_low[0] | t.d->lba_mid[0] << 8, 8191);
    down(&t);
}
END_TEST

START_TEST(busy_drive_ignores_commands)
{
    struct disk t;
    up(&t);
    set_lba(&t, 5, 1);
    ata_command(t.d, 0x20);
    ata_command(t.d, 0xec);
    advance_us(&t.r, 60);
    ck_assert_uint_eq(ld32(t.d->win), 5);
    down(&t);
}
END_TEST

START_TEST(reset_drops_a_running_command)
{
    struct disk t;
    up(&t);
    set_lba(&t, 5, 1);
    ata_command(t.d, 0x25);
    ata_reset(t.d, false);
    advance_us(&t.r, 1000);
    ck_assert_uint_eq(t.d->status, 0x50);
    ck_assert_uint_eq(t.d->error, 1);
    ck_assert_uint_eq(t.d->win_len, 0);
    down(&t);
}
END_TEST

START_TEST(large_write_comes_back)
{
    struct disk t;
    u8 back[512];
    up(&t);
    set_lba(&t, 1000, 600); /* more than two buffers */
    run(&t, 0x35);
    u32 left = 600 * 512, at = 0;
    while (left) {
        ck_assert_uint_eq(t.d->phase, ATA_DMA_OUT);
        u32 n = t.d->win_len;
        for (u32 i = 0; i < n; i += 512, at++) st32(t.d->win + i, 0xab000000 + at);
        left -= n;
        ata_transferred(t.d, n);
        advance_us(&t.r, 60);
    }
    ck_assert_uint_eq(t.d->status, 0x50);
    for (u32 i = 0; i < 600; i += 37) {
        block_pread(t.block, (1000 + i) * 512ull, back, 512);
        ck_assert_uint_eq(ld32(back), 0xab000000 + i);
    }
    down(&t);
}
END_TEST

static bool queue(struct disk *t, unsigned tag, u8 command, u64 lba, u32 count)
{
    set_lba(t, lba, 0);
    t->d->count[0] = (u8)(tag << 3);
    t->d->feature[0] = (u8)count;
    t->d->feature[1] = (u8)(count >> 8);
    return ata_queue(t->d, command);
}

START_TEST(queued_commands_run_together)
{
    struct disk t;
    up(&t);
    memset(t.queue_memory + 0x80000, 0x5c, 0x80000);
    ck_assert(queue(&t, 0, 0x60, 50, 8));
    ck_assert(queue(&t, 1, 0x61, 2000, 300));
    ck_assert(queue(&t, 2, 0x60, 4000, 1));
    advance_us(&t.r, 60);
    ck_assert_uint_eq(t.queue_done, 5);
    advance_us(&t.r, 200);
    ck_assert_uint_eq(t.queue_ok, 7);
    ck_assert_uint_eq(ld32(t.queue_memory + 7 * 512), 57);
    ck_assert_uint_eq(ld32(t.queue_memory + 2 * 0x80000), 4000);
    u8 back[512];
    block_pread(t.block, 2299 * 512ull, back, 512);
    ck_assert_uint_eq(back[5], 0x5c);
    down(&t);
}
END_TEST

START_TEST(queued_error_fills_the_log)
{
    struct disk t;
    up(&t);
    ck_assert(queue(&t, 0, 0x60, 50, 8));
    ck_assert(!queue(&t, 3, 0x60, 8190, 8));
    ck_assert_uint_eq(t.d->error, ATA_IDNF);
    advance_us(&t.r, 200);
    ck_assert_uint_eq(t.queue_done, 0);
    set_lba(&t, 0x10, 1);
    run(&t, 0x2f);
    ck_assert_uint_eq(t.d->win_len, 512);
    ck_assert_uint_eq(t.d->win[0], 3);
    ck_assert_uint_eq(t.d->win[3], ATA_IDNF);
    ck_assert_uint_eq(ld16(t.d->win + 4), 8190);
    ata_transferred(t.d, 512);
    set_lba(&t, 0x30, 1);
    run(&t, 0x2f);
    expect_error(&t, ATA_ABRT);
    down(&t);
}
END_TEST

RIG_SUITE(ata, identify_is_complete, transfer_mode_shows_in_identify,
          power_management_level_shows_in_identify, chs_and_lba_agree, multiple_hands_out_blocks,
          addresses_past_the_end_fail, unknown_and_refused_commands_abort, non_data_commands_complete,
          busy_drive_ignores_commands, reset_drops_a_running_command, large_write_comes_back,
          queued_commands_run_together, queued_error_fills_the_log)
