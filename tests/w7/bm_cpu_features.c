/* Checklist W7-083: behind every announced CPUID bit all its instructions execute; and what is not announced raises #UD, where the
 * encoding is free for nothing else. The table is made by the assembler: per feature a list of instructions, each with its length before
 * it, copied one at a time in front of a RET and called. Register AX points to 64 readable and writable bytes, aligned to 64. */
#include "bm.h"

#ifdef __x86_64__
#define AX "%rax"
#define ONLY64(x) x
#define ONLY32(x)
#else
#define AX "%eax"
#define ONLY64(x)
#define ONLY32(x) x
#endif
#define M "(" AX ")"
#define I(x) ".byte 72f - 71f\n71: " x "\n72:\n"
#define LIST(name, body) __asm__(".section .rodata\n" #name ":\n" body ".byte 0\n.text\n"); extern const u8 name[]
#define MM(op) I(op " %mm1, %mm0") I(op " " M ", %mm2")
#define XX(op) I(op " %xmm1, %xmm0") I(op " " M ", %xmm2")
#define XI(op) I(op " $1, %xmm1, %xmm0") I(op " $2, " M ", %xmm2")
#define V3(op) I(op " %xmm1, %xmm2, %xmm0") I(op " " M ", %xmm2, %xmm0")
#define Y3(op) I(op " %ymm1, %ymm2, %ymm0") I(op " " M ", %ymm2, %ymm0")
#define VY3(op) V3(op) Y3(op)
#define CC(op, rest)                                                                                                        \
    I(op "o" rest) I(op "no" rest) I(op "b" rest) I(op "ae" rest) I(op "e" rest) I(op "ne" rest) I(op "be" rest) I(op "a" rest)   \
    I(op "s" rest) I(op "ns" rest) I(op "p" rest) I(op "np" rest) I(op "l" rest) I(op "ge" rest) I(op "le" rest) I(op "g" rest)

LIST(l_fpu, I("fninit") I("fld1") I("fldz") I("fldpi") I("fldl2e") I("fldl2t") I("fldlg2") I("fldln2") I("fninit") I("flds " M) I("fldl " M)
     I("fldt " M) I("filds " M) I("fildl " M) I("fildll " M) I("fbld " M) I("fninit") I("fld1") I("fld1") I("fsts " M) I("fstl " M) I("fists " M)
     I("fistl " M) I("fstps " M) I("fld1") I("fstpl " M) I("fld1") I("fstpt " M) I("fld1") I("fistps " M) I("fld1") I("fistpl " M) I("fld1")
     I("fistpll " M) I("fld1") I("fbstp " M) I("fninit") I("fld1") I("fld1") I("fadd %st(1), %st") I("fsub %st(1), %st") I("fsubr %st(1), %st")
     I("fmul %st(1), %st") I("fdiv %st(1), %st") I("fdivr %st(1), %st") I("fadds " M) I("fmull " M) I("fiadds " M) I("fisubl " M) I("fabs")
     I("fchs") I("frndint") I("fsqrt") I("fscale") I("fxtract") I("fprem") I("fprem1") I("fsin") I("fcos") I("fptan") I("fninit") I("fld1")
     I("fsincos") I("fpatan") I("f2xm1") I("fld1") I("fyl2x") I("fld1") I("fyl2xp1") I("fninit") I("fld1") I("fld1") I("fcom %st(1)")
     I("fcomp %st(1)") I("fld1") I("fcompp") I("fninit") I("fld1") I("fld1") I("fucom %st(1)") I("fucomp %st(1)") I("fld1") I("fucompp")
     I("fninit") I("fld1") I("ftst") I("fxam") I("fxch %st(0)") I("fincstp") I("fdecstp") I("ffree %st(0)") I("fnop") I("fninit")
     I("fnstcw " M) I("fldcw " M) I("fnstsw %ax") I("fnstsw " M) I("fnstenv " M) I("fldenv " M) I("fnclex") I("fwait") I("fninit"));
