/* A serial port and the ports of debugging. The checks are those of tests/guest/uart.c, here in both processor modes and behind the BIOS. */
#include "tests/guest/dev.c"
#include "tests/guest/uart.c"

struct bm_info;
void bm_main(const struct bm_info *info);
void bm_main(const struct bm_info *info)
{
    (void)info;
    W7_PLAN(243, 244);
    dev_init();
    test_uart();
    dev_stop(16);
}
