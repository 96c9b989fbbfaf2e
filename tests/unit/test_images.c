/* What a bare argument is taken for, by content alone. */
#include <sys/stat.h>

#include "tests/unit/machine_rig.h"

static struct rig r;
static struct error e;
static char *path;
static u8 buf[40960];

static void setup(void)
{
    rig_prepare(&r, NULL, 0);
    path = rig_path(&r, "disk.img");
    memset(buf, 0, sizeof(buf));
}

static void teardown(void)
{
    free(path);
    rig_close(&r);
}

static enum image_kind kind(size_t n)
{
    rig_write(&r, "disk.img", buf, n);
    return image_recognise(path, &e);
}

START_TEST(whole_sectors_are_a_disk)
{
    ck_assert_int_eq(kind(512), IMG_DISK);
    ck_assert_int_eq(kind(40960), IMG_DISK);
    ck_assert_int_eq(kind(1000), IMG_ERROR);
    ck_assert_ptr_nonnull(strstr(e.text, "1000 bytes"));
    ck_assert_int_eq(kind(0), IMG_ERROR);
    ck_assert_ptr_nonnull(strstr(e.text, "empty"));
}
END_TEST

START_TEST(volume_descriptor_makes_a_cd)
{
    memcpy(buf + 32769, "CD001", 5);
    ck_assert_int_eq(kind(40960), IMG_CDROM);
    ck_assert_int_eq(kind(32772), IMG_ERROR); /* cut short: neither a CD nor whole sectors */
}
END_TEST

START_TEST(size_makes_a_floppy)
{
    ck_assert_int_eq(kind(512), IMG_DISK);
    ck_assert_int_eq(truncate(path, 1474560), 0);
    ck_assert_int_eq(image_recognise(path, &e), IMG_FLOPPY);
    ck_assert_int_eq(truncate(path, 737280), 0);
    ck_assert_int_eq(image_recognise(path, &e), IMG_FLOPPY);
}
END_TEST

START_TEST(text_with_an_equals_sign_is_a_configuration)
{
    strcpy((char *)buf, "# mine\nmemory = 64M\n");
    ck_assert_int_eq(kind(strlen((char *)buf)), IMG_CONFIG);
    ck_assert_int_eq(image_attach(&r.cfg, path, &e), 0);
    ck_assert_uint_eq(r.cfg.memory, 64 * MIB);
    buf[3] = 1; /* not text */
    ck_assert_int_eq(kind(20), IMG_ERROR);
}
END_TEST

START_TEST(foreign_containers_are_named_with_the_way_out)
{
    static const struct {
        const char *magic, *name;
    } rows[] = {
        { "QFI\xfb", "qcow2" }, { "KDMV", "VMDK" }, { "vhdxfile", "VHDX" }, { "conectix", "VHD" }
    };
    for (unsigned k = 0; k < LEN(rows); k++) {
        memset(buf, 0, sizeof(buf));
        memcpy(buf, rows[k].magic, strlen(rows[k].magic));
        ck_assert_int_eq(kind(4096), IMG_ERROR);
        ck_assert_ptr_nonnull(strstr(e.text, rows[k].name));
        ck_assert_ptr_nonnull(strstr(e.text, "qemu-img convert"));
    }
}
END_TEST

START_TEST(images_go_to_their_lists)
{
    memcpy(buf + 32769, "CD001", 5);
    ck_assert_int_eq(kind(40960), IMG_CDROM);
    ck_assert_int_eq(image_attach(&r.cfg, path, &e), 0);
    ck_assert_uint_eq(r.cfg.cdroms.n, 1);
    memset(buf, 0, sizeof(buf));
    ck_assert_int_eq(kind(1024), IMG_DISK);
    ck_assert_int_eq(image_attach(&r.cfg, path, &e), 0);
    ck_assert_uint_eq(r.cfg.disks.n, 1);
    ck_assert_int_eq(image_attach(&r.cfg, "/nosuch", &e), -1);
    ck_assert_ptr_nonnull(strstr(e.text, "/nosuch"));
}
END_TEST

RIG_SUITE(images, whole_sectors_are_a_disk, volume_descriptor_makes_a_cd, size_makes_a_floppy,
          text_with_an_equals_sign_is_a_configuration,
          foreign_containers_are_named_with_the_way_out, images_go_to_their_lists)
