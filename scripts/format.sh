#!/usr/bin/env bash
# Formats the C++ sources in place; with --check only names what differs, and fails.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t sources < <(find include src tests \( -name '*.h' -o -name '*.cpp' \) -print | sort)
case "${1:-}" in
    --check) clang-format-14 --dry-run --Werror "${sources[@]}" ;;
    "") clang-format-14 -i "${sources[@]}" ;;
    *) echo "usage: scripts/format.sh [--check]" >&2; exit 2 ;;
esac
