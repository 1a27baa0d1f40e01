"""What both checkers know about the source tree: where files are, how C++ reads, what layers.txt says."""

import os
import re
from dataclasses import dataclass, field

CPP_SUFFIXES = (".h", ".cpp")


@dataclass(frozen=True)
class Problem:
    path: str
    line: int
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text}"


@dataclass
class Library:
    name: str
    prefixes: list
    target: str

    def owns(self, header):
        return any(header == p or (p.endswith("/") and header.startswith(p)) for p in self.prefixes)


@dataclass
class Room:
    level: int
    name: str
    uses: list
    libraries: list = field(default_factory=list)
    public_libraries: list = field(default_factory=list)


class LayersError(Exception):
    pass


@dataclass
class House:
    rooms: dict
    libraries: dict

    def libraries_open_to(self, room):
        """Names of the libraries whose headers `room` may include: its own, and those that show in
        the headers of a room it uses."""
        names = set(room.libraries)
        for used in room.uses:
            names.update(self.rooms[used].public_libraries)
        return names


def parse_layers(text):
    house = House({}, {})
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#", 1)[0].strip()
        if not line:
            continue
        cells = [cell.strip() for cell in line.split("|")]
        head = cells[0].split()
        try:
            if head[0] == "library":
                house.libraries[head[1]] = Library(head[1], cells[1].split(), cells[2])
            elif head[0] == "room":
                wrapped = cells[2].split()
                house.rooms[head[2]] = Room(
                    int(head[1]), head[2], cells[1].split(),
                    [name.lstrip("+") for name in wrapped],
                    [name[1:] for name in wrapped if name.startswith("+")])
            else:
                raise LayersError(f"layers.txt:{number}: neither library nor room: {line}")
        except (IndexError, ValueError) as error:
            raise LayersError(f"layers.txt:{number}: cannot read: {line}") from error
    return house


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def files_below(root, folder, suffixes):
    """Paths relative to root, sorted; build output is never source."""
    found = []
    for directory, folders, names in os.walk(os.path.join(root, folder)):
        folders[:] = [name for name in folders if name not in ("build", "__pycache__", ".git")]
        for name in names:
            if name.endswith(suffixes):
                found.append(os.path.relpath(os.path.join(directory, name), root))
    return sorted(found)


def room_of(path):
    """The room of a file in src/<room>/ or include/leither/<room>/, else None."""
    match = re.match(r"(?:src|include/leither)/([a-z0-9_]+)/", path)
    return match.group(1) if match else None


_CODE_TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"(?P<tag>[^\s()\\]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|"""
    r"""(?<![0-9a-zA-Z_])'(?:\\.|[^'\\\n])+'""",
    re.DOTALL)


def code_only(text):
    """The text with comments, strings and characters blanked out; line numbers stay. Include lines
    keep their quotes."""
    def blank(match):
        token = match.group(0)
        if token.startswith('"') and _is_include(text, match.start()):
            return token
        return re.sub(r"[^\n]", " ", token)
    return _CODE_TOKEN.sub(blank, text)


def _is_include(text, position):
    start = text.rfind("\n", 0, position) + 1
    return re.match(r"\s*#\s*include\s*$", text[start:position]) is not None


def includes(text):
    """(line number, header, is_quoted) of every include."""
    found = []
    for number, line in enumerate(code_only(text).splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', line)
        if match:
            found.append((number, match.group(1) or match.group(2), match.group(1) is not None))
    return found
