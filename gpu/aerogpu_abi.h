/* AeroGPU's contract in numbers: register offsets, structures in guest memory, command packets,
 * enumerations (ABI 1.4).
 *
 * Everything is little-endian and packed; the structures below are laid over private copies of
 * guest memory, never over guest memory itself, because the guest may change that between a check
 * and a use. Sizes and offsets are asserted. Documents: the contract's parts "PCI function and
 * registers", "ring", "command stream". */
#ifndef GPU_AEROGPU_ABI_H
#define GPU_AEROGPU_ABI_H

#include "machine/core/types.h"

enum {
    AGPU_MAGIC = 0x55504741, /* "AGPU", register MAGIC */
    AGPU_ABI_VERSION = 0x00010004,
    AGPU_ABI_MAJOR = 1,            /* must match; any minor is accepted */
    AGPU_RING_MAGIC = 0x474e5241,  /* "ARNG" */
    AGPU_FENCE_MAGIC = 0x434e4546, /* "FENC" */
    AGPU_ALLOC_MAGIC = 0x434f4c41, /* "ALOC" */
    AGPU_CMD_MAGIC = 0x444d4341,   /* "ACMD" */
    AGPU_ILAY_MAGIC = 0x59414c49,  /* "ILAY" */
};

/* --- BAR0, 64 KiB; 32-bit registers; gaps read 0 and ignore writes --- */
#define AGPU_BAR0_SIZE 0x10000u
#define AGPU_VRAM_SIZE (64 * MIB)
#define AGPU_LFB_OFFSET 0x40000u /* the VBE frame buffer in BAR1, behind four 64 KiB planes */
enum {
    AGPU_R_MAGIC = 0x000,
    AGPU_R_ABI_VERSION = 0x004,
    AGPU_R_FEATURES_LO = 0x008,
    AGPU_R_FEATURES_HI = 0x00c,
    AGPU_R_RING_GPA_LO = 0x100,
    AGPU_R_RING_GPA_HI = 0x104,
    AGPU_R_RING_SIZE = 0x108,
    AGPU_R_RING_CONTROL = 0x10c,
    AGPU_R_FENCE_GPA_LO = 0x120,
    AGPU_R_FENCE_GPA_HI = 0x124,
    AGPU_R_COMPLETED_LO = 0x130,
    AGPU_R_COMPLETED_HI = 0x134,
    AGPU_R_DOORBELL = 0x200,
    AGPU_R_IRQ_STATUS = 0x300,
    AGPU_R_IRQ_ENABLE = 0x304,
    AGPU_R_IRQ_ACK = 0x308,
    AGPU_R_ERROR_CODE = 0x310,
    AGPU_R_ERROR_FENCE_LO = 0x314,
    AGPU_R_ERROR_FENCE_HI = 0x318,
    AGPU_R_ERROR_COUNT = 0x31c,
    AGPU_R_SCAN_ENABLE = 0x400,
    AGPU_R_SCAN_WIDTH = 0x404,
    AGPU_R_SCAN_HEIGHT = 0x408,
    AGPU_R_SCAN_FORMAT = 0x40c,
    AGPU_R_SCAN_PITCH = 0x410,
    AGPU_R_SCAN_GPA_LO = 0x414, /* latched until HI is written */
    AGPU_R_SCAN_GPA_HI = 0x418, /* commits the pair */
    AGPU_R_VBLANK_SEQ_LO = 0x420,
    AGPU_R_VBLANK_SEQ_HI = 0x424,
    AGPU_R_VBLANK_TIME_LO = 0x428,
    AGPU_R_VBLANK_TIME_HI = 0x42c,
    AGPU_R_VBLANK_PERIOD = 0x430,
    AGPU_R_CURSOR_ENABLE = 0x500,
    AGPU_R_CURSOR_X = 0x504,
    AGPU_R_CURSOR_Y = 0x508,
    AGPU_R_CURSOR_HOT_X = 0x50c,
    AGPU_R_CURSOR_HOT_Y = 0x510,
    AGPU_R_CURSOR_WIDTH = 0x514,
    AGPU_R_CURSOR_HEIGHT = 0x518,
    AGPU_R_CURSOR_FORMAT = 0x51c,
    AGPU_R_CURSOR_GPA_LO = 0x520,
    AGPU_R_CURSOR_GPA_HI = 0x524,
    AGPU_R_CURSOR_PITCH = 0x528,
};

