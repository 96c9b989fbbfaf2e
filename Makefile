# aeropc: `make run` installs what is missing, builds and boots the demo; `make check` installs, builds and tests.
#   make                 build/aeropc and the ROMs     MODE=debug|asan|tsan|cov   other builds, under build/MODE
#   make check-all       adds the slow tests           make check-guests          the boot ladder (real systems)
#   make layers sizes    who includes whom; the largest functions and files
#   make bench           ours, native, QEMU when installed: JSON lines and tables; make bench-gpu: AeroGPU's executor alone

MODE ?= release
CC ?= gcc
ifeq ($(MODE),release)
B := build
else
B := build/$(MODE)
endif

OPT_release := -O2 -g
OPT_debug := -O0 -g3
OPT_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
OPT_tsan := -O1 -g -fsanitize=thread
OPT_cov := -O0 -g --coverage
OPT_fuzz := -O2 -g -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=undefined,float-cast-overflow \
            -fno-omit-frame-pointer $(if $(LIBFUZZER),-fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp)
ifeq ($(OPT_$(MODE)),)
$(error MODE=$(MODE) is unknown: use release, debug, asan, tsan, cov or fuzz)
endif

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla -Wpointer-arith -Wwrite-strings \
        -Wimplicit-fallthrough -Werror $(if $(findstring clang,$(CC)),-Wno-unknown-pragmas)
SDL_CFLAGS := $(shell pkg-config --cflags sdl2 2>/dev/null)
SDL_LIBS := $(shell pkg-config --libs sdl2 2>/dev/null)
COMMIT := $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
CFLAGS = -std=gnu11 $(OPT_$(MODE)) $(WARN) -fno-strict-aliasing -fwrapv -pthread -I. -D_GNU_SOURCE= $(EXTRA_CFLAGS)
LIBS := $(SDL_LIBS) -lz -lm -lutil -pthread

SRC := $(wildcard machine/*.c machine/*/*.c cpu/*.c cpu/*/*.c devices/*.c gpu/*.c gpu/*/*.c)
OBJ := $(SRC:%.c=$(B)/%.o)
LIBOBJ := $(filter-out $(B)/machine/main.o,$(OBJ))
ROMS := roms/bios.bin roms/vgabios.bin roms/demo.img
TESTSRC := $(wildcard tests/unit/test_*.c)
TESTOBJ := $(TESTSRC:%.c=$(B)/%.o)

.PHONY: all build-tests roms run run-built check check-built check-all check-guests layers sizes bench clean deps format-check unit guest-tests cli-tests

all: $(B)/aeropc roms

roms: $(ROMS)
-include bios/bios.mk bios/vga/vga.mk bios/demo/demo.mk
-include tests/guest/guest.mk
-include tests/oracle/oracle.mk
-include tests/w7/w7.mk
-include tests/bench/bench.mk
-include tests/zydis/zydis.mk

$(B)/aeropc: $(OBJ)
	@echo "  LD $@"
	@$(CC) $(CFLAGS) -o $@ $(OBJ) $(LIBS)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(CC) $(CFLAGS) $(if $(findstring _sdl.c,$<),$(SDL_CFLAGS)) -MMD -MP -c -o $@ $<

# Arithmetic of pictures: the same bits whatever the compiler and the vectors' width; X_avx2.c is X.c for hosts that have it.
PIXEL_CFLAGS := -ffp-contract=off -fno-math-errno -fno-trapping-math -Wno-psabi $(if $(filter release,$(MODE)),-O3)
$(B)/gpu/%.o: EXTRA_CFLAGS += $(PIXEL_CFLAGS)
$(B)/gpu/%_avx2.o: EXTRA_CFLAGS += $(PIXEL_CFLAGS) -mavx2 -mfma

$(B)/machine/main.o: EXTRA_CFLAGS += -DAEROPC_COMMIT='"$(COMMIT)"'

# --- the two commands of the README: install what is missing first, then build in a second make that sees it ---
deps:
	@sh tests/deps.sh

run: deps
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@$(MAKE) --no-print-directory run-built

