/* 16550A serial port (National Semiconductor PC16550D datasheet), eight ports from the option
 * "port".
 *
 * Bytes come from and go to a character backend; without one the modem lines are down and output
 * vanishes. The baud divisor is storage: a byte takes 8 us of virtual time on the wire whatever it
 * says, long enough that an interrupt handler sees transmitter-empty interrupts in order, short
 * enough that a console is no brake. Receive never overruns from outside, because the backend is
 * asked only for what fits.
 *
 * The wire "irq" is high while an enabled source is pending and MCR.OUT2 is set, as on the PC.
 * Loopback connects transmitter, receiver and modem lines as in the datasheet. Left out: break in
 * either direction, parity and framing errors (lines have none), FIFO DMA mode pins. */
#include "machine/core/device.h"
#include "machine/host/chardev.h"

enum { RBR = 0, IER = 1, IIR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7 };
enum { IER_RDA = 1, IER_THRE = 2, IER_LINE = 4, IER_MODEM = 8 };
enum {
    IIR_NONE = 1,
    IIR_MODEM = 0,
    IIR_THRE = 2,
    IIR_RDA = 4,
    IIR_LINE = 6,
    IIR_TIMEOUT = 0x0c,
    IIR_FIFO = 0xc0
};
enum { FCR_ENABLE = 1, FCR_CLEAR_RX = 2, FCR_CLEAR_TX = 4, FCR_STORED = 0xc9 };
enum { LCR_DLAB = 0x80 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT1 = 4, MCR_OUT2 = 8, MCR_LOOP = 0x10 };
enum { LSR_DR = 1, LSR_OE = 2, LSR_ERRORS = 0x1e, LSR_THRE = 0x20, LSR_TEMT = 0x40 };
enum { MSR_TERI = 4, MSR_CTS = 0x10, MSR_DSR = 0x20, MSR_RI = 0x40, MSR_DCD = 0x80 };
enum { DEPTH = 16, START_NS = 2000, BYTE_NS = 8000, RETRY_NS = 1000000, TIMEOUT_NS = 4 * BYTE_NS };

struct fifo {
    u8 byte[DEPTH];
    u8 head, len;
};

struct uart {
    struct device dev;
    u32 base;
    struct chardev *chr;
    struct irq irq;
    u8 ier, fcr, lcr, mcr, lsr_errors, msr, scr, dll, dlm;
    struct fifo rx, tx;
    u8 shift; /* byte on its way out */
    bool shift_busy;
    bool thre_pending; /* transmitter-empty interrupt not yet seen */
    bool rx_timeout;   /* bytes below the trigger level have waited long enough */
    struct timer tx_timer, rx_timer;
    struct region ports;
};

extern const struct device_class uart_class;

static bool fifo_push(struct fifo *f, unsigned depth, u8 v)
{
    if (f->len >= depth) return false;
    f->byte[(f->head + f->len++) % DEPTH] = v;
    return true;
}

static u8 fifo_pop(struct fifo *f)
{
    u8 v = f->byte[f->head % DEPTH];
    f->head = (f->head + 1) % DEPTH;
    f->len--;
    return v;
}

static unsigned depth(const struct uart *u)
{
    return u->fcr & FCR_ENABLE ? DEPTH : 1;
}

static unsigned trigger(const struct uart *u)
{
    static const u8 levels[4] = { 1, 4, 8, 14 };
    return u->fcr & FCR_ENABLE ? levels[u->fcr >> 6] : 1;
}

/* Highest pending enabled source, as in IIR bits 3-0. */
static u8 pending(const struct uart *u)
{
    if ((u->ier & IER_LINE) && u->lsr_errors) return IIR_LINE;
    if ((u->ier & IER_RDA) && u->rx.len >= trigger(u)) return IIR_RDA;
    if ((u->ier & IER_RDA) && u->rx_timeout) return IIR_TIMEOUT;
    if ((u->ier & IER_THRE) && u->thre_pending) return IIR_THRE;
    if ((u->ier & IER_MODEM) && (u->msr & 0x0f)) return IIR_MODEM;
    return IIR_NONE;
}

static void update_irq(struct uart *u)
{
    irq_set(&u->irq, (u->mcr & MCR_OUT2) && pending(u) != IIR_NONE);
}

/* ---- modem lines ---- */

static void update_modem(struct uart *u)
{
    u8 lines = u->chr ? MSR_CTS | MSR_DSR | MSR_DCD : 0;
    if (u->mcr & MCR_LOOP) {
        lines = (u->mcr & MCR_RTS ? MSR_CTS : 0) | (u->mcr & MCR_DTR ? MSR_DSR : 0) |
                (u->mcr & MCR_OUT1 ? MSR_RI : 0) | (u->mcr & MCR_OUT2 ? MSR_DCD : 0);
    }
    u8 changed = (u->msr ^ lines) >> 4;
    if (lines & MSR_RI) changed &= ~MSR_TERI; /* ring counts when it ends */
    u->msr = lines | (u->msr & 0x0f) | changed;
}