enum { /* FEATURES, bits 31:0 */
       AGPU_F_FENCE_PAGE = 1 << 0,
       AGPU_F_CURSOR = 1 << 1,
       AGPU_F_SCANOUT = 1 << 2,
       AGPU_F_VBLANK = 1 << 3,
       AGPU_F_TRANSFER = 1 << 4, /* only with an executor that performs copies */
       AGPU_F_ERROR_INFO = 1 << 5,
};
enum { AGPU_RING_ENABLE = 1, AGPU_RING_RESET = 2 };
#define AGPU_IRQ_FENCE 1u
#define AGPU_IRQ_VBLANK 2u
#define AGPU_IRQ_ERROR 0x80000000u
enum agpu_error {
    AGPU_E_NONE = 0,
    AGPU_E_CMD_DECODE = 1,
    AGPU_E_OOB = 2,
    AGPU_E_BACKEND = 3,
    AGPU_E_INTERNAL = 0xffff,
};

/* --- ring --- */
struct agpu_ring_header { /* at RING_GPA */
    u32 magic, abi_version, size_bytes, entry_count, entry_stride_bytes, flags;
    u32 head; /* the device's: next entry to consume, free-running */
    u32 tail; /* the guest's */
    u32 reserved[8];
};
struct agpu_descriptor {
    u32 desc_size_bytes, flags, context_id, engine_id;
    u64 cmd_gpa;
    u32 cmd_size_bytes, cmd_reserved;
    u64 alloc_table_gpa;
    u32 alloc_table_size_bytes, alloc_table_reserved;
    u64 signal_fence, reserved;
};
enum { AGPU_SUBMIT_PRESENT = 1, AGPU_SUBMIT_NO_IRQ = 2 };
struct agpu_alloc_header {
    u32 magic, abi_version, size_bytes, entry_count, entry_stride_bytes, reserved;
};
struct agpu_alloc_entry {
    u32 alloc_id, flags;
    u64 gpa, size_bytes, reserved;
};
enum { AGPU_ALLOC_READONLY = 1 };
struct agpu_fence_page {
    u32 magic, abi_version;
    u64 completed_fence;
    u8 reserved[40];
};
#define AGPU_MAX_STREAM (64 * MIB)
#define AGPU_MAX_ALLOC_TABLE (16 * MIB)

_Static_assert(sizeof(struct agpu_ring_header) == 64, "ring header");
_Static_assert(offsetof(struct agpu_ring_header, head) == 24, "ring head");
_Static_assert(sizeof(struct agpu_descriptor) == 64, "descriptor");
_Static_assert(offsetof(struct agpu_descriptor, signal_fence) == 48, "descriptor fence");
_Static_assert(sizeof(struct agpu_alloc_header) == 24, "allocation table header");
_Static_assert(sizeof(struct agpu_alloc_entry) == 32, "allocation table entry");
_Static_assert(sizeof(struct agpu_fence_page) == 56, "fence page");

/* --- enumerations of the command stream --- */
enum agpu_format {
    AGPU_FMT_INVALID = 0,
    AGPU_FMT_B8G8R8A8 = 1,
    AGPU_FMT_B8G8R8X8 = 2,
    AGPU_FMT_R8G8B8A8 = 3,
    AGPU_FMT_R8G8B8X8 = 4,
    AGPU_FMT_B5G6R5 = 5,
    AGPU_FMT_B5G5R5A1 = 6,
    AGPU_FMT_B8G8R8A8_SRGB = 7,
    AGPU_FMT_B8G8R8X8_SRGB = 8,
    AGPU_FMT_R8G8B8A8_SRGB = 9,
    AGPU_FMT_R8G8B8X8_SRGB = 10,
    AGPU_FMT_D24S8 = 32, /* depth 23:0, stencil 31:24 */
    AGPU_FMT_D32F = 33,
    AGPU_FMT_BC1 = 64,
    AGPU_FMT_BC1_SRGB = 65,
    AGPU_FMT_BC2 = 66,
    AGPU_FMT_BC2_SRGB = 67,
    AGPU_FMT_BC3 = 68,
    AGPU_FMT_BC3_SRGB = 69,
    AGPU_FMT_BC7 = 70,
    AGPU_FMT_BC7_SRGB = 71,
};
enum { /* resource usage: hints */
       AGPU_USE_VERTEX = 1,
       AGPU_USE_INDEX = 2,
       AGPU_USE_CONSTANT = 4,
       AGPU_USE_TEXTURE = 8,
       AGPU_USE_TARGET = 16,
       AGPU_USE_DEPTH = 32,
       AGPU_USE_SCANOUT = 64,
       AGPU_USE_STORAGE = 128,
};
/* shader_stage fields; with AGPU_STAGE_COMPUTE the packet's reserved0 may name another (agpu_stage
 * in aerogpu_cmd.h) */
