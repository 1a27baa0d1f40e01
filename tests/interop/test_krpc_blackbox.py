"""What any node of the Mainline DHT may expect of ours, asked over UDP by somebody who knows the BEPs only.

LEITHER_KRPC_TARGET=host:port asks a node that runs already, in place of one of our own; what needs to move
its clock is then skipped, and with LEITHER_KRPC_LOCAL=exempt what needs limits on loopback too.
"""

import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "system"))

from harness.dht_node import DhtNodes  # noqa: E402
from harness.krpc import Asker, MutableItem, encode, endpoint_bytes, nodes_from, sha1  # noqa: E402
from harness.sodium import Key  # noqa: E402

PROTOCOL, UNKNOWN_METHOD, TOO_BIG, BAD_SIGNATURE, SALT_TOO_BIG, CAS_MISMATCH, SEQ_TOO_LOW = 203, 204, 205, 206, 207, 301, 302
REPLY_BYTES_MAX = 1400
ORDER = 2 ** 252 + 27742317777372353535851937790883648493


def someone():
    return Key(os.urandom(32))


class BlackBox(unittest.TestCase):
    """One target for all tests; each test asks from addresses of its own."""

    nodes = None

    @classmethod
    def setUpClass(cls):
        named = os.environ.get("LEITHER_KRPC_TARGET")
        if named:
            host, port = named.rsplit(":", 1)
            cls.target = (host.strip("[]"), int(port))
        else:
            cls.nodes = DhtNodes(options=["--admit=any", "--local=limited"])
            cls.target = cls.nodes.endpoints[0]

    @classmethod
    def tearDownClass(cls):
        if cls.nodes is not None:
            cls.nodes.end()

    def asker(self, **options):
        asker = Asker(self.target, **options)
        self.addCleanup(self._check_and_close, asker)
        return asker

    def _check_and_close(self, asker):
        """Whatever a test asked: the answers came from where it was asked, and the node is still there."""
        asker.close()
        self.assertLessEqual(asker.sources_seen, {self.target})
        with Asker(self.target) as witness:
            witness.ask("ping")

    def advance(self, seconds):
        if self.nodes is None:
            self.skipTest("needs a node whose clock can be moved")
        self.nodes.advance(seconds)


class Answers(BlackBox):
    def test_a_ping_is_answered_with_the_id_of_20_bytes_that_stays(self):
        asker = self.asker()
        ids = {asker.r("ping")[b"id"] for _ in range(3)}
        self.assertEqual(1, len(ids))
        self.assertEqual(20, len(ids.pop()))

    def test_a_transaction_of_any_length_to_64_is_echoed_whole(self):
        for length in range(65):
            asker = self.asker()
            t = os.urandom(length)
            self.assertEqual(t, asker.ask("ping", t)[b"t"])

    def test_a_longer_transaction_is_never_shortened(self):
        asker = self.asker()
        for length in (65, 66, 100, 500, 1500):
            for answer in asker.answers_to(asker.message("ping", os.urandom(length), {})):
                self.assertIn(len(answer.get(b"t", b"")), (0, length))

    def test_it_says_where_it_saw_us(self):
        asker = self.asker()
        self.assertEqual(endpoint_bytes(asker.address, asker.port), asker.ask("ping").get(b"ip"))

    def test_unknown_keys_are_passed_over(self):
        asker = self.asker()
        self.assertIn(b"id", asker.ask("ping", _top={"zz": [1, {"a": b""}], "v": b"XX99", "b": 7}, zebra=b"z", bee=[[]])[b"r"])

    def test_a_version_of_any_kind_is_passed_over(self):
        asker = self.asker()
        for version in (b"", b"A", b"UT\x01\x02\x03\x04", b"x" * 200, 7, [], {}):
            self.assertIn(b"id", asker.ask("ping", _top={"v": version})[b"r"])

    def test_an_unknown_method_is_204(self):
        asker = self.asker()
        for method in ("vote", "sample_infohashes2", "", "PING", "ping\0"):
            self.assertEqual(UNKNOWN_METHOD, asker.error_code(method), method)

    def test_a_query_without_its_method_or_arguments_is_203(self):
        asker = self.asker()
        for fields in ({"y": "q", "q": "ping"}, {"y": "q", "a": {"id": asker.id}}):
            t = os.urandom(4)
            answers = asker.answers_to(encode({"t": t, **fields}))
            self.assertEqual([PROTOCOL], [answer[b"e"][0] for answer in answers])
            self.assertEqual(t, answers[0][b"t"])

    def test_replies_that_nobody_asked_for_are_not_answered(self):
        asker = self.asker()
        for fields in ({"y": "r", "r": {"id": asker.id}}, {"y": "e", "e": [201, "no"]}, {"y": "x"}, {}):
            self.assertEqual([], asker.answers_to(encode({"t": b"aa", **fields})))


