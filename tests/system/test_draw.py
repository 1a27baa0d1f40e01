"""The draw of docs/protocol/election.md once more, written from the page alone. The unit tests compare the
node's draw with the same worked bytes (tests/unit/election/draw_test.cpp)."""

import hashlib
import os
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def tagged_hash(tag, chain, body):
    message = bytes([len(tag)]) + tag.encode() + chain + body
    return hashlib.blake2b(message, digest_size=32).digest()


def ticket(chain, seed, cycle, n, total):
    attempt = 0
    while True:
        body = seed + cycle.to_bytes(8, "little") + n.to_bytes(4, "little") + attempt.to_bytes(4, "little")
        value = int.from_bytes(tagged_hash("leither/election-draw/1", chain, body)[:8], "little")
        if value < 2**64 // total * total:
            return value % total
        attempt += 1


def draw(chain, seed, cycle, weights, count):
    left = list(enumerate(weights))
    drawn = []
    while left and len(drawn) < count:
        value = ticket(chain, seed, cycle, len(drawn), sum(weight for _, weight in left))
        for place, (index, weight) in enumerate(left):
            if value < weight:
                drawn.append(index)
                del left[place]
                break
            value -= weight
    return drawn


def next_seed(chain, last, links):
    return tagged_hash("leither/election-seed/1", chain, last + bytes([len(links)]) + b"".join(links))


def thousand(chain):
    out = bytearray()
    for n in range(1000):
        weights = [1 + (n * 7919 + i * i * 104729) % 100003 for i in range(1 + n % 37)]
        if n % 5 == 0:
            weights = [weight << 40 for weight in weights]
        seed = hashlib.blake2b(str(n).encode(), digest_size=32).digest()
        out += bytes(draw(chain, seed, n, weights, n % 41)) + b"\xff"
    return hashlib.blake2b(out, digest_size=32).digest()


def shown(name):
    """The worked bytes of that name on the page."""
    page = os.path.join(ROOT, "docs", "protocol", "election.md")
    with open(page, encoding="utf-8") as file:
        block = file.read().split(f"<!-- worked bytes: {name} -->\n```\n")[1].split("```")[0]
    return bytes.fromhex("".join(line.split("#")[0] for line in block.splitlines()))


class Draw(unittest.TestCase):
    CHAIN = b"\xcc" * 32
    SEED = b"\x5e" * 32

    def test_the_worked_example_is_as_shown(self):
        self.assertEqual(bytes(draw(self.CHAIN, self.SEED, 7, [1000, 500, 250, 1, 2000], 5)), shown("draw"))
        self.assertEqual(next_seed(self.CHAIN, self.SEED, [b"\x01" * 32, b"\x02" * 32]), shown("next seed"))

    def test_a_thousand_draws_are_as_shown(self):
        self.assertEqual(thousand(self.CHAIN), shown("thousand draws"))


if __name__ == "__main__":
    unittest.main()
