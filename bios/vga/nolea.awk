# Rewrites the compiler's 32-bit LEA instructions (AT&T syntax) into moves, additions and shifts:
# interpreters of INT 10h are known to get them wrong (vga.h). Those change flags, LEA does not; where
# a following instruction may still want the flags they are saved around it.
#
#   awk -f bios/vga/nolea.awk in.s > out.s

{ line[++n] = $0; if (match($1, /^[.A-Za-z0-9_]+:/)) label[substr($1, 1, length($1) - 1)] = n }

# Whether the flags before line k are read before they are written. Follows jumps; unknown is yes.
function flags_live(k,    op, tries) {
    for (tries = 0; tries < 200 && k <= n; tries++) {
        split(line[k], word, /[ \t]+/)
        op = word[2]
        if (line[k] !~ /^[ \t]/ || op ~ /^[.#]/ || op == "") { k++; continue }
        if (op ~ /^(jmp|jmpl|jmpw)$/) {
            if (word[3] !~ /^\.L/) return 0 # another function: none expects flags
            if (!(word[3] in label)) return 1
            k = label[word[3]]
            continue
        }
        if (op ~ /^(j|set|adc|sbb|cmov|rcl|rcr|pushf|lahf|loop)/) return 1
        if (op ~ /^(add|sub|cmp|test|and|or|xor|neg|imul|mul)[bwl]?$/ || op ~ /^(call|ret|iret)/) return 0
        k++
    }
    return 1
}

function emit(op, from, to) { printf "\t%s\t%s, %s\n", op, from, to }

function power(scale) { return scale == 8 ? 3 : scale == 4 ? 2 : scale == 2 ? 1 : 0 }

# dst = base + index * scale; "" where there is none. False: not possible without another register.
function sum(base, index_reg, scale, dst,    k) {
    if (index_reg == "") {
        if (base != dst) emit("movl", base, dst)
    } else if (base == "") {
        if (index_reg != dst) emit("movl", index_reg, dst)
        if (scale > 1) emit("shll", "$" power(scale), dst)
    } else if (base == dst && index_reg == dst) {
        emit("imull", "$" (scale + 1) ", " dst, dst)
    } else if (base == dst) {
        for (k = 0; k < scale; k++) emit("addl", index_reg, dst)
    } else {
        if (index_reg != dst) emit("movl", index_reg, dst)
        if (scale > 1) emit("shll", "$" power(scale), dst)
        emit("addl", base, dst)
    }
}

function rewrite(text, k,    at, disp, inside, part, dst, parts, live) {
    sub(/^[ \t]*leal[ \t]+/, "", text)
    at = index(text, "(")
    disp = substr(text, 1, at - 1)
    inside = substr(text, at + 1, index(text, ")") - at - 1)
    dst = substr(text, index(text, ")") + 1)
    gsub(/[, \t]/, "", dst)
    parts = split(inside, part, /,[ \t]*/)
    live = flags_live(k + 1)
    if (live && dst == "%esp") { print "nolea.awk: flags live across " text > "/dev/stderr"; exit 1 }
    if (live) print "\tpushfw"
    sum(part[1], parts > 1 ? part[2] : "", parts > 2 ? part[3] : 1, dst)
    if (disp != "" && disp != "0") emit("addl", "$" disp, dst)
    if (live) print "\tpopfw"
}

END { for (k = 1; k <= n; k++) if (line[k] ~ /^[ \t]*leal[ \t].*\(/) rewrite(line[k], k); else print line[k] }
