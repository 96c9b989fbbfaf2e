/* Decoder: lengths, sizes, operands and refusals of chosen encodings in the three code sizes, and
 * the form of the opcode table. */
#include <check.h>

#include "cpu/decode.h"
#include "cpu/state.h"

Suite *decode_suite(void);

static struct insn decode(unsigned bits, const char *code, unsigned len, enum decode_result want)
{
    struct decode_mode m = { .bits = (u8)bits, .features = ~0ull };
    struct insn i;
    ck_assert_int_eq(decode_insn(&m, (const u8 *)code, len, &i), want);
    return i;
}
#define DECODE(bits, code) decode(bits, code, sizeof(code) - 1, DECODE_OK)

static const char *name_of(const struct insn *i)
{
    return i->op == OP_UD_ROW ? "(bad)" : op_rows[i->op].name;
}

static const struct {
    u8 bits;
    const char *code;
    u8 given, len;
    const char *name;
    u8 osz;
} lengths[] = {
#define ROW(bits, code, len, name, osz) { bits, code, sizeof(code) - 1, len, name, osz }
    ROW(BITS16, "\x01\xd8", 2, "add", OSZ16),
    ROW(BITS32, "\x01\xd8", 2, "add", OSZ32),
    ROW(BITS16, "\x66\x01\xd8", 3, "add", OSZ32),
    ROW(BITS64, "\x48\x01\xd8", 3, "add", OSZ64),
    ROW(BITS64, "\x66\x48\x01\xd8", 4, "add", OSZ64),
    ROW(BITS64, "\x48\x66\x01\xd8", 4, "add", OSZ16), /* REX before another prefix does not count */
    ROW(BITS16, "\x81\x06\x34\x12\x78\x56", 6, "add", OSZ16), /* disp16, imm16 */
    ROW(BITS32, "\x81\x04\x25\x78\x56\x34\x12\x01\x00\x00\x00", 11, "add", OSZ32),
    ROW(BITS32, "\x67\x8b\x46\x10", 4, "mov", OSZ32), /* 16-bit addressing */
    ROW(BITS64, "\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08", 10, "mov", OSZ64),
    ROW(BITS64, "\xa1\x01\x02\x03\x04\x05\x06\x07\x08", 9, "mov", OSZ32),
    ROW(BITS64, "\x50", 1, "push", OSZ64),
    ROW(BITS64, "\x66\x50", 2, "push", OSZ16),
    ROW(BITS64, "\xe8\x00\x00\x00\x00", 5, "call", OSZ64),
    ROW(BITS64, "\x66\xe8\x00\x00\x00\x00", 6, "call", OSZ64), /* near branches ignore 66 */
    ROW(BITS32, "\x66\xe8\x00\x00", 4, "call", OSZ16),
    ROW(BITS16, "\xea\x00\x10\x00\xf0", 5, "jmp", OSZ16),
    ROW(BITS16, "\xc8\x10\x00\x02", 4, "enter", OSZ16),
    ROW(BITS32, "\xf6\xc0\x01", 3, "test", OSZ8),
    ROW(BITS32, "\xf6\xd0", 2, "not", OSZ8),
    ROW(BITS32, "\xf3\x0f\xb8\xc1", 4, "popcnt", OSZ32),
    ROW(BITS32, "\x66\xf3\x0f\xb8\xc1", 5, "popcnt", OSZ16),
    ROW(BITS32, "\x0f\x38\xf0\x00", 4, "movbe", OSZ32),
    ROW(BITS32, "\x66\x0f\x38\xf0\x00", 5, "movbe", OSZ16),
    ROW(BITS32, "\xf2\x0f\x38\xf0\xc0", 5, "crc32", OSZ32),
    ROW(BITS64, "\xc4\xe2\x78\xf2\xc1", 5, "andn", OSZ32),
    ROW(BITS64, "\xc4\xe2\xf8\xf2\xc1", 5, "andn", OSZ64),
    ROW(BITS32, "\xc4\xe3\x7b\xf0\xc0\x01", 6, "rorx", OSZ32),
    ROW(BITS32, "\xc4\xe3\x3b\xf0\xc0\x01", 5, "(bad)", 0), /* vvvv without its top bit */
    ROW(BITS32, "\xc5\x00", 2, "lds", OSZ32), /* mod != 3: not VEX */
    ROW(BITS32, "\x62\x08", 2, "bound", OSZ32),
    ROW(BITS64, "\x63\xc8", 2, "movsxd", OSZ32),
    ROW(BITS32, "\x63\xc8", 2, "arpl", OSZ32),
    ROW(BITS32, "\xd9\xe0", 2, "fchs", OSZ32),
    ROW(BITS64, "\x0f\x01\xf8", 3, "swapgs", OSZ32),
    ROW(BITS32, "\x0f\x01\xf8", 3, "(bad)", 0),
    ROW(BITS64, "\x06", 1, "(bad)", 0),
    ROW(BITS64, "\x27", 1, "(bad)", 0),
    ROW(BITS32, "\x8d\xc0", 2, "(bad)", 0),     /* LEA of a register: its ModRM belongs to it */
    ROW(BITS32, "\xf0\x01\xd8", 3, "(bad)", 0), /* LOCK with a register destination */
    ROW(BITS32, "\xf0\x39\x18", 3, "(bad)", 0), /* LOCK CMP */
    ROW(BITS32, "\xf0\x01\x18", 3, "add", OSZ32),
    ROW(BITS32, "\x0f\x0b", 2, "ud2", OSZ32),
    ROW(BITS32, "\xff\xff", 2, "(bad)", 0), /* group 5 /7 */
#undef ROW
};

