"""Members pledge; their daemons are elected, take office and earn, by themselves."""

import os
import unittest

from harness.daemon import scratch_dir
from harness.network import NetworkDaemon, wait_for

# The shortest cycle there is, in short pulses: reveals from 20 to 2 pulses before its end.
CYCLE_PULSES = 60
PULSE_MS = 250
CYCLE_SECONDS = CYCLE_PULSES * PULSE_MS / 1000
BASE = 210
MEET_SECONDS = 60
COMMIT_SECONDS = 30
MEMBERS = ("anna", "ben", "cleo", "dora")


class Elected(unittest.TestCase):
    def setUp(self):
        self.founder = NetworkDaemon(self, BASE)
        self.nodes = [NetworkDaemon(self, BASE + 1 + n, bootstrap=[self.founder]) for n in range(len(MEMBERS))]
        self.wallet = os.path.join(self.enterContext(scratch_dir()), "wallet")
        params = {"publicity_pulses": 0, "pulse_ms": PULSE_MS, "cycle_pulses": CYCLE_PULSES,
                  "mining_reward_per_cycle": 40_000}
        words = [word for name, value in params.items() for word in ("--param", f"{name}={value}")]
        organization = self.leither(self.founder, "org", "create", "--name", "Mill", *words)["id"]
        self.leither(self.founder, "org", "publish")
        for name, node in zip(MEMBERS, self.nodes):
            self.leither(self.founder, "key", "new", name)
            self.leither(self.founder, "member", "add", name)
            self.leither(self.founder, "reward", name, "1000", "--reason", "grinding")
            self.leither(node, "org", "follow", organization)
            self.leither(node, "node", "serve", name)
        self.assertTrue(wait_for(lambda: all(self.has_ledger(node) for node in self.nodes), MEET_SECONDS), self.logs())

    def leither(self, node, *words):
        return node.leither("--wallet", self.wallet, *words)

    def has_ledger(self, node):
        known = node.rpc.call("node.status")["organization"]
        return known is not None and known["members"] == len(MEMBERS) + 1

    def committee(self, node):
        return self.leither(node, "committee")

    def votes(self, node):
        committee = self.committee(node)
        return committee["seat"] is not None and committee["silence"] == "none"

    def balance(self, name):
        return int(self.leither(self.nodes[0], "balance", name)["record"]["balance"])

    def agreed(self):
        heads = [node.rpc.call("node.status")["organization"] for node in self.nodes]
        return len({(head["sequence"], head["root"]["hash"]) for head in heads}) == 1

    def logs(self):
        return "\n".join(f"--- {node.endpoint[0]}\n{node.log_tail()}" for node in [self.founder, *self.nodes])

    def test_a_whole_change_of_the_committee(self):
        for name, node in zip(MEMBERS, self.nodes):
            self.leither(node, "pledge", "500", "--from", name)
            self.assertEqual(self.committee(node)["candidacy"]["pledge"], "50000")
        stand = wait_for(lambda: len(self.committee(self.founder)["candidates"]) == len(MEMBERS), COMMIT_SECONDS)
        self.assertTrue(stand, self.logs())

        # Elected, not yet in office: one is killed, and keeps the key of its seat.
        elected = wait_for(lambda: len(self.committee(self.nodes[1])["after_next"]["seats"]) == 4, 3 * CYCLE_SECONDS)
        self.assertTrue(elected, self.logs())
        self.nodes[1].kill()
        self.nodes[1].start()
        in_office = wait_for(lambda: all(self.votes(node) for node in self.nodes), 5 * CYCLE_SECONDS)
        self.assertTrue(in_office, self.logs())

        self.founder.kill()
        before = [self.balance(name) for name in MEMBERS]
        for node in self.nodes:
            self.leither(node, "pay", "ben", "1", "--from", "anna")
        self.assertTrue(wait_for(self.agreed, COMMIT_SECONDS), self.logs())
        # What they decide withstands a liar among them, unlike what the founder's node has decided.
        rpc = self.nodes[0].rpc
        head = rpc.call("block.get", sequence=rpc.call("node.status")["organization"]["sequence"])
        self.assertGreaterEqual(len(head["signers"]), 3)
        self.assertFalse(head["trusted"])
        self.assertTrue(rpc.call("block.get", sequence=1)["trusted"])
        # Each has earned its part, whatever was paid.
        paid = (-400, 400, 0, 0)
        earned = wait_for(lambda: all(self.balance(name) > one + change
                                      for name, one, change in zip(MEMBERS, before, paid)), 3 * CYCLE_SECONDS)
        self.assertTrue(earned, self.logs())
        self.assertTrue(all(self.votes(node) for node in self.nodes), self.logs())
        self.leither(self.nodes[3], "release", "--from", "dora")
        self.assertIsNone(self.committee(self.nodes[3])["candidacy"])
        for node in self.nodes:
            node.stop()
            self.assertIn("The ledger holds", node.verify())


if __name__ == "__main__":
    unittest.main()
