"""Payments that one bookkeeper decides and members' nodes countersign, with real daemons."""

import os
import unittest

from harness.daemon import scratch_dir
from harness.network import NetworkDaemon, wait_for

MEET_SECONDS = 90
FINAL_SECONDS = 60


class Countersigned(unittest.TestCase):
    """A bookkeeper's daemon, and those of anna, ben and cleo."""

    def setUp(self):
        first = NetworkDaemon(self, 270)
        self.nodes = [first] + [NetworkDaemon(self, 270 + n, bootstrap=[first]) for n in range(1, 4)]
        self.wallet = os.path.join(self.enterContext(scratch_dir()), "wallet")
        organization = self.leither(first, "org", "create", "--name", "Mill", "--param", "publicity_pulses=0")["id"]
        self.leither(first, "org", "publish")
        for name in ("anna", "ben", "cleo"):
            self.leither(first, "key", "new", name)
            self.leither(first, "member", "add", name)
        self.leither(first, "reward", "anna", "100", "--reason", "grinding")
        for node, name in zip(self.nodes[1:], ("anna", "ben", "cleo")):
            self.leither(node, "org", "follow", organization)
            self.assertTrue(wait_for(lambda: node.rpc.call("node.status")["network"]["organization"]["manifest"],
                                     MEET_SECONDS), self.logs())
            self.leither(node, "node", "serve", name)
        self.assertTrue(wait_for(lambda: all(self.ledger(node) for node in self.nodes), MEET_SECONDS), self.logs())

    def leither(self, node, *words, **options):
        return node.leither("--wallet", self.wallet, *words, **options)

    def said(self, node, *words):
        return node.run_leither("--wallet", self.wallet, *words).stdout

    def ledger(self, node):
        return node.rpc.call("node.status")["organization"]

    def logs(self):
        return "\n".join(f"--- {node.endpoint[0]}\n{node.log_tail()}" for node in self.nodes)

    def test_a_payment_is_secured_with_two_members_nodes_and_not_with_one(self):
        # A first one, so that all are known to be there and in step.
        paid = self.leither(self.nodes[1], "pay", "ben", "1", "--from", "anna")
        everywhere = lambda: all(self.ledger(node)["final_sequence"] >= paid["sequence"] for node in self.nodes)
        self.assertTrue(wait_for(everywhere, MEET_SECONDS), self.logs())

        paid = self.leither(self.nodes[1], "pay", "ben", "2", "--from", "anna", "--until", "secured")
        self.assertIn(paid["state"], ("secured", "settled"))
        self.assertGreaterEqual(paid["finality"]["countersigned"], 2)
        self.assertFalse(paid["finality"]["certified"])
        # Without publicity what is secured is settled at once.
        self.assertIn("is settled in sequence", self.said(self.nodes[1], "transaction", "show", paid["id"], "--signer", "anna"))
        self.assertIn("all of it; ", self.said(self.nodes[1], "node", "status"))
        _, metrics = self.nodes[1].rpc.get("/metrics", Authorization=f"Bearer {self.nodes[1].rpc.cookie}")
        self.assertIn('leither_countersigning_nodes{state="dissenting"} 0', metrics)
        self.assertIn(f"leither_final_sequence {paid['sequence']}", metrics)

        for node in self.nodes[2:]:
            node.kill()
        paid = self.leither(self.nodes[1], "pay", "ben", "3", "--from", "anna")
        self.assertEqual(paid["state"], "committed", paid)
        self.assertIn("not secured", self.said(self.nodes[1], "transaction", "show", paid["id"]))
        self.assertLess(self.ledger(self.nodes[1])["final_sequence"], paid["sequence"])

        self.nodes[2].start()
        again = lambda: self.nodes[1].rpc.call("transaction.status", id=paid["id"])["state"] in ("secured", "settled")
        self.assertTrue(wait_for(again, FINAL_SECONDS), self.logs())


if __name__ == "__main__":
    unittest.main()