enum {
    AGPU_STAGE_VERTEX = 0,
    AGPU_STAGE_PIXEL = 1,
    AGPU_STAGE_COMPUTE = 2,
    AGPU_STAGE_GEOMETRY = 3
};
enum {
    AGPU_EX_NONE = 0,
    AGPU_EX_GEOMETRY = 2,
    AGPU_EX_HULL = 3,
    AGPU_EX_DOMAIN = 4,
    AGPU_EX_COMPUTE = 5
};
enum { AGPU_COPY_WRITEBACK_DST = 1 };
enum { AGPU_INDEX_16 = 0, AGPU_INDEX_32 = 1 };
enum {
    AGPU_TOPO_POINTS = 1,
    AGPU_TOPO_LINES = 2,
    AGPU_TOPO_LINE_STRIP = 3,
    AGPU_TOPO_TRIANGLES = 4,
    AGPU_TOPO_STRIP = 5,
    AGPU_TOPO_FAN = 6, /* D3D9 only */
    AGPU_TOPO_LINES_ADJ = 10,
    AGPU_TOPO_LINE_STRIP_ADJ = 11,
    AGPU_TOPO_TRIANGLES_ADJ = 12,
    AGPU_TOPO_STRIP_ADJ = 13,
    AGPU_TOPO_PATCH_1 = 33, /* a patch list of n points is 32 + n */
    AGPU_TOPO_PATCH_32 = 64,
};
enum { AGPU_FILTER_NEAREST = 0, AGPU_FILTER_LINEAR = 1 };
enum { AGPU_ADDRESS_CLAMP = 0, AGPU_ADDRESS_REPEAT = 1, AGPU_ADDRESS_MIRROR = 2 };
enum agpu_blend_factor {
    AGPU_BLEND_ZERO,
    AGPU_BLEND_ONE,
    AGPU_BLEND_SRC_ALPHA,
    AGPU_BLEND_INV_SRC_ALPHA,
    AGPU_BLEND_DEST_ALPHA,
    AGPU_BLEND_INV_DEST_ALPHA,
    AGPU_BLEND_CONSTANT,
    AGPU_BLEND_INV_CONSTANT,
};
enum agpu_blend_op {
    AGPU_OP_ADD,
    AGPU_OP_SUBTRACT,
    AGPU_OP_REV_SUBTRACT,
    AGPU_OP_MIN,
    AGPU_OP_MAX
};
enum agpu_compare {
    AGPU_CMP_NEVER,
    AGPU_CMP_LESS,
    AGPU_CMP_EQUAL,
    AGPU_CMP_LESS_EQUAL,
    AGPU_CMP_GREATER,
    AGPU_CMP_NOT_EQUAL,
    AGPU_CMP_GREATER_EQUAL,
    AGPU_CMP_ALWAYS,
};
enum { AGPU_FILL_SOLID = 0, AGPU_FILL_WIREFRAME = 1 };
enum { AGPU_CULL_NONE = 0, AGPU_CULL_FRONT = 1, AGPU_CULL_BACK = 2 };
enum { AGPU_RASTER_DEPTH_CLIP_OFF = 1 };
enum { AGPU_CLEAR_COLOR = 1, AGPU_CLEAR_DEPTH = 2, AGPU_CLEAR_STENCIL = 4 };
enum { AGPU_PRESENT_VSYNC = 1 };

/* --- command packets: they start at multiples of 4, so those with 64-bit fields say so --- */
#define AGPU_ALIGN4 __attribute__((packed, aligned(4)))
struct agpu_stream_header {
    u32 magic, abi_version, size_bytes, flags, reserved[2];
};
struct agpu_cmd_header {
    u32 opcode, size_bytes; /* whole packet, a multiple of 4 */
};

