"""Floods on loopback, bounded in number and time: malformed datagrams and malformed TCP streams."""

import contextlib
import json
import os
import random
import socket
import struct
import subprocess
import tempfile
import time

from .daemon import BIN

DATAGRAM_LOAD = os.path.join(BIN, "leither-datagram-load")
STREAMS_OPEN_MAX = 400      # at a time, of one flood
PATIENCE = 20               # times the seconds that a flood should take


def source_addresses(count):
    """Loopback addresses, each in a /24 of its own."""
    return [f"127.{200 + number // 250}.{1 + number % 250}.1" for number in range(count)]


class DatagramFlood:
    """`rate` × `seconds` datagrams in all, at most `rate` a second, from `sources` addresses in turn."""

    def __init__(self, target, datagrams, rate, seconds, sources=8):
        self._file = tempfile.NamedTemporaryFile(prefix="leither-test-")
        for datagram in datagrams:
            self._file.write(struct.pack("<I", len(datagram)) + datagram)
        self._file.flush()
        self._process = subprocess.Popen(
            [DATAGRAM_LOAD, "--to", "%s:%d" % target, "--datagrams", self._file.name, "--rate", str(rate), "--seconds", str(seconds),
             "--from", *source_addresses(sources)], stdout=subprocess.PIPE, text=True)

    def running(self):
        return self._process.poll() is None

    def end(self):
        """{sent, received, seconds}"""
        text, _ = self._process.communicate()
        self._file.close()
        return json.loads(text)


def answers_per_second(target, datagrams, seconds, window=32, sources=4):
    """{sent, received, seconds} of a closed loop: as fast as the target answers."""
    with tempfile.NamedTemporaryFile(prefix="leither-test-") as file:
        for datagram in datagrams:
            file.write(struct.pack("<I", len(datagram)) + datagram)
        file.flush()
        done = subprocess.run(
            [DATAGRAM_LOAD, "--to", "%s:%d" % target, "--datagrams", file.name, "--window", str(window), "--seconds", str(seconds),
             "--from", *source_addresses(sources)], stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout)


def malformed_streams(prng, magic=b"LTHR"):
    """What is written into connections: nothing, noise, every beginning of a greeting, frames without end."""
    greeting = magic + bytes([1, 0, 0]) + bytes(32)
    yield from (b"", b"\0", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01" + bytes(200), b"\xff" * 70_000, bytes(70_000))
    yield from (greeting[:length] for length in range(len(greeting) + 1))
    for version, pattern, context in ((0, 0, 0), (2, 0, 0), (255, 255, 255), (1, 1, 1), (1, 2, 0), (1, 0, 9)):
        yield magic + bytes([version, pattern, context]) + os.urandom(32)
    for length in (0, 1, 31, 32, 33, 48, 96, 65_535):
        yield greeting + struct.pack(">H", length) + prng.randbytes(min(length, 4000))
        yield greeting + struct.pack(">H", length)
    for _ in range(100):
        yield greeting + prng.randbytes(prng.choice((1, 32, 48, 80, 500, 3000)))
        yield prng.randbytes(prng.choice((1, 10, 39, 100, 3000)))


class StreamFlood:
    """Opens `rate` × `seconds` connections, at most `rate` a second. A third is closed at once, a third reset, a third stays
    open and never reads, until STREAMS_OPEN_MAX are and the oldest must go."""

    def __init__(self, target, rate, seconds, seed=1):
        self.target, self.rate, self.seconds = target, rate, seconds
        self.prng = random.Random(seed)
        self.payloads = list(malformed_streams(self.prng))
        self.opened = self.refused = 0
        self._open = []

    def run(self, meanwhile=lambda: None):
        begin = time.monotonic()
        sources = source_addresses(50)
        while (tried := self.opened + self.refused) < self.rate * self.seconds:
            passed = time.monotonic() - begin
            if passed > PATIENCE * self.seconds:
                break
            if tried >= passed * self.rate:
                time.sleep(0.001)
            else:
                self._open_one(sources[self.opened % len(sources)])
            meanwhile()
        for stream in self._open:
            stream.close()

    def _open_one(self, source):
        stream = socket.socket()
        try:
            stream.bind((source, 0))
            stream.settimeout(2)
            stream.connect(self.target)
            stream.setblocking(False)
            self.opened += 1
        except ConnectionResetError:
            self.opened += 1  # taken, and thrown out before we were told so
            stream.close()
            return
        except OSError:
            self.refused += 1
            stream.close()
            return
        with contextlib.suppress(OSError):
            stream.send(self.payloads[self.opened % len(self.payloads)])
        self._leave(stream)

    def _leave(self, stream):
        how = self.opened % 3
        if how == 2:
            self._open.append(stream)
            if len(self._open) > STREAMS_OPEN_MAX:
                self._open.pop(0).close()
            return
        if how == 1:
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.close()
