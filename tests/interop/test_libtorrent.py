"""libtorrent joins through our nodes, and each side finds what the other stored."""

import os
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "system")]

from harness.dht_node import DhtNodes, free_port, node_address  # noqa: E402
from harness.json_lines import RequestFailed  # noqa: E402
from harness.krpc import decode, encode, has_ipv6, sha1  # noqa: E402
from harness.sodium import Key  # noqa: E402

try:
    from libtorrent_node import LibtorrentNode
except ImportError:
    LibtorrentNode = None

OURS, THEIRS = 12, 3
PEER_SECONDS_MAX = 20


def someone():
    return Key(os.urandom(32))




def eventually(ask, fits, seconds=PEER_SECONDS_MAX):
    """The first result of `ask` that fits; an announcement takes its time. The last one if none does."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            result = ask()
        except RequestFailed as failed:
            result = failed.answer
        if fits(result) or time.monotonic() > deadline:
            return result
        time.sleep(0.2)


@unittest.skipIf(LibtorrentNode is None, "no python3-libtorrent")
class Libtorrent(unittest.TestCase):
    address = None  # of all nodes; None: each has one of its own

    @classmethod
    def address_of(cls, number):
        return cls.address or node_address(number)

    @classmethod
    def setUpClass(cls):
        cls.ours = DhtNodes(OURS, options=["--admit=any", "--local=exempt"], address=cls.address)
        cls.addClassCleanup(cls.ours.end)
        cls.ours.wait_until_known(8)
        cls.theirs = []
        for number in range(THEIRS):
            address = cls.address_of(300 + number)
            node = LibtorrentNode(address, free_port(address))
            node.add(cls.ours.endpoints[:3])
            cls.theirs.append(node)
        for node in cls.theirs:
            node.wait_for_nodes(8)

    def test_it_joins_through_one_of_ours(self):
        address = self.address_of(310)
        newcomer = LibtorrentNode(address, free_port(address))
        newcomer.add(self.ours.endpoints[:1])
        newcomer.wait_for_nodes(8)

    def test_ours_come_to_know_it(self):
        theirs = {node.endpoint for node in self.theirs}
        known = eventually(lambda: set().union(*(self.ours.contacts(node) for node in range(OURS))), theirs.issubset)
        self.assertLessEqual(theirs, known)

    def test_it_reads_what_we_put(self):
        for value in (b"short", os.urandom(100), os.urandom(990)):
            target = self.ours.put_value(1, value)["target"]
            self.assertEqual(sha1(encode(value)), target)
            self.assertEqual(value, self.theirs[0].get_value(target))

    def test_we_read_what_it_put(self):
        for value in (b"short", os.urandom(100), os.urandom(990), {b"a": [1, b"b"]}):
            target, copies = self.theirs[1].put_value(value)
            self.assertGreaterEqual(copies, 4)
            self.assertEqual(value, decode(bytes.fromhex(self.ours.get_value(2, target)["value"])))

    def test_it_reads_what_we_signed(self):
        for salt, value in ((b"", b"plain"), (b"salt", b"salted"), (os.urandom(64), os.urandom(900))):
            key = someone()
            self.assertGreaterEqual(self.ours.put_mutable(3, key, value, 5, salt)["copies"], 4)
            self.assertEqual((value, 5), self.theirs[2].get_mutable(key.public, salt))
            self.ours.put_mutable(4, key, value + b"2", 6, salt)
            self.assertEqual((value + b"2", 6), self.theirs[0].get_mutable(key.public, salt))

    def test_we_read_what_it_signed(self):
        for salt, value in ((b"", b"plain"), (b"salt", b"salted"), (os.urandom(64), os.urandom(900))):
            key = someone()
            seq, copies = self.theirs[0].put_mutable(key, value, salt)
            self.assertGreaterEqual(copies, 4)
            got = self.ours.get_mutable(5, key.public, salt)
            self.assertEqual((encode(value).hex(), seq), (got["value"], got["seq"]))
            seq, _ = self.theirs[1].put_mutable(key, value + b"2", salt)
            got = self.ours.get_mutable(6, key.public, salt)
            self.assertEqual((encode(value + b"2").hex(), seq), (got["value"], got["seq"]))

    def test_both_write_one_item_in_turn(self):
        key = someone()
        self.ours.put_mutable(0, key, b"ours", 1)
        self.assertEqual(2, self.theirs[0].put_mutable(key, b"theirs")[0])
        self.ours.put_mutable(7, key, b"ours again", 3)
        self.assertEqual((b"ours again", 3), self.theirs[1].get_mutable(key.public))
        with self.assertRaises(RequestFailed):
            self.ours.put_mutable(8, key, b"too late", 2)

    def test_it_finds_a_peer_that_we_announced(self):
        info_hash = os.urandom(20)
        self.ours.announce(4, info_hash, port=4242)
        self.assertIn((self.ours.endpoints[4][0], 4242), self.theirs[0].peers(info_hash))

    def test_we_find_a_peer_that_it_announced(self):
        info_hash = os.urandom(20)
        with tempfile.TemporaryDirectory(prefix="leither-test-") as folder:
            self.theirs[1].announce(info_hash, folder)
            address = self.theirs[1].endpoint[0]
            peers = eventually(lambda: self.ours.peers(5, info_hash), lambda found: found and "failure" not in found)
            self.assertEqual({address}, {host for host, _ in peers})


@unittest.skipIf(LibtorrentNode is None, "no python3-libtorrent")
@unittest.skipUnless(has_ipv6(), "no IPv6 on loopback")
class LibtorrentOverIPv6(Libtorrent):
    """BEP 32: all of the above where there is no IPv4 at all."""

    address = "::1"


if __name__ == "__main__":
    unittest.main()
