/* The option table: sizes, choices, lists, aliases, files, help, and messages that say what to do.
 */
#include "tests/unit/machine_rig.h"

static struct config c;
static struct error e;
static struct text out;
static struct rig r;

static void setup(void)
{
    config_init(&c);
    text_init(&out);
    rig_prepare(&r, NULL, 0);
}

static void teardown(void)
{
    config_free(&c);
    text_free(&out);
    rig_close(&r);
}

#define PARSE(...) parse((const char *[]){ "aeropc", __VA_ARGS__, NULL })
static int parse(const char **words)
{
    int n = 0;
    while (words[n]) n++;
    return config_parse(&c, n, (char **)(uintptr_t)words, &out, &e);
}

START_TEST(sizes_with_units)
{
    u64 v;
    ck_assert_int_eq(parse_size("2G", &v), 0);
    ck_assert_uint_eq(v, 2 * GIB);
    ck_assert_int_eq(parse_size("640k", &v), 0);
    ck_assert_uint_eq(v, 640 * KIB);
    ck_assert_int_eq(parse_size("0x100000", &v), 0);
    ck_assert_uint_eq(v, MIB);
    ck_assert_int_eq(parse_size("512MB", &v), 0);
    static const char *const bad[] = {
        "",          "G", "-1", "1X", "1GG", " 1", "99999999999999999999", "18446744073709551615K",
        "16777216T", "0x"
    };
    for (unsigned k = 0; k < LEN(bad); k++)
        ck_assert_msg(parse_size(bad[k], &v) == -1 || !strcmp(bad[k], "0x"), "%s", bad[k]);
}
END_TEST

START_TEST(qemu_boot_letters_become_words)
{
    static const char *const rows[][2] = {
        { "d", "cdrom" },           { "c", "disk" },           { "a", "floppy" },
        { "dc", "cdrom,disk" },     { "order=cad", "disk,floppy,cdrom" },
        { "menu=on", "menu" },      { "order=d,menu=on", "cdrom,menu" },
        { "c,menu=off", "disk" },   { "cdrom", "cdrom" },      { "disk,cdrom", "disk,cdrom" },
        { "usb", "usb" }, /* refused by the board, by name */
    };
    for (unsigned k = 0; k < LEN(rows); k++) {
        ck_assert_int_eq(PARSE("-boot", rows[k][0]), 0);
        ck_assert_str_eq(c.boot, rows[k][1]);
    }
    ck_assert_int_eq(PARSE("-boot", "cn"), -1);
    ck_assert_ptr_nonnull(strstr(e.text, "n, the network, is not provided"));
}
END_TEST

START_TEST(long_short_and_file_forms_mean_the_same)
{
    ck_assert_int_eq(PARSE("--memory", "256M", "--display=none"), 0);
    ck_assert_uint_eq(c.memory, 256 * MIB);
    ck_assert_str_eq(c.display, "none");
    ck_assert_int_eq(PARSE("-m", "512M", "-hda", "x.img", "-snapshot", "-S"), 0);
    ck_assert_uint_eq(c.memory, 512 * MIB);
    ck_assert_str_eq(c.disks.s[0], "x.img,if=ide");
    ck_assert(c.throwaway && c.paused);
    ck_assert_int_eq(config_set(&c, "memory", "128M", &e), 0);
    ck_assert_uint_eq(c.memory, 128 * MIB);
}
END_TEST

START_TEST(unknown_options_offer_the_nearest)
{
    ck_assert_int_eq(PARSE("--memroy", "1G"), -1);
    ck_assert_ptr_nonnull(strstr(e.text, "did you mean --memory?"));
    ck_assert_int_eq(PARSE("-snapshto"), -1);
    ck_assert_ptr_nonnull(strstr(e.text, "did you mean -snapshot?"));
    ck_assert_int_eq(PARSE("-throwaway"), -1);
    ck_assert_ptr_nonnull(strstr(e.text, "did you mean --throwaway?"));
    ck_assert_int_eq(PARSE("-x"), -1);
    ck_assert_ptr_nonnull(strstr(e.text, "--help"));
    ck_assert_int_eq(PARSE("--q"), -1);
    ck_assert_ptr_nonnull(strstr(e.text, "--help"));
}
END_TEST

START_TEST(values_are_checked)
{
    ck_assert_int_eq(PARSE("--memory"), -1);
    ck_assert_int_eq(PARSE("--memory", "15M"), -1);
    ck_assert_int_eq(PARSE("--memory", "63G"), -1);
    ck_assert_int_eq(PARSE("--memory", "16777217"), -1);
    ck_assert_int_eq(PARSE("-m", "64M", "--clock", "sundial"), -1);
    ck_assert_int_eq(PARSE("--write=maybe"), -1);
    ck_assert_int_eq(PARSE("--write", "--throwaway"), -1);
    ck_assert_int_eq(config_set(&c, "help", "x", &e), -1); /* not a setting */
    ck_assert_int_eq(PARSE("--print-config=x", "--clock", ""), -1);
}
END_TEST