/* ---- receiver ---- */

static void rearm_rx(struct uart *u)
{
    if ((u->fcr & FCR_ENABLE) && u->rx.len && !u->rx_timeout) {
        timer_set(&u->rx_timer, clock_now(u->dev.host->clock) + TIMEOUT_NS);
    } else {
        timer_cancel(&u->rx_timer);
    }
}

static void receive(struct uart *u, u8 v)
{
    if (!fifo_push(&u->rx, depth(u), v)) u->lsr_errors |= LSR_OE;
    u->rx_timeout = false;
    rearm_rx(u);
}

static void rx_waited(void *opaque)
{
    struct uart *u = opaque;
    u->rx_timeout = u->rx.len > 0;
    update_irq(u);
}

static size_t can_recv(void *opaque)
{
    const struct uart *u = opaque;
    return u->mcr & MCR_LOOP ? 0 : depth(u) - MIN(depth(u), u->rx.len);
}

static void recv(void *opaque, const u8 *buf, size_t n)
{
    struct uart *u = opaque;
    for (size_t i = 0; i < n; i++) receive(u, buf[i]);
    update_irq(u);
}

static u8 rd_rbr(struct uart *u)
{
    if (!u->rx.len) return 0;
    u8 v = fifo_pop(&u->rx);
    u->rx_timeout = false;
    rearm_rx(u);
    update_irq(u);
    return v;
}

/* ---- transmitter ---- */

static void wr_thr(struct uart *u, u8 v)
{
    if (!fifo_push(&u->tx, depth(u), v)) u->tx.byte[(u->tx.head + u->tx.len - 1) % DEPTH] = v;
    u->thre_pending = false;
    if (!timer_armed(&u->tx_timer))
        timer_set(&u->tx_timer, clock_now(u->dev.host->clock) + START_NS);
    update_irq(u);
}

/* The byte in the shift register has gone out, if the backend takes it; the next one enters. */
static void tx_step(void *opaque)
{
    struct uart *u = opaque;
    u64 now = clock_now(u->dev.host->clock);
    if (u->shift_busy) {
        if (u->mcr & MCR_LOOP) {
            receive(u, u->shift);
        } else if (u->chr && !chardev_write(u->chr, &u->shift, 1)) {
            timer_set(&u->tx_timer, now + RETRY_NS);
            return;
        }
        u->shift_busy = false;
    }
    if (u->tx.len) {
        u->shift = fifo_pop(&u->tx);
        u->shift_busy = true;
        timer_set(&u->tx_timer, now + BYTE_NS);
        if (!u->tx.len) u->thre_pending = true;
    }
    update_irq(u);
}

/* ---- registers ---- */

