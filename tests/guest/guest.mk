# Bare-metal CPU tests: each tests/guest/NAME.S becomes a 64 KiB ROM build/guest/NAME.img, run with --bios by tests/guest/run.sh.
GUEST_SRC := $(filter-out %.inc,$(wildcard tests/guest/*.S))
# Programs about chips are C: NAME.c has test_NAME(), dev.c is their library (dev.h).
GUEST_C := $(filter-out tests/guest/dev.c,$(wildcard tests/guest/*.c))
GUEST_IMG := $(GUEST_SRC:tests/guest/%.S=build/guest/%.img) $(GUEST_C:tests/guest/%.c=build/guest/%.img)

build/guest/%.img: tests/guest/%.S tests/guest/guest.inc tests/guest/long.inc tests/guest/guest.ld
	@mkdir -p $(@D)
	@echo "  GUEST $@"
	@$(CC) -m64 -c -Itests/guest -x assembler-with-cpp $< -o $(@:.img=.o)
	@ld -m elf_x86_64 -T tests/guest/guest.ld -o $@ $(@:.img=.o)

GUEST_CFLAGS := -m32 -march=i686 -std=gnu11 -O1 -ffreestanding -fno-pic -fno-stack-protector -fno-asynchronous-unwind-tables \
                -mgeneral-regs-only -Wall -Wextra -Werror -I.
build/guest/%.img: tests/guest/%.c tests/guest/dev.c tests/guest/dev.h tests/guest/dev_start.inc tests/guest/guest.inc tests/guest/dev.ld
	@mkdir -p $(@D)
	@echo "  GUEST $@"
	@$(CC) -m32 -c -Itests/guest -x assembler-with-cpp tests/guest/dev_start.inc -o $(@:.img=.start.o)
	@$(CC) $(GUEST_CFLAGS) -c $< -o $(@:.img=.o)
	@$(CC) $(GUEST_CFLAGS) -DTEST=test_$* -c tests/guest/dev.c -o $(@:.img=.dev.o)
	@ld -m elf_i386 -T tests/guest/dev.ld -o $@ $(@:.img=.start.o) $(@:.img=.o) $(@:.img=.dev.o)

.PHONY: guest-images
guest-images: $(GUEST_IMG)
guest-tests: $(GUEST_IMG)

# AeroGPU's exerciser: a kernel of several files in both widths, with the library of tests/w7/bm and the guest library of bios/gpu.
AGX := build/guest/aerogpu
AGX_SRC := $(wildcard tests/guest/aerogpu/*.c) $(GPU_LIB)
# draw.c computes vertices; interrupt handlers do not, so nothing saves those registers
AGX_CFLAGS = $(if $(findstring /draw,$@),$(filter-out -mgeneral-regs-only,$(W7_CFLAGS)),$(W7_CFLAGS)) -I$(AGX)

$(AGX)/test_shaders.h: tests/guest/aerogpu/test.shaders $(MKSHADERS)
	@mkdir -p $(@D)
	@$(MKSHADERS) $< $@

$(AGX)/%32.o: tests/guest/aerogpu/%.c tests/guest/aerogpu/ag.h $(AGX)/test_shaders.h $(GPU_LIB_H)
	@$(CC) -m32 -march=i686 $(AGX_CFLAGS) -c -o $@ $<
$(AGX)/%64.o: tests/guest/aerogpu/%.c tests/guest/aerogpu/ag.h $(AGX)/test_shaders.h $(GPU_LIB_H)
	@$(CC) -m64 -mno-red-zone -fno-pie $(AGX_CFLAGS) -c -o $@ $<
$(AGX)/%32.o: bios/gpu/%.c $(GPU_LIB_H)
	@mkdir -p $(@D)
	@$(CC) -m32 -march=i686 $(AGX_CFLAGS) -c -o $@ $<
$(AGX)/%64.o: bios/gpu/%.c $(GPU_LIB_H)
	@mkdir -p $(@D)
	@$(CC) -m64 -mno-red-zone -fno-pie $(AGX_CFLAGS) -c -o $@ $<

AGX_OBJ = $(foreach f,$(notdir $(AGX_SRC:.c=)),$(AGX)/$f$(1).o)
build/guest/aerogpu32.elf: $(B)/w7/bm/start32.o $(B)/w7/bm/lib32.o $(call AGX_OBJ,32) tests/w7/bm/bm.ld
	@echo "  GUEST $@"
	@$(W7_LD) -m elf_i386 -o $@ $(filter %.o,$^)
build/guest/aerogpu64.elf: $(B)/w7/bm/start64.o $(B)/w7/bm/lib64.o $(call AGX_OBJ,64) tests/w7/bm/bm.ld
	@echo "  GUEST $@"
	@$(W7_LD) -m elf_x86_64 -o $@.64 $(filter %.o,$^)
	@objcopy -I elf64-x86-64 -O elf32-i386 $@.64 $@

.PHONY: aerogpu-guest
aerogpu-guest: build/guest/aerogpu32.elf build/guest/aerogpu64.elf $(B)/aeropc $(B)/w7/fw_video/pixels $(B)/gpu-client roms
	@sh tests/guest/aerogpu/run.sh $(B)/aeropc build/guest $(B)/w7/fw_video/pixels $(B)/gpu-client
guest-tests: aerogpu-guest
