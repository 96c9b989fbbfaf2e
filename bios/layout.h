/*
 * Segments, fixed addresses and chip ports shared by the C and assembly parts of the BIOS.
 *
 * The map of low memory follows the PC convention: vectors at 0, BIOS data area at 0040:0000,
 * extended BIOS data area of 1 KiB at 9FC0:0000 (only its size byte is ours), video ROM at C0000.
 * Our own variables and stack live in EC000-EFFFF, which stays writable shadow RAM.
 */
#ifndef BIOS_LAYOUT_H
#define BIOS_LAYOUT_H

#define SEG_CODE  0xf000
#define SEG_DATA  0xe000
#define SEG_BDA   0x0040
#define SEG_EBDA  0x9fc0
#define BASE_KB   639

#define STACK_TOP 0xfff0
#define STACK_LOW 0xe000
/* Room left below a published stack position for frames of foreign interrupt handlers. */
#define STACK_GAP 512

/* struct regs, as pushed by int_common */
#define REGS_SIZE    48
#define REGS_HANDLER 40

/* struct callregs */
#define CR_EDI   0
#define CR_ESI   4
#define CR_EBP   8
#define CR_EBX   16
#define CR_EDX   20
#define CR_ECX   24
#define CR_EAX   28
#define CR_ES    32
#define CR_DS    34
#define CR_FLAGS 36
#define CR_IP    38
#define CR_CS    40

#define PORT_PCI_ADDR 0xcf8
#define PORT_PCI_DATA 0xcfc

#endif
