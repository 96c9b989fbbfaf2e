/* The local APIC. The checks are those of tests/guest/lapic.c, here in both processor modes and behind the BIOS. */
#include "tests/guest/dev.c"
#include "tests/guest/lapic.c"

struct bm_info;
void bm_main(const struct bm_info *info);
void bm_main(const struct bm_info *info)
{
    (void)info;
    W7_PLAN(156, 169, 170, 171, 172, 173, 174, 175);
#ifdef __x86_64__
    W7_PLAN(123);
#endif
    dev_init();
    test_lapic();
    dev_stop(16);
}
