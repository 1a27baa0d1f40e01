"""KRPC (BEP 5, 32, 42, 43, 44) from the asker's side: bencode, a UDP socket at an address of its own, and
signed items. Written from the BEPs, not from the C++ sources."""

import hashlib
import itertools
import os
import socket
import struct
import time

from .sodium import verify

ANSWER_SECONDS = 2.0     # how long an answer may take
SILENCE_SECONDS = 0.25   # after which no answer means none; a barrier ping makes sure


# ---- Bencode ---------------------------------------------------------------------------------------------

class BencodeError(ValueError):
    """Not the one canonical encoding of a value."""


def encode(value):
    """Bytes of an int, bytes, str, list or dict. Keys are sorted, as they must be."""
    if isinstance(value, bool):
        raise TypeError("bencode has no truth values")
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, (bytes, bytearray)):
        return b"%d:%s" % (len(value), bytes(value))
    if isinstance(value, list):
        return b"l" + b"".join(map(encode, value)) + b"e"
    if isinstance(value, Raw):
        return value.data
    pairs = sorted((key.encode() if isinstance(key, str) else key, item) for key, item in value.items())
    return b"d" + b"".join(encode(key) + encode(item) for key, item in pairs) + b"e"


class Raw:
    """Bytes that are put into a message as they are."""

    def __init__(self, data):
        self.data = data


def decode(data):
    """The value; BencodeError unless `data` is canonical to its last byte."""
    value, end = _decode(data, 0, 0)
    if end != len(data):
        raise BencodeError(f"{len(data) - end} bytes behind the value")
    return value


def _digits(data, begin, end):
    text = data[begin:end]
    if not text.isdigit() or (len(text) > 1 and text[:1] == b"0"):
        raise BencodeError(f"number {text!r}")
    return int(text)


def _decode(data, at, depth):
    if depth > 32:
        raise BencodeError("too deep")
    kind = data[at:at + 1]
    if kind == b"i":
        end = data.index(b"e", at)
        sign = -1 if data[at + 1:at + 2] == b"-" else 1
        number = _digits(data, at + 1 + (sign < 0), end)
        if sign < 0 and number == 0:
            raise BencodeError("minus zero")
        return sign * number, end + 1
    if kind.isdigit():
        colon = data.index(b":", at)
        length = _digits(data, at, colon)
        end = colon + 1 + length
        if end > len(data):
            raise BencodeError("string cut short")
        return data[colon + 1:end], end
    if kind == b"l":
        items, at = [], at + 1
        while data[at:at + 1] != b"e":
            item, at = _decode(data, at, depth + 1)
            items.append(item)
        return items, at + 1
    if kind == b"d":
        return _decode_dict(data, at + 1, depth)
    raise BencodeError(f"kind {kind!r}")


def _decode_dict(data, at, depth):
    items, last = {}, None
    while data[at:at + 1] != b"e":
        if not data[at:at + 1].isdigit():
            raise BencodeError("a key that is no string")
        key, at = _decode(data, at, depth + 1)
        if last is not None and key <= last:
            raise BencodeError("keys unsorted or repeated")
        last = key
        items[key], at = _decode(data, at, depth + 1)
    return items, at + 1


# ---- Items (BEP 44) --------------------------------------------------------------------------------------

def sha1(data):
    return hashlib.sha1(data).digest()


def signed_buffer(salt, seq, value):
    """What the signature of a mutable item is over; `value` is bencoded."""
    head = b"4:salt" + encode(salt) if salt else b""
    return head + b"3:seqi%de1:v" % seq + value


class MutableItem:
    """What a put of it carries, and where it is kept."""

    def __init__(self, key, value, seq, salt=b""):
        self.key, self.value, self.seq, self.salt = key, value, seq, salt
        self.target = sha1(key.public + salt)
        self.signature = key.sign(signed_buffer(salt, seq, encode(value)))

    def arguments(self, **more):
        fields = {"k": self.key.public, "sig": self.signature, "seq": self.seq, "v": self.value, **more}
        if self.salt:
            fields["salt"] = self.salt
        return fields

    def is_in(self, r):
        """Whether a reply's `r` brings exactly this, rightly signed."""
        return (r.get(b"v") == self.value and r.get(b"seq") == self.seq and r.get(b"k") == self.key.public and
                verify(r[b"k"], signed_buffer(self.salt, r[b"seq"], encode(r[b"v"])), r[b"sig"]))


# ---- Compact forms ---------------------------------------------------------------------------------------

def endpoint_from(data):
    """(address, port) of 6 or 18 bytes."""
    family = socket.AF_INET if len(data) == 6 else socket.AF_INET6
    return socket.inet_ntop(family, data[:-2]), struct.unpack(">H", data[-2:])[0]


