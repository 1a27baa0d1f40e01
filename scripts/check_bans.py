#!/usr/bin/python3
"""Finds what the house rules (docs/style.md) forbid and a search can see.

Levels 0-6 and sim are deterministic: no clock, thread, file, socket, environment, true randomness, hash-order
iteration or floating point. Exceptions are thrown and caught only in rpc, io and app. Nothing in the
tree carries left-over markers or paths of somebody's machine.
"""

import os
import re
import sys
from dataclasses import dataclass
from typing import Callable

from house import CPP_SUFFIXES, Problem, code_only, files_below, parse_layers, read, room_of

PURE_LEVEL_MAX = 6
# Above it, but as deterministic: a simulation must be the same everywhere.
OTHER_PURE_ROOMS = ("sim",)
ROOMS_WITH_EXCEPTIONS = ("rpc", "io", "app")
# The doors through which a pure room reaches the system: three to the disk, each behind an interface of
# its room, and the last words of a failed CHECK.
OS_DOORS = ("src/store/leveldb_store.", "src/crypto/key_file.", "src/wallet/keyring.", "src/base/check.")


@dataclass(frozen=True)
class Ban:
    pattern: str
    why: str
    applies: Callable  # (path, room or None) -> bool


def is_pure(path, room):
    return room is not None and (room.level <= PURE_LEVEL_MAX or room.name in OTHER_PURE_ROOMS)


def is_pure_and_no_door(path, room):
    return is_pure(path, room) and not path.startswith(OS_DOORS)


def may_not_throw(path, room):
    return room is not None and room.name not in ROOMS_WITH_EXCEPTIONS


def is_unit_test(path, room):
    return path.startswith(("tests/unit/", "tests/fuzz/", "tests/support/"))


def in_io_or_app(path, room):
    return room is not None and room.name in ("io", "app")


BANS = [
    # ---- Time
    Ban(r"\b\w*_clock\s*::\s*now\b", "reads a clock: take `Instant now` as an argument", is_pure),
    Ban(r"\b(steady_clock|high_resolution_clock)\b", "names a clock: take `Instant now`", is_pure),
    Ban(r"(?<![\w.>:])(::|std::)?(time|gettimeofday|clock_gettime|clock)\s*\(\s*(NULL|nullptr|0|&|CLOCK|\))",
        "reads a clock: take `Instant now` as an argument", is_pure),
    Ban(r"\b(sleep_for|sleep_until|usleep|nanosleep)\b", "sleeps: the host decides when to step", is_pure),
    # ---- Threads
    Ban(r"#\s*include\s*<(thread|mutex|shared_mutex|future|condition_variable|semaphore|latch|barrier|pthread\.h)>",
        "threads belong to io", is_pure),
    Ban(r"\bstd::(thread|jthread|async|mutex|shared_mutex|condition_variable)\b", "threads belong to io", is_pure),
    # ---- The operating system
    Ban(r"#\s*include\s*<(fstream|iostream|filesystem|cstdio|stdio\.h|unistd\.h|fcntl\.h|poll\.h|sys/[^>]*|netinet/[^>]*|arpa/[^>]*|netdb\.h|dirent\.h)>",
        "files and sockets belong to io", is_pure_and_no_door),
    Ban(r"\b(std::)?(secure_)?getenv\b|\bsetlocale\b|\bstd::locale\b", "the environment belongs to app", is_pure),
    # ---- Chance
    Ban(r"#\s*include\s*<random>|\bstd::(random_device|mt19937\w*|default_random_engine|uniform_\w+_distribution|shuffle|sample)\b",
        "use leither::Prng (its draws are the same everywhere) or Entropy", is_pure),
    Ban(r"(?<![\w.>:])(::|std::)?s?rand\s*\(", "use leither::Prng", is_pure),
    Ban(r"\brandombytes_\w+\b", "true randomness enters through leither::Entropy", is_pure),
    # ---- Numbers
    Ban(r"\b(float|double)\b", "no floating point below rpc: money and weights are checked integers", is_pure),
    Ban(r"(?<![\w.'])\d[\d']*\.\d", "no floating point below rpc", is_pure),
    # ---- Errors
    Ban(r"\b(throw|catch|try)\b(?!_)", "return a Result: exceptions stay in rpc, io and app", may_not_throw),
    Ban(r"\bassert\s*\(|#\s*include\s*<cassert>", "use CHECK, which is on in release builds too",
        lambda path, room: room is not None),
    # ---- g++ 12.2 miscompiles these (docs/dependencies.md)
    Ban(r"\{[^{};]+,\s*TRY\(", "g++ 12 leaks the members before a TRY in a braced list: name the value first",
        lambda path, room: True),
    Ban(r"\b(if|while|switch)\s*\([^;\n]*\bco_await\b", "co_await in a condition is miscompiled by g++ 12: name the value first", in_io_or_app),
    Ban(r"\bco_await\b[^;\n]*\[[^\]\n]*\]\s*[({]", "a lambda in a co_await statement is miscompiled by g++ 12: name it first", in_io_or_app),
    # ---- clang 14 rejects these with libstdc++ 12
    Ban(r"\bstd::(views::|ranges::(subrange|unique|remove|remove_if|partition|rotate|search|find_end|equal_range)\b)",
        "clang 14 rejects views and what returns a subrange: use the iterator form", lambda path, room: True),
    # ---- Tests
    Ban(r"\b(sleep_for|sleep_until|usleep|nanosleep|random_device)\b|\b\w*_clock\s*::\s*now\b",
        "unit tests know neither real time nor chance", is_unit_test),
]