LIST(l_tsc, I("rdtsc"));
LIST(l_msr, I("mov $0x10, %ecx\n rdmsr") I("mov $0x174, %ecx\n xor %eax, %eax\n xor %edx, %edx\n wrmsr"));
LIST(l_cx8, I("cmpxchg8b " M) I("lock cmpxchg8b " M));
LIST(l_cmov, CC("cmov", " %ecx, %edx") I("fninit") I("fld1") I("fld1") I("fcmovb %st(1), %st") I("fcmove %st(1), %st") I("fcmovbe %st(1), %st")
     I("fcmovu %st(1), %st") I("fcmovnb %st(1), %st") I("fcmovne %st(1), %st") I("fcmovnbe %st(1), %st") I("fcmovnu %st(1), %st")
     I("fcomi %st(1), %st") I("fucomi %st(1), %st") I("fcomip %st(1), %st") I("fld1") I("fucomip %st(1), %st") I("fninit"));
LIST(l_clfsh, I("clflush " M));
LIST(l_clflushopt, I("clflushopt " M));
LIST(l_mmx, I("movd %ecx, %mm0") I("movd " M ", %mm0") I("movd %mm0, %ecx") I("movd %mm0, " M) I("movq %mm0, " M) MM("movq") MM("packsswb")
     MM("packssdw") MM("packuswb") MM("paddb") MM("paddw") MM("paddd") MM("paddsb") MM("paddsw") MM("paddusb") MM("paddusw") MM("pand")
     MM("pandn") MM("pcmpeqb") MM("pcmpeqw") MM("pcmpeqd") MM("pcmpgtb") MM("pcmpgtw") MM("pcmpgtd") MM("pmaddwd") MM("pmulhw") MM("pmullw")
     MM("por") MM("psllw") MM("pslld") MM("psllq") MM("psraw") MM("psrad") MM("psrlw") MM("psrld") MM("psrlq") I("psllw $1, %mm0")
     I("pslld $1, %mm0") I("psllq $1, %mm0") I("psraw $1, %mm0") I("psrad $1, %mm0") I("psrlw $1, %mm0") I("psrld $1, %mm0")
     I("psrlq $1, %mm0") MM("psubb") MM("psubw") MM("psubd") MM("psubsb") MM("psubsw") MM("psubusb") MM("psubusw") MM("punpckhbw")
     MM("punpckhwd") MM("punpckhdq") MM("punpcklbw") MM("punpcklwd") MM("punpckldq") MM("pxor") I("emms"));
LIST(l_sse, XX("movaps") XX("movups") I("movaps %xmm0, " M) I("movups %xmm0, " M) XX("movss") I("movss %xmm0, " M) I("movlps " M ", %xmm0")
     I("movlps %xmm0, " M) I("movhps " M ", %xmm0") I("movhps %xmm0, " M) I("movhlps %xmm1, %xmm0") I("movlhps %xmm1, %xmm0")
     I("movmskps %xmm0, %ecx") I("movntps %xmm0, " M) XX("addps") XX("addss") XX("subps") XX("subss") XX("mulps") XX("mulss") XX("divps")
     XX("divss") XX("sqrtps") XX("sqrtss") XX("rsqrtps") XX("rsqrtss") XX("rcpps") XX("rcpss") XX("minps") XX("minss") XX("maxps") XX("maxss")
     XX("andps") XX("andnps") XX("orps") XX("xorps") XI("cmpps") XI("cmpss") XX("comiss") XX("ucomiss") XI("shufps") XX("unpckhps")
     XX("unpcklps") I("cvtpi2ps %mm1, %xmm0") I("cvtsi2ss %ecx, %xmm0") I("cvtps2pi %xmm0, %mm0") I("cvttps2pi %xmm0, %mm0")
     I("cvtss2si %xmm0, %ecx") I("cvttss2si %xmm0, %ecx") I("stmxcsr " M) I("ldmxcsr " M) MM("pavgb") MM("pavgw") MM("pmaxsw") MM("pmaxub")
     MM("pminsw") MM("pminub") MM("pmulhuw") MM("psadbw") I("pextrw $1, %mm0, %ecx") I("pinsrw $1, %ecx, %mm0") I("pmovmskb %mm0, %ecx")
     I("pshufw $1, %mm1, %mm0") I("movntq %mm0, " M) I("sfence") I("prefetcht0 " M) I("prefetcht1 " M) I("prefetcht2 " M)
     I("prefetchnta " M) I("emms"));
