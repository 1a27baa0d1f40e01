#!/usr/bin/env bash
# Formats the C++ sources in place; with --check only names what differs, and fails.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t sources < <(find include src tests \( -name '*.h' -o -name '*.cpp' \) -print | sort)
case "${1:-}" in
    --check)
        differing=$(clang-format-14 --dry-run --Werror "${sources[@]}" 2>&1 |
            sed -n 's/^\([^ :]*\):[0-9].*/\1/p' | sort -u || true)
        [ -z "$differing" ] && exit
        printf '%s: not formatted\n' $differing
        echo "scripts/format.sh formats them" >&2
        exit 1
        ;;
    "") clang-format-14 -i "${sources[@]}" ;;
    *) echo "usage: scripts/format.sh [--check]" >&2; exit 2 ;;
esac