static u8 rd_iir(struct uart *u)
{
    u8 v = pending(u);
    if (v == IIR_THRE) {
        u->thre_pending = false;
        update_irq(u);
    }
    return v | (u->fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

static u8 rd_lsr(struct uart *u)
{
    u8 v = u->lsr_errors | (u->rx.len ? LSR_DR : 0);
    if (!u->tx.len) v |= LSR_THRE | (u->shift_busy ? 0 : LSR_TEMT);
    u->lsr_errors = 0;
    update_irq(u);
    return v;
}

static u8 rd_msr(struct uart *u)
{
    u8 v = u->msr;
    u->msr &= 0xf0;
    update_irq(u);
    return v;
}

static void wr_ier(struct uart *u, u8 v)
{
    if ((v & ~u->ier & IER_THRE) && !u->tx.len) u->thre_pending = true;
    u->ier = v & 0x0f;
    update_irq(u);
}

static void wr_fcr(struct uart *u, u8 v)
{
    if ((u->fcr ^ v) & FCR_ENABLE) v |= FCR_CLEAR_RX | FCR_CLEAR_TX;
    /* The other bits are programmed only while bit 0 is written as 1. */
    u->fcr = v & FCR_ENABLE ? v & FCR_STORED : 0;
    if (v & FCR_CLEAR_RX) {
        u->rx = (struct fifo){ .head = 0 };
        u->rx_timeout = false;
    }
    if ((v & FCR_CLEAR_TX) && u->tx.len) {
        u->tx = (struct fifo){ .head = 0 };
        u->thre_pending = true;
    }
    rearm_rx(u);
    update_irq(u);
}

static u64 rd_port(void *opaque, u64 offset, unsigned size)
{
    struct uart *u = opaque;
    (void)size;
    if ((u->lcr & LCR_DLAB) && offset <= IER) return offset == IER ? u->dlm : u->dll;
    switch (offset) {
    case RBR: return rd_rbr(u);
    case IER: return u->ier;
    case IIR: return rd_iir(u);
    case LCR: return u->lcr;
    case MCR: return u->mcr;
    case LSR: return rd_lsr(u);
    case MSR: return rd_msr(u);
    default: return u->scr;
    }
}

static void wr_port(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct uart *u = opaque;
    u8 v = value;
    (void)size;
    TRACE(uart_wr, offset, v, 0, 0);
    if ((u->lcr & LCR_DLAB) && offset <= IER) {
        *(offset == IER ? &u->dlm : &u->dll) = v;
        return;
    }
    switch (offset) {
    case RBR: wr_thr(u, v); break;
    case IER: wr_ier(u, v); break;
    case IIR: wr_fcr(u, v); break;
    case LCR: u->lcr = v; break;
    case MCR:
        u->mcr = v & 0x1f;
        update_modem(u);
        update_irq(u);
        break;
    case SCR: u->scr = v; break;
    }
}

static const struct io_ops port_ops = { rd_port, wr_port, 1, 1 };

static int uart_init(struct device *d, struct error *e)
{
    struct uart *u = (struct uart *)d;
    timer_init(&u->tx_timer, d->host->clock, d->name, tx_step, u);
    timer_init(&u->rx_timer, d->host->clock, d->name, rx_waited, u);
    region_init_io(&u->ports, d->name, 8, &port_ops, u);
    if (u->chr) chardev_set_receiver(u->chr, can_recv, recv, u);
    return bus_map(d->host->io, u->base, &u->ports, 0, e);
}

static void uart_reset(struct device *d, enum reset_kind kind)
{
    struct uart *u = (struct uart *)d;
    (void)kind;
    u->ier = u->fcr = u->lcr = u->mcr = u->lsr_errors = u->scr = u->dlm = 0;
    u->dll = 12; /* 9600 baud; the chip leaves it undefined */
    u->rx = u->tx = (struct fifo){ .head = 0 };
    u->shift = 0;
    u->shift_busy = u->thre_pending = u->rx_timeout = false;
    timer_cancel(&u->tx_timer);
    timer_cancel(&u->rx_timer);
    u->msr = 0;
    update_modem(u);
    u->msr &= 0xf0;
    update_irq(u);
}

static void uart_post_load(struct device *d, u32 version)
{
    struct uart *u = (struct uart *)d;
    (void)version;
    u->rx.len = MIN(u->rx.len, DEPTH);
    u->tx.len = MIN(u->tx.len, DEPTH);
    if (u->shift_busy || u->tx.len) timer_set(&u->tx_timer, clock_now(d->host->clock) + BYTE_NS);
    rearm_rx(u);
    update_irq(u);
}

static void uart_info(struct device *d, struct text *t)
{
    struct uart *u = (struct uart *)d;
    text_add(t,
             "port %03x to %s: ier %02x iir %02x fcr %02x lcr %02x mcr %02x msr %02x divisor %u rx "
             "%u tx %u\n",
             u->base, u->chr ? chardev_label(u->chr) : "nothing", u->ier, pending(u), u->fcr,
             u->lcr, u->mcr, u->msr, u->dll | u->dlm << 8, u->rx.len, u->tx.len + u->shift_busy);
}

static void uart_fini(struct device *d)
{
    struct uart *u = (struct uart *)d;
    if (u->chr) chardev_set_receiver(u->chr, NULL, NULL, NULL);
    timer_cancel(&u->tx_timer);
    timer_cancel(&u->rx_timer);
    region_fini(&u->ports);
}

static const struct device_option uart_options[] = {
    { "port", OPT_U32, offsetof(struct uart, base), "0x3f8", "first of eight I/O ports" },
    { "chardev", OPT_PTR, offsetof(struct uart, chr), NULL, "the other end of the line" },
    { 0 },
};
#define U(f) FIELD(struct uart, f)
static const struct device_field uart_fields[] = {
    U(ier),
    U(fcr),
    U(lcr),
    U(mcr),
    U(lsr_errors),
    U(msr),
    U(scr),
    U(dll),
    U(dlm),
    FIELD_ARRAY(struct uart, rx.byte),
    U(rx.head),
    U(rx.len),
    FIELD_ARRAY(struct uart, tx.byte),
    U(tx.head),
    U(tx.len),
    U(shift),
    U(shift_busy),
    U(thre_pending),
    U(rx_timeout),
    { 0 },
};
static const struct device_wire uart_outputs[] = { { "irq", offsetof(struct uart, irq), 1 },
                                                   { 0 } };

const struct device_class uart_class = {
    .name = "uart",
    .help = "16550A serial port",
    .size = sizeof(struct uart),
    .version = 1,
    .options = uart_options,
    .fields = uart_fields,
    .outputs = uart_outputs,
    .init = uart_init,
    .reset = uart_reset,
    .post_load = uart_post_load,
    .info = uart_info,
    .fini = uart_fini,
};
