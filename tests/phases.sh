#!/usr/bin/env bash
# phases.sh MAKE PHASE...: run make's targets one after the other, stop at the first that fails, and say where the
# time went either way.
set -uo pipefail
make=$1
shift

names=()
seconds=()
report() {
    printf '\n  %-12s %8s\n' phase time
    local total=0
    for i in "${!names[@]}"; do
        printf '  %-12s %4d m %02d s\n' "${names[i]}" $((seconds[i] / 60)) $((seconds[i] % 60))
        total=$((total + seconds[i]))
    done
    printf '  %-12s %4d m %02d s\n' all $((total / 60)) $((total % 60))
}

for phase in "$@"; do
    printf '\n=== %s\n' "$phase"
    started=$SECONDS
    "$make" --no-print-directory "$phase"
    status=$?
    names+=("$phase")
    seconds+=($((SECONDS - started)))
    if [ "$status" -ne 0 ]; then
        report
        printf '\nfailed: %s\n' "$phase"
        exit "$status"
    fi
done
report
