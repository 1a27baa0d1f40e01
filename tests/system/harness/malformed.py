"""Datagrams that no node should send, by the thousand, each kind from a generator of its own."""

from .krpc import MutableItem, encode
from .sodium import key_from

ID = bytes(range(20))

ITEM = MutableItem(key_from("malformed", 0), b"value", 1, b"salt")
# A well-formed query of each method, without its token's truth.
QUERIES = {
    "ping": {},
    "find_node": {"target": ID, "want": [b"n4"]},
    "get_peers": {"info_hash": ID, "want": [b"n4", b"n6"]},
    "announce_peer": {"info_hash": ID, "port": 6881, "implied_port": 0, "token": b"12345678"},
    "get": {"target": ID, "seq": 1},
    "put": ITEM.arguments(token=b"12345678", cas=1),
}
TEXTS = {"id": 20, "target": 20, "info_hash": 20, "token": None, "k": 32, "sig": 64, "salt": None}
NUMBERS = ("port", "implied_port", "seq", "cas")


def query(method, t=b"aa", **top):
    return {"a": {"id": ID, **QUERIES[method]}, "q": method, "t": t, "y": "q", **top}


# ---- What can be wrong with a datagram ---------------------------------------------------------------------

def wrong_types():
    """(what, message) in which one known field has a value of another kind."""
    values = [("number", 5), ("number", -1), ("text", b"x"), ("list", []), ("dict", {}), ("dict", {"a": b"x"}), ("deep list", [[[b"x"]]])]
    for method, arguments in QUERIES.items():
        for field in ("id", *arguments):
            if field == "v":
                continue      # may be of any kind
            wanted = "text" if field in TEXTS else "number" if field in NUMBERS else "list"
            for kind, value in values:
                if kind != wanted or value == -1:
                    yield f"{method}.{field} is {value}", _with(method, field, value)


def _with(method, field, value):
    message = query(method)
    message["a"][field] = value
    return message


def wrong_lengths():
    for method, arguments in QUERIES.items():
        for field in ("id", *arguments):
            size = TEXTS.get(field)
            if size is None:
                continue
            for length in (0, 1, size - 1, size + 1, 2 * size, 600):
                yield f"{method}.{field} of {length} bytes", _with(method, field, b"x" * length)


def missing_fields():
    """(what, message) of queries that lack what they need."""
    needed = {"ping": ("id",), "find_node": ("id", "target"), "get_peers": ("id", "info_hash"), "get": ("id", "target"),
              "announce_peer": ("id", "info_hash", "port", "token"), "put": ("id", "token", "v", "k", "sig", "seq")}
    for method, fields in needed.items():
        for field in fields:
            message = query(method)
            del message["a"][field]
            yield f"{method} without {field}", message


def broken_heads():
    """Messages whose own fields are of other kinds: nobody can tell whom to answer, or what."""
    for field in ("t", "y", "q", "a"):
        for value in (0, -1, b"", b"x" * 100, [], {}, [b"q"], {"q": b"q"}):
            yield dict(query("ping"), **{field: value})
        message = query("ping")
        del message[field]
        yield message
    for kind in ("r", "e"):
        for value in (0, b"", [], {}, [201], [b"x", 201], [2 ** 63, b""], {"id": b"x"}, {"id": ID, "nodes": b"x"}, {"id": ID, "values": [b"1"]},
                      {"id": ID, "values": {}}, {"id": ID, "nodes": bytes(26 * 50)}, {"id": ID, "token": 7}, None):
            yield {"t": b"aa", "y": kind, **({} if value is None else {kind: value})}