run-built:
	@sh tests/run-demo.sh $(B)/aeropc

check: deps
	@$(MAKE) --no-print-directory -j$$(nproc) all build-tests
	@$(MAKE) --no-print-directory check-built

check-built: layers unit zydis-short guest-tests engine-tests bench-gate cli-tests check-w7 check-aerogpu check-golden

check-all: check
	@$(MAKE) --no-print-directory MODE=asan unit
	@$(MAKE) --no-print-directory MODE=asan check-golden
	@AEROPC_ENGINE=jit,hot=0 $(MAKE) --no-print-directory MODE=asan cpu-units
	@$(MAKE) --no-print-directory check-engines
	@$(MAKE) --no-print-directory fuzz-short
	@$(MAKE) --no-print-directory check-oracle SECONDS=30
	@W7_FULL=1 FW_TRIPS=100 $(MAKE) --no-print-directory check-w7 RUNNERS="fw soak storage"
	@$(MAKE) --no-print-directory check-w7-break
	@$(MAKE) --no-print-directory check-zydis
	@$(MAKE) --no-print-directory check-views
	@$(MAKE) --no-print-directory check-guests
	@$(MAKE) --no-print-directory check-lockstep
	@SHARE=1/1 $(MAKE) --no-print-directory check-programs

# --- tests ---
$(B)/tests/unit/suites.h: $(TESTSRC)
	@mkdir -p $(@D)
	@for t in $(patsubst tests/unit/test_%.c,%,$(TESTSRC)); do echo "SUITE($$t)"; done > $@.new; cmp -s $@.new $@ || cp $@.new $@

$(B)/tests/unit/main.o: $(B)/tests/unit/suites.h
$(B)/tests/unit/main.o: EXTRA_CFLAGS += -I$(B)/tests/unit

$(B)/unit-tests: $(LIBOBJ) $(TESTOBJ) $(B)/tests/unit/main.o
	@echo "  LD $@"
	@$(CC) $(CFLAGS) -o $@ $^ $(LIBS) $(shell pkg-config --libs check 2>/dev/null)

# Executes AeroGPU's commands in another process (gpu/bridge/README.md).
$(B)/gpu-client: $(B)/tests/gpu/client.o $(LIBOBJ)
	@echo "  LD $@"
	@$(CC) $(CFLAGS) -o $@ $^ $(LIBS)

build-tests: $(B)/unit-tests $(B)/gpu-client $(B)/gpu-golden

unit: $(B)/unit-tests $(B)/gpu-client roms
	CK_FORK=$(if $(filter asan,$(MODE)),no,yes) $(B)/unit-tests

guest-tests: $(B)/aeropc roms
	@if [ -f tests/guest/run.sh ]; then sh tests/guest/run.sh $(B)/aeropc; fi
	@bash tests/boot/kernel.sh $(B)/aeropc multiboot

# The translator gives what the interpreter gives, in its hostile modes, too (cpu/jit/README.md).
.PHONY: engine-tests check-engines
engine-tests: $(B)/unit-tests $(B)/aeropc $(B)/fuzz_lockstep roms $(GUEST_IMG)
	@bash tests/engines.sh short $(B)

check-engines: $(B)/unit-tests $(B)/aeropc $(B)/fuzz_lockstep roms $(GUEST_IMG)
	@bash tests/engines.sh long $(B)

# Lockstep at length: random code (INSNS, about a minute for 10^9) and the boot ladder (STEPS, ten times its usual time).
.PHONY: check-lockstep
check-lockstep: $(B)/aeropc $(B)/fuzz_lockstep $(B)/fuzz_cpu $(B)/fuzz_code roms
	$(B)/fuzz_lockstep --insns $(INSNS) 1
	AEROPC_ENGINE=lockstep,hot=0 $(B)/fuzz_cpu 1 300
	AEROPC_ENGINE=lockstep,hot=1,run=100 $(B)/fuzz_code 1 100
	@ENGINE=lockstep,run=1000 LIMIT_FACTOR=10 AEROPC=$(abspath $(B)/aeropc) bash tests/boot/ladder.sh $(STEPS)

