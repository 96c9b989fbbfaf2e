/* The device's contract (gpu/aerogpu_abi.h) for guest code. The emulator's own types.h wants a C
 * library and 128-bit numbers, which there are none of here, so the few names that the contract
 * uses are given instead of it. */
#ifndef BIOS_GPU_ABI_H
#define BIOS_GPU_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t i32;
#define MIB (1024ull * 1024)

#define CORE_TYPES_H
#include "gpu/aerogpu_abi.h"

#endif
