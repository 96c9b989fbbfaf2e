# Bare-metal CPU tests: each tests/guest/NAME.S becomes a 64 KiB ROM build/guest/NAME.img, run with --bios by tests/guest/run.sh.
GUEST_SRC := $(filter-out %.inc,$(wildcard tests/guest/*.S))
GUEST_IMG := $(GUEST_SRC:tests/guest/%.S=build/guest/%.img)

build/guest/%.img: tests/guest/%.S tests/guest/guest.inc tests/guest/long.inc tests/guest/guest.ld
	@mkdir -p $(@D)
	@echo "  GUEST $@"
	@$(CC) -m64 -c -Itests/guest -x assembler-with-cpp $< -o $(@:.img=.o)
	@ld -m elf_x86_64 -T tests/guest/guest.ld -o $@ $(@:.img=.o)

.PHONY: guest-images
guest-images: $(GUEST_IMG)
guest-tests: $(GUEST_IMG)