LIST(l_fxsr, I("push " AX "\n mov $area, " ONLY64("%eax") ONLY32("%eax") "\n fxsave " M "\n fxrstor " M "\n pop " AX));
LIST(l_sse2, XX("movapd") XX("movupd") I("movapd %xmm0, " M) XX("movsd") I("movsd %xmm0, " M) I("movlpd " M ", %xmm0") I("movlpd %xmm0, " M)
     I("movhpd " M ", %xmm0") I("movhpd %xmm0, " M) I("movmskpd %xmm0, %ecx") I("movntpd %xmm0, " M) XX("movdqa") XX("movdqu")
     I("movdqa %xmm0, " M) I("movdqu %xmm0, " M) I("movntdq %xmm0, " M) I("movnti %ecx, " M) I("movd %ecx, %xmm0") I("movd %xmm0, %ecx")
     I("movq %xmm0, " M) XX("movq") I("movq2dq %mm0, %xmm0") I("movdq2q %xmm0, %mm0") XX("addpd") XX("addsd") XX("subpd") XX("subsd")
     XX("mulpd") XX("mulsd") XX("divpd") XX("divsd") XX("sqrtpd") XX("sqrtsd") XX("minpd") XX("minsd") XX("maxpd") XX("maxsd") XX("andpd")
     XX("andnpd") XX("orpd") XX("xorpd") XI("cmppd") XI("cmpsd") XX("comisd") XX("ucomisd") XI("shufpd") XX("unpckhpd") XX("unpcklpd")
     XX("cvtdq2pd") XX("cvtdq2ps") XX("cvtpd2dq") XX("cvtpd2ps") XX("cvtps2dq") XX("cvtps2pd") XX("cvttpd2dq") XX("cvttps2dq")
     XX("cvtsd2ss") XX("cvtss2sd") I("cvtpd2pi %xmm0, %mm0") I("cvttpd2pi %xmm0, %mm0") I("cvtpi2pd %mm0, %xmm0") I("cvtsi2sd %ecx, %xmm0")
     I("cvtsd2si %xmm0, %ecx") I("cvttsd2si %xmm0, %ecx") XX("packsswb") XX("packssdw") XX("packuswb") XX("paddb") XX("paddw") XX("paddd")
     XX("paddq") XX("paddsb") XX("paddsw") XX("paddusb") XX("paddusw") XX("pand") XX("pandn") XX("pavgb") XX("pavgw") XX("pcmpeqb")
     XX("pcmpeqw") XX("pcmpeqd") XX("pcmpgtb") XX("pcmpgtw") XX("pcmpgtd") XX("pmaddwd") XX("pmaxsw") XX("pmaxub") XX("pminsw") XX("pminub")
     XX("pmulhuw") XX("pmulhw") XX("pmullw") XX("pmuludq") XX("por") XX("psadbw") XI("pshufd") XI("pshufhw") XI("pshuflw") XX("psllw")
     XX("pslld") XX("psllq") XX("psraw") XX("psrad") XX("psrlw") XX("psrld") XX("psrlq") I("pslldq $1, %xmm0") I("psrldq $1, %xmm0")
     I("psllw $1, %xmm0") I("psrad $1, %xmm0") I("psrlq $1, %xmm0") XX("psubb") XX("psubw") XX("psubd") XX("psubq") XX("psubsb") XX("psubsw")
     XX("psubusb") XX("psubusw") XX("punpckhbw") XX("punpckhwd") XX("punpckhdq") XX("punpckhqdq") XX("punpcklbw") XX("punpcklwd")
     XX("punpckldq") XX("punpcklqdq") XX("pxor") I("pextrw $1, %xmm0, %ecx") I("pinsrw $1, %ecx, %xmm0") I("pmovmskb %xmm0, %ecx")
     MM("paddq") MM("psubq") MM("pmuludq") I("lfence") I("mfence") I("pause") I("emms"));
LIST(l_sse3, XX("addsubpd") XX("addsubps") XX("haddpd") XX("haddps") XX("hsubpd") XX("hsubps") I("lddqu " M ", %xmm0") XX("movddup")
     XX("movshdup") XX("movsldup") I("fninit") I("fld1") I("fisttps " M) I("fld1") I("fisttpl " M) I("fld1") I("fisttpll " M));
