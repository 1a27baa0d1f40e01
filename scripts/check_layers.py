#!/usr/bin/python3
"""Proves that the rooms use each other only as docs/layers.txt says.

Rules: a room uses only rooms of a lower level, so the graph has no cycle; a file includes only
headers of its own room, of the rooms its room uses, and of the libraries open to it; private headers
(src/<room>/) stay in their room; leither_room() in src/<room>/CMakeLists.txt names the same rooms and
libraries. There is no allow-list: an exception is a change of layers.txt.
"""

import os
import re
import sys

from house import CPP_SUFFIXES, LayersError, Problem, files_below, includes, parse_layers, read, room_of

LAYERS = "docs/layers.txt"
# Headers of the C library and of Linux. Whether a room may touch the system is check_bans.py's matter.
SYSTEM_HEADER = re.compile(r"(sys|linux|arpa|netinet|net|asm)/|[a-z0-9_]+\.h$")


def check_graph(house):
    problems = []
    for room in house.rooms.values():
        for used in room.uses:
            if used not in house.rooms:
                problems.append(Problem(LAYERS, 1, f"{room.name} uses {used}, which is no room"))
            elif house.rooms[used].level >= room.level:
                problems.append(Problem(LAYERS, 1, f"{room.name} (level {room.level}) uses {used} "
                                                   f"(level {house.rooms[used].level}), which is not below it"))
        for library in room.libraries:
            if library not in house.libraries:
                problems.append(Problem(LAYERS, 1, f"{room.name} wraps {library}, which is no library"))
    return problems


def check_include(house, room, path, line, header, quoted, exists):
    """The problem with one include, or None."""
    if header.startswith("leither/"):
        target = header.split("/")[1]
        if target == room.name or target in room.uses:
            return None
        return Problem(path, line, f"{room.name} may not include {header}: docs/layers.txt does not let it use {target}")
    if quoted:
        near = os.path.normpath(os.path.join(os.path.dirname(path), header))
        places = [near, f"src/{room.name}/{header}", f"src/{header}"]
        if any(room_of(place) == room.name and exists(place) for place in places):
            return None
        return Problem(path, line, f'"{header}" is no header of room {room.name}')
    return check_library(house, room, path, line, header)


def check_library(house, room, path, line, header):
    owner = next((library for library in house.libraries.values() if library.owns(header)), None)
    if owner is None:
        if re.fullmatch(r"[a-z_0-9]+", header) or SYSTEM_HEADER.match(header):
            return None
        return Problem(path, line, f"<{header}> belongs to no library of {LAYERS}")
    if owner.name in house.libraries_open_to(room):
        return None
    return Problem(path, line, f"{room.name} may not include <{header}>: {owner.name} is kept behind another room")


def check_includes(house, root):
    problems = []
    paths = files_below(root, "include", CPP_SUFFIXES) + files_below(root, "src", CPP_SUFFIXES)
    for path in paths:
        name = room_of(path)
        if name not in house.rooms:
            problems.append(Problem(path, 1, f"the file is in no room of {LAYERS}"))
            continue
        for line, header, quoted in includes(read(os.path.join(root, path))):
            problem = check_include(house, house.rooms[name], path, line, header, quoted,
                                    lambda place: os.path.exists(os.path.join(root, place)))
            if problem:
                problems.append(problem)
    return problems


def cmake_lists(text):
    """The arguments of leither_room() by keyword."""
    match = re.search(r"leither_room\(([^)]*)\)", re.sub(r"#[^\n]*", "", text))
    lists = {"USES": [], "THIRD_PARTY": [], "PUBLIC_THIRD_PARTY": []}
    if match is None:
        return None
    current = []
    for word in match.group(1).split():
        if word in lists:
            current = lists[word]
        else:
            current.append(word)
    return lists


def check_cmake(house, room, text):
    path = f"src/{room.name}/CMakeLists.txt"
    lists = cmake_lists(text)
    if lists is None:
        return [Problem(path, 1, "does not call leither_room()")]
    problems = []
    targets = {name: house.libraries[name].target for name in room.libraries if name in house.libraries}
    expected = {
        "USES": set(room.uses),
        "PUBLIC_THIRD_PARTY": {targets[name] for name in room.public_libraries},
        "THIRD_PARTY": {targets[name] for name in targets if name not in room.public_libraries},
    }
    for keyword, wanted in expected.items():
        if set(lists[keyword]) != wanted:
            problems.append(Problem(path, 1, f"{keyword} is [{' '.join(sorted(lists[keyword]))}], "
                                             f"{LAYERS} says [{' '.join(sorted(wanted))}]"))
    return problems


def check(root):
    house = parse_layers(read(os.path.join(root, LAYERS)))
    problems = check_graph(house)
    if problems:
        return problems
    problems = check_includes(house, root)
    for room in house.rooms.values():
        path = os.path.join(root, "src", room.name, "CMakeLists.txt")
        if os.path.exists(path):
            problems += check_cmake(house, room, read(path))
        else:
            problems.append(Problem(LAYERS, 1, f"room {room.name} has no src/{room.name}/CMakeLists.txt"))
    return problems


def main():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    try:
        problems = check(root)
    except LayersError as error:
        sys.exit(str(error))
    for problem in problems:
        print(problem)
    print(f"layers: {len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