# The processor's tests alone, for the engine that AEROPC_ENGINE names.
.PHONY: cpu-units
cpu-units: $(B)/unit-tests
	CK_FORK=no $(B)/unit-tests oracle exec_int exec_string jit jit_int jit_links jit_random jit_review jit_tlb jit_x87 lockstep smc fpu sse avx \
	    softfp interp mmu mmio smap space exc seg msr smm xsave cpuid apic decode

cli-tests: $(B)/aeropc roms
	@bash tests/boot/cli.sh $(B)/aeropc

.PHONY: check-aerogpu
check-aerogpu: $(B)/unit-tests $(B)/gpu-client
	@bash tests/aerogpu.sh $(B)/unit-tests

# --- golden pictures of the software executor (tests/gpu/golden.h); an argument of the program names one ---
.PHONY: check-golden
GOLDENSRC := $(wildcard tests/gpu/golden*.c tests/gpu/reference*.c)
GOLDENOBJ := $(GOLDENSRC:%.c=$(B)/%.o)
$(B)/gpu-golden: $(GOLDENOBJ) $(LIBOBJ)
	@echo "  LD $@"
	@$(CC) $(CFLAGS) -o $@ $^ $(LIBS)

check-golden: $(B)/gpu-golden
	$(B)/gpu-golden

# --- hostile guests (tests/fuzz/README.md); the programs want MODE=asan ---
.PHONY: fuzz fuzz-short fuzz-programs fuzz-random
.PRECIOUS: $(B)/tests/fuzz/%.o
SECONDS ?= 60
fuzz-programs: $(B)/fuzz_board $(B)/fuzz_cpu $(B)/fuzz_code $(B)/fuzz_lockstep

$(B)/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/fuzz.o $(B)/tests/fuzz/fuzz_machine.o $(LIBOBJ)
	@echo "  LD $@"
	@$(CC) $(CFLAGS) -o $@ $^ $(LIBS)

$(B)/fuzz_board: $(addprefix $(B)/tests/fuzz/,board_gpu.o gpu/stream.o gpu/shaders.o gpu/shaders4.o)

fuzz fuzz-short:
	@$(MAKE) --no-print-directory MODE=asan fuzz-programs
	sh tests/fuzz/run.sh build/asan $(if $(filter fuzz,$@),$(SECONDS),60 1)
	@$(if $(filter fuzz-short,$@),$(MAKE) --no-print-directory fuzz-gpu-short)

