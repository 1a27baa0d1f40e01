"""The only bookkeeper's machine is gone: members' daemons put another in its place, by the commands of their operators."""

import os
import unittest

from harness.daemon import scratch_dir
from harness.network import NetworkDaemon, wait_for

BASE = 291
PULSE_MS = 100
SILENT_SECONDS = 300 * PULSE_MS / 1000
MEET_SECONDS = 90
COMMIT_SECONDS = 30
MEMBERS = ("anna", "ben", "cleo")


class HandOver(unittest.TestCase):
    def setUp(self):
        self.founder = NetworkDaemon(self, BASE)
        self.nodes = [NetworkDaemon(self, BASE + 1 + n, bootstrap=[self.founder]) for n in range(len(MEMBERS))]
        self.wallet = os.path.join(self.enterContext(scratch_dir()), "wallet")
        organization = self.leither(self.founder, "org", "create", "--name", "Mill", "--param", "publicity_pulses=0",
                                    "--param", f"pulse_ms={PULSE_MS}")["id"]
        self.leither(self.founder, "org", "publish")
        for name, node in zip(MEMBERS, self.nodes):
            self.leither(self.founder, "key", "new", name)
            self.leither(self.founder, "member", "add", name)
            self.leither(self.founder, "reward", name, "1000", "--reason", "grinding")
            self.leither(node, "org", "follow", organization)
            self.assertTrue(wait_for(lambda: node.rpc.call("node.status")["network"]["organization"]["manifest"],
                                     MEET_SECONDS), self.logs())
            self.leither(node, "node", "serve", name)
        self.assertTrue(wait_for(lambda: all(self.members(node) == len(MEMBERS) + 1 for node in self.nodes),
                                 MEET_SECONDS), self.logs())
        for name, node in zip(MEMBERS, self.nodes):
            self.leither(node, "pledge", "500", "--from", name)
        self.assertTrue(wait_for(self.agreed, COMMIT_SECONDS), self.logs())

    def leither(self, node, *words):
        return node.leither("--wallet", self.wallet, *words)

    def refused(self, node, *words):
        done = node.run_leither("--wallet", self.wallet, *words)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return done.stderr

    def ledger(self, node):
        return node.rpc.call("node.status")["organization"]

    def members(self, node):
        known = self.ledger(node)
        return known and known["members"]

    def agreed(self, nodes=None, at_least=0):
        heads = [self.ledger(node) for node in nodes or [*self.nodes, self.founder]]
        if None in heads or len({(head["sequence"], head["root"]["hash"]) for head in heads}) > 1:
            return None
        return heads[0]["sequence"] if heads[0]["sequence"] >= at_least else None

    def logs(self):
        return "\n".join(f"--- {node.endpoint[0]}\n{node.log_tail()}" for node in [self.founder, *self.nodes])

    def test_members_replace_their_only_bookkeeper_and_it_follows_when_it_returns(self):
        anna, ben, cleo = self.nodes
        last = self.agreed()
        seat = f"anna:{anna.rpc.call('node.status')['node_key']}"
        self.assertIn("not_silent", self.refused(ben, "takeover", "sign", "--seat", seat))
        self.founder.kill()
        silent = lambda: (lambda said: said["pulse"] > said["hand_over_from"])(self.leither(ben, "takeover", "status"))
        self.assertTrue(wait_for(silent, SILENT_SECONDS + 10), self.logs())

        self.assertIn("bad_seat", self.refused(ben, "takeover", "sign", "--seat", "anna"))
        words = [self.leither(node, "takeover", "sign", "--seat", seat)["signature"] for node in (ben, cleo)]
        self.assertIn("has signed", ben.run_leither("--wallet", self.wallet, "takeover", "status").stdout)
        one = ["--seat", seat, "--signature", words[0]]
        self.assertIn("too_few_countersignatures", self.refused(cleo, "takeover", "hand-over", *one))
        self.assertIn("bad_signature_text", self.refused(cleo, "takeover", "hand-over", *one, "--signature", "leither:x"))
        # Who has signed stays at its word; the act may be given to any node.
        ben.kill()
        ben.start()
        self.assertTrue(self.leither(ben, "takeover", "status")["yielded"])
        self.leither(cleo, "takeover", "hand-over", *one, "--signature", words[1])
        self.assertTrue(wait_for(lambda: self.agreed(self.nodes, last + 1), COMMIT_SECONDS), self.logs())
        self.assertEqual(self.leither(anna, "committee")["seat"], 0)
        self.leither(ben, "pay", "cleo", "1", "--from", "ben")

        # It comes back with what it has in mind, and hears first.
        self.founder.start()
        self.leither(self.founder, "pay", "anna", "2", "--from", "cleo", "--no-wait")
        self.assertTrue(wait_for(lambda: self.agreed(at_least=last + 3), MEET_SECONDS), self.logs())
        self.assertIsNone(self.leither(self.founder, "committee")["seat"])
        for node in [self.founder, *self.nodes]:
            node.stop()
            self.assertIn("The ledger holds", node.verify())


if __name__ == "__main__":
    unittest.main()