/* One row per packet: opcode, name, structure of its fixed part, what the validator examines. It
 * expands to the enumeration here, to the validator's table and to tests. Rows are sorted. */
#define AGPU_PACKETS(ROW)                                                                          \
    ROW(0x000, NOP, agpu_cmd_header, nothing)                                                      \
    ROW(0x001, DEBUG_MARKER, agpu_cmd_header, nothing)                                             \
    ROW(0x100, CREATE_BUFFER, agpu_create_buffer, create_buffer)                                   \
    ROW(0x101, CREATE_TEXTURE2D, agpu_create_texture2d, create_texture)                            \
    ROW(0x102, DESTROY_RESOURCE, agpu_handle_packet, nothing)                                      \
    ROW(0x103, RESOURCE_DIRTY_RANGE, agpu_range_packet, nothing)                                   \
    ROW(0x104, UPLOAD_RESOURCE, agpu_range_packet, upload)                                         \
    ROW(0x105, COPY_BUFFER, agpu_copy_buffer, copy_buffer)                                         \
    ROW(0x106, COPY_TEXTURE2D, agpu_copy_texture2d, copy_texture)                                  \
    ROW(0x107, CREATE_TEXTURE_VIEW, agpu_create_texture_view, create_view)                         \
    ROW(0x108, DESTROY_TEXTURE_VIEW, agpu_handle_packet, nothing)                                  \
    ROW(0x200, CREATE_SHADER_DXBC, agpu_create_shader, create_shader)                              \
    ROW(0x201, DESTROY_SHADER, agpu_handle_packet, nothing)                                        \
    ROW(0x202, BIND_SHADERS, agpu_bind_shaders, nothing)                                           \
    ROW(0x203, SET_SHADER_CONSTANTS_F, agpu_stage_array, stage_array)                              \
    ROW(0x204, CREATE_INPUT_LAYOUT, agpu_create_input_layout, create_layout)                       \
    ROW(0x205, DESTROY_INPUT_LAYOUT, agpu_handle_packet, nothing)                                  \
    ROW(0x206, SET_INPUT_LAYOUT, agpu_handle_packet, nothing)                                      \
    ROW(0x207, SET_SHADER_CONSTANTS_I, agpu_stage_array, stage_array)                              \
    ROW(0x208, SET_SHADER_CONSTANTS_B, agpu_stage_array, stage_array)                              \
    ROW(0x300, SET_BLEND_STATE, agpu_set_blend_state, nothing)                                     \
    ROW(0x301, SET_DEPTH_STENCIL_STATE, agpu_set_depth_stencil_state, nothing)                     \
    ROW(0x302, SET_RASTERIZER_STATE, agpu_set_rasterizer_state, nothing)                           \
    ROW(0x400, SET_RENDER_TARGETS, agpu_set_render_targets, targets)                               \
    ROW(0x401, SET_VIEWPORT, agpu_set_viewport, nothing)                                           \
    ROW(0x402, SET_SCISSOR, agpu_set_scissor, nothing)                                             \
    ROW(0x500, SET_VERTEX_BUFFERS, agpu_set_vertex_buffers, vertex_buffers)                        \
    ROW(0x501, SET_INDEX_BUFFER, agpu_set_index_buffer, index_buffer)                              \
    ROW(0x502, SET_PRIMITIVE_TOPOLOGY, agpu_handle_packet, topology)                               \
    ROW(0x510, SET_TEXTURE, agpu_set_texture, texture)                                             \
    ROW(0x511, SET_SAMPLER_STATE, agpu_set_sampler_state, sampler_state)                           \
    ROW(0x512, SET_RENDER_STATE, agpu_set_render_state, nothing)                                   \
    ROW(0x520, CREATE_SAMPLER, agpu_create_sampler, create_handle)                                 \
    ROW(0x521, DESTROY_SAMPLER, agpu_handle_packet, nothing)                                       \
    ROW(0x522, SET_SAMPLERS, agpu_stage_array, stage_array)                                        \
    ROW(0x523, SET_CONSTANT_BUFFERS, agpu_stage_array, stage_array)                                \
    ROW(0x524, SET_SHADER_RESOURCE_BUFFERS, agpu_stage_array, stage_array)                         \
    ROW(0x525, SET_UNORDERED_ACCESS_BUFFERS, agpu_stage_array, stage_array)                        \
    ROW(0x600, CLEAR, agpu_clear, nothing)                                                         \
    ROW(0x601, DRAW, agpu_draw, nothing)                                                           \
    ROW(0x602, DRAW_INDEXED, agpu_draw_indexed, nothing)                                           \
    ROW(0x603, DISPATCH, agpu_dispatch, dispatch)                                                  \
    ROW(0x700, PRESENT, agpu_present, nothing)                                                     \
    ROW(0x701, PRESENT_EX, agpu_present_ex, nothing)                                               \
    ROW(0x710, EXPORT_SHARED_SURFACE, agpu_share_packet, share)                                    \
    ROW(0x711, IMPORT_SHARED_SURFACE, agpu_share_packet, share)                                    \
    ROW(0x712, RELEASE_SHARED_SURFACE, agpu_release_shared, nothing)                               \
    ROW(0x720, FLUSH, agpu_flush, nothing)

