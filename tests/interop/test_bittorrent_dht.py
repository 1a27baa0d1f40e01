"""npm bittorrent-dht joins through our nodes, and each side finds what the other stored."""

import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "system")]

import bittorrent_dht  # noqa: E402
from harness.dht_node import DhtNodes, free_port, node_address  # noqa: E402
from harness.json_lines import RequestFailed  # noqa: E402
from harness.krpc import encode  # noqa: E402
from harness.sodium import Key  # noqa: E402

OURS, THEIRS = 12, 3


def someone():
    return Key(os.urandom(32))


@unittest.skipIf(bittorrent_dht.missing(), bittorrent_dht.missing())
class BittorrentDht(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ours = DhtNodes(OURS, options=["--admit=any", "--local=exempt"])
        cls.addClassCleanup(cls.ours.end)
        cls.ours.wait_until_known(8)
        cls.process = bittorrent_dht.BittorrentDht()
        cls.addClassCleanup(cls.process.end)
        cls.theirs = [cls.start(number) for number in range(THEIRS)]

    @classmethod
    def start(cls, number):
        address = node_address(330 + number)
        node = cls.process.start(address, free_port(address), cls.ours.endpoints[:1])
        node.wait_for_nodes(8)
        return node

    def test_it_joins_through_one_of_ours(self):
        self.assertGreaterEqual(self.start(10).nodes(), 8)

    def test_it_reads_what_we_put(self):
        for value in (b"short", os.urandom(100), os.urandom(990)):
            target = self.ours.put_value(1, value)["target"]
            self.assertEqual(value, self.theirs[0].get_value(target))

    def test_we_read_what_it_put(self):
        for value in (b"short", os.urandom(100), os.urandom(990)):
            target, copies = self.theirs[1].put_value(value)
            self.assertGreaterEqual(copies, 4)
            self.assertEqual(encode(value).hex(), self.ours.get_value(2, target)["value"])

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
            _, copies = self.theirs[0].put_mutable(key, value, 1, salt)
            self.assertGreaterEqual(copies, 4)
            got = self.ours.get_mutable(5, key.public, salt)
            self.assertEqual((encode(value).hex(), 1), (got["value"], got["seq"]))
            self.theirs[1].put_mutable(key, value + b"2", 2, salt)
            got = self.ours.get_mutable(6, key.public, salt)
            self.assertEqual((encode(value + b"2").hex(), 2), (got["value"], got["seq"]))

    def test_both_write_one_item_in_turn(self):
        key = someone()
        self.ours.put_mutable(0, key, b"ours", 1)
        self.theirs[0].put_mutable(key, b"theirs", 2, cas=1)
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
        self.theirs[1].announce(info_hash, 4343)
        self.assertIn((self.theirs[1].endpoint[0], 4343), self.ours.peers(5, info_hash))


if __name__ == "__main__":
    unittest.main()
