/* The I/O APIC. The checks are those of tests/guest/ioapic.c, here in both processor modes and behind the BIOS. */
#include "tests/guest/dev.c"
#include "tests/guest/ioapic.c"

struct bm_info;
void bm_main(const struct bm_info *info);
void bm_main(const struct bm_info *info)
{
    (void)info;
    W7_PLAN(163, 164, 165, 166, 167, 168);
    dev_init();
    test_ioapic();
    dev_stop(16);
}
