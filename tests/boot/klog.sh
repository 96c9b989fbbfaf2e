#!/bin/bash
# klog.sh FILE...: read Linux boot logs (serial logs or dmesg) and print every line that a sound
# machine does not cause: machine checks, MSR faults, firmware complaints, lost or stuck interrupts,
# untrusted clocks, ACPI errors, device time-outs, kernel warnings and crashes.
#
# Exit status 0: nothing found; 1: something found; 2: a file is missing or holds no kernel log.
# The patterns were tried on logs of the same guests on another emulator and on sound hardware's
# messages; a line that is only information there must not match here.
set -uo pipefail

patterns=(
    # processor
    'Hardware Error|[Mm]achine [Cc]heck (event|exception)|mce: .*(unable|broken)'
    'unchecked MSR access' 'msr: .*unsafe|rdmsr.*failed'
    'CPU.*(capabilities match, but|bug detected)' 'x86/fpu:.*(bug|mismatch|XSTATE)' 'FDIV'
    'mtrr: .*(your CPUs|inconsistent|broken|probably)' 'x86/PAT:.*(disabled|broken)'
    # firmware and tables
    '\[Firmware (Bug|Warn|Info)\]' 'BIOS (bug|BUG|damage|Error)' 'MP-BIOS' 'BIOS.*(broken|corrupt)'
    'ACPI( BIOS)? (Error|Exception|Warning)' 'ACPI: .*(error|Error|Invalid|failed|disabled due)'
    '\bAE_[A-Z_]{4,}' 'SMBIOS.*(broken|error)|DMI not present' 'ACPI: Unable'
    # interrupts
    'nobody cared' 'Disabling IRQ' '[Ll]ost interrupt|interrupt lost' 'APIC error|ESR: 0x'
    '[Ss]purious (interrupt|[0-9]+A? interrupt|ACK|LAPIC|APIC)' 'No irq handler for vector'
    'IO-?APIC.*(fail|not work|doesn)' 'TIMER.*(fail|not connected)|timer doesn.t work'
    'unexpected IRQ trap' 'no GSI|can.t (derive|find) (routing|IRQ) for PCI'
    # clocks
    '(TSC|tsc).*(unstable|inconsistent|halts in idle)' 'TSC: .*Marking' 'clocksource.*(unstable|skew|wd-tsc|watchdog.*slow)'
    'APIC (frequency too slow|timer disabled|delta)' 'hpet.*(lost|disabled|broken)'
    'rtc.*(unable|broken|invalid|error|IRQ.*failed)|hctosys: unable' 'time.*went backwards'
    # buses and devices
    'BAR [0-9]+: (no space|failed|can.t)|address space collision|pci .*(invalid|not claimed)'
    'ata[0-9]+(\.[0-9]+)?: .*(exception|failed|error|[Tt]imeout|timed out|slow to respond|SRST|limiting)'
    'hard resetting link|qc timeout|I/O error|Medium Error|Illegal Request'
    'EXT4-fs (error|warning)|EXT4-fs.*recovery|JBD2: .*error|ISOFS.*error'
    'floppy[0-9]*: .*(error|lost|timeout|reset)|(FDC|fdc).*(error|timeout)'
    'i8042: (.*[Ff]ailed|No controller|.*[Tt]imeout|.*overlap|Warning|Can.t)'
    'atkbd.*(Spurious|Unknown key|Failed)' 'psmouse.*(lost sync|resync|bad data|throwing)'
    'too much work for irq|ttyS.*(LSR safety|input overrun)' 'i2c.*(timeout|error)'
    'bochs-drm.*(\*ERROR\*|fail)|\[drm.*\*ERROR\*|vga.*BIOS.*broken'
    # the kernel itself
    'Call Trace:' 'WARNING: ' '\bBUG:' '\bOops' 'Kernel panic' 'general protection' 'segfault at'
    'invalid opcode' 'divide error' 'double fault' 'stack segment' 'traps: ' 'Unable to handle'
    'soft lockup|hard LOCKUP|rcu:.*stall|blocked for more than|hung_task' 'Unknown NMI|NMI received'
    '[Ss]elf-?tests?.*[Ff](ailed|AIL)|test[_ ].* FAIL\b|[1-9][0-9]* FAILED|W.X mappings: FAILED'
    'alg: .*(failed|mismatch|wrong result)' 'Out of memory|page allocation failure|Bad page' 'Attempted to kill init'
)

# What a kernel says in Xen's first domain on any machine: the hypervisor has the MTRRs.
xen='x86/PAT: MTRRs disabled, skipping PAT initialization'

# Shown with "note:" in front but not held against the machine.  The kernel says the first two, and
# takes its next method, whenever the host takes the CPU away in the middle of a measurement; the
# third is about a part that is absent, such as the SMBus controller.
notes='Fast TSC calibration failed|Unable to calibrate against PIT|upgrade BIOS'

if [ $# = 0 ]; then
    echo "usage: klog.sh FILE..." >&2
    exit 2
fi
joined=$(printf '|%s' "${patterns[@]}")
status=0
for file in "$@"; do
    if ! grep -aq 'Linux version ' "$file"; then
        echo "klog.sh: $file holds no kernel log" >&2
        exit 2
    fi
    grep -aE "$notes" "$file" | tr -d '\r' | sed 's/^/note: /'
    # Lines from the report repeat what the log already has.
    usual=$(grep -aq 'Xen version' "$file" && echo "$xen" || echo '^$')
    if grep -aE "${joined#|}" "$file" | grep -av '^GUEST-' | grep -avE "$usual" | tr -d '\r'; then
        status=1
    fi
done
exit $status
