# The strict interpreter of INT 10h with our VGA behind it (int10.c): runner int10.sh.
W7_INT10_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tests/w7/int10/*.c))
W7_PROGRAMS += $(B)/w7/int10/int10

$(B)/w7/int10/int10: $(W7_INT10_OBJ) $(LIBOBJ)
	@mkdir -p $(@D)
	@echo "  LD $@"
	@$(CC) $(CFLAGS) -o $@ $^ $(LIBS)

-include $(W7_INT10_OBJ:.o=.d)