class Nodes(BlackBox):
    def wait_until_known(self, asker, known):
        """Whether `known` shows up in the node's answers to `asker` soon."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            known.ask("ping")
            known.receive(0.2)   # serves its pings
            found = nodes_from(asker.r("find_node", target=known.id)[b"nodes"])
            if (known.id, (known.address, known.port)) in found:
                return True
        return False

    def test_a_node_that_answers_is_passed_on(self):
        known = self.asker(read_only=False)
        self.assertTrue(self.wait_until_known(self.asker(), known))

    def test_a_node_that_is_read_only_is_not(self):
        hidden = self.asker(answers=True)
        self.assertFalse(self.wait_until_known(self.asker(), hidden))

    def test_a_node_that_does_not_answer_is_not(self):
        """Its address could be a victim's."""
        liar = self.asker(read_only=False, answers=False)
        self.assertFalse(self.wait_until_known(self.asker(), liar))

    def test_never_more_than_8_nodes_nor_one_twice(self):
        known = [self.asker(read_only=False) for _ in range(20)]
        for asker in known:
            asker.ask("ping")
        for asker in known:
            asker.receive(0.05)
        found = nodes_from(self.asker().r("find_node", target=os.urandom(20))[b"nodes"])
        self.assertLessEqual(len(found), 8)
        self.assertEqual(len(found), len({node for node, _ in found}))

    def test_want_chooses_the_families(self):
        asker = self.asker()
        for method, key in (("find_node", "target"), ("get_peers", "info_hash"), ("get", "target")):
            for want, keys in (([b"n4"], {b"nodes"}), ([b"n6"], {b"nodes6"}), ([b"n4", b"n6"], {b"nodes", b"nodes6"}),
                               ([b"n6", b"n4", b"n5"], {b"nodes", b"nodes6"}), ([], {b"nodes"})):
                r = asker.r(method, want=want, **{key: os.urandom(20)})
                self.assertEqual(keys, {name for name in r if name.startswith(b"nodes")}, (method, want))


class Peers(BlackBox):
    def setUp(self):
        self.info_hash = os.urandom(20)

    def token(self, asker, info_hash=None):
        return asker.r("get_peers", info_hash=info_hash or self.info_hash)[b"token"]

    def announce(self, asker, **fields):
        arguments = {"info_hash": self.info_hash, "port": 6881, "token": b"", **fields}
        return asker.error_code("announce_peer", **{name: value for name, value in arguments.items() if value is not None})

    def peers(self):
        return set(self.asker().r("get_peers", info_hash=self.info_hash).get(b"values", []))

    def test_a_peer_that_shows_its_token_is_found(self):
        asker = self.asker()
        self.assertEqual(0, self.announce(asker, token=self.token(asker)))
        self.assertEqual({endpoint_bytes(asker.address, 6881)}, self.peers())

    def test_an_implied_port_is_that_of_the_datagram(self):
        asker = self.asker()
        self.assertEqual(0, self.announce(asker, token=self.token(asker), port=1, implied_port=1))
        other = self.asker()
        self.assertEqual(0, self.announce(other, token=self.token(other), port=None, implied_port=1))
        self.assertEqual({endpoint_bytes(asker.address, asker.port), endpoint_bytes(other.address, other.port)}, self.peers())

    def test_implied_port_0_means_the_port_named(self):
        asker = self.asker()
        self.assertEqual(0, self.announce(asker, token=self.token(asker), port=77, implied_port=0))
        self.assertEqual({endpoint_bytes(asker.address, 77)}, self.peers())

    def test_a_peer_announced_twice_is_listed_once(self):
        asker = self.asker()
        for _ in range(2):
            self.assertEqual(0, self.announce(asker, token=self.token(asker)))
        self.assertEqual(1, len(self.asker().r("get_peers", info_hash=self.info_hash)[b"values"]))

    def test_every_wrong_token_is_203(self):
        asker, other = self.asker(), self.asker()
        good = self.token(asker)
        wrong = {"none": None, "empty": b"", "short": good[:-1], "long": good + b"\0", "altered": bytes([good[0] ^ 1]) + good[1:],
                 "of another address": self.token(other), "of another hash": self.token(asker, os.urandom(20)),
                 "long and wrong": b"x" * 500, "a number": 5}
        for what, token in wrong.items():
            self.assertEqual(PROTOCOL, self.announce(asker, token=token), what)
        self.assertEqual(set(), self.peers())

    def test_a_token_is_good_for_at_least_4_minutes_and_less_than_11(self):
        asker = self.asker()
        token = self.token(asker)
        self.advance(4 * 60)
        self.assertEqual(0, self.announce(asker, token=token))
        self.advance(7 * 60)
        self.assertEqual(PROTOCOL, self.announce(asker, token=token))

    def test_every_impossible_port_is_203(self):
        asker = self.asker()
        token = self.token(asker)
        for port in (0, -1, 65536, 2 ** 32 + 6881, 2 ** 63, 2 ** 64 + 6881, b"6881", [6881], None):
            self.assertEqual(PROTOCOL, self.announce(asker, token=token, port=port), port)
        self.assertEqual(set(), self.peers())

    def test_a_peer_is_forgotten_after_2_hours(self):
        asker = self.asker()
        self.assertEqual(0, self.announce(asker, token=self.token(asker)))
        self.advance(2 * 3600 + 60)
        self.assertEqual(set(), self.peers())

    def test_many_peers_fit_into_one_datagram(self):
        for _ in range(150):
            asker = self.asker()
            self.announce(asker, token=self.token(asker))
        asker = self.asker()
        self.announce(asker, token=self.token(asker))    # so that it may be told more
        before = asker.bytes_received
        self.assertGreaterEqual(len(asker.r("get_peers", info_hash=self.info_hash)[b"values"]), 20)
        self.assertLessEqual(asker.bytes_received - before, REPLY_BYTES_MAX)


