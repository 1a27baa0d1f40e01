"""Members on three nodes write to each other and talk, over real sockets and restarts."""

import os
import subprocess
import unittest

from harness.daemon import LEITHER, scratch_dir
from harness.network import NetworkDaemon, wait_for

PATIENCE_SECONDS = 60


class Village(unittest.TestCase):
    """A founds and keeps the ledger; B and C follow. anna, ben and cleo are members, each at one node."""

    villages = 0

    def setUp(self):
        Village.villages += 1
        base = 30 + 4 * Village.villages
        self.a = NetworkDaemon(self, base)
        self.b = NetworkDaemon(self, base + 1, bootstrap=[self.a])
        self.c = NetworkDaemon(self, base + 2, bootstrap=[self.a, self.b])
        self.wallet = os.path.join(self.enterContext(scratch_dir()), "wallet")
        organization = self.leither(self.a, "org", "create", "--name", "Mill", "--param", "pulse_ms=500")["id"]
        self.accounts = {}
        for name in ("anna", "ben", "cleo"):
            self.accounts[name] = self.leither(self.a, "key", "new", name)["account"]
            self.leither(self.a, "member", "add", name)
        self.leither(self.a, "org", "publish")
        for daemon in (self.b, self.c):
            self.leither(daemon, "org", "follow", organization)
        self.assertTrue(wait_for(lambda: self.leither(self.b, "peers") and self.leither(self.c, "peers")))

    def run_leither(self, daemon, *words, **options):
        return daemon.run_leither("--wallet", self.wallet, *words, **options)

    def leither(self, daemon, *words, **options):
        return daemon.leither("--wallet", self.wallet, *words, **options)

    def refusal(self, daemon, *words):
        return daemon.refusal("--wallet", self.wallet, *words)

    def incoming(self, daemon, name):
        return self.leither(daemon, "message", "list", name)["incoming"]

    def outgoing(self, daemon):
        return self.leither(daemon, "message", "list")["outgoing"]

    def said(self, daemon):
        return [line["text"] for line in self.leither(daemon, "chat", "read")]

    def serve_all(self):
        for daemon, name in ((self.a, "anna"), (self.b, "ben"), (self.c, "cleo")):
            self.leither(daemon, "node", "serve", name)
        accounts = lambda daemon: daemon.rpc.call("node.status")["network"]["organization"]
        everybody = (self.a, self.b, self.c)
        self.assertTrue(wait_for(lambda: all(accounts(one)["accounts"][0]["member"] for one in everybody)))
        self.assertTrue(wait_for(lambda: all(accounts(one)["members_nodes"] >= 2 for one in everybody)))
        self.assertTrue(wait_for(lambda: all(len(self.leither(one, "peers")) >= 2 for one in everybody)))