#define SSSE3(op) MM(op) XX(op)
LIST(l_ssse3, SSSE3("pabsb") SSSE3("pabsw") SSSE3("pabsd") I("palignr $3, %mm1, %mm0") XI("palignr") SSSE3("phaddw") SSSE3("phaddd")
     SSSE3("phaddsw") SSSE3("phsubw") SSSE3("phsubd") SSSE3("phsubsw") SSSE3("pmaddubsw") SSSE3("pmulhrsw") SSSE3("pshufb") SSSE3("psignb")
     SSSE3("psignw") SSSE3("psignd"));
LIST(l_sse41, XI("blendpd") XI("blendps") XX("blendvpd") XX("blendvps") XI("dppd") XI("dpps") I("extractps $1, %xmm0, %ecx")
     I("insertps $1, %xmm1, %xmm0") I("movntdqa " M ", %xmm0") XI("mpsadbw") XX("packusdw") XX("pblendvb") XI("pblendw") XX("pcmpeqq")
     I("pextrb $1, %xmm0, %ecx") I("pextrd $1, %xmm0, %ecx") I("pextrw $1, %xmm0, " M) XX("phminposuw") I("pinsrb $1, %ecx, %xmm0")
     I("pinsrd $1, %ecx, %xmm0") XX("pmaxsb") XX("pmaxsd") XX("pmaxud") XX("pmaxuw") XX("pminsb") XX("pminsd") XX("pminud") XX("pminuw")
     XX("pmovsxbd") XX("pmovsxbq") XX("pmovsxbw") XX("pmovsxdq") XX("pmovsxwd") XX("pmovsxwq") XX("pmovzxbd") XX("pmovzxbq") XX("pmovzxbw")
     XX("pmovzxdq") XX("pmovzxwd") XX("pmovzxwq") XX("pmuldq") XX("pmulld") XX("ptest") XI("roundpd") XI("roundps") XI("roundsd")
     XI("roundss") ONLY64(I("pextrq $1, %xmm0, %rcx") I("pinsrq $1, %rcx, %xmm0")));
LIST(l_sse42, XX("pcmpgtq") XI("pcmpestri") XI("pcmpestrm") XI("pcmpistri") XI("pcmpistrm") I("crc32b %cl, %edx") I("crc32w %cx, %edx")
     I("crc32l %ecx, %edx"));
LIST(l_movbe, I("movbe " M ", %ecx") I("movbe %ecx, " M) I("movbe " M ", %cx"));
LIST(l_popcnt, I("popcnt %ecx, %edx") I("popcnt " M ", %edx"));
LIST(l_aes, XX("aesenc") XX("aesenclast") XX("aesdec") XX("aesdeclast") XX("aesimc") XI("aeskeygenassist"));
LIST(l_pclmul, XI("pclmulqdq"));
LIST(l_bmi1, I("andn %ecx, %edx, %ebx") I("bextr %ecx, %edx, %ebx") I("blsi %ecx, %edx") I("blsmsk %ecx, %edx") I("blsr %ecx, %edx"));
LIST(l_tzcnt, I("tzcnt %ecx, %edx"));
LIST(l_bmi2, I("bzhi %ecx, %edx, %ebx") I("mulx %ecx, %edx, %ebx") I("pdep %ecx, %edx, %ebx") I("pext %ecx, %edx, %ebx")
     I("rorx $3, %ecx, %edx") I("sarx %ecx, %edx, %ebx") I("shlx %ecx, %edx, %ebx") I("shrx %ecx, %edx, %ebx"));
LIST(l_adx, I("adcx %ecx, %edx") I("adox %ecx, %edx"));
LIST(l_lzcnt, I("lzcnt %ecx, %edx"));
LIST(l_prefetchw, I("prefetchw " M) I("prefetch " M));
LIST(l_rdtscp, I("rdtscp"));
LIST(l_rdrand, I("rdrand %ecx") I("rdrand %cx"));
LIST(l_rdseed, I("rdseed %ecx"));
LIST(l_smap, I("stac") I("clac"));
LIST(l_sha, XX("sha1msg1") XX("sha1msg2") XX("sha1nexte") XI("sha1rnds4") XX("sha256msg1") XX("sha256msg2") XX("sha256rnds2"));
LIST(l_xsave, I("xor %ecx, %ecx\n xgetbv") I("push " AX "\n push %" ONLY64("r") ONLY32("e") "dx\n mov $area, " ONLY64("%ecx")
     ONLY32("%ecx") "\n mov $3, %eax\n xor %edx, %edx\n xsave (%" ONLY64("r") ONLY32("e") "cx)\n xrstor (%" ONLY64("r") ONLY32("e")
     "cx)\n pop %" ONLY64("r") ONLY32("e") "dx\n pop " AX));
