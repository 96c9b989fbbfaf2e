# Firmware probes: boot images of 16-bit programs under build/w7/fw, run by tests/w7/fw.sh.
# Included by tests/w7/w7.mk; works alone from the root too: make -f tests/w7/fw/fw.mk fw-images

FW_DIR := $(if $(B),$(B),build)/w7/fw
FW_CC ?= gcc
FW_FLAGS := -I. -m16 -march=i386 -Itests/w7/fw -ffreestanding
FW_CFLAGS := $(FW_FLAGS) -std=gnu11 -Os -mregparm=3 -mno-sse -mno-mmx -mno-80387 -fno-pic -fno-stack-protector \
    -fno-asynchronous-unwind-tables -fno-strict-aliasing -fcf-protection=none -fomit-frame-pointer -fno-jump-tables \
    -mpreferred-stack-boundary=2 -fno-tree-loop-distribute-patterns -fno-common -fno-builtin \
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla -Wpointer-arith -Wwrite-strings \
    -Wimplicit-fallthrough -Werror
FW_PROBES := disk sys cd next again kbd replay thrash odd
FW_SECTORS := mbr cdboot replay_mbr replay_vbr
FW_BODIES := $(FW_PROBES:%=$(FW_DIR)/%.bin)

$(FW_DIR)/%.o: tests/w7/fw/%.c tests/w7/fw/fw.h tests/w7/fw/fw.mk
	@mkdir -p $(@D)
	@echo "  CC16  $<"
	@$(FW_CC) $(FW_CFLAGS) -c -o $@ $<

$(FW_DIR)/%_s.o: tests/w7/fw/%.S tests/w7/fw/fw.h tests/w7/fw/fw.mk
	@mkdir -p $(@D)
	@echo "  AS16  $<"
	@$(FW_CC) $(FW_FLAGS) -c -o $@ $<

$(FW_DIR)/sys.bin: $(FW_DIR)/sys_mem.o $(FW_DIR)/sys_int.o $(FW_DIR)/sys_tab.o $(FW_DIR)/sys_s_s.o
$(FW_DIR)/replay.bin: $(FW_DIR)/ops_s_s.o
$(FW_DIR)/odd.bin: $(FW_DIR)/odd_s_s.o
$(FW_DIR)/thrash.bin: $(FW_DIR)/thrash_s_s.o $(FW_DIR)/ops_s_s.o
$(FW_DIR)/ops_s_s.o: tests/w7/fw/ops.inc tests/w7/fw/test.inc
$(FW_DIR)/thrash_s_s.o: tests/w7/fw/test.inc
$(FW_BODIES): $(FW_DIR)/%.bin: $(FW_DIR)/%.o $(FW_DIR)/start_s.o $(FW_DIR)/lib.o tests/w7/fw/fw.ld
	@ld -m elf_i386 -T tests/w7/fw/fw.ld --build-id=none -z noexecstack --no-warn-rwx-segments \
	    -o $(@:.bin=.elf) $(filter %.o,$^)
	@objcopy -O binary -j .image $(@:.bin=.elf) $@

$(FW_SECTORS:%=$(FW_DIR)/%.bin): $(FW_DIR)/%.bin: $(FW_DIR)/%_s.o
	@ld -m elf_i386 -Ttext=0 -e _start --no-warn-rwx-segments -z noexecstack -o $(@:.bin=.elf) $<
	@objcopy -O binary -j .text $(@:.bin=.elf) $@

$(FW_DIR)/mkimg: tests/w7/fw/mkimg.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(FW_CC) -std=gnu11 -O2 -Wall -Wextra -Wshadow -Werror -o $@ $<

FW_ALL := $(FW_DIR)/mkimg $(FW_BODIES) $(FW_SECTORS:%=$(FW_DIR)/%.bin)
W7_PROGRAMS += $(FW_ALL)
.PHONY: fw-images
fw-images: $(FW_ALL)