def odd_syntax():
    """Bytes that are no bencoded dictionary, or not the only encoding of one."""
    good = encode(query("ping"))
    yield from (b"", b"d", b"e", b"de", b"dd", b"le", b"i1e", b"0:", b"4:spam", b"\0", b"\xff" * 100, b"d" * 2000, b"i" + b"9" * 1000 + b"e")
    yield from (good + b"x", good + good, good + b"e", good[:-1], b"\0" + good, good + b"\0" * 1000)
    for length in (b"99999", b"2147483647", b"4294967295", b"4294967296", b"9223372036854775807", b"18446744073709551615",
                   b"9" * 40, b"-1", b"+1", b"01", b"1 ", b"0x4", b""):
        yield b"d1:ad2:id" + length + b":" + ID + b"e1:q4:ping1:t2:aa1:y1:qe"
        yield b"d1:t" + length + b":aa1:y1:qe"
        yield length + b":" + good
    for number in (b"", b"-", b"-0", b"00", b"01", b"-01", b"+1", b"1.5", b"1e3", b" 1", b"0x1", b"9" * 19, b"9" * 20, b"9" * 500, b"--1"):
        yield b"d1:ad2:id20:" + ID + b"e1:q4:ping2:roi" + number + b"e1:t2:aa1:y1:qe"
    for depth in (15, 16, 17, 31, 100, 500, 900):
        for opening, closing in ((b"l", b"e"), (b"d1:a", b"e")):
            inner = opening * depth + (b"" if opening == b"l" else b"0:") + closing * depth
            yield b"d1:ad2:id20:" + ID + b"1:x" + inner + b"e1:q4:ping1:t2:aa1:y1:qe"
            yield inner
        yield b"d1:t2:aa1:x" + b"l" * depth
    yield b"d1:ad2:id20:" + ID + b"2:id20:" + ID + b"e1:q4:ping1:t2:aa1:y1:qe"       # a key twice
    yield b"d1:q4:ping1:ad2:id20:" + ID + b"e1:t2:aa1:y1:qe"                         # unsorted
    yield b"d1:ad2:id20:" + ID + b"e1:q4:pingi1e2:aa1:y1:qe"                         # a key that is a number
    yield b"d1:ad2:id20:" + ID + b"e1:q4:ping1:t2:aa1:y1:q1:zle"                     # cut short in a list


def too_long():
    for size in (1999, 2048, 2049, 4096, 20_000, 65_507):
        message = query("ping", pad=b"")
        message["pad"] = b"x" * (size - len(encode(message)) - 10)
        yield encode(message)


def cut_short():
    for method in QUERIES:
        data = encode(query(method))
        yield from (data[:length] for length in range(len(data)))


def altered(prng, count):
    """Random bytes changed, cut out, doubled or inserted."""
    originals = [encode(query(method)) for method in QUERIES]
    tokens = [b"i-1e", b"i0e", b"le", b"de", b"0:", b"99999:", b"e", b"d", b"l", b"1:v", b"2:id", bytes(20)]
    for _ in range(count):
        data = bytearray(prng.choice(originals))
        for _ in range(prng.choice((1, 1, 2, 5))):
            at = prng.randrange(len(data) + 1)
            how = prng.randrange(4)
            if how == 0 and at < len(data):
                data[at] = prng.randrange(256)
            elif how == 1:
                del data[at:at + prng.choice((1, 1, 3, 20))]
            elif how == 2:
                data[at:at] = data[at:at + prng.choice((1, 4, 30))]
            else:
                data[at:at] = prng.choice(tokens)
        yield bytes(data)


def random_bytes(prng, count):
    alphabets = (bytes(range(256)), b"0123456789:deil-", b"deil0123456789:atqyr")
    for _ in range(count):
        alphabet = prng.choice(alphabets)
        yield bytes(prng.choice(alphabet) for _ in range(prng.choice((1, 2, 10, 50, 200, 1400))))


def all_kinds(prng):
    """A few thousand of every kind, mixed."""
    messages = [message for kind in (wrong_types, wrong_lengths, missing_fields) for _, message in kind()]
    datagrams = [encode(message) for message in (*messages, *broken_heads())]
    datagrams += [*odd_syntax(), *too_long(), *cut_short(), *altered(prng, 2000), *random_bytes(prng, 500)]
    prng.shuffle(datagrams)
    return datagrams