enum agpu_opcode {
#define ROW(code, name, type, examine) AGPU_##name = code,
    AGPU_PACKETS(ROW)
#undef ROW
};

struct agpu_create_buffer {
    struct agpu_cmd_header hdr;
    u32 buffer_handle, usage_flags;
    u64 size_bytes; /* > 0, a multiple of 4 */
    u32 backing_alloc_id, backing_offset_bytes;
    u64 reserved;
} AGPU_ALIGN4;
struct agpu_create_texture2d {
    struct agpu_cmd_header hdr;
    u32 texture_handle, usage_flags, format, width, height, mip_levels, array_layers;
    u32 row_pitch_bytes; /* of mip 0; backed textures: at least the tight pitch */
    u32 backing_alloc_id, backing_offset_bytes;
    u32 reserved[2];
};
/* DESTROY_*, SET_INPUT_LAYOUT (0 unbinds), SET_PRIMITIVE_TOPOLOGY (the topology) */
struct agpu_handle_packet {
    struct agpu_cmd_header hdr;
    u32 handle, reserved;
};
/* RESOURCE_DIRTY_RANGE; UPLOAD_RESOURCE, whose data follow */
struct agpu_range_packet {
    struct agpu_cmd_header hdr;
    u32 handle, reserved;
    u64 offset_bytes, size_bytes;
} AGPU_ALIGN4;
struct agpu_copy_buffer {
    struct agpu_cmd_header hdr;
    u32 dst_buffer, src_buffer;
    u64 dst_offset_bytes, src_offset_bytes, size_bytes;
    u32 flags, reserved;
} AGPU_ALIGN4;
struct agpu_copy_texture2d {
    struct agpu_cmd_header hdr;
    u32 dst_texture, src_texture;
    u32 dst_mip_level, dst_array_layer, src_mip_level, src_array_layer;
    u32 dst_x, dst_y, src_x, src_y, width, height; /* texels */
    u32 flags, reserved;
};
struct agpu_create_texture_view {
    struct agpu_cmd_header hdr;
    u32 view_handle, texture_handle, format;
    u32 base_mip_level, mip_level_count, base_array_layer, array_layer_count;
    u32 reserved[2];
};
struct agpu_create_shader { /* the blob follows */
    struct agpu_cmd_header hdr;
    u32 shader_handle, stage, dxbc_size_bytes, stage_ex;
};
struct agpu_bind_shaders { /* with 36 bytes or more {gs, hs, ds} follow, else gs is reserved0 */
    struct agpu_cmd_header hdr;
    u32 vs, ps, cs, reserved0;
};
/* SET_SHADER_CONSTANTS_*, SET_SAMPLERS, SET_*_BUFFERS: `count` elements for slots or registers from
 * `start` on follow */
