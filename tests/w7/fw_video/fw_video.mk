# The video probe, on the library of the firmware probes (tests/w7/fw), and the tool that reads screenshots. Runner: video.sh.
W7_VIDEO := $(B)/w7/fw_video

$(W7_VIDEO)/%.o: tests/w7/fw_video/%.c tests/w7/fw_video/fw_video.h tests/w7/fw/fw.h
	@mkdir -p $(@D)
	@echo "  CC16  $<"
	@$(FW_CC) $(FW_CFLAGS) -c -o $@ $<

$(W7_VIDEO)/video.bin: $(W7_VIDEO)/video.o $(W7_VIDEO)/vga.o $(B)/w7/fw/start_s.o $(B)/w7/fw/lib.o tests/w7/fw/fw.ld
	@ld -m elf_i386 -T tests/w7/fw/fw.ld --build-id=none -z noexecstack --no-warn-rwx-segments -o $(@:.bin=.elf) $(filter %.o,$^)
	@objcopy -O binary -j .image $(@:.bin=.elf) $@

$(W7_VIDEO)/pixels: tests/w7/fw_video/pixels.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(CFLAGS) -o $@ $< -lz

W7_PROGRAMS += $(W7_VIDEO)/video.bin $(W7_VIDEO)/pixels
