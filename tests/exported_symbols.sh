#!/usr/bin/env bash
# exported_symbols.sh LIBRARY HEADER: the library exports the functions of the header and nothing else.
set -euo pipefail
library=$1 header=$2
exported=$(nm -D --defined-only "$library" | awk '{ sub(/@.*/, "", $NF); print $NF }' | sort -u)
declared=$(sed -n 's/^AM_API .*[ *]\(am_[a-z_]*\)(.*/\1/p' "$header" | sort -u)
[ -n "$declared" ] || { echo "no function found in $header"; exit 1; }
if [ "$exported" != "$declared" ]; then
    echo "exported (<) and declared (>) differ:"
    diff <(printf '%s\n' "$exported") <(printf '%s\n' "$declared")
    exit 1
fi
echo "$(wc -l <<<"$declared") functions exported"
