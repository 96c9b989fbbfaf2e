/* The PIIX4 PM function: block placement, PM timer, SCI, power button, sleep, SMI command port. */
#include "devices/acpi_pm.h"
#include "devices/pci.h"

#include "tests/unit/harness.h"

static struct board *b;
static struct device *pm;
static struct wire *sci;

static void cfg(unsigned reg, u32 v, unsigned size)
{
    pci_config_write((struct pci_dev *)pm, reg, v, size);
}

static void setup(void)
{
    b = board_bare();
    struct device *bus = board_device(b, &pci_bus_class);
    pm = board_add(b, &acpi_pm_class);
    ck_assert_int_eq(device_set_ptr(pm, "pci", bus), 0);
    sci = board_wire(b, pm, "sci", 0);
    board_start(b, pm);
    cfg(0x40, 0x601, 4);
    cfg(0x80, 1, 1);
}

static void teardown(void)
{
    board_free(b);
}

START_TEST(block_follows_config)
{
    ck_assert_uint_eq(pci_config_read((struct pci_dev *)pm, 0, 4), 0x71138086);
    ck_assert_uint_eq(pci_config_read((struct pci_dev *)pm, 0x40, 4), 0x601);
    ck_assert_uint_eq(in16(b, 0x604), 0);
    cfg(0x40, 0xb001, 4);
    ck_assert_uint_eq(in16(b, 0x604), 0xffff);
    ck_assert_uint_eq(in16(b, 0xb004), 0);
    cfg(0x80, 0, 1);
    ck_assert_uint_eq(in16(b, 0xb004), 0xffff);
}
END_TEST

START_TEST(smbus_transaction_finds_nobody)
{
    ck_assert_uint_eq(in8(b, 0x700), 0xff);
    cfg(0x90, 0x701, 4);
    cfg(0xd2, 0x09, 1); /* enabled, interrupt to IRQ 9 */
    ck_assert_uint_eq(pci_config_read((struct pci_dev *)pm, 0x90, 4), 0x701);
    ck_assert_uint_eq(in8(b, 0x700), 0);
    out8(b, 0x704, 0xa1);
    out8(b, 0x702, 0x48);
    ck_assert_uint_eq(in8(b, 0x700), 0x04);
    ck_assert_uint_eq(in8(b, 0x702), 0x08);
    ck_assert(!sci->level);
    out8(b, 0x702, 0x49);
    ck_assert(sci->level);
    out8(b, 0x700, 0xff);
    ck_assert(!sci->level);
    ck_assert_uint_eq(in8(b, 0x700), 0);
}
END_TEST

START_TEST(timer_counts_at_its_rate)
{
    u32 t0 = in32(b, 0x608);
    advance_ns(b, 1000000000);
    ck_assert_uint_eq((in32(b, 0x608) - t0) & 0xffffff, 3579545);
    advance_ns(b, 10000000000);
    ck_assert_uint_eq(in32(b, 0x608) >> 24, 0);
}
END_TEST

START_TEST(timer_top_bit_sets_status_and_sci)
{
    out8(b, 0xb2, 0xf1);
    ck_assert_uint_eq(in16(b, 0x604), 1);
    out16(b, 0x602, 1);
    advance_ns(b, 2343000000);
    ck_assert(!sci->level);
    advance_ns(b, 1000000);
    ck_assert(sci->level);
    ck_assert_uint_eq(in16(b, 0x600), 1);
    out16(b, 0x600, 1);
    ck_assert(!sci->level);
    advance_ns(b, 2344000000);
    ck_assert(sci->level);
}
END_TEST

START_TEST(power_button_raises_sci)
{
    out8(b, 0xb2, 0xf1);
    out16(b, 0x602, 0x100);
    acpi_pm_power_button(pm);
    ck_assert(sci->level);
    ck_assert_uint_eq(in16(b, 0x600), 0x100);
    out16(b, 0x600, 0x100);
    ck_assert(!sci->level);
    ck_assert_uint_eq(b->n_requests, 0);
}
END_TEST

START_TEST(power_button_without_acpi_powers_off)
{
    acpi_pm_power_button(pm);
    ck_assert_uint_eq(b->n_requests, 1);
    ck_assert_uint_eq(b->last_request, REQ_POWEROFF);
}
END_TEST

START_TEST(sleep_enable_with_s5_powers_off)
{
    out16(b, 0x604, 0x1401);
    ck_assert_uint_eq(b->n_requests, 0);
    out16(b, 0x604, 0x2401);
    ck_assert_uint_eq(b->n_requests, 0); /* S3 type is refused */
    out16(b, 0x604, 0x2001);
    ck_assert_uint_eq(b->last_request, REQ_POWEROFF);
    ck_assert_uint_eq(in16(b, 0x604), 0x0001);
}
END_TEST

START_TEST(acpi_disable_and_data_port)
{
    out8(b, 0xb2, 0xf1);
    out8(b, 0xb2, 0xf0);
    ck_assert_uint_eq(in16(b, 0x604), 0);
    out8(b, 0xb3, 0x5a);
    ck_assert_uint_eq(in8(b, 0xb3), 0x5a);
}
END_TEST

START_TEST(byte_accesses_merge)
{
    out8(b, 0x603, 0x01);
    ck_assert_uint_eq(in16(b, 0x602), 0x100);
    out8(b, 0x602, 0x20);
    ck_assert_uint_eq(in32(b, 0x600), 0x01200000);
    out16(b, 0xafe2, 0xffff);
    ck_assert_uint_eq(in32(b, 0xafe0), 0xffff0000);
    ck_assert(!sci->level);
}
END_TEST

START_TEST(apmc_raises_smi_when_both_enables_are_set)
{
    struct wire *smi = board_wire(b, pm, "smi", 0);
    out8(b, 0xb2, 0x55);
    ck_assert_uint_eq(smi->rises, 0);
    ck_assert_uint_eq(in16(b, 0x618), 0x20); /* APM_STS all the same */
    out16(b, 0x618, 0x20);
    ck_assert_uint_eq(in16(b, 0x618), 0);
    cfg(0x5b, 2, 1); /* DEVACTB: APMC_EN */
    out8(b, 0xb2, 0x55);
    ck_assert_uint_eq(smi->rises, 0);
    out32(b, 0x628, 0x10001); /* GLBCTL: SMI_EN; EOS reads 0 */
    ck_assert_uint_eq(in32(b, 0x628), 1);
    out8(b, 0xb2, 0xf1); /* also sets SCI_EN, as without SMM */
    ck_assert_uint_eq(smi->rises, 1);
    ck_assert_uint_eq(smi->falls, 1);
    ck_assert_uint_eq(in16(b, 0x604) & 1, 1);
    cfg(0x5b, 0, 1);
    out8(b, 0xb2, 0x55);
    ck_assert_uint_eq(smi->rises, 1);
}
END_TEST

START_TEST(block_over_other_ports_is_harmless)
{
    cfg(0x40, 0xffffffff, 4);
    ck_assert_uint_eq(pci_config_read((struct pci_dev *)pm, 0x40, 4), 0xffc1);
    out32(b, 0xfffc, 0);
    cfg(0x40, 0, 4);
}
END_TEST

UNIT_SUITE(acpi_pm, block_follows_config, smbus_transaction_finds_nobody, timer_counts_at_its_rate,
           timer_top_bit_sets_status_and_sci, power_button_raises_sci,
           power_button_without_acpi_powers_off, sleep_enable_with_s5_powers_off,
           acpi_disable_and_data_port, byte_accesses_merge,
           apmc_raises_smi_when_both_enables_are_set, block_over_other_ports_is_harmless)
