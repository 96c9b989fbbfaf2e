# The video BIOS: roms/vgabios.bin. Included by the top Makefile; works alone from the root too:
#   make -f bios/vga/vga.mk roms/vgabios.bin
# No -O level or mode of the rest of the build applies here: it is guest code.

VGABIOS_DIR := build/bios/vga
VGABIOS_SRC := $(addprefix bios/vga/,main.c far.c mode.c palette.c text.c gfx.c font.c state.c \
                 dispi.c vbe.c vbe_more.c)
VGABIOS_OBJ := $(VGABIOS_SRC:bios/vga/%.c=$(VGABIOS_DIR)/%.o) $(VGABIOS_DIR)/entry.o \
               $(VGABIOS_DIR)/pmi.o
VGABIOS_CFLAGS := -m16 -march=i386 -mregparm=3 -mpreferred-stack-boundary=2 -std=gnu11 -Os \
    -ffreestanding -fno-pic -fno-pie -fno-stack-protector -fno-omit-frame-pointer -fno-jump-tables \
    -fno-tree-switch-conversion -fno-tree-loop-distribute-patterns -fno-inline-functions-called-once \
    -fno-asynchronous-unwind-tables -fno-strict-aliasing -fno-toplevel-reorder -mno-sse -mno-80387 \
    -fcf-protection=none -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef \
    -Wvla -Werror -I.
VGABIOS_CC ?= gcc

roms/vgabios.bin: $(VGABIOS_DIR)/vgabios.flat $(VGABIOS_DIR)/mkrom
	@mkdir -p roms
	$(VGABIOS_DIR)/mkrom $< $@

$(VGABIOS_DIR)/vgabios.flat: $(VGABIOS_DIR)/vgabios.elf
	objcopy -O binary -j .rom_image $< $@

# Operands relative to ESP and 32-bit calls, returns and LEA would break INT 10h interpreters (vga.h).
$(VGABIOS_DIR)/vgabios.elf: $(VGABIOS_OBJ) bios/vga/rom.ld
	ld -m elf_i386 -nostdlib --no-warn-rwx-segments -z noexecstack -T bios/vga/rom.ld -o $@.tmp $(VGABIOS_OBJ)
	@if objdump -d -m i8086 $(VGABIOS_SRC:bios/vga/%.c=$(VGABIOS_DIR)/%.o) | \
	    grep -E '\(%esp|calll|retl|leavel|%fs:\(%esp|lea .*,%e[a-ds]'; \
	 then echo "video BIOS: forbidden instruction form above" >&2; exit 1; fi
	@mv $@.tmp $@

# By way of assembler text, from which 32-bit LEA is removed.
$(VGABIOS_DIR)/%.o: bios/vga/%.c bios/vga/vga.h bios/vga/nolea.awk bios/vga/vga.mk $(wildcard bios/vga/font*.h)
	@mkdir -p $(@D)
	$(VGABIOS_CC) $(VGABIOS_CFLAGS) -S -o $(@:.o=.s) $<
	awk -f bios/vga/nolea.awk $(@:.o=.s) >$(@:.o=.asm)
	$(VGABIOS_CC) -m16 -x assembler -c -o $@ $(@:.o=.asm)

$(VGABIOS_DIR)/%.o: bios/vga/%.S
	@mkdir -p $(@D)
	$(VGABIOS_CC) -m16 -c -o $@ $<

$(VGABIOS_DIR)/mkrom: bios/vga/mkrom.c
	@mkdir -p $(@D)
	$(VGABIOS_CC) -std=gnu11 -O2 -Wall -Wextra -Werror -o $@ $<

# INT 10h checked from inside: part of the guest tests, or alone as `make vgabios-test`.
$(VGABIOS_DIR)/int10.img: bios/vga/test/int10.S
	@mkdir -p $(@D)
	$(VGABIOS_CC) -m16 -c -o $(@:.img=.o) $<
	ld -m elf_i386 --no-warn-rwx-segments -z noexecstack -Ttext=0x7c00 -e _start \
	    -o $(@:.img=.elf) $(@:.img=.o)
	objcopy -O binary -j .text $(@:.img=.elf) $@
	truncate -s 1440K $@

.PHONY: vgabios-test
vgabios-test: $(VGABIOS_DIR)/int10.img roms/vgabios.bin $(if $(B),$(B)/aeropc roms)
	@sh bios/vga/test/vgabios-test.sh $(if $(B),$(B)/aeropc,build/aeropc) $<

guest-tests: vgabios-test
