# The counters of the translator over a fixed amount of work, and checksums (tests/bench/gate.sh). The workloads are compiled twice:
# for the bare-metal library of tests/w7/bm, and for this machine.
GATE := $(B)/bench/gate
GATE_SRC := tests/bench/gate.c tests/bench/work_int.c tests/bench/work_codec.c
GATE_INT := -O2 -mgeneral-regs-only -fno-tree-vectorize -fno-tree-slp-vectorize
GATE_CFLAGS = -m64 -mno-red-zone -fno-pie $(W7_CFLAGS) $(GATE_INT)

$(GATE)/%.o: tests/bench/%.c tests/bench/work.h tests/w7/bm/bm.h
	@mkdir -p $(@D)
	@echo "  CC $@"
	@$(CC) $(GATE_CFLAGS) -c -o $@ $<

$(B)/bench/gate.elf: $(GATE_SRC:tests/bench/%.c=$(GATE)/%.o) $(B)/w7/bm/start64.o $(B)/w7/bm/lib64.o tests/w7/bm/bm.ld
	@$(W7_LD) -m elf_x86_64 -o $@.64 $(filter %.o,$^)
	@objcopy -I elf64-x86-64 -O elf32-i386 $@.64 $@

$(B)/bench/gate-native: tests/bench/gate_native.c tests/bench/work_int.c tests/bench/work_codec.c tests/bench/work.h
	@mkdir -p $(@D)
	@$(CC) -std=gnu11 $(WARN) -I. $(GATE_INT) -o $@ $(filter %.c,$^)

.PHONY: bench-gate
bench-gate: $(B)/aeropc roms $(B)/bench/gate.elf $(B)/bench/gate-native
	@bash tests/bench/gate.sh $(B)/aeropc $(B)/bench
