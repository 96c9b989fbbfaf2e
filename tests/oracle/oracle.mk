# Recorded vectors and the native generator (tests/oracle/README.md).
#   make check-oracle SECONDS=60 [SEED=n] [COVERAGE=1]   fresh cases on this host's processor against the CPU core
#   make oracle-vectors ORACLE=DIR             makes the committed selection again from the whole set
.PHONY: check-oracle oracle-vectors
ORACLE ?= ../shared/oracle
ORACLE_LEFT_OUT :=

$(B)/unit-tests: $(B)/tests/oracle/rig.o

$(B)/oracle-select: $(B)/tests/oracle/select.o
	@$(CC) $(CFLAGS) -o $@ $^ $(LIBS)

$(B)/oracle-native: $(patsubst %,$(B)/tests/oracle/%.o,native gen host rig coverage) $(LIBOBJ)
	@echo "  LD $@"
	@$(CC) $(CFLAGS) -o $@ $^ $(LIBS)

check-oracle: $(B)/oracle-native
	$(B)/oracle-native --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(if $(COVERAGE),--coverage)

oracle-vectors: $(B)/oracle-select
	for m in m64 m32 m16; do zstd -qdc $(ORACLE)/$$m.ovec.zst | $(B)/oracle-select 100 "$(ORACLE_LEFT_OUT)" > tests/oracle/$$m.ovec.gz; done

-include $(wildcard $(B)/tests/oracle/*.d)
