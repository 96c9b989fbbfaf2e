# The guest side of AeroGPU (driver.h, stream.h), shared by the demo and tests/guest/aerogpu, and the shader assembler's tool.
# Included by demo.mk; users compile the sources for their own width.
GPU_LIB := bios/gpu/driver.c bios/gpu/stream.c
GPU_LIB_H := $(wildcard bios/gpu/*.h) gpu/aerogpu_abi.h
MKSHADERS := build/bios/gpu/mkshaders

$(MKSHADERS): bios/gpu/mkshaders.c tests/unit/d3d9_asm.h tests/unit/sm4_asm.h
	@mkdir -p $(@D)
	$(or $(DEMO_CC),gcc) -std=gnu11 -O1 -Wall -Wextra -Werror -I. -o $@ $<
