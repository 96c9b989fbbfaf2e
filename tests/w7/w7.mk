# The Windows 7 checklist (tests/w7/README.md): programs for the runners, and the two targets.
W7_BM := $(patsubst tests/w7/bm_%.c,%,$(wildcard tests/w7/bm_*.c))
W7_ELF := $(foreach b,32 64,$(W7_BM:%=$(B)/w7/%$(b).elf))
W7_PROGRAMS := $(W7_ELF)
-include $(wildcard tests/w7/*/*.mk)

W7_CFLAGS = -std=gnu11 -O1 $(WARN) -ffreestanding -fno-pic -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables \
            -fno-strict-aliasing -fwrapv -mgeneral-regs-only -Itests/w7/bm -I.
W7_LD = ld --build-id=none -z noexecstack --no-warn-rwx-segments -T tests/w7/bm/bm.ld

.SECONDARY:
$(B)/w7/bm/%32.o: tests/w7/%.c tests/w7/bm/bm.h
	@mkdir -p $(@D)
	@echo "  CC $@"
	@$(CC) -m32 -march=i686 $(W7_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/w7/bm/%64.o: tests/w7/%.c tests/w7/bm/bm.h
	@mkdir -p $(@D)
	@echo "  CC $@"
	@$(CC) -m64 -mno-red-zone -fno-pie $(W7_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/w7/bm/lib32.o: tests/w7/bm/bm.c tests/w7/bm/bm.h
	@mkdir -p $(@D)
	@$(CC) -m32 -march=i686 $(W7_CFLAGS) -c -o $@ $<

$(B)/w7/bm/lib64.o: tests/w7/bm/bm.c tests/w7/bm/bm.h
	@mkdir -p $(@D)
	@$(CC) -m64 -mno-red-zone -fno-pie $(W7_CFLAGS) -c -o $@ $<

$(B)/w7/bm/start%.o: tests/w7/bm/start.S
	@mkdir -p $(@D)
	@$(CC) -m$* -fno-pic -c -o $@ $<

# a multiboot loader reads 32-bit ELF files: the 64-bit kernel is one by name, its start code enters long mode
$(B)/w7/%32.elf: $(B)/w7/bm/start32.o $(B)/w7/bm/lib32.o $(B)/w7/bm/bm_%32.o tests/w7/bm/bm.ld
	@echo "  LD $@"
	@$(W7_LD) -m elf_i386 -o $@ $(filter %.o,$^)

$(B)/w7/%64.elf: $(B)/w7/bm/start64.o $(B)/w7/bm/lib64.o $(B)/w7/bm/bm_%64.o tests/w7/bm/bm.ld
	@echo "  LD $@"
	@$(W7_LD) -m elf_x86_64 -o $@.64 $(filter %.o,$^)
	@objcopy -I elf64-x86-64 -O elf32-i386 $@.64 $@

.PHONY: w7-programs check-w7 check-w7-break
w7-programs: $(W7_PROGRAMS)

check-w7: $(B)/aeropc roms build-tests w7-programs
	@AEROPC=$(abspath $(B)/aeropc) BUILD=$(abspath $(B)) bash tests/w7/check.sh $(RUNNERS)

check-w7-break:
	@BUILD=$(abspath $(B)) bash tests/w7/break.sh $(STATEMENTS)

-include $(wildcard $(B)/w7/bm/*.d)