# --- AeroGPU's fuzz targets: with libFuzzer when clang has it, else with our own driver (tests/fuzz/README.md) ---
.PHONY: fuzz-gpu fuzz-gpu-short fuzz-gpu-programs
GPU_TARGETS := cmd d3d9 sm4 shader ring soft draw replay bridge
GPU_FUZZ_COMMON := common stream shaders shaders4 ir_check
GPU_FUZZ_LIB := $(patsubst %.c,$(B)/%.o,$(wildcard gpu/*.c gpu/*/*.c machine/core/*.c $(filter-out %_sdl.c,$(wildcard machine/host/*.c)) machine/ui/display.c machine/debug/gpu_replay.c devices/pci.c))
TARGET ?= $(GPU_TARGETS)

$(B)/fuzz.a: $(GPU_FUZZ_COMMON:%=$(B)/tests/fuzz/gpu/%.o) $(B)/tests/fuzz/fuzz.o $(GPU_FUZZ_LIB)
	@rm -f $@ && ar rcs $@ $^

$(B)/gpu_%: $(B)/tests/fuzz/gpu/%.o $(B)/fuzz.a $(if $(LIBFUZZER),,$(B)/tests/fuzz/gpu/own.o)
	@echo "  LD $@"
	@$(CC) $(CFLAGS) $(if $(LIBFUZZER),-fsanitize=fuzzer) -o $@ $(filter %.o,$^) $(B)/fuzz.a -lz -lm -pthread

fuzz-gpu-programs: $(GPU_TARGETS:%=$(B)/gpu_%)

fuzz-gpu:
	@if echo 'int LLVMFuzzerTestOneInput(const char *p, unsigned long n) { return 0 * (p + n == 0); }' | \
	    clang -fsanitize=fuzzer,address,undefined -x c -o /dev/null - 2>/dev/null; then \
	    $(MAKE) --no-print-directory MODE=fuzz CC="$(if $(findstring ccache,$(CC)),ccache )clang" LIBFUZZER=1 fuzz-gpu-programs && \
	    bash tests/fuzz/gpu.sh build/fuzz $(SECONDS) $(TARGET); \
	else \
	    echo "no clang with libFuzzer (Debian: clang libclang-rt-14-dev): blind mutations by our own driver"; \
	    $(MAKE) --no-print-directory MODE=asan fuzz-gpu-programs && \
	    bash tests/fuzz/gpu.sh build/asan $(SECONDS) $(TARGET); \
	fi

fuzz-gpu-short:
	@$(MAKE) --no-print-directory MODE=asan fuzz-gpu-programs
	@bash tests/fuzz/gpu.sh build/asan short $(TARGET)

INSNS ?= 1000000000
SEED ?=
fuzz-random:
	@$(MAKE) --no-print-directory MODE=asan fuzz-programs
	sh tests/fuzz/run.sh build/asan insns $(INSNS) $(SEED)

.PHONY: check-views
check-views: $(B)/aeropc roms
	@bash tests/boot/views.sh $(B)/aeropc

check-guests: $(B)/aeropc roms
	@AEROPC=$(abspath $(B)/aeropc) bash tests/boot/ladder.sh $(STEPS)
	@bash tests/boot/kernel.sh $(B)/aeropc

# Compiler, OpenSSL, Python, Perl, stress-ng in a guest against this machine; PARTS="python perl", ENGINE and CPU choose.
.PHONY: check-programs
check-programs: $(B)/aeropc roms
	@AEROPC=$(abspath $(B)/aeropc) bash tests/boot/programs.sh $(PARTS)

layers:
	@sh tests/layers.sh $(CC)

sizes:
	@sh tests/sizes.sh

# BENCH="work --only kernel --runs 1": what to measure and how, see the head of bench.sh.
bench: $(B)/aeropc roms bench-gpu
	@bash tests/bench/bench.sh $(BENCH)

# The software executor alone, and Mesa's llvmpipe on the same scenes where its EGL is installed.
.PHONY: bench-gpu
HAS_EGL := $(shell pkg-config --exists egl glesv2 2>/dev/null && echo yes)
bench-gpu: $(B)/gpu-bench $(B)/gpu-scanout $(if $(HAS_EGL),$(B)/gpu-llvmpipe)
	@$(B)/gpu-bench
	@$(B)/gpu-bench --fast off compose-linear compose-point
	@$(B)/gpu-scanout
	@$(if $(HAS_EGL),$(B)/gpu-llvmpipe,echo '{"bench":"gpu-llvmpipe","skipped":"no EGL to build with"}')

$(B)/gpu-llvmpipe: $(B)/tests/bench/gpu_llvmpipe.o
	@echo "  LD $@"
	@$(CC) $(CFLAGS) -o $@ $^ $(shell pkg-config --libs egl glesv2 2>/dev/null)

$(B)/gpu-bench: $(B)/tests/bench/gpu_bench.o $(LIBOBJ)
	@echo "  LD $@"
	@$(CC) $(CFLAGS) -o $@ $^ $(LIBS) $(shell pkg-config --libs check 2>/dev/null)

$(B)/gpu-scanout: $(B)/tests/bench/gpu_scanout.o $(LIBOBJ)
	@echo "  LD $@"
	@$(CC) $(CFLAGS) -o $@ $^ $(LIBS)

format-check:
	@clang-format --dry-run -Werror $(SRC)

clean:
	rm -rf build $(ROMS)

-include $(OBJ:.o=.d) $(TESTOBJ:.o=.d) $(GOLDENOBJ:.o=.d) $(B)/tests/gpu/client.d $(wildcard $(B)/tests/fuzz/*.d $(B)/tests/fuzz/gpu/*.d) $(wildcard $(B)/tests/bench/*.d)
