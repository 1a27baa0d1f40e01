"""Ed25519 keys and account numbers, by libsodium's run-time library."""

import ctypes
import ctypes.util
import hashlib

_sodium = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
if _sodium.sodium_init() < 0:
    raise OSError("libsodium does not start")


def blake2b(data, size=32):
    return hashlib.blake2b(data, digest_size=size).digest()


class Key:
    """A key pair made from 32 bytes of seed."""

    def __init__(self, seed):
        public = ctypes.create_string_buffer(32)
        secret = ctypes.create_string_buffer(64)
        _sodium.crypto_sign_ed25519_seed_keypair(public, secret, seed)
        self.seed = seed
        self.public = public.raw
        self.id = blake2b(self.public, 20)
        self._secret = secret

    def sign(self, message):
        signature = ctypes.create_string_buffer(64)
        _sodium.crypto_sign_ed25519_detached(signature, None, message, ctypes.c_ulonglong(len(message)), self._secret)
        return signature.raw


def verify(public, message, signature):
    return _sodium.crypto_sign_ed25519_verify_detached(signature, message, ctypes.c_ulonglong(len(message)), public) == 0


def key_from(seed, name):
    """The key called `name` in the family that `seed` names."""
    return Key(blake2b(f"{seed}/{name}".encode()))
