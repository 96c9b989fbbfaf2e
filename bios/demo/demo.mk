# The demo guest: roms/demo.img. Included by the top Makefile; works alone from the root too:
#   make -f bios/demo/demo.mk roms/demo.img

DEMO_DIR := build/bios/demo
include bios/gpu/gpu.mk
DEMO_SRC := $(addprefix bios/demo/,main.c irq.c draw.c windows.c motion.c facts.c pci.c acpi.c text.c act2.c scene.c panes.c paint.c)
DEMO_OBJ := $(DEMO_DIR)/real.o $(DEMO_SRC:bios/demo/%.c=$(DEMO_DIR)/%.o) $(GPU_LIB:bios/gpu/%.c=$(DEMO_DIR)/%.o)
DEMO_CC ?= gcc
DEMO_CFLAGS := -m32 -march=i686 -std=gnu11 -O2 -ffreestanding -fno-pic -fno-pie -fno-stack-protector \
    -fno-asynchronous-unwind-tables -fno-strict-aliasing -mno-sse -mno-mmx -fcf-protection=none \
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla -Wpointer-arith \
    -Wwrite-strings -Werror -I. -I$(DEMO_DIR)

roms/demo.img: $(DEMO_DIR)/mbr.bin $(DEMO_DIR)/stage2.bin $(DEMO_DIR)/mkdemo
	@mkdir -p roms
	$(DEMO_DIR)/mkdemo $(DEMO_DIR)/mbr.bin $(DEMO_DIR)/stage2.bin $@

$(DEMO_DIR)/mbr.bin: $(DEMO_DIR)/mbr.o
	ld -m elf_i386 --no-warn-rwx-segments -z noexecstack -Ttext=0x7c00 -e _start -o $(@:.bin=.elf) $<
	objcopy -O binary -j .text $(@:.bin=.elf) $@

$(DEMO_DIR)/stage2.bin: $(DEMO_OBJ) bios/demo/demo.ld
	ld -m elf_i386 --no-warn-rwx-segments -z noexecstack -T bios/demo/demo.ld -o $(@:.bin=.elf) $(DEMO_OBJ)
	objcopy -O binary -j .image $(@:.bin=.elf) $@

$(DEMO_DIR)/scene_shaders.h: bios/demo/scene.shaders $(MKSHADERS)
	@mkdir -p $(@D)
	$(MKSHADERS) $< $@

$(DEMO_DIR)/scene.o: $(DEMO_DIR)/scene_shaders.h

$(DEMO_DIR)/%.o: bios/gpu/%.c $(GPU_LIB_H)
	@mkdir -p $(@D)
	$(DEMO_CC) $(DEMO_CFLAGS) -c -o $@ $<

$(DEMO_DIR)/%.o: bios/demo/%.c bios/demo/demo.h bios/demo/act2.h $(GPU_LIB_H) bios/vga/font8x16.h
	@mkdir -p $(@D)
	$(DEMO_CC) $(DEMO_CFLAGS) -c -o $@ $<

$(DEMO_DIR)/%.o: bios/demo/%.S
	@mkdir -p $(@D)
	$(DEMO_CC) -m32 -c -o $@ $<

$(DEMO_DIR)/mkdemo: bios/demo/mkdemo.c
	@mkdir -p $(@D)
	$(DEMO_CC) -std=gnu11 -O2 -Wall -Wextra -Werror -o $@ $<

# The demo from power-on to power-off: part of the guest tests, or alone as `make demo-test`.
.PHONY: demo-test
demo-test: roms/demo.img $(if $(B),$(B)/aeropc roms $(B)/w7/fw_video/pixels)
	@sh bios/demo/test/demo-test.sh $(if $(B),$(B)/aeropc,build/aeropc)
	@sh bios/demo/test/act2-test.sh $(or $(B),build)/aeropc $(or $(B),build)/w7/fw_video/pixels

guest-tests: demo-test
