#!/bin/sh
# The largest functions and files: where to think again (60 lines a function, 900 a file).
echo "largest files:"
wc -l $(ls machine/*.c machine/*/*.c cpu/*.c cpu/*/*.c devices/*.c gpu/*.c gpu/*/*.c bios/*.c bios/*/*.c tests/*/*.c 2>/dev/null) | grep -v ' total$' | sort -rn | head -10
echo "longest functions:"
for f in $(ls machine/*.c machine/*/*.c cpu/*.c cpu/*/*.c devices/*.c gpu/*.c gpu/*/*.c bios/*.c bios/*/*.c 2>/dev/null); do
    awk -v f="$f" '/^[a-z].*\)$/ {name=$0; start=NR} /^}$/ && start {n=NR-start; if (n > 40) printf "%5d %s: %s\n", n, f, name; start=0}' "$f"
done | sort -rn | head -10