START_TEST(flags_take_a_value_too)
{
    ck_assert_int_eq(PARSE("--hpet", "--write=on"), 0);
    ck_assert(c.hpet && c.write);
    ck_assert_int_eq(PARSE("--hpet=off"), 0);
    ck_assert(!c.hpet);
}
END_TEST

START_TEST(nographic_leaves_a_serial_of_your_own_alone)
{
    ck_assert_int_eq(PARSE("-nographic", "-serial", "file:x"), 0);
    ck_assert_uint_eq(c.serials.n, 1);
    ck_assert_str_eq(c.serials.s[0], "file:x");
    config_free(&c);
    config_init(&c);
    ck_assert_int_eq(PARSE("-nographic"), 0);
    ck_assert_str_eq(c.serials.s[0], "stdio");
    ck_assert_str_eq(c.display, "none");
}
END_TEST

START_TEST(printed_configuration_reads_back_the_same)
{
    ck_assert_int_eq(PARSE("-m", "96M", "--disk", "a b.img,if=ide", "--disk", "c.img", "--set",
                           "com1.port=0x3f8", "--hpet", "--log", "warn,cpu=debug",
                           "--print-config"),
                     1);
    rig_write(&r, "text.conf", out.s, out.len);
    char *path = rig_path(&r, "text.conf"), *first = xstrdup(out.s);
    config_free(&c);
    config_init(&c);
    text_clear(&out);
    ck_assert_int_eq(config_read_file(&c, path, &e), 0);
    config_print(&c, &out);
    ck_assert_str_eq(out.s, first);
    free(first);
    free(path);
}
END_TEST

START_TEST(file_errors_name_the_line)
{
    static const char text[] = "# comment\n\n  memory = 64M \r\nnonsense\n";
    rig_write(&r, "text.conf", text, sizeof(text) - 1);
    char *path = rig_path(&r, "text.conf");
    ck_assert_int_eq(config_read_file(&c, path, &e), -1);
    ck_assert_ptr_nonnull(strstr(e.text, "line 4"));
    ck_assert_uint_eq(c.memory, 64 * MIB);
    ck_assert_int_eq(config_read_file(&c, "/nosuch.conf", &e), -1);
    free(path);
}
END_TEST

START_TEST(help_lists_every_option_and_model)
{
    ck_assert_int_eq(PARSE("--help"), 1);
    static const char *const words[] = { "--memory", "--disk", "--throwaway", "-nographic",
                                         "-cdrom",   "qemu64", "overlay" };
    for (unsigned k = 0; k < LEN(words); k++) ck_assert_ptr_nonnull(strstr(out.s, words[k]));
    text_clear(&out);
    ck_assert_int_eq(PARSE("--help", "fdc"), 1);
    ck_assert_ptr_nonnull(strstr(out.s, "instances: fdc"));
    ck_assert_int_eq(PARSE("--help", "nosuch"), -1);
    text_clear(&out);
    ck_assert_int_eq(PARSE("--version"), 1);
    ck_assert_ptr_nonnull(strstr(out.s, AEROPC_VERSION));
}
END_TEST

START_TEST(disk_specs_may_hold_commas)
{
    char path[64], value[16];
    spec_path("a,b.img,if=ide", path, sizeof(path));
    ck_assert_str_eq(path, "a,b.img");
    ck_assert_str_eq(spec_option("a,b.img,if=ide", "if", value, sizeof(value)), "ide");
    ck_assert_ptr_null(spec_option("a,b.img", "if", value, sizeof(value)));
    spec_path("plain", path, sizeof(path));
    ck_assert_str_eq(path, "plain");
}
END_TEST

START_TEST(the_owner_of_the_display_needs_a_choice)
{
    ck_assert_int_eq(PARSE("--profile", "vga"), 0);
    ck_assert_int_eq(PARSE("--profile", "vga", "--boot-vga", "stdvga"), 0);
    ck_assert_int_eq(PARSE("--profile", "vga", "--boot-vga", "aerogpu"), -1);
    ck_assert_ptr_nonnull(strstr(e.text, "needs --profile dual"));
    ck_assert_int_eq(PARSE("--profile", "aerogpu", "--boot-vga", "aerogpu"), 0);
    ck_assert_int_eq(PARSE("--profile", "aerogpu", "--boot-vga", "stdvga"), -1);
    ck_assert_int_eq(PARSE("--profile", "aerogpu"), 0); /* the default is nobody's wish */
    ck_assert_int_eq(PARSE("--profile", "dual", "--boot-vga", "aerogpu"), 0);
}
END_TEST

RIG_SUITE(options, sizes_with_units, qemu_boot_letters_become_words, long_short_and_file_forms_mean_the_same,
          unknown_options_offer_the_nearest, values_are_checked, flags_take_a_value_too,
          nographic_leaves_a_serial_of_your_own_alone, printed_configuration_reads_back_the_same,
          file_errors_name_the_line, help_lists_every_option_and_model, disk_specs_may_hold_commas,
          the_owner_of_the_display_needs_a_choice)
