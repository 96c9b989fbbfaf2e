/* The real-time clock. The checks are those of tests/guest/rtc.c, here in both processor modes and behind the BIOS. */
#include "tests/guest/dev.c"
#include "tests/guest/rtc.c"

struct bm_info;
void bm_main(const struct bm_info *info);
void bm_main(const struct bm_info *info)
{
    (void)info;
    W7_PLAN(150, 151, 152, 153);
    dev_init();
    test_rtc();
    dev_stop(16);
}
