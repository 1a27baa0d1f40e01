"""BEP 32 from outside: our nodes over IPv6, asked by somebody who knows the BEPs only."""

import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "system"))

from harness.dht_node import DhtNodes  # noqa: E402
from harness.krpc import Asker, MutableItem, encode, endpoint_bytes, endpoint_from, has_ipv6, nodes_from, sha1  # noqa: E402
from harness.sodium import Key  # noqa: E402

HOST = "::1"
IPV6_BYTES = 16
PROTOCOL = 203


@unittest.skipUnless(has_ipv6(), "no IPv6 on loopback")
class OverIPv6(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # All askers share one address, which is no limit's business here.
        cls.nodes = DhtNodes(options=["--admit=any", "--local=exempt"], address=HOST)
        cls.addClassCleanup(cls.nodes.end)
        cls.target = cls.nodes.endpoints[0]

    def asker(self, **options):
        asker = Asker(self.target, **options)
        self.addCleanup(asker.close)
        return asker

    def test_it_says_where_it_saw_us_in_18_bytes(self):
        asker = self.asker()
        self.assertEqual(endpoint_bytes(HOST, asker.port), asker.ask("ping")[b"ip"])

    def test_without_want_the_family_of_the_query_is_meant(self):
        asker = self.asker()
        for method, key in (("find_node", "target"), ("get_peers", "info_hash"), ("get", "target")):
            r = asker.r(method, **{key: os.urandom(20)})
            self.assertEqual({b"nodes6"}, {name for name in r if name.startswith(b"nodes")}, method)

    def test_want_chooses_the_families(self):
        asker = self.asker()
        for want, keys in (([b"n4"], {b"nodes"}), ([b"n6"], {b"nodes6"}), ([b"n4", b"n6"], {b"nodes", b"nodes6"}),
                           ([], {b"nodes6"})):
            r = asker.r("find_node", target=os.urandom(20), want=want)
            self.assertEqual(keys, {name for name in r if name.startswith(b"nodes")}, want)

    def test_a_node_that_answers_is_passed_on_in_38_bytes(self):
        known = self.asker(read_only=False)
        asker = self.asker()
        deadline = time.monotonic() + 5
        found = []
        while not found and time.monotonic() < deadline:
            known.ask("ping")
            known.receive(0.2)  # serves its pings
            r = asker.r("find_node", target=known.id, want=[b"n4", b"n6"])
            found = [place for name, place in nodes_from(r[b"nodes6"], IPV6_BYTES) if name == known.id]
        self.assertEqual([(HOST, known.port)], found)
        self.assertEqual(b"", r[b"nodes"])

    def test_a_peer_that_shows_its_token_is_found_in_18_bytes(self):
        asker, info_hash = self.asker(), os.urandom(20)
        token = asker.r("get_peers", info_hash=info_hash)[b"token"]
        asker.ask("announce_peer", info_hash=info_hash, token=token, port=4242)
        asker.ask("announce_peer", info_hash=info_hash, token=token, port=1, implied_port=1)
        values = self.asker().r("get_peers", info_hash=info_hash)[b"values"]
        self.assertEqual({18}, {len(value) for value in values})
        self.assertEqual({(HOST, 4242), (HOST, asker.port)}, {endpoint_from(value) for value in values})

    def test_a_wrong_token_is_203(self):
        self.assertEqual(PROTOCOL, self.asker().error_code("announce_peer", info_hash=os.urandom(20), token=b"12345678",
                                                           port=4242))

    def test_items_are_kept(self):
        asker, value = self.asker(), os.urandom(900)
        self.assertEqual((0, sha1(encode(value))), asker.put_value(value))
        self.assertEqual(value, self.asker().r("get", target=sha1(encode(value)))[b"v"])
        item = MutableItem(Key(os.urandom(32)), b"six", 6, b"salt")
        self.assertEqual(0, asker.put(item.target, item.arguments()))
        self.assertTrue(item.is_in(self.asker().r("get", target=item.target)))

    def test_nodes_that_know_one_address_find_what_another_put(self):
        with DhtNodes(10, options=["--admit=any", "--local=exempt"], address=HOST) as nodes:
            nodes.wait_until_known(8)
            put = nodes.put_value(1, b"far away")
            self.assertGreaterEqual(put["copies"], 8)
            self.assertEqual(encode(b"far away").hex(), nodes.get_value(9, put["target"])["value"])
            info_hash = os.urandom(20)
            nodes.announce(2, info_hash, port=4242)
            self.assertEqual({(HOST, 4242)}, nodes.peers(7, info_hash))


if __name__ == "__main__":
    unittest.main()