class ImmutableItems(BlackBox):
    def fetch(self, target):
        """From an address that has shown a token: it may be told all."""
        asker = self.asker()
        asker.put_value(os.urandom(8))
        return asker.r("get", target=target)

    def test_values_of_each_kind_come_back_as_they_were(self):
        for value in (b"", b"hello", 0, -5, 2 ** 62, [], [1, [b"two", {}]], {}, {"a": 1, "b": [2]}, bytes(range(256))):
            code, target = self.asker().put_value(value)
            self.assertEqual(0, code, value)
            got = self.fetch(target)
            self.assertEqual(encode(value), encode(got[b"v"]))
            self.assertFalse({b"k", b"sig", b"seq", b"salt"} & got.keys())

    def test_1000_bytes_bencoded_are_stored_and_1001_are_205(self):
        for size, expected in ((995, 0), (996, 0), (997, TOO_BIG), (1500, TOO_BIG)):
            value = os.urandom(size)
            code, target = self.asker().put_value(value)
            self.assertEqual(expected, code, size)
            self.assertEqual(value if expected == 0 else None, self.fetch(target).get(b"v"))

    def test_an_unknown_target_brings_a_token_and_nodes(self):
        r = self.asker().r("get", target=os.urandom(20))
        self.assertIn(b"token", r)
        self.assertIn(b"nodes", r)
        self.assertNotIn(b"v", r)

    def test_every_wrong_token_is_203(self):
        asker, other = self.asker(), self.asker()
        value = os.urandom(20)
        target = sha1(encode(value))
        good = asker.token(target)
        for token in (b"", good[:-1], good + b"x", other.token(target), asker.token(os.urandom(20)), 7, [good]):
            self.assertEqual(PROTOCOL, asker.error_code("put", v=value, token=token), token)
        self.assertEqual(PROTOCOL, asker.error_code("put", v=value))
        self.assertNotIn(b"v", self.fetch(target))

    def test_a_put_without_a_value_is_203(self):
        asker = self.asker()
        self.assertEqual(PROTOCOL, asker.error_code("put", token=asker.token(os.urandom(20))))

    def test_a_value_in_a_second_encoding_is_203(self):
        for raw in (b"i-0e", b"i00e", b"i01e", b"01:a", b"d1:b0:1:a0:e", b"d1:a0:1:a0:e", b"di1e0:e", b"ie", b"i1", b"l"):
            asker = self.asker()
            target = sha1(raw)
            token = asker.token(target)
            head = encode({"id": asker.id, "token": token})[:-1]
            datagram = b"d1:a" + head + b"1:v" + raw + b"e1:q3:put1:t2:aa1:y1:qe"
            for answer in asker.answers_to(datagram):
                self.assertEqual(PROTOCOL, answer[b"e"][0], raw)
            self.assertNotIn(b"v", asker.r("get", target=target))

    def test_an_item_is_forgotten_after_2_hours_and_kept_by_putting_it_again(self):
        value, kept = os.urandom(8), os.urandom(8)
        code, target = self.asker().put_value(value)
        _, kept_target = self.asker().put_value(kept)
        self.assertEqual(0, code)
        self.advance(3600)
        self.asker().put_value(kept)
        self.advance(3660)
        self.assertNotIn(b"v", self.fetch(target))
        self.assertEqual(kept, self.fetch(kept_target)[b"v"])