struct agpu_stage_array {
    struct agpu_cmd_header hdr;
    u32 stage, start, count, stage_ex;
};
struct agpu_create_input_layout { /* the blob follows */
    struct agpu_cmd_header hdr;
    u32 input_layout_handle, blob_size_bytes, reserved;
};
struct agpu_set_blend_state { /* 28 bytes at least: the rest has defaults (acmd_blend_state) */
    struct agpu_cmd_header hdr;
    u32 enable, src_factor, dst_factor, blend_op;
    u8 color_write_mask, reserved[3]; /* bits R, G, B, A */
    u32 src_factor_alpha, dst_factor_alpha, blend_op_alpha;
    float constant[4];
    u32 sample_mask;
};
#define AGPU_BLEND_STATE_MIN 28
struct agpu_set_depth_stencil_state {
    struct agpu_cmd_header hdr;
    u32 depth_enable, depth_write_enable, depth_func, stencil_enable;
    u8 stencil_read_mask, stencil_write_mask, reserved[2];
};
struct agpu_set_rasterizer_state {
    struct agpu_cmd_header hdr;
    u32 fill_mode, cull_mode, front_ccw, scissor_enable;
    i32 depth_bias; /* in least steps of the depth format */
    u32 flags;
};
struct agpu_set_render_targets {
    struct agpu_cmd_header hdr;
    u32 color_count, depth_stencil, colors[8];
};
struct agpu_set_viewport {
    struct agpu_cmd_header hdr;
    float x, y, width, height, min_depth, max_depth;
};
struct agpu_set_scissor {
    struct agpu_cmd_header hdr;
    i32 x, y, width, height;
};
struct agpu_set_vertex_buffers { /* bindings follow */
    struct agpu_cmd_header hdr;
    u32 start_slot, buffer_count;
};
struct agpu_vertex_binding {
    u32 buffer, stride_bytes, offset_bytes, reserved;
};
/* SET_CONSTANT_BUFFERS, SET_SHADER_RESOURCE_BUFFERS, SET_UNORDERED_ACCESS_BUFFERS */
struct agpu_buffer_binding {
    u32 buffer, offset_bytes;
    u32 size_bytes;    /* 0: the rest of the buffer */
    u32 initial_count; /* unordered access: FFFFFFFFh keeps the counter */
};
struct agpu_set_index_buffer {
    struct agpu_cmd_header hdr;
    u32 buffer, format, offset_bytes, reserved;
};
struct agpu_set_texture {
    struct agpu_cmd_header hdr;
    u32 stage, slot, texture, stage_ex;
};
struct agpu_set_sampler_state { /* D3D9; has no stage_ex */
    struct agpu_cmd_header hdr;
    u32 stage, slot, state, value;
};
struct agpu_set_render_state { /* D3D9 */
    struct agpu_cmd_header hdr;
    u32 state, value;
};
struct agpu_create_sampler {
    struct agpu_cmd_header hdr;
    u32 sampler_handle, filter, address_u, address_v, address_w;
};
struct agpu_clear {
    struct agpu_cmd_header hdr;
    u32 flags;
    float color[4], depth;
    u32 stencil;
};
struct agpu_draw {
    struct agpu_cmd_header hdr;
    u32 vertex_count, instance_count, first_vertex, first_instance;
};
struct agpu_draw_indexed {
    struct agpu_cmd_header hdr;
    u32 index_count, instance_count, first_index;
    i32 base_vertex;
    u32 first_instance;
};
struct agpu_dispatch {
    struct agpu_cmd_header hdr;
    u32 x, y, z, stage_ex;
};
struct agpu_present {
    struct agpu_cmd_header hdr;
    u32 scanout_id, flags;
};
struct agpu_present_ex {
    struct agpu_cmd_header hdr;
    u32 scanout_id, flags, d3d9_flags, reserved;
};
struct agpu_share_packet { /* EXPORT, IMPORT */
    struct agpu_cmd_header hdr;
    u32 handle, reserved;
    u64 share_token;
} AGPU_ALIGN4;
struct agpu_release_shared {
    struct agpu_cmd_header hdr;
    u64 share_token, reserved;
} AGPU_ALIGN4;
struct agpu_flush {
    struct agpu_cmd_header hdr;
    u32 reserved[2];
};

_Static_assert(sizeof(struct agpu_stream_header) == 24, "stream header");
_Static_assert(sizeof(struct agpu_cmd_header) == 8, "packet header");
_Static_assert(sizeof(struct agpu_create_buffer) == 40, "CREATE_BUFFER");
_Static_assert(sizeof(struct agpu_create_texture2d) == 56, "CREATE_TEXTURE2D");
_Static_assert(sizeof(struct agpu_handle_packet) == 16, "DESTROY_RESOURCE");
_Static_assert(sizeof(struct agpu_range_packet) == 32, "UPLOAD_RESOURCE");
_Static_assert(sizeof(struct agpu_copy_buffer) == 48, "COPY_BUFFER");
_Static_assert(sizeof(struct agpu_copy_texture2d) == 64, "COPY_TEXTURE2D");
_Static_assert(sizeof(struct agpu_create_texture_view) == 44, "CREATE_TEXTURE_VIEW");
_Static_assert(sizeof(struct agpu_create_shader) == 24, "CREATE_SHADER_DXBC");
_Static_assert(sizeof(struct agpu_bind_shaders) == 24, "BIND_SHADERS");
_Static_assert(sizeof(struct agpu_stage_array) == 24, "SET_SHADER_CONSTANTS");
_Static_assert(sizeof(struct agpu_create_input_layout) == 20, "CREATE_INPUT_LAYOUT");
_Static_assert(sizeof(struct agpu_set_blend_state) == 60, "SET_BLEND_STATE");
_Static_assert(offsetof(struct agpu_set_blend_state, src_factor_alpha) == 28,
               "SET_BLEND_STATE alpha");