LIST(l_avx, VY3("vaddps") VY3("vaddpd") V3("vaddss") V3("vaddsd") VY3("vsubps") VY3("vmulps") VY3("vdivpd") VY3("vandps") VY3("vandnpd")
     VY3("vorps") VY3("vxorps") VY3("vminps") VY3("vmaxpd") VY3("vunpckhps") VY3("vunpcklpd") VY3("vhaddps") VY3("vaddsubpd")
     I("vmovaps %ymm1, %ymm0") I("vmovups " M ", %ymm0") I("vmovups %ymm0, " M) I("vmovdqa %ymm1, %ymm0") I("vmovdqu " M ", %ymm0")
     I("vbroadcastss " M ", %ymm0") I("vbroadcastsd " M ", %ymm0") I("vbroadcastf128 " M ", %ymm0") I("vextractf128 $1, %ymm0, %xmm1")
     I("vinsertf128 $1, %xmm1, %ymm2, %ymm0") I("vperm2f128 $1, %ymm1, %ymm2, %ymm0") I("vpermilps $1, %ymm1, %ymm0") VY3("vpermilpd")
     I("vmaskmovps " M ", %ymm2, %ymm0") I("vmaskmovps %xmm0, %xmm2, " M) I("vmaskmovpd " M ", %ymm2, %ymm0") I("vmaskmovpd %xmm0, %xmm2, " M) I("vtestps %ymm1, %ymm0") I("vptest %ymm1, %ymm0") I("vblendvps %ymm3, %ymm1, %ymm2, %ymm0")
     I("vroundps $1, %ymm1, %ymm0") I("vcmpps $30, %ymm1, %ymm2, %ymm0") I("vcvtps2pd %xmm1, %ymm0") I("vcvtpd2ps %ymm1, %xmm0")
     I("vcvtdq2ps %ymm1, %ymm0") I("vsqrtps %ymm1, %ymm0") I("vmovmskps %ymm0, %ecx") V3("vpaddd") V3("vpxor") V3("vpshufb") V3("vpmaddwd")
     V3("vpunpcklbw") I("vpslld $1, %xmm1, %xmm0") I("vpextrw $1, %xmm0, %ecx") I("vmovd %ecx, %xmm0") I("vmovq %xmm1, %xmm0")
     I("vzeroupper") I("vzeroall"));
LIST(l_avx2, Y3("vpaddb") Y3("vpaddq") Y3("vpsubw") Y3("vpand") Y3("vpxor") Y3("vpcmpeqd") Y3("vpcmpgtq") Y3("vpshufb") Y3("vpmuldq")
     Y3("vpmulld") Y3("vpmaxsd") Y3("vpminub") Y3("vpackusdw") Y3("vpunpckhqdq") Y3("vphaddd") Y3("vpsignw") VY3("vpsllvd") VY3("vpsrlvq")
     VY3("vpsravd") I("vpslldq $1, %ymm1, %ymm0") I("vpbroadcastb %xmm1, %ymm0") I("vpbroadcastd %xmm1, %ymm0") I("vpbroadcastq %xmm1, %xmm0")
     I("vbroadcasti128 " M ", %ymm0") I("vbroadcastss %xmm1, %ymm0") I("vpermd %ymm1, %ymm2, %ymm0") I("vpermq $1, %ymm1, %ymm0")
     I("vpermps %ymm1, %ymm2, %ymm0") I("vpermpd $1, %ymm1, %ymm0") I("vperm2i128 $1, %ymm1, %ymm2, %ymm0")
     I("vinserti128 $1, %xmm1, %ymm2, %ymm0") I("vextracti128 $1, %ymm0, %xmm1") I("vpblendd $1, %ymm1, %ymm2, %ymm0") I("vpmaskmovd " M ", %ymm2, %ymm0") I("vpmaskmovd %xmm0, %xmm2, " M)
     I("vpmovmskb %ymm0, %ecx") I("vpmovzxbw %xmm1, %ymm0") I("vpalignr $1, %ymm1, %ymm2, %ymm0") I("vmpsadbw $1, %ymm1, %ymm2, %ymm0")
     I("vpxor %xmm3, %xmm3, %xmm3\n vpcmpeqd %xmm4, %xmm4, %xmm4\n vpgatherdd %xmm4, (" AX ", %xmm3), %xmm0"));