START_TEST(lengths_and_sizes)
{
    for (unsigned k = 0; k < LEN(lengths); k++) {
        struct insn i = decode(lengths[k].bits, lengths[k].code, lengths[k].given, DECODE_OK);
        ck_assert_msg(!strcmp(name_of(&i), lengths[k].name), "row %u: %s instead of %s", k,
                      name_of(&i), lengths[k].name);
        ck_assert_msg(i.len == lengths[k].len, "row %u (%s): length %u", k, lengths[k].name, i.len);
        if (i.op != OP_UD_ROW)
            ck_assert_msg(i.osz == lengths[k].osz, "row %u (%s): size %u", k, lengths[k].name,
                          i.osz);
    }
}
END_TEST

START_TEST(every_prefix_of_an_instruction_asks_for_more)
{
    for (unsigned k = 0; k < LEN(lengths); k++) {
        if (!strcmp(lengths[k].name, "(bad)")) continue;
        for (unsigned n = 0; n < lengths[k].len; n++)
            decode(lengths[k].bits, lengths[k].code, n, DECODE_MORE);
    }
}
END_TEST

START_TEST(fifteen_bytes_are_the_limit)
{
    static const char nops[] = "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90\x90";
    ck_assert_uint_eq(decode(BITS32, nops, 15, DECODE_OK).len, 15);
    static const char add[] = "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x01\xd8";
    decode(BITS32, add, 15, DECODE_TOO_LONG);
}
END_TEST

START_TEST(addressing_forms)
{
    struct insn i = DECODE(BITS16, "\x8b\x42\xfe"); /* mov ax, [bp+si-2] */
    ck_assert_uint_eq(i.base, RBP);
    ck_assert_uint_eq(i.index, RSI);
    ck_assert_int_eq(i.disp, -2);
    ck_assert_uint_eq(i.seg, SEG_SS);
    i = DECODE(BITS16, "\x26\x8b\x42\xfe");
    ck_assert_uint_eq(i.seg, SEG_ES);
    i = DECODE(BITS32, "\x8b\x44\x8d\x10"); /* mov eax, [ebp+ecx*4+16] */
    ck_assert_uint_eq(i.base, RBP);
    ck_assert_uint_eq(i.index, RCX);
    ck_assert_uint_eq(i.scale, 2);
    i = DECODE(BITS32, "\x8b\x05\x78\x56\x34\x12");
    ck_assert_uint_eq(i.base, REG_ZERO);
    i = DECODE(BITS64, "\x8b\x05\x78\x56\x34\x12");
    ck_assert_uint_eq(i.base, REG_RIP);
    i = DECODE(BITS64, "\x43\x8b\x04\x24"); /* r12 as base, r12 as index is allowed */
    ck_assert_uint_eq(i.base, R12);
    ck_assert_uint_eq(i.index, R12);
    i = DECODE(BITS64, "\x8b\x04\x24");
    ck_assert_uint_eq(i.base, RSP);
    ck_assert_uint_eq(i.index, REG_ZERO);
    i = DECODE(BITS64, "\x2e\x8b\x00"); /* CS override is ignored */
    ck_assert_uint_eq(i.seg, SEG_DS);
    i = DECODE(BITS64, "\x65\x8b\x00");
    ck_assert_uint_eq(i.seg, SEG_GS);
}
END_TEST

