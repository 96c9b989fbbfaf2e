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
