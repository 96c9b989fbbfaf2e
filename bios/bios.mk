# System BIOS: roms/bios.bin from bios/*.c and bios/*.S with the host's gcc -m16, as and ld.
# Included by the top Makefile; also works alone: make -f bios/bios.mk roms/bios.bin

BIOS_CC      ?= gcc
BIOS_LD      ?= ld
BIOS_OBJCOPY ?= objcopy
BIOS_OBJ     ?= build/bios
# BIOS_DEBUG=1 sends POST texts to port E9h as well.
BIOS_DEBUG   ?= 1

BIOS_FLAGS := -m16 -march=i386 -I. -ffreestanding -DBIOS_DEBUG=$(BIOS_DEBUG)
BIOS_CFLAGS := $(BIOS_FLAGS) -std=gnu11 -Os -mregparm=3 -mno-sse -mno-mmx -mno-80387 \
    -fno-pic -fno-stack-protector -fno-asynchronous-unwind-tables -fno-strict-aliasing \
    -fcf-protection=none -fomit-frame-pointer -fno-toplevel-reorder -fno-jump-tables \
    -mpreferred-stack-boundary=2 -fno-tree-loop-distribute-patterns -fno-common \
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla \
    -Wpointer-arith -Wwrite-strings -Wimplicit-fallthrough -Werror

BIOS_C := $(sort $(wildcard bios/*.c))
BIOS_S := $(sort $(wildcard bios/*.S))
BIOS_O := $(BIOS_C:bios/%.c=$(BIOS_OBJ)/%.o) $(BIOS_S:bios/%.S=$(BIOS_OBJ)/%_s.o)

$(BIOS_OBJ)/%.o: bios/%.c $(wildcard bios/*.h) bios/bios.mk
	@mkdir -p $(@D)
	@echo "  CC16  $<"
	@$(BIOS_CC) $(BIOS_CFLAGS) -c -o $@ $<

$(BIOS_OBJ)/%_s.o: bios/%.S $(wildcard bios/*.h) bios/bios.mk
	@mkdir -p $(@D)
	@echo "  AS16  $<"
	@$(BIOS_CC) $(BIOS_FLAGS) -c -o $@ $<

$(BIOS_OBJ)/bios.elf: $(BIOS_O) bios/bios.ld
	@echo "  LD    $@"
	@$(BIOS_LD) -m elf_i386 -T bios/bios.ld --no-check-sections --build-id=none -z noexecstack \
	    --no-warn-rwx-segments -Map=$(BIOS_OBJ)/bios.map -o $@ $(BIOS_O)

roms/bios.bin: $(BIOS_OBJ)/bios.elf
	@mkdir -p $(@D)
	@echo "  ROM   $@"
	@$(BIOS_OBJCOPY) -O binary --gap-fill 0 --pad-to 0x100000 $< $@
	@test "$$(wc -c < $@)" = 131072 || { echo "bios.bin has a wrong size" >&2; rm -f $@; exit 1; }
