# The decoder against Zydis (tests/zydis/README.md), where libzydis-dev is installed:
#   make check-zydis         all encodings     make zydis-short    one in 256, part of make check
.PHONY: check-zydis zydis-short
HAVE_ZYDIS := $(if $(wildcard /usr/include/Zydis/Zydis.h /usr/local/include/Zydis/Zydis.h),yes)

$(B)/zydis-compare: $(patsubst %,$(B)/tests/zydis/%.o,zydis rules box) $(LIBOBJ)
	@echo "  LD $@"
	@$(CC) $(CFLAGS) -o $@ $^ $(LIBS) -lZydis

ifeq ($(HAVE_ZYDIS),yes)
check-zydis: $(B)/zydis-compare
	nice $(B)/zydis-compare --share 1 --random 5000000
zydis-short: $(B)/zydis-compare
	$(B)/zydis-compare --share 256 --random 10000
else
check-zydis zydis-short:
	@echo "zydis: skipped, libzydis-dev is not installed"
endif

-include $(wildcard $(B)/tests/zydis/*.d)
