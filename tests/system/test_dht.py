"""The DHT from the command line, between three daemons on real sockets."""

import os
import types
import unittest

from harness.daemon import Daemon, RpcError, scratch_dir
from harness.network import NetworkDaemon, wait_for
from harness.sodium import key_from

UNKNOWN = "b" * 40


def knows(daemon, count):
    return daemon.leither("dht", "status")["nodes_v4"] >= count


class Three(unittest.TestCase):
    """Three daemons that know each other; alike for all tests of this class."""

    @classmethod
    def setUpClass(cls):
        # A daemon lives as long as its test; here that is the class.
        life = types.SimpleNamespace(enterContext=cls.enterClassContext, addCleanup=cls.addClassCleanup)
        cls.a = NetworkDaemon(life, 21)
        cls.b = NetworkDaemon(life, 22, bootstrap=[cls.a])
        cls.c = NetworkDaemon(life, 23, bootstrap=[cls.a])
        for daemon in (cls.a, cls.b, cls.c):
            if not wait_for(lambda: knows(daemon, 2)):  # pylint: disable=cell-var-from-loop
                raise AssertionError("the daemons do not find each other")

    def test_what_one_puts_another_gets(self):
        put = self.a.leither("dht", "put", "Bakers' Row meets on Friday")
        self.assertEqual(put["copies"], 2)
        got = self.c.leither("dht", "get", put["target"])
        self.assertEqual(got["text"], "Bakers' Row meets on Friday")
        text = self.c.run_leither("dht", "get", put["target"]).stdout
        self.assertRegex(text, r"(?m)^value: +Bakers' Row meets on Friday$")
        in_hex = self.c.run_leither("dht", "get", put["target"], "--hex").stdout
        self.assertIn(b"Bakers' Row meets on Friday".hex(), in_hex)

    def test_files_and_hex_are_stored_as_they_are(self):
        content = bytes(range(256))
        path = os.path.join(self.a.data_dir, "content")
        with open(path, "wb") as file:
            file.write(content)
        by_file = self.a.leither("dht", "put", "--file", path)
        by_hex = self.a.leither("dht", "put", "--hex", content.hex())
        self.assertEqual(by_file["target"], by_hex["target"])
        got = self.b.leither("dht", "get", by_file["target"])
        self.assertEqual((got["content"], got["text"]), (content.hex(), None))

    def test_a_mutable_item_is_replaced_and_a_stale_one_refused(self):
        self.a.leither("key", "new", "anna")
        key = self.a.leither("key", "show", "anna")["key"]
        slot = ("--key", "anna", "--salt", "notice")
        first = self.a.leither("dht", "put", "open", *slot)
        self.assertEqual((first["seq"], first["copies"], first["key"]), (1, 2, key))
        # Another reader needs the public key alone.
        read = ("dht", "get", "--key", key, "--salt", "notice")
        got = self.b.leither(*read)
        self.assertEqual((got["text"], got["seq"], got["signature_valid"]), ("open", 1, True))
        second = self.a.leither("dht", "put", "shut", *slot)
        self.assertEqual(second["seq"], 2)
        got = self.c.leither(*read)
        self.assertEqual((got["text"], got["seq"]), ("shut", 2))
        self.assertEqual(self.a.refusal("dht", "put", "old", *slot, "--seq", "1"), (1, "sequence_too_low"))
        self.assertEqual(self.a.refusal("dht", "put", "new", *slot, "--seq", "9", "--cas", "1"), (1, "cas_mismatch"))
        self.a.leither("dht", "put", "new", *slot, "--seq", "9", "--cas", "2")
        self.assertEqual(self.b.leither(*read)["seq"], 9)
        self.assertEqual(self.b.refusal("dht", "get", "--key", key), (1, "not_found"))

    def test_a_client_of_the_api_signs_with_a_key_the_daemon_never_sees(self):
        writer = key_from("dht", "writer")
        value = b"5:hello"
        signature = writer.sign(b"4:salt2:ab3:seqi7e1:v" + value)
        order = {"key": writer.public.hex(), "salt": b"ab".hex(), "seq": 7, "value": value.hex(),
                 "signature": signature.hex()}
        self.assertEqual(self.b.rpc.call("dht.put_signed", **order)["copies"], 2)
        got = self.c.rpc.call("dht.get", key=writer.public.hex(), salt=b"ab".hex())
        self.assertEqual((got["text"], got["seq"], got["signature"]), ("hello", 7, signature.hex()))
        with self.assertRaises(RpcError) as caught:
            self.b.rpc.call("dht.put_signed", **{**order, "seq": 8})
        self.assertEqual((caught.exception.code, caught.exception.name), (-32602, "bad_signature"))

    def test_who_announces_is_found_by_the_others(self):
        info_hash = "c0ffee" + "0" * 34
        self.assertEqual(self.c.refusal("dht", "peers", info_hash), (1, "not_found"))
        self.assertEqual(self.a.leither("dht", "announce", info_hash, "--port", "4242")["copies"], 2)
        self.assertEqual(self.c.leither("dht", "peers", info_hash)["peers"], ["127.7.21.1:4242"])
        self.b.leither("dht", "announce", info_hash)
        peers = self.c.leither("dht", "peers", info_hash)["peers"]
        self.assertEqual(set(peers), {"127.7.21.1:4242", "127.7.22.1:7400"})
        self.assertIn("127.7.21.1:4242\n", self.c.run_leither("dht", "peers", info_hash).stdout)

    def test_a_lookup_names_the_others_nearest_first(self):
        found = self.a.leither("dht", "lookup", UNKNOWN)
        self.assertEqual({node["address"] for node in found["nodes"]}, {"127.7.22.1:7400", "127.7.23.1:7400"})
        distances = [int(node["id"], 16) ^ int(UNKNOWN, 16) for node in found["nodes"]]
        self.assertEqual(distances, sorted(distances))
        self.assertEqual([node["distance_bits"] for node in found["nodes"]], [d.bit_length() for d in distances])
        lines = self.a.run_leither("dht", "lookup", UNKNOWN).stdout.splitlines()
        self.assertRegex(lines[0], r"^NODE +ADDRESS +DISTANCE BITS +RTT MS$")
        self.assertEqual(len(lines), 4)

    def test_what_nobody_has_is_not_found(self):
        self.assertEqual(self.a.refusal("dht", "get", UNKNOWN), (1, "not_found"))

    def test_a_wrong_command_line_is_told_what_is_right(self):
        table = [
            (["get"], "target_or_key"), (["get", UNKNOWN, "--key", "anna"], "target_or_key"),
            (["get", UNKNOWN, "--salt", "x"], "target_or_key"), (["get", "12"], "bad_id"),
            (["get", "--key", "0" * 64, "--salt", "x" * 65], "salt_too_big"), (["put"], "text_or_file"),
            (["put", "x", "--file", "y"], "text_or_file"), (["put", "x" * 991], "value_too_big"),
            (["put", "--hex", "abc"], "bad_hex"), (["put", "x", "--seq", "1"], "needs_key"),
            (["put", "x", "--salt", "s"], "needs_key"), (["lookup", "z" * 40], "bad_id"),
            (["announce", "12"], "bad_id"), (["peers", "12"], "bad_id"),
            (["announce", UNKNOWN, "--port", "0"], ""), (["put", "x", "--seq", "-1"], ""),
            (["put", "x", "--key", "anna", "--seq", str(2**53)], ""),
            (["put", "x", "--key", "anna", "--cas", "-1"], ""), (["put", "x", "--key", "anna", "--cas", str(2**53)], ""),
            (["announce", UNKNOWN, "--port", "65536"], ""), ([], ""),
        ]
        for words, name in table:
            with self.subTest(words=words):
                self.assertEqual(self.a.refusal("dht", *words), (2, name))
        self.assertEqual(self.a.refusal("dht", "put", "x", "--key", "nobody"), (4, "not_found"))
        self.assertEqual(self.a.refusal("dht", "put", "--file", "/nowhere/at/all"), (4, "bad_file"))
        self.assertEqual(self.a.refusal("dht", "put", "--file", self.a.data_dir), (4, "bad_file"))

    def test_each_command_helps_with_an_example(self):
        for verb in ("status", "get", "put", "lookup", "announce", "peers"):
            done = self.a.run_leither("dht", verb, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn(f"leither dht {verb}", done.stdout.split("Example")[1])

    def test_the_longest_text_is_stored(self):
        put = self.a.leither("dht", "put", "x" * 990)
        self.assertEqual(self.b.leither("dht", "get", put["target"])["text"], "x" * 990)

    def test_status_and_metrics_tell_the_same(self):
        self.a.leither("dht", "put", "counted")
        status = self.a.leither("dht", "status")
        self.assertEqual((status["ready"], status["role"], status["network"]), (True, "member", "separate"))
        self.assertEqual(status["nodes_v4"], 2)
        self.assertEqual(sum(bucket["nodes"] for bucket in status["buckets_v4"]), 2)
        self.assertGreaterEqual(status["store"]["items"], 1)
        self.assertGreater(status["traffic"]["datagrams_in"], 0)
        text = self.a.run_leither("dht", "status").stdout
        self.assertRegex(text, r"(?m)^nodes: +2 by IPv4, 0 by IPv6$")
        self.assertRegex(text, r"(?m)^FAMILY +BITS SHARED +NODES +PLACES +WAITING$")
        code, metrics = self.a.rpc.get("/metrics")
        self.assertEqual(code, 200)
        samples = dict(line.rsplit(" ", 1) for line in metrics.splitlines() if not line.startswith("#"))
        self.assertEqual(samples['leither_dht_nodes{family="v4"}'], "2")
        self.assertGreaterEqual(int(samples['leither_dht_bytes_total{direction="in"}']), status["traffic"]["bytes_in"])
        # The line carries what the DHT does, and nothing else here.
        self.assertGreaterEqual(int(samples['leither_traffic_month_bytes{direction="down"}']),
                                status["traffic"]["bytes_in"])
        self.assertEqual(samples["leither_traffic_month_max_bytes"], "0")
        self.assertEqual(samples['leither_peer_connections{direction="inbound"}'], "0")


class Alone(unittest.TestCase):
    def test_a_node_that_knows_nobody_says_what_to_configure(self):
        daemon = NetworkDaemon(self, 24)
        done = daemon.run_leither("dht", "put", "into the void")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no_nodes", done.stderr)
        self.assertIn("dht.bootstrap", done.stderr)

    def test_a_node_without_network_says_so(self):
        daemon = Daemon(self.enterContext(scratch_dir()))
        self.addCleanup(daemon.end)
        daemon.start()
        for words in (["status"], ["get", UNKNOWN], ["put", "x"], ["lookup", UNKNOWN], ["peers", UNKNOWN]):
            self.assertEqual(daemon.refusal("dht", *words), (1, "no_network"))
        self.assertNotIn("leither_dht", daemon.rpc.get("/metrics")[1])


if __name__ == "__main__":
    unittest.main()