def endpoint_bytes(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.inet_pton(family, address) + struct.pack(">H", port)


def nodes_from(data, address_bytes=4):
    """[(id, (address, port))] of a `nodes` or `nodes6` string."""
    size = 20 + address_bytes + 2
    if len(data) % size:
        raise BencodeError(f"{len(data)} bytes of nodes")
    return [(data[at:at + 20], endpoint_from(data[at + 20:at + size])) for at in range(0, len(data), size)]


# ---- Asking ----------------------------------------------------------------------------------------------

class Refused(Exception):
    """An error message came back."""

    def __init__(self, code, text):
        super().__init__(f"{code} {text!r}")
        self.code = code


_blocks = itertools.count(os.getpid() % 200 * 250)


def has_ipv6():
    """Whether loopback has an IPv6 address."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True


def fresh_address():
    """A loopback address in a /24 that no other asker of this run has."""
    block = next(_blocks)
    return f"127.{100 + block // 250 % 100}.{1 + block % 250}.1"


class Asker:
    """A node of the tests. Read-only unless told; one that is not answers pings, so that it counts as alive."""

    def __init__(self, target, address=None, read_only=True, answers=None, tag=None):
        self.target = target
        self.read_only = read_only
        self.answers = not read_only if answers is None else answers
        self.tag = tag
        self.id = os.urandom(20)
        family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
        self.address = address or ("::1" if family == socket.AF_INET6 else fresh_address())
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind((self.address, 0))
        self.port = self.socket.getsockname()[1]
        self.queries_seen = []       # of the node at us
        self.sources_seen = set()    # whence its answers came
        self.bytes_sent = self.bytes_received = 0
        self._next = itertools.count(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data, to=None):
        self.bytes_sent += len(data)
        self.socket.sendto(data, to or self.target)

    def message(self, method, t, arguments, **top):
        fields = {"a": {"id": self.id, **arguments}, "q": method, "t": t, "y": "q", **top}
        if self.read_only:
            fields.setdefault("ro", 1)
        if self.tag:
            fields.setdefault("v", self.tag)
        return encode(fields)

    def ask(self, method, _t=None, _top=None, **arguments):
        """The whole answer as a dictionary; Refused if it is an error, TimeoutError if there is none."""
        t = _t if _t is not None else b"%04d" % next(self._next)
        self.send(self.message(method, t, arguments, **(_top or {})))
        return self.answer(t)

    def r(self, method, **arguments):
        return self.ask(method, **arguments)[b"r"]

    def answer(self, t, seconds=ANSWER_SECONDS):
        deadline = time.monotonic() + seconds
        while True:
            message = self.receive(deadline - time.monotonic())
            if message is None:
                raise TimeoutError(f"no answer to {t!r}")
            if message.get(b"t") != t or message[b"y"] == b"q":
                continue
            if message[b"y"] == b"e":
                code, text = message[b"e"]
                raise Refused(code, text)
            return message

    def receive(self, seconds):
        """The next message that is no query; queries are answered if they are pings. None if none came."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                data, source = self.socket.recvfrom(65536)
            except (TimeoutError, socket.timeout):
                return None
            self.bytes_received += len(data)
            message = decode(data)
            if message[b"y"] != b"q":
                self.sources_seen.add(source[:2])
                return message
            self.queries_seen.append(message)
            self._serve(message, source)
        return None

    def _serve(self, query, source):
        if not self.answers or query[b"q"] != b"ping":
            return
        fields = {"r": {"id": self.id}, "t": query[b"t"], "y": "r"}
        if self.tag:
            fields["v"] = self.tag
        self.socket.sendto(encode(fields), source)

    def error_code(self, method, _t=None, _top=None, **arguments):
        """The code of the refusal; 0 if it was not refused."""
        try:
            self.ask(method, _t, _top, **arguments)
        except Refused as refused:
            return refused.code
        return 0

    def answers_to(self, data, barrier=True):
        """All that comes back for raw bytes. What was sent before a ping is served before it, so that the
        ping's answer ends the waiting early."""
        self.send(data)
        t = b"B%07d" % next(self._next)
        if barrier:
            self.send(self.message("ping", t, {}))
        answers = []
        deadline = time.monotonic() + (ANSWER_SECONDS if barrier else SILENCE_SECONDS)
        while (message := self.receive(deadline - time.monotonic())) is not None:
            if message.get(b"t") == t:
                return answers
            answers.append(message)
        if barrier:
            raise TimeoutError(f"dead, or deaf to us, after {data[:200]!r}")
        return answers

    # ---- Whole exchanges ---------------------------------------------------------------------------------

    def token(self, target):
        return self.r("get", target=target)[b"token"]

    def put(self, target, arguments, token=None):
        """Error code of a put after fetching a token for it; 0 if it was stored."""
        token = self.token(target) if token is None else token
        return self.error_code("put", token=token, **arguments)

    def put_value(self, value):
        target = sha1(encode(value))
        return self.put(target, {"v": value}), target
