/* PCI interrupts of the AHCI controller, which a COMRESET of port 0 makes ask: W7-177 interrupt disable and status bits of PCI command
 * and status, W7-178 PIRQRC routes a line that is asserted. Run with a disk on ahci0. */
#include "tests/guest/dev.c"

enum { AHCI = 2, ISA = 1, INTX_OFF = 0x400, INTX_STATUS = 8 };
enum { PORT = 0x100, CMD = PORT + 0x18, FIS_BASE = PORT + 0x08, IS = PORT + 0x10, IE = PORT + 0x14, SCTL = PORT + 0x2c, SERR = PORT + 0x30 };
static u32 bar;
static u8 fis[256] __attribute__((aligned(256)));

static u32 rd(unsigned reg)
{
    return rd32(bar + reg);
}

static void wr(unsigned reg, u32 v)
{
    wr32(bar + reg, v);
}

static u16 irr(void)
{
    outb(0x20, 0x0a);
    outb(0xa0, 0x0a);
    return (u16)(inb(0x20) | inb(0xa0) << 8);
}

static u32 status(void)
{
    return pci_rd(AHCI, 0, 4) >> 16;
}

static void command_bit(bool off)
{
    u32 v = pci_rd(AHCI, 0, 4) & 0xffff & ~(u32)INTX_OFF;
    pci_wr(AHCI, 0, 4, v | (off ? INTX_OFF : 0));
}

/* The port's interrupt status becomes non-zero. */
static void ask(void)
{
    bar = pci_rd(AHCI, 0, 0x24) & ~0xfu;
    pci_wr(AHCI, 0, 4, (pci_rd(AHCI, 0, 4) & 0xffff) | 6);
    wr(4, 0x80000000); /* AHCI enable, interrupts off */
    wr(FIS_BASE, (u32)(word)fis);
    wr(FIS_BASE + 4, 0);
    wr(CMD, rd(CMD) | 0x10);
    wr(IE, 0);
    wr(SERR, 0xffffffff);
    wr(IS, 0xffffffff);
    wr(8, 0xffffffff);
    wr(SCTL, 1);
    delay_us(1500);
    wr(SCTL, 0);
    delay_us(1500);
    wr(IE, 0x41);
}

/* Bit of the ISA interrupt that PIRQC (device 2, INTA) goes to. */
static unsigned route(u8 value)
{
    u32 v = pci_rd(ISA, 0, 0x60);
    pci_wr(ISA, 0, 0x60, (v & 0xff00ffff) | (u32)value << 16);
    return value & 0x80 ? 0 : 1u << (value & 15);
}

struct bm_info;
void bm_main(const struct bm_info *info);
void bm_main(const struct bm_info *info)
{
    (void)info;
    W7_PLAN(177, 178);
    dev_init();
    outb(0x4d1, 0x0c); /* IRQ 10 and 11 are levels */
    about(177);
    ask();
    unsigned eleven = route(11);
    check("the port asks", rd(IS) & rd(IE));
    check_eq("status bit clear while the controller's interrupts are off", status() & INTX_STATUS, 0);
    wr(4, 0x80000002);
    check_eq("interrupt status bit of PCI status", status() & INTX_STATUS, INTX_STATUS);
    check_eq("line asserted", irr() & eleven, eleven);
    command_bit(true);
    check_eq("interrupt disable lowers the line", irr() & eleven, 0);
    check_eq("the status bit tells all the same", status() & INTX_STATUS, INTX_STATUS);
    pci_wr(AHCI, 0, 4, (pci_rd(AHCI, 0, 4) & 0xffff) | INTX_STATUS << 16);
    check_eq("which is read-only", status() & INTX_STATUS, INTX_STATUS);
    command_bit(false);
    check_eq("enabling raises it", irr() & eleven, eleven);
    pic_unmask(11);
    window();
    check_eq("and interrupts", taken[PIC2_BASE + 3], 1);
    outb(0xa0, 0x20);
    outb(0x20, 0x20);
    pic_init(0);

    about(178);
    check_eq("asserted at 11", irr() & 0xc00, 0x800);
    unsigned ten = route(10);
    check_eq("re-routed while asserted: 10 up, 11 down", irr() & 0xc00, ten);
    route(0x8a);
    check_eq("disabled: neither", irr() & 0xc00, 0);
    route(10);
    check_eq("enabled: 10 again", irr() & 0xc00, ten);
    pic_unmask(10);
    forget();
    window();
    check_eq("and interrupts there", taken[PIC2_BASE + 2], 1);
    wr(SERR, 0xffffffff);
    wr(IS, 0xffffffff);
    wr(8, 0xffffffff);
    outb(0xa0, 0x20);
    outb(0x20, 0x20);
    window();
    check_eq("until the device stops asking", taken[PIC2_BASE + 2], 1);
    check_eq("line low", irr() & 0xc00, 0);
    dev_stop(16);
}