LIST(l_fma, VY3("vfmadd132ps") VY3("vfmadd213pd") VY3("vfmadd231ps") V3("vfmadd231sd") V3("vfmadd213ss") VY3("vfmsub132pd") VY3("vfnmadd213ps")
     VY3("vfnmsub231pd") VY3("vfmaddsub132ps") VY3("vfmsubadd231pd"));
LIST(l_f16c, I("vcvtph2ps %xmm1, %ymm0") I("vcvtph2ps " M ", %xmm0") I("vcvtps2ph $1, %ymm1, %xmm0") I("vcvtps2ph $1, %xmm1, " M));
#ifdef __x86_64__
LIST(l_cx16, I("cmpxchg16b " M));
LIST(l_lahf, I("lahf") I("sahf"));
LIST(l_fsgsbase, I("rdfsbase %rcx") I("rdgsbase %rcx") I("xor %ecx, %ecx\n wrfsbase %rcx") I("wrgsbase %ecx"));
#endif

enum { LEAVE, MUST_UD }; /* what the instructions do without the bit */
static const struct {
    u32 leaf;
    u8 reg, bit, missing; /* reg: 1 EBX, 2 ECX, 3 EDX */
    const u8 *list;
    const char *name;
} features[] = {
    { 1, 3, 0, MUST_UD, l_fpu, "FPU" }, { 1, 3, 4, MUST_UD, l_tsc, "TSC" }, { 1, 3, 5, MUST_UD, l_msr, "MSR" }, { 1, 3, 8, MUST_UD, l_cx8, "CX8" },
    { 1, 3, 15, MUST_UD, l_cmov, "CMOV" }, { 1, 3, 19, MUST_UD, l_clfsh, "CLFSH" }, { 1, 3, 23, MUST_UD, l_mmx, "MMX" },
    { 1, 3, 24, MUST_UD, l_fxsr, "FXSR" }, { 1, 3, 25, LEAVE, l_sse, "SSE" }, { 1, 3, 26, LEAVE, l_sse2, "SSE2" },
    { 1, 2, 0, LEAVE, l_sse3, "SSE3" }, { 1, 2, 1, MUST_UD, l_pclmul, "PCLMULQDQ" }, { 1, 2, 9, MUST_UD, l_ssse3, "SSSE3" },
    { 1, 2, 12, MUST_UD, l_fma, "FMA" }, { 1, 2, 19, MUST_UD, l_sse41, "SSE4.1" }, { 1, 2, 20, MUST_UD, l_sse42, "SSE4.2" },
    { 1, 2, 22, MUST_UD, l_movbe, "MOVBE" }, { 1, 2, 23, LEAVE, l_popcnt, "POPCNT" }, { 1, 2, 25, MUST_UD, l_aes, "AES" },
    { 1, 2, 26, LEAVE, l_xsave, "XSAVE" }, { 1, 2, 28, MUST_UD, l_avx, "AVX" }, { 1, 2, 29, MUST_UD, l_f16c, "F16C" },
    { 1, 2, 30, MUST_UD, l_rdrand, "RDRAND" }, { 7, 1, 3, MUST_UD, l_bmi1, "BMI1" }, { 7, 1, 3, LEAVE, l_tzcnt, "TZCNT" },
    { 7, 1, 5, MUST_UD, l_avx2, "AVX2" }, { 7, 1, 8, MUST_UD, l_bmi2, "BMI2" }, { 7, 1, 18, MUST_UD, l_rdseed, "RDSEED" },
    { 7, 1, 19, LEAVE, l_adx, "ADX" }, { 7, 1, 20, MUST_UD, l_smap, "SMAP" }, { 7, 1, 23, LEAVE, l_clflushopt, "CLFLUSHOPT" },
    { 7, 1, 29, MUST_UD, l_sha, "SHA" }, { 0x80000001, 2, 5, LEAVE, l_lzcnt, "LZCNT" }, { 0x80000001, 2, 8, LEAVE, l_prefetchw, "PREFETCHW" },
    { 0x80000001, 3, 27, MUST_UD, l_rdtscp, "RDTSCP" },
#ifdef __x86_64__
    { 1, 2, 13, MUST_UD, l_cx16, "CX16" }, { 0x80000001, 2, 0, MUST_UD, l_lahf, "LAHF" }, { 7, 1, 0, MUST_UD, l_fsgsbase, "FSGSBASE" },
#endif
};