_Static_assert(sizeof(struct agpu_set_depth_stencil_state) == 28, "SET_DEPTH_STENCIL_STATE");
_Static_assert(sizeof(struct agpu_set_rasterizer_state) == 32, "SET_RASTERIZER_STATE");
_Static_assert(sizeof(struct agpu_set_render_targets) == 48, "SET_RENDER_TARGETS");
_Static_assert(sizeof(struct agpu_set_viewport) == 32, "SET_VIEWPORT");
_Static_assert(sizeof(struct agpu_set_scissor) == 24, "SET_SCISSOR");
_Static_assert(sizeof(struct agpu_set_vertex_buffers) == 16, "SET_VERTEX_BUFFERS");
_Static_assert(sizeof(struct agpu_vertex_binding) == 16, "vertex binding");
_Static_assert(sizeof(struct agpu_buffer_binding) == 16, "buffer binding");
_Static_assert(sizeof(struct agpu_set_index_buffer) == 24, "SET_INDEX_BUFFER");
_Static_assert(sizeof(struct agpu_set_texture) == 24, "SET_TEXTURE");
_Static_assert(sizeof(struct agpu_set_sampler_state) == 24, "SET_SAMPLER_STATE");
_Static_assert(sizeof(struct agpu_set_render_state) == 16, "SET_RENDER_STATE");
_Static_assert(sizeof(struct agpu_create_sampler) == 28, "CREATE_SAMPLER");
_Static_assert(sizeof(struct agpu_clear) == 36, "CLEAR");
_Static_assert(sizeof(struct agpu_draw) == 24, "DRAW");
_Static_assert(sizeof(struct agpu_draw_indexed) == 28, "DRAW_INDEXED");
_Static_assert(sizeof(struct agpu_dispatch) == 24, "DISPATCH");
_Static_assert(sizeof(struct agpu_present) == 16, "PRESENT");
_Static_assert(sizeof(struct agpu_present_ex) == 24, "PRESENT_EX");
_Static_assert(offsetof(struct agpu_present, flags) == offsetof(struct agpu_present_ex, flags),
               "flags at 12 in both");
_Static_assert(sizeof(struct agpu_share_packet) == 24, "EXPORT_SHARED_SURFACE");
_Static_assert(sizeof(struct agpu_release_shared) == 24, "RELEASE_SHARED_SURFACE");
_Static_assert(sizeof(struct agpu_flush) == 16, "FLUSH");

/* --- input layout blob (D3D10/11) --- */
struct agpu_ilay_header {
    u32 magic, version, element_count, reserved;
};
struct agpu_ilay_element {
    u32 semantic_hash; /* FNV-1a of the upper-case name */
    u32 semantic_index, dxgi_format, input_slot;
    u32 aligned_byte_offset; /* FFFFFFFFh: behind the previous element of the slot, aligned to 4 */
    u32 input_slot_class, instance_data_step_rate;
};
_Static_assert(sizeof(struct agpu_ilay_header) == 16, "ILAY header");
_Static_assert(sizeof(struct agpu_ilay_element) == 28, "ILAY element");

/* --- what legacy rasters share: the widths of formats --- */
/* Bytes per texel of the formats a scanout may have, 0 for others. */
static inline unsigned agpu_scanout_bpp(u32 format)
{
    if (format == AGPU_FMT_B5G6R5 || format == AGPU_FMT_B5G5R5A1) return 2;
    return format >= AGPU_FMT_B8G8R8A8 && format <= AGPU_FMT_R8G8B8X8_SRGB ? 4 : 0;
}

#endif