class MutableItems(BlackBox):
    def setUp(self):
        self.key = someone()

    def item(self, value=b"value", seq=1, salt=b""):
        return MutableItem(self.key, value, seq, salt)

    def put(self, item, **more):
        return self.asker().put(item.target, item.arguments(**more))

    def get(self, target, **arguments):
        asker = self.asker()
        asker.put_value(os.urandom(8))
        return asker.r("get", target=target, **arguments)

    def test_a_signed_item_comes_back_with_its_signature(self):
        for item in (self.item(), self.item(b"salted", 7, b"name"), self.item([1, {b"a": b"b"}], 2 ** 53 - 1, os.urandom(64)),
                     self.item(os.urandom(990), 0, b"0")):
            self.assertEqual(0, self.put(item))
            r = self.get(item.target)
            self.assertTrue(item.is_in(r))
            self.assertNotIn(b"salt", r)

    def test_an_empty_salt_is_no_salt(self):
        item = self.item()
        self.assertEqual(0, self.put(item, salt=b""))
        self.assertTrue(item.is_in(self.get(item.target)))

    def test_a_higher_sequence_replaces_and_a_lower_one_is_302(self):
        old, new = self.item(b"old", 4), self.item(b"new", 5)
        self.assertEqual([0, 0, SEQ_TOO_LOW], [self.put(old), self.put(new), self.put(old)])
        self.assertTrue(new.is_in(self.get(new.target)))

    def test_the_same_item_again_is_accepted_and_another_of_its_sequence_is_302(self):
        item, other = self.item(b"one", 4), self.item(b"two", 4)
        self.assertEqual([0, 0, SEQ_TOO_LOW], [self.put(item), self.put(item), self.put(other)])
        self.assertTrue(item.is_in(self.get(item.target)))

    def test_a_sequence_beyond_63_bits_or_below_0_is_203(self):
        for seq in (-1, -2 ** 63, 2 ** 63, 2 ** 64 + 1):
            self.assertEqual(PROTOCOL, self.put(self.item(seq=seq)), seq)

    def test_cas_stores_only_over_the_sequence_it_names(self):
        self.assertEqual(0, self.put(self.item(b"first", 3)))
        self.assertEqual(CAS_MISMATCH, self.put(self.item(b"second", 4), cas=2))
        self.assertEqual(CAS_MISMATCH, self.put(self.item(b"second", 4), cas=4))
        self.assertEqual(0, self.put(self.item(b"second", 4), cas=3))
        self.assertEqual(b"second", self.get(self.item().target)[b"v"])

    def test_cas_means_nothing_where_nothing_is_stored(self):
        self.assertEqual(0, self.put(self.item(), cas=9))

    def test_every_signature_that_is_not_the_writers_is_206(self):
        item = self.item(b"value", 3, b"salt")
        signature = item.signature
        s = int.from_bytes(signature[32:], "little") + ORDER
        wrong = {"altered": bytes([signature[0] ^ 1]) + signature[1:], "of another value": self.item(b"other", 3, b"salt").signature,
                 "of another sequence": self.item(b"value", 4, b"salt").signature, "of another salt": self.item(b"value", 3).signature,
                 "of another key": MutableItem(someone(), b"value", 3, b"salt").signature, "zero": bytes(64),
                 "malleable": signature[:32] + s.to_bytes(32, "little")}
        for what, bad in wrong.items():
            self.assertEqual(BAD_SIGNATURE, self.put(item, sig=bad), what)
        self.assertNotIn(b"v", self.get(item.target))

    def test_a_key_of_small_order_signs_nothing(self):
        for public in (bytes(32), b"\1" + bytes(31)):
            asker = self.asker()
            item = {"k": public, "sig": public + bytes(32), "seq": 1, "v": b"x"}
            self.assertEqual(BAD_SIGNATURE, asker.put(sha1(public), item))

    def test_a_salt_of_64_bytes_is_stored_and_one_of_65_is_207(self):
        self.assertEqual(0, self.put(self.item(salt=b"s" * 64)))
        for length in (65, 66, 128, 900):
            self.assertEqual(SALT_TOO_BIG, self.put(self.item(salt=b"s" * length)), length)

    def test_a_value_of_1001_bytes_is_205(self):
        self.assertEqual(0, self.put(self.item(b"v" * 996)))
        self.assertEqual(TOO_BIG, self.put(self.item(b"v" * 997, seq=2)))

    def test_half_an_authorship_is_203_and_hides_nothing(self):
        item = self.item()
        self.assertEqual(0, self.put(item))
        newer = self.item(b"newer", 2).arguments()
        halves = [{name: value for name, value in newer.items() if name != left_out} for left_out in ("sig", "seq", "k")]
        halves += [dict(newer, sig=newer["sig"][:-1]), dict(newer, sig=newer["sig"] + b"\0"), dict(newer, k=newer["k"][:-1]),
                   dict(newer, seq=b"2"), dict(newer, sig=2), dict(newer, k=[]), dict(newer, salt=5), dict(newer, cas=b"1"),
                   dict(newer, cas=-1)]
        for half in halves:
            self.assertEqual(PROTOCOL, self.asker().put(item.target, half), half.keys())
        self.assertTrue(item.is_in(self.get(item.target)))

    def test_get_with_the_newest_sequence_brings_no_value(self):
        item = self.item(b"value", 5)
        self.assertEqual(0, self.put(item))
        for seq, brings in ((4, True), (5, False), (6, False), (0, True)):
            r = self.get(item.target, seq=seq)
            self.assertEqual(brings, b"v" in r, seq)
            self.assertEqual(5, r[b"seq"])

    def test_the_target_of_another_key_or_salt_stays_empty(self):
        self.put(self.item(salt=b"here"))
        self.assertNotIn(b"v", self.get(sha1(self.key.public)))
        self.assertNotIn(b"v", self.get(sha1(b"here" + self.key.public)))

    def test_no_reply_is_longer_than_1400_bytes(self):
        item = self.item(os.urandom(996))
        self.assertEqual(0, self.put(item))
        asker = self.asker()
        asker.put_value(b"known")
        before = asker.bytes_received
        self.assertTrue(item.is_in(asker.r("get", target=item.target, want=[b"n4", b"n6"])))
        self.assertLessEqual(asker.bytes_received - before, REPLY_BYTES_MAX)


