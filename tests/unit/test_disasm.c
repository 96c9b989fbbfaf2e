/* Disassembler: bytes to text in the three code sizes. */
#include <check.h>

#include "cpu/cpu.h"

Suite *disasm_suite(void);

static const struct {
    u8 bits, len;
    const char *code, *text;
} rows[] = {
#define ROW(bits, code, text) { bits, sizeof(code) - 1, code, text }
    ROW(16, "\x90", "nop"),
    ROW(16, "\xf3\x90", "pause"),
    ROW(64, "\x49\x90", "xchg r8, rax"),
    ROW(16, "\xb8\x34\x12", "mov ax, 0x1234"),
    ROW(32, "\x8b\x44\x8d\x10", "mov eax, dword [ebp+ecx*4+0x10]"),
    ROW(32, "\x8b\x43\xf0", "mov eax, dword [ebx-0x10]"),
    ROW(64, "\x48\x8b\x05\x10\x00\x00\x00", "mov rax, qword [0x1017]"),
    ROW(64, "\x65\x48\x8b\x04\x25\x28\x00\x00\x00", "mov rax, qword [gs:0x28]"),
    ROW(16, "\x26\x88\x07", "mov byte [es:bx], al"),
    ROW(64, "\x40\x88\xf0", "mov al, sil"),
    ROW(32, "\x88\xf0", "mov al, dh"),
    ROW(64, "\x45\x01\xc1", "add r9d, r8d"),
    ROW(32, "\xf0\x0f\xb1\x0b", "lock cmpxchg dword [ebx], ecx"),
    ROW(32, "\xf3\xa4", "rep movsb byte [es:edi], byte [ds:esi]"),
    ROW(32, "\xf2\xae", "repne scasb al, byte [es:edi]"),
    ROW(32, "\xf3\xa6", "repe cmpsb byte [ds:esi], byte [es:edi]"),
    ROW(32, "\x66\x98", "cbw"),
    ROW(32, "\x98", "cwde"),
    ROW(64, "\x48\x98", "cdqe"),
    ROW(32, "\xeb\xfe", "jmp 0x1000"),
    ROW(16, "\x74\x02", "jz 0x1004"),
    ROW(64, "\xe8\xfb\xff\xff\xff", "call 0x1000"),
    ROW(16, "\xea\x5b\xe0\x00\xf0", "jmp 0xf000:0xe05b"),
    ROW(32, "\xff\x2b", "jmp far [ebx]"),
    ROW(32, "\x83\xc0\xff", "add eax, 0xffffffff"),
    ROW(32, "\xc1\xe0\x04", "shl eax, 0x4"),
    ROW(32, "\xd1\xe0", "shl eax, 1"),
    ROW(32, "\x8e\xd8", "mov ds, eax"),
    ROW(32, "\x0f\x22\xc0", "mov cr0, eax"),
    ROW(64, "\x0f\x20\xd8", "mov rax, cr3"),
    ROW(32, "\x0f\xb6\x00", "movzx eax, byte [eax]"),
    ROW(32, "\xe4\x60", "in al, 0x60"),
    ROW(32, "\xef", "out dx, eax"),
    ROW(32, "\xd8\xc1", "fadd st0, st1"),
    ROW(32, "\xdb\x2b", "fld tword [ebx]"),
    ROW(32, "\x0f\x58\xc1", "addps xmm0, xmm1"),
    ROW(64, "\xf2\x44\x0f\x58\x07", "addsd xmm8, qword [rdi]"),
    ROW(32, "\x0f\x6f\x03", "movq mm0, qword [ebx]"),
    ROW(64, "\x66\x48\x0f\x6e\xc0", "movq xmm0, rax"),
    ROW(32, "\x0f\xff\xc0", "ud0 eax, eax"),
    ROW(64, "\x06", "(bad)"),
    ROW(32, "\xff", "(bad)"), /* cut off */
#undef ROW
};

START_TEST(rows_print_as_expected)
{
    for (unsigned k = 0; k < LEN(rows); k++) {
        struct text t;
        text_init(&t);
        unsigned n =
            cpu_disasm_bytes((const u8 *)rows[k].code, rows[k].len, rows[k].bits, 0x1000, &t);
        ck_assert_msg(!strcmp(t.s, rows[k].text), "row %u: '%s' instead of '%s'", k, t.s,
                      rows[k].text);
        ck_assert_uint_eq(n, rows[k].len);
        text_free(&t);
    }
}
END_TEST

START_TEST(anything_prints)
{
    u64 s = 7;
    for (unsigned n = 0; n < 50000; n++) {
        static const unsigned bits[] = { 16, 32, 64 };
        u8 code[15];
        struct text t;
        for (unsigned k = 0; k < sizeof(code); k++) {
            s = s * 6364136223846793005ull + 1442695040888963407ull;
            code[k] = (u8)(s >> 56);
        }
        text_init(&t);
        unsigned len = cpu_disasm_bytes(code, 1 + n % sizeof(code), bits[n % 3], n, &t);
        ck_assert(len >= 1 && len <= 15 && t.len > 0);
        text_free(&t);
    }
}
END_TEST

Suite *disasm_suite(void)
{
    Suite *s = suite_create("disasm");
    TCase *tc = tcase_create("disasm");
    tcase_add_test(tc, rows_print_as_expected);
    tcase_add_test(tc, anything_prints);
    suite_add_tcase(s, tc);
    return s;
}