__attribute__((used, aligned(64))) u8 area[1024];
static u8 data[64] __attribute__((aligned(64)));
static u8 code[32] __attribute__((aligned(64)));

static void run(void *arg)
{
    (void)arg;
#ifdef __x86_64__
    __asm__ volatile("push %%rbx\n\tcall *%1\n\tpop %%rbx" : : "a"(data), "D"(code) : "rcx", "rdx", "rsi", "memory", "cc");
#else
    __asm__ volatile("push %%ebx\n\tcall *%1\n\tpop %%ebx" : : "a"(data), "D"(code) : "ecx", "edx", "esi", "memory", "cc");
#endif
}

static bool announced(u32 leaf, unsigned reg, unsigned bit)
{
    if (leaf < 0x80000000 && cpuid(0, 0).a < leaf) return false;
    struct bm_cpuid r = cpuid(leaf, 0);
    u32 v = reg == 1 ? r.b : reg == 2 ? r.c : r.d;
    return v >> bit & 1;
}

static void one_feature(unsigned k)
{
    bool has = announced(features[k].leaf, features[k].reg, features[k].bit);
    u32 n = 0, wrong = 0;
    if (!has && features[k].missing == LEAVE) return;
    for (const u8 *p = features[k].list; *p; p += *p + 1) {
        memcpy(code, p + 1, *p);
        code[*p] = 0xc3;
        static const u32 mxcsr = 0x1f80;
        for (unsigned i = 0; i < 16; i++) memcpy(data + i * 4, &mxcsr, 4);
        struct bm_fault f = bm_try(run, NULL);
        n++;
        if (f.vector == (has ? -1 : 6)) continue;
        if (wrong++ < 4)
            bm_printf("%s: instruction %u, bytes %02x %02x %02x %02x %02x: vector %d\n", features[k].name, n, p[1], p[2], p[3], p[4], p[5],
                      f.vector);
    }
    w7(83, n && !wrong, "%s %s: %u instructions, %u wrong", features[k].name, has ? "announced" : "not announced, all #UD", n, wrong);
}

void bm_main(const struct bm_info *info)
{
    (void)info;
    W7_PLAN(83);
    write_cr0((read_cr0() & ~(word)0xc) | 0x22);
    write_cr4(read_cr4() | 0x600);
    if (announced(1, 2, 26)) {
        write_cr4(read_cr4() | 1u << 18);
        u32 all = announced(1, 2, 28) ? 7 : 3;
        __asm__ volatile("xsetbv" : : "a"(all), "c"(0), "d"(0));
    }
    if (announced(7, 1, 0)) write_cr4(read_cr4() | 1u << 16);
    for (unsigned k = 0; k < sizeof(features) / sizeof(features[0]); k++) one_feature(k);
    /* system features: the bit of CR4 that each controls can be set (W7-086 has the rest) */
    static const struct { u8 bit, cr4; const char *name;
    } system[] = { { 1, 0, "VME" }, { 2, 3, "DE" }, { 3, 4, "PSE" }, { 6, 5, "PAE" }, { 7, 6, "MCE" }, { 13, 7, "PGE" } };
    for (unsigned k = 0; k < sizeof(system) / sizeof(system[0]); k++) {
        if (!announced(1, 3, system[k].bit)) continue;
        word old = read_cr4();
        write_cr4(old | (word)1 << system[k].cr4);
        w7(83, read_cr4() >> system[k].cr4 & 1, "%s: its bit in CR4", system[k].name);
        write_cr4(old);
    }
}
