/* Video BIOS: ROM header, PCI data structure, the entry from the system BIOS and INT 10h itself.
   PCI Firmware Specification 3.0, section 5.1. The size byte, the image length in the PCI data
   structure and the checksum are filled in by mkrom. */

    .code16
    .section .head, "ax"
    .globl rom_start
rom_start:
    .byte 0x55, 0xaa
    .byte 0                         /* size in 512-byte units */
    jmp init
    .org 0x18
    .word pcir
    .org 0x1e
    .ascii "IBM"                    /* loaders of the VGA age look for this at C000:001E */
    .byte 0
    .align 4
pcir:
    .ascii "PCIR"
    .word 0x1234, 0x1111            /* vendor, device */
    .word 0                         /* no vital product data */
    .word 0x18                      /* length of this structure */
    .byte 0                         /* revision */
    .byte 0x00, 0x00, 0x03          /* class 030000: VGA compatible */
    .word 0                         /* image length, 512-byte units */
    .word 1                         /* level of this code */
    .byte 0                         /* PC-AT code */
    .byte 0x80                      /* last image */
    .word 0

    .asciz "aeropc video BIOS"

    .text
/* Far call by the system BIOS with AX = bus/device/function. Everything is preserved. */
init:
    cld
    pushal
    pushw %ds
    pushw %es
    pushw %fs
    pushw %gs
    movzwl %ax, %eax
    movw %ss, %dx
    movw %dx, %ds
    movw %dx, %es
    movw %cs, %dx
    movw %dx, %gs
    movzwl %sp, %esp
    pushw %ax
    callw init_post
    popw %gs
    popw %fs
    popw %es
    popw %ds
    popal
    lretw

/* Builds struct regs (vga.h) on the caller's stack. */
    .globl int10
int10:
    cld
    pushl %eax
    pushl %ecx
    pushl %edx
    pushl %ebx
    pushl %ebp
    pushl %esi
    pushl %edi
    pushw %ds
    pushw %es
    pushw %fs
    pushw %gs
    movw %ss, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %cs, %ax
    movw %ax, %gs
    movzwl %sp, %esp                /* the upper half is the caller's and may be anything */
    movzwl %sp, %eax
    pushw %ax
    callw int10_main
    popw %gs
    popw %fs
    popw %es
    popw %ds
    popl %edi
    popl %esi
    popl %ebp
    popl %ebx
    popl %edx
    popl %ecx
    popl %eax
    iretw

/* Bytes written once, by init, while the shadow is still writable: the EDID of the monitor
   (dispi.c) and the save pointer tables (mode.c), which hold the segment the ROM was copied to. */
    .section .once, "a"
    .globl edid_valid, edid_data, save_table
edid_valid:
    .word 0
edid_data:
    .fill 128, 1, 0
save_table:
    .fill 28 + 26, 1, 0
