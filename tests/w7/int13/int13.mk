# The INT 13h part of the storage soak.
W7_PROGRAMS += $(B)/w7/soak13.bin

$(B)/w7/soak13.bin: tests/w7/int13/soak13.S
	@mkdir -p $(@D)
	@echo "  AS16 $@"
	@$(CC) -m32 -c -o $(@:.bin=.o) $<
	@ld -m elf_i386 -Ttext 0x7c00 -e _start --oformat binary -o $@ $(@:.bin=.o)
