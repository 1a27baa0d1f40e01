"""A peer of a daemon: Noise_XX over TCP and the first messages above it.

Written from docs/protocol/transport.md and peers.md, not from the C++ sources: whoever can read them can talk
to us.
"""

import contextlib
import ctypes
import hashlib
import hmac
import os
import socket
import struct
import time

from . import formats
from .sodium import _sodium, blake2b, verify

NAME = b"Noise_XX_25519_ChaChaPoly_BLAKE2b"
XX = 1
CHAIN, ORGANIZATION = 0, 1
TAG_BYTES = 16
FRAME_PLAIN_MAX = 65_519
HELLO, PING, PONG, GOODBYE, ASK_DIAL_BACK, DIAL_BACK_RESULT = range(1, 7)
ASK_MANIFEST, MANIFEST_REPLY = 16, 17
STOPPING, FULL, DUPLICATE, NOT_NEEDED, MISCONDUCT = range(5)


class Closed(Exception):
    """The other side has ended the connection, gracefully or not."""


# ---- Primitives ----------------------------------------------------------------------------------------

def x25519(secret, public=None):
    """The shared secret, or the public key of `secret`."""
    out = ctypes.create_string_buffer(32)
    if public is None:
        _sodium.crypto_scalarmult_base(out, secret)
    elif _sodium.crypto_scalarmult(out, secret, public) != 0:
        raise ValueError("a key of small order")
    return out.raw


def _mac(key, data):
    return hmac.new(key, data, hashlib.blake2b).digest()


def hkdf(chaining_key, material):
    temporary = _mac(chaining_key, material)
    first = _mac(temporary, b"\x01")
    return first, _mac(temporary, first + b"\x02")


class Cipher:
    def __init__(self, key):
        self.key, self.nonce = key, 0

    def _next_nonce(self):
        nonce = bytes(4) + struct.pack("<Q", self.nonce)
        self.nonce += 1
        return nonce

    def encrypt(self, plain, associated=b""):
        out = ctypes.create_string_buffer(len(plain) + TAG_BYTES)
        _sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
            out, None, plain, ctypes.c_ulonglong(len(plain)), associated, ctypes.c_ulonglong(len(associated)), None,
            self._next_nonce(), self.key)
        return out.raw

    def decrypt(self, sealed, associated=b""):
        out = ctypes.create_string_buffer(max(len(sealed) - TAG_BYTES, 1))
        done = _sodium.crypto_aead_chacha20poly1305_ietf_decrypt(
            out, None, None, sealed, ctypes.c_ulonglong(len(sealed)), associated, ctypes.c_ulonglong(len(associated)),
            self._next_nonce(), self.key)
        if done != 0:
            raise ValueError("bytes that do not open")
        return out.raw[:len(sealed) - TAG_BYTES]


class Handshake:
    """The symmetric state of the framework, and its three messages of XX."""

    def __init__(self, prologue, chain, key):
        self.hash = self.chaining_key = NAME.ljust(64, b"\0")
        self.cipher = None
        self.chain, self.key = chain, key
        self.static = blake2b(formats.tagged("leither/noise-static/1", formats.NO_CHAIN, key.seed))
        self.ephemeral = os.urandom(32)
        self._mix_hash(prologue)

    def _mix_hash(self, data):
        self.hash = hashlib.blake2b(self.hash + data).digest()

    def _mix_key(self, material):
        self.chaining_key, key = hkdf(self.chaining_key, material)
        self.cipher = Cipher(key[:32])

    def _seal(self, plain):
        sealed = self.cipher.encrypt(plain, self.hash) if self.cipher else plain
        self._mix_hash(sealed)
        return sealed

    def _open(self, sealed):
        plain = self.cipher.decrypt(sealed, self.hash) if self.cipher else sealed
        self._mix_hash(sealed)
        return plain

    def first(self):
        public = x25519(self.ephemeral)
        self._mix_hash(public)
        return public + self._seal(b"")

    def read_second(self, message):
        """The responder's node key, its proof checked."""
        signed_hash = self.hash
        remote_ephemeral = message[:32]
        self._mix_hash(remote_ephemeral)
        self._mix_key(x25519(self.ephemeral, remote_ephemeral))
        remote_static = self._open(message[32:80])
        self._mix_key(x25519(self.ephemeral, remote_static))
        payload = self._open(message[80:])
        node_key, signature = payload[:32], payload[32:]
        if not verify(node_key, self._claim(signed_hash, remote_static, 1), signature):
            raise ValueError("the identity does not hold")
        self._remote_ephemeral = remote_ephemeral
        return node_key

    def third(self):
        signed_hash = self.hash
        message = self._seal(x25519(self.static))
        self._mix_key(x25519(self.static, self._remote_ephemeral))
        proof = self.key.public + self.key.sign(self._claim(signed_hash, x25519(self.static), 0))
        return message + self._seal(proof)

    def split(self):
        """(sending, receiving)"""
        first, second = hkdf(self.chaining_key, b"")
        return Cipher(first[:32]), Cipher(second[:32])

    def _claim(self, signed_hash, static, role):
        return formats.tagged("leither/noise-identity/1", self.chain, signed_hash + static + bytes([role]))


