"""The limit of everything that is signed: one Ed25519 verification by libsodium."""

import time

from harness.sodium import key_from, verify


def verification_seconds(count=4000):
    """On one core; the best of three, so that noise flatters the limit."""
    key = key_from("probe", 0)
    message = bytes(130)
    signature = key.sign(message)
    best = float("inf")
    for _ in range(3):
        begin = time.process_time()
        for _ in range(count):
            assert verify(key.public, message, signature)
        best = min(best, (time.process_time() - begin) / count)
    return best