class Messages(Village):
    def test_a_message_waits_with_others_for_one_who_is_away(self):
        self.serve_all()
        self.b.stop()
        posted = self.leither(self.a, "message", "send", "ben", "Bread at six", "--from", "anna")
        self.assertTrue(wait_for(lambda: self.outgoing(self.a)[0]["state"] == "held"), self.outgoing(self.a))
        self.assertEqual(self.outgoing(self.a)[0]["holders"], 1)
        self.a.stop()
        self.b.start()
        arrived = wait_for(lambda: self.incoming(self.b, "ben"))
        self.assertTrue(arrived, "C has not handed the message over")
        self.assertEqual((arrived[0]["id"], arrived[0]["from"]), (posted["id"], self.accounts["anna"]))

        shown = self.leither(self.b, "message", "read", posted["id"][:8], "--forget")
        self.assertEqual((shown["text"], shown["from"]), ("Bread at six", self.accounts["anna"]))
        self.assertEqual(self.incoming(self.b, "ben"), [])
        self.assertEqual(self.refusal(self.b, "message", "read", posted["id"]), (1, "not_found"))

        self.a.start()
        self.assertTrue(wait_for(lambda: self.outgoing(self.a)[0]["state"] == "delivered"), self.outgoing(self.a))

    def test_what_cannot_be_sent_or_read_is_refused_by_name(self):
        send = ("message", "send")
        self.assertEqual(self.refusal(self.b, *send, "7" * 40, "hello", "--from", "ben"), (1, "unknown_account"))
        self.assertEqual(self.refusal(self.b, *send, "anna", "x" * 4097, "--from", "ben"), (2, "text_too_long"))
        self.assertEqual(self.refusal(self.b, *send, "anna", "--from", "ben"), (2, "which_text"))
        self.assertEqual(self.refusal(self.b, *send, "nobody", "hello", "--from", "ben"), (4, "not_found"))
        self.leither(self.b, "key", "new", "stranger")
        self.assertEqual(self.refusal(self.b, *send, "anna", "hello", "--from", "stranger"), (1, "not_a_member"))
        self.assertEqual(self.refusal(self.b, "chat", "send", "hello", "--from", "stranger"), (1, "not_a_member"))
        self.assertEqual(self.refusal(self.b, "chat", "send", "x" * 501, "--from", "ben"), (2, "text_too_long"))
        with self.assertRaises(Exception) as caught:
            self.b.rpc.call("message.inbox", account=self.accounts["cleo"])
        self.assertEqual(caught.exception.name, "not_served")

        # A message for ben at B, read with a wallet that has not ben's key.
        self.leither(self.b, "node", "serve", "ben")
        posted = self.leither(self.a, *send, "ben", "for you alone", "--from", "anna")
        self.assertTrue(wait_for(lambda: self.incoming(self.b, "ben")))
        own, self.wallet = self.wallet, os.path.join(self.b.data_dir, "other wallet")
        self.assertEqual(self.refusal(self.b, "message", "read", posted["id"]), (4, "wrong_recipient"))
        self.wallet = own
        self.assertEqual(self.leither(self.b, "message", "read", posted["id"])["text"], "for you alone")

    def test_nothing_in_a_message_acts_on_the_terminal(self):
        self.leither(self.a, "node", "serve", "anna")
        self.leither(self.a, "node", "serve", "ben")
        posted = self.leither(self.a, "message", "send", "ben", "--file", "-", "--from", "anna",
                              input="first\nsecond \x1b]0;owned\x07")
        shown = self.run_leither(self.a, "message", "read", posted["id"]).stdout
        self.assertIn("first\nsecond \\u{1b}]0;owned\\u{7}", shown)
        self.leither(self.a, "chat", "send", "one\ntwo\x1b[2J", "--from", "anna")
        shown = self.run_leither(self.a, "chat", "read").stdout
        self.assertIn("anna: one\\u{a}two\\u{1b}[2J", shown)


class Chat(Village):
    def test_what_is_said_anywhere_is_read_everywhere(self):
        follower = subprocess.Popen([LEITHER, "--data-dir", self.c.data_dir, "--wallet", self.wallet, "chat", "follow",
                                     "-n", "0", "--limit", "3"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(follower.stdout.close)
        self.addCleanup(follower.wait)
        self.addCleanup(follower.kill)
        said = []
        for daemon, name in ((self.a, "anna"), (self.b, "ben"), (self.c, "cleo")):
            said.append(f"{name} is here")
            self.leither(daemon, "chat", "send", said[-1], "--from", name)
            everybody = (self.a, self.b, self.c) if name == "cleo" else (daemon,)
            for reader in everybody:
                self.assertTrue(wait_for(lambda reader=reader: set(said) <= set(self.said(reader))), self.said(reader))
        lines, _ = follower.communicate(timeout=PATIENCE_SECONDS)
        self.assertEqual(follower.returncode, 0)
        self.assertEqual({line.split("UTC  ")[1] for line in lines.splitlines()},
                         {f"{name}: {name} is here" for name in ("anna", "ben", "cleo")})
        own = self.leither(self.b, "chat", "read", "--author", "cleo", "-n", "5")
        self.assertEqual([line["author"] for line in own], [self.accounts["cleo"]])


class Nodes(Village):
    def test_a_node_is_connected_to_by_its_address_and_banned_by_its_id(self):
        host, port = self.b.endpoint
        self.leither(self.c, "node", "connect", f"{host}:{port}")
        key = self.leither(self.b, "node", "status")["node_key"]
        peer = lambda: [one for one in self.leither(self.c, "peers") if one["node_key"] == key]
        found = wait_for(peer)
        self.assertTrue(found)
        self.leither(self.c, "node", "ban", found[0]["node"], "--hours", "1")
        self.assertTrue(wait_for(lambda: not peer()))
        self.assertEqual([ban["node"] for ban in self.leither(self.c, "node", "bans")], [found[0]["node"]])
        self.leither(self.c, "node", "ban", found[0]["node"], "--hours", "0")
        self.assertEqual(self.leither(self.c, "node", "bans"), [])
        self.assertEqual(self.refusal(self.c, "node", "connect", "nowhere"), (2, "bad_endpoint"))


if __name__ == "__main__":
    unittest.main()