# ---- Messages ------------------------------------------------------------------------------------------

def message(kind, body):
    return struct.pack("<BI", kind, len(body)) + body


def hello(agent="a test", listen_port=0, observed=("127.0.0.1", 1)):
    address = socket.inet_aton(observed[0])
    return message(HELLO, formats.text(agent) + struct.pack("<HQ", listen_port, 0) +
                   formats.length(len(address)) + address + struct.pack("<H", observed[1]))


def preamble(context, kind=CHAIN, pattern=XX):
    return b"LTHR" + bytes([1, pattern, kind]) + context.ljust(32, b"\0")


# ---- A connection ----------------------------------------------------------------------------------------

def dial(target, source=None, receive_buffer=None, seconds=10):
    """An open connection, nothing said yet."""
    stream = socket.socket()
    try:
        stream.settimeout(seconds)
        if receive_buffer:
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            stream.bind((source, 0))
        stream.connect(target)
    except OSError:
        stream.close()
        raise
    return stream


class Peer:
    """Authenticated when made; greeted unless `greets` is false."""

    def __init__(self, target, chain, key, source=None, receive_buffer=None, greets=True, seconds=10):
        self.target, self.chain, self.key, self.seconds = target, chain, key, seconds
        self.socket = dial(target, source, receive_buffer, seconds)
        self._stream = b""    # of the transport, not opened yet
        self._plain = b""
        try:
            self._shake_hands()
            if greets:
                self.send(hello(observed=target))
                self.greeting = self.expect(HELLO)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _shake_hands(self):
        greeting = preamble(self.chain)
        handshake = Handshake(greeting, self.chain, self.key)
        first = handshake.first()
        self.socket.sendall(greeting + struct.pack(">H", len(first)) + first)
        self.node_key = handshake.read_second(self._read(*struct.unpack(">H", self._read(2))))
        third = handshake.third()
        self.socket.sendall(struct.pack(">H", len(third)) + third)
        self.sending, self.receiving = handshake.split()

    # ---- Out

    def seal(self, plain):
        """Frames of `plain`. No more than the first key's 65,536 frames are needed in any test."""
        frames = []
        for at in range(0, len(plain), FRAME_PLAIN_MAX):
            sealed = self.sending.encrypt(plain[at:at + FRAME_PLAIN_MAX])
            frames.append(struct.pack(">H", len(sealed)) + sealed)
        return b"".join(frames)

    def send(self, plain):
        self.send_raw(self.seal(plain))

    def send_raw(self, data):
        try:
            self.socket.sendall(data)
        except (ConnectionError, TimeoutError) as error:
            raise Closed(str(error)) from error

    # ---- In

    def _read(self, size):
        while len(self._stream) < size:
            try:
                data = self.socket.recv(1 << 16)
            except ConnectionError as error:
                raise Closed(str(error)) from error
            if not data:
                raise Closed("end of the stream")
            self._stream += data
        data, self._stream = self._stream[:size], self._stream[size:]
        return data

    def _read_plain(self, size):
        while len(self._plain) < size:
            self._plain += self.receiving.decrypt(self._read(*struct.unpack(">H", self._read(2))))
        data, self._plain = self._plain[:size], self._plain[size:]
        return data

    def receive(self):
        """The next message: (kind, body). Closed at the end, TimeoutError if none comes."""
        kind, size = struct.unpack("<BI", self._read_plain(5))
        return kind, self._read_plain(size)

    def expect(self, kind):
        """The body of the next message of that kind; others are passed over, pings answered."""
        while True:
            found, body = self.receive()
            if found == kind:
                return body
            if found == PING:
                self.send(message(PONG, body))
            if found == GOODBYE:
                raise Closed(f"goodbye {body[0]}")

    def ping(self):
        """The seconds until the answer."""
        begin = time.monotonic()
        nonce = os.urandom(8)
        self.send(message(PING, nonce))
        while self.expect(PONG) != nonce:
            pass
        return time.monotonic() - begin

    def goodbye(self):
        """The reason the other side gives as it ends the connection; None if it gives none."""
        reason = None
        with contextlib.suppress(Closed):
            while True:
                kind, body = self.receive()
                if kind == GOODBYE:
                    reason = body[0]
        return reason


def is_open(stream):
    """Whether the other side has not ended the connection. What it wrote is lost."""
    stream.setblocking(False)
    try:
        while stream.recv(1 << 16):
            pass
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False