@unittest.skipIf(os.environ.get("LEITHER_KRPC_LOCAL") == "exempt", "the target exempts loopback from limits")
class Limits(BlackBox):
    def test_a_stranger_gets_at_most_3_times_what_it_sent(self):
        code, target = self.asker().put_value(os.urandom(990))
        self.assertEqual(0, code)
        for method, arguments in (("get", {"target": target}), ("get", {"target": target, "want": [b"n4", b"n6"]}),
                                  ("find_node", {"target": target, "want": [b"n4", b"n6"]}), ("ping", {}),
                                  ("get_peers", {"info_hash": target, "want": [b"n4", b"n6"]}), ("put", {}), ("nonsense", {})):
            stranger = self.asker()
            stranger.error_code(method, **arguments)
            self.assertLessEqual(stranger.bytes_received, 3 * stranger.bytes_sent, method)

    def test_who_has_shown_a_token_gets_all(self):
        value = os.urandom(990)
        _, target = self.asker().put_value(value)
        asker = self.asker()
        asker.put_value(b"mine")
        self.assertEqual(value, asker.r("get", target=target).get(b"v"))

    def test_who_answers_a_ping_gets_all(self):
        value = os.urandom(990)
        _, target = self.asker().put_value(value)
        asker = self.asker(read_only=False)
        deadline = time.monotonic() + 5
        while asker.r("get", target=target).get(b"v") != value:
            self.assertLess(time.monotonic(), deadline)
            asker.receive(0.2)

    def test_one_address_is_slowed_down_forgiven_and_alone_in_that(self):
        rude, polite = self.asker(), self.asker()
        pings = [rude.message("ping", b"%04d" % number, {}) for number in range(600)]
        for ping in pings:
            rude.send(ping)
        answers = 0
        while rude.receive(0.3):
            answers += 1
        self.assertGreaterEqual(answers, 40)
        self.assertLess(answers, 200)
        polite.ask("ping")
        time.sleep(2)
        rude.ask("ping")


if __name__ == "__main__":
    unittest.main()
