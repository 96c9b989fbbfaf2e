# cpu.sh also runs the ROM programs of tests/guest
W7_PROGRAMS += $(GUEST_IMG)