# Written in pieces, so that this file does not find itself.
MARKERS = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")
MACHINE_PATHS = re.compile(r"/(ho" + r"me|Us" + r"ers|ro" + r"ot)/[a-z]")

UNORDERED = re.compile(r"\b(?:unordered_(?:flat_|node_)?(?:multi)?(?:map|set))\s*<")


def unordered_names(code):
    """Names declared with an unordered container type."""
    names = set()
    for match in UNORDERED.finditer(code):
        end = _after_template(code, match.end())
        declared = re.match(r"\s*[&*]?\s*([A-Za-z_]\w*)\s*[;={,)]", code[end:])
        if declared:
            names.add(declared.group(1))
    return names


def _after_template(code, position):
    depth = 1
    while position < len(code) and depth > 0:
        depth += {"<": 1, ">": -1}.get(code[position], 0)
        position += 1
    return position


def check_iteration(path, code, names):
    """Range-for and begin() over an unordered container: the order differs from run to run."""
    problems = []
    for name in sorted(names):
        walk = rf"\bfor\s*\([^;)]*:\s*(?:\w+(?:\.|->))*{name}\s*\)|\b{name}\s*\.\s*c?begin\s*\("
        for match in re.finditer(walk, code):
            line = code.count("\n", 0, match.start()) + 1
            problems.append(Problem(path, line, f"iterates over unordered {name}: its order is not determined"))
    return problems


def check_code(path, text, room):
    """Problems of one C++ file by the table of bans."""
    problems = []
    bans = [ban for ban in BANS if ban.applies(path, room)]
    for number, line in enumerate(code_only(text).splitlines(), 1):
        problems += [Problem(path, number, ban.why) for ban in bans if re.search(ban.pattern, line)]
    return problems


def check_text(path, text):
    """Problems any file can have."""
    problems = []
    for number, line in enumerate(text.splitlines(), 1):
        if MARKERS.search(line):
            problems.append(Problem(path, number, "a left-over marker: do it, or write a decision"))
        if MACHINE_PATHS.search(line):
            problems.append(Problem(path, number, "names a path of one machine"))
    return problems


def check_rooms(root, house):
    problems = []
    names_by_room = {}
    paths = files_below(root, "include", CPP_SUFFIXES) + files_below(root, "src", CPP_SUFFIXES)
    codes = {path: code_only(read(os.path.join(root, path))) for path in paths}
    for path, code in codes.items():
        names_by_room.setdefault(room_of(path), set()).update(unordered_names(code))
    for path, code in codes.items():
        room = house.rooms.get(room_of(path))
        if room is not None and is_pure(path, room):
            problems += check_iteration(path, code, names_by_room[room.name])
    return problems


def check(root):
    house = parse_layers(read(os.path.join(root, "docs/layers.txt")))
    problems = check_rooms(root, house)
    for folder in ("include", "src", "tests"):
        for path in files_below(root, folder, CPP_SUFFIXES):
            problems += check_code(path, read(os.path.join(root, path)), house.rooms.get(room_of(path)))
    texts = (".h", ".cpp", ".py", ".sh", ".md", ".txt", ".json", ".service", "CMakeLists.txt")
    for folder in ("include", "src", "tests", "scripts", "docs", "config", ".ci"):
        for path in files_below(root, folder, texts):
            if "/corpus/" not in path:
                problems += check_text(path, read(os.path.join(root, path)))
    return problems


def main():
    problems = check(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    for problem in problems:
        print(problem)
    print(f"bans: {len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
