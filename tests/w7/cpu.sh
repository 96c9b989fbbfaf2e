#!/bin/bash
# Groups C, D and M: the processor. Bare-metal programs on each CPU model, and the programs of tests/guest for what a flat kernel cannot
# reach (real mode, virtual-8086 mode, task switches, privilege levels).
set -uo pipefail
. "$(dirname "$0")/lib.sh"
for model in win7 qemu64 max; do
    BM_LABEL=$model bm cpu --no-reboot --cpu $model
    BM_LABEL=$model bm cpu_msr --no-reboot --cpu $model
    BM_LABEL=$model bm cpu_paging --no-reboot --cpu $model
    BM_LABEL=$model bm cpu_features --no-reboot --cpu $model
done
BM_LABEL="no hypervisor" BM_APPEND=nohypervisor bm cpu --no-reboot --cpu win7,hypervisor=off

# rom NAME "NNN WHAT"...: a program of tests/guest; its exit status speaks for all the statements it covers
rom()
{
    local name=$1 got line
    shift
    timeout -k 5 60 "$AEROPC" --bios "$BUILD_GUEST/$name.img" --cpu "${MODEL:-win7}" --display none --clock insn -m 64M ${REBOOT---no-reboot} \
        >"$OUT/$name.log" 2>&1
    got=$?
    for line in "$@"; do
        if [ $got = 171 ]; then echo "W7-${line%% *} pass ${line#* } ($name ${MODEL:-win7})"
        else echo "W7-${line%% *} fail ${line#* }: exit status $got, check $((got / 2)), expected 171 ($name ${MODEL:-win7})"; fi
    done
}
BUILD_GUEST=$top/build/guest
for MODEL in win7 qemu64 max; do
    rom modes "092 real mode keeps hidden bases and limits until a reload, CS until the far jump" "094 16-bit code and stack in protected mode"
    rom control "086 CR4 bits as announced" "096 PE with PG, LME with PG and PAE, illegal combinations" "123 CR8" "131 EFER"
    rom paging "097 PDPTE reserved bits" "098 error codes" "099 accessed and dirty" "100 INVLPG and global pages"
    rom gates "103 gates, conforming code, null selectors, error codes" "121 INT n against the gate's DPL"
    rom gates16 "094 16-bit stacks, 286 gates with word frames and parameters, 16-bit TSS"
    rom task "104 task switches, task gate of #DF"
    rom debug "109 debug registers, single step, RF" "121 INT3" "124 MOV SS and debug traps"
    rom real "087 LAHF and SAHF in 16-bit code" "088 8086 and 80186 instructions with 66h and 67h" "089 67h addressing and its limit" \
        "090 REP with 66h and 67h, both directions" "091 #DE in real mode" "095 LGDT and LIDT by operand size" "120 what real mode lacks is #UD" \
        "128 A20 masks bit 20 and nothing else, at once"
    rom align "127 #AC at level 3 with AM and AC only"
    rom shadow "104 NMI through a task gate" "122 HLT" "124 windows of STI and MOV SS" "109 single step and code breakpoints behind MOV SS"
    REBOOT= rom triple "126 a triple fault resets the machine"
    rom vme "125 virtual interrupt flag of VME and PVI"
    rom v86 "125 virtual-8086 mode with and without VME"
done
MODEL=max rom xsave "084 XSAVE, where announced, is complete" "083 XSAVE's system side"
for MODEL in win7 max; do
    rom fast "106 corners of SYSENTER, SYSEXIT, SYSCALL, SYSRET" "132 FMASK"
    rom long "105 IST, aligned frames, null SS" "106 SYSCALL, SYSRET, SYSENTER, SYSEXIT, SWAPGS, IRETQ" "108 bases" "110 addresses that are not canonical"
done

# 126: told to the user with the last exceptions, and with --no-reboot the end
timeout -k 5 60 "$AEROPC" --bios "$BUILD_GUEST/triple.img" --display none --clock insn -m 64M --no-reboot >"$OUT/triple-end.log" 2>&1
got=$?
if [ $got = 2 ] && grep -q 'triple fault' "$OUT/triple-end.log" && grep -q 'cpu_exception' "$OUT/triple-end.log"; then
    echo "W7-126 pass --no-reboot ends with status 2, registers and the last exceptions"
else
    echo "W7-126 fail --no-reboot: status $got, expected 2 and a report in the log"
fi

# 116, 117: recorded on hardware, replayed by the unit tests
for pair in 116:fpu 117:sse 116:oracle 117:oracle; do
    suite=${pair#*:}
    if CK_FORK=no "$BUILD/unit-tests" "$suite" >"$OUT/unit-$suite.log" 2>&1; then echo "W7-${pair%:*} pass unit tests $suite"
    else echo "W7-${pair%:*} fail unit tests $suite: $(tail -n 1 "$OUT/unit-$suite.log")"; fi
done
