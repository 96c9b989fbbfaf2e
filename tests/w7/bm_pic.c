/* The 8259A pair. The checks are those of tests/guest/pic.c, here in both processor modes and behind the BIOS. */
#include "tests/guest/dev.c"
#include "tests/guest/pic.c"

struct bm_info;
void bm_main(const struct bm_info *info);
void bm_main(const struct bm_info *info)
{
    (void)info;
    W7_PLAN(161, 162);
    dev_init();
    test_pic();
    dev_stop(16);
}
