"""One ledger kept by several daemons, over real sockets, disks and kills."""

import json
import os
import time
import unittest

from harness.daemon import leither, scratch_dir
from harness.network import NetworkDaemon, wait_for

MEET_SECONDS = 60
COMMIT_SECONDS = 30


class Committee(unittest.TestCase):
    """`count` bookkeepers of the charter; anna, ben and cleo are members."""

    runs = 0

    def found(self, count):
        base = (120, 140, 160, 280)[Committee.runs]
        Committee.runs += 1
        first = NetworkDaemon(self, base)
        self.nodes = [first] + [NetworkDaemon(self, base + n, bootstrap=[first]) for n in range(1, count)]
        self.wallet = os.path.join(self.enterContext(scratch_dir()), "wallet")
        keys = [node.rpc.call("node.status")["node_key"] for node in self.nodes]
        others = [word for key in keys[1:] for word in ("--bookkeeper", key)]
        self.organization = self.leither(first, "org", "create", "--name", "Mill", "--param", "publicity_pulses=0",
                                         *others)["id"]
        self.leither(first, "org", "publish")
        for node in self.nodes[1:]:
            self.leither(node, "org", "follow", self.organization)
        self.assertTrue(wait_for(lambda: all(self.ledger(node) for node in self.nodes), MEET_SECONDS), self.logs())
        self.assertTrue(wait_for(lambda: all(len(node.rpc.call("network.peers")) == count - 1 for node in self.nodes),
                                 MEET_SECONDS), self.logs())
        for name in ("anna", "ben", "cleo"):
            self.leither(first, "key", "new", name)
            self.leither(first, "member", "add", name)
        self.leither(first, "reward", "anna", "100", "--reason", "grinding")

    def leither(self, node, *words, **options):
        return node.leither("--wallet", self.wallet, *words, **options)

    def ledger(self, node):
        return node.rpc.call("node.status")["organization"]

    def pay(self, node, amount, payer="anna", payee="ben"):
        """Returns once `node` has seen it committed."""
        return self.leither(node, "pay", payee, str(amount), "--from", payer)

    def agreed(self, nodes, at_least=0):
        """The head that all of these stand at, at this sequence or behind it; None if they do not."""
        heads = [self.ledger(node) for node in nodes]
        first = heads[0]
        same = all((head["sequence"], head["root"]) == (first["sequence"], first["root"]) for head in heads)
        return first if same and first["sequence"] >= at_least else None

    def logs(self):
        return "\n".join(f"--- {node.endpoint[0]}\n{node.log_tail()}" for node in self.nodes)


class FourBookkeepers(Committee):
    def test_members_pay_at_any_node_and_all_agree(self):
        self.found(4)
        for node in self.nodes:
            self.pay(node, 5)
        self.assertTrue(wait_for(lambda: self.agreed(self.nodes, 8), COMMIT_SECONDS), self.logs())
        for node in self.nodes:
            self.assertEqual(self.leither(node, "balance", "ben")["record"]["balance"], "2000")
            node.stop()
            self.assertIn("The ledger holds", node.verify())

    def test_the_chief_is_killed_and_comes_back(self):
        self.found(4)
        self.pay(self.nodes[1], 5)
        before = wait_for(lambda: self.agreed(self.nodes, 5), COMMIT_SECONDS)
        self.assertTrue(before, self.logs())
        self.nodes[0].kill()
        for _ in range(5):
            self.pay(self.nodes[2], 1)
        rest = wait_for(lambda: self.agreed(self.nodes[1:], before["sequence"] + 5), COMMIT_SECONDS)
        self.assertTrue(rest, self.logs())
        self.nodes[0].start()
        self.assertTrue(wait_for(lambda: self.agreed(self.nodes, rest["sequence"]), MEET_SECONDS), self.logs())
        self.pay(self.nodes[0], 1)
        self.assertTrue(wait_for(lambda: self.agreed(self.nodes, rest["sequence"] + 1), COMMIT_SECONDS), self.logs())

    def test_three_of_four_endorse_a_receipt_and_two_say_that_they_are_too_few(self):
        self.found(4)
        self.pay(self.nodes[1], 5)
        self.assertTrue(wait_for(lambda: self.agreed(self.nodes, 5), COMMIT_SECONDS), self.logs())
        path = os.path.join(os.path.dirname(self.wallet), "receipt.json")
        asked = self.nodes[2]
        self.leither(asked, "receipt", "export", "anna", "--out", path)
        facts = self.verified(path)
        self.assertEqual((facts["kind"], facts["balance"].split()[0]), ("endorsed", "95.00"))
        self.assertFalse(facts["trusted"])
        self.nodes[3].kill()
        self.leither(asked, "receipt", "export", "ben", "--out", path)
        self.assertEqual(self.verified(path)["balance"].split()[0], "5.00")
        self.nodes[1].kill()
        begun = time.monotonic()
        refused = asked.run_leither("--wallet", self.wallet, "--json", "receipt", "export", "anna", "--out", path)
        self.assertEqual(json.loads(refused.stdout)["error"]["name"], "too_few_endorsers", self.logs())
        self.assertRegex(refused.stdout, "2 of 4 bookkeepers have signed .* 3 are needed")
        self.assertLess(time.monotonic() - begun, COMMIT_SECONDS)

    def verified(self, path):
        return json.loads(leither("receipt", "verify", path, "--organization", self.organization, "--json").stdout)


class SevenBookkeepers(Committee):
    def test_two_may_be_gone_and_three_halt_it_without_a_fork(self):
        self.found(7)
        gone, rest = self.nodes[:2], self.nodes[2:]
        for node in gone:
            node.kill()
        for _ in range(3):
            self.pay(rest[0], 1)
        head = wait_for(lambda: self.agreed(rest, 7), COMMIT_SECONDS)
        self.assertTrue(head, self.logs())
        rest[4].kill()
        self.leither(rest[0], "pay", "ben", "1", "--from", "anna", "--no-wait")
        time.sleep(5)
        stuck = [self.ledger(node)["sequence"] for node in rest[:4]]
        self.assertEqual(stuck, 4 * [head["sequence"]], "four of seven are no quorum")
        for node in [*gone, rest[4]]:
            node.start()
        self.assertTrue(wait_for(lambda: self.agreed(self.nodes, head["sequence"] + 1), MEET_SECONDS), self.logs())


if __name__ == "__main__":
    unittest.main()