START_TEST(immediates_are_extended)
{
    ck_assert_uint_eq(DECODE(BITS64, "\x48\x83\xc0\xff").imm, ~0ull);
    ck_assert_uint_eq(DECODE(BITS64, "\x48\x05\x00\x00\x00\x80").imm, 0xffffffff80000000ull);
    ck_assert_uint_eq(DECODE(BITS32, "\xc2\x00\x80").imm, 0x8000);
    ck_assert_uint_eq(DECODE(BITS32, "\xeb\xfe").imm, (u64)-2);
    ck_assert_uint_eq(DECODE(BITS16, "\xea\x34\x12\x78\x56").imm2, 0x5678);
}
END_TEST

START_TEST(features_gate_rows)
{
    struct decode_mode m = { .bits = BITS32, .features = 0 };
    struct insn i;
    ck_assert_int_eq(decode_insn(&m, (const u8 *)"\xf3\x0f\xb8\xc1", 4, &i), DECODE_OK);
    ck_assert_uint_eq(i.op, OP_UD_ROW);
    ck_assert_int_eq(decode_insn(&m, (const u8 *)"\xf3\x0f\xbc\xc1", 4, &i), DECODE_OK);
    ck_assert_str_eq(name_of(&i), "bsf"); /* TZCNT without BMI1 */
}
END_TEST

/* Rows of one opcode must stand together inside a file, and handlers must be there for every shape.
 */
START_TEST(table_is_well_formed)
{
    for (unsigned k = 0; k < op_row_count; k++) {
        const struct op_row *r = &op_rows[k];
        ck_assert(r->name && r->name[0]);
        for (unsigned h = 0; h < 8; h++) ck_assert(r->fn[h] != NULL);
        if (r->sel == SEL_PLUSR) ck_assert_uint_eq(r->opcode & 7, 0);
        if (r->map >= MAP_V1) ck_assert_int_ne(r->prefix, PF_ANY);
    }
}
END_TEST

/* Whatever the bytes, decoding ends and stays inside them. */
START_TEST(random_bytes_decode_safely)
{
    u64 s = 1;
    for (unsigned n = 0; n < 200000; n++) {
        u8 code[INSN_MAX_LEN];
        for (unsigned k = 0; k < sizeof(code); k++) {
            s = s * 6364136223846793005ull + 1442695040888963407ull;
            code[k] = (u8)(s >> 56);
        }
        struct decode_mode m = { .bits = (u8)(n % 3), .features = ~0ull };
        struct insn i;
        enum decode_result r = decode_insn(&m, code, sizeof(code), &i);
        ck_assert(r == DECODE_OK || r == DECODE_TOO_LONG);
        if (r != DECODE_OK) continue;
        ck_assert(i.len >= 1 && i.len <= INSN_MAX_LEN);
        ck_assert(i.reg < 16 && i.rm < 16 && i.base <= REG_RIP && i.index <= REG_RIP &&
                  i.scale < 4 && i.seg < SEG_COUNT);
    }
}
END_TEST

Suite *decode_suite(void)
{
    Suite *s = suite_create("decode");
    TCase *tc = tcase_create("decode");
    tcase_add_test(tc, lengths_and_sizes);
    tcase_add_test(tc, every_prefix_of_an_instruction_asks_for_more);
    tcase_add_test(tc, fifteen_bytes_are_the_limit);
    tcase_add_test(tc, addressing_forms);
    tcase_add_test(tc, immediates_are_extended);
    tcase_add_test(tc, features_gate_rows);
    tcase_add_test(tc, table_is_well_formed);
    tcase_add_test(tc, random_bytes_decode_safely);
    suite_add_tcase(s, tc);
    return s;
}
