"""A member's daemon keeps the receipts of its payments by itself, through kill -9 and absence."""

import os
import unittest

from harness.daemon import leither, scratch_dir
from harness.network import NetworkDaemon, wait_for

BASE = 240
MEET_SECONDS = 60
SEAL_SECONDS = 30


class KeptReceipts(unittest.TestCase):
    def setUp(self):
        self.founder = NetworkDaemon(self, BASE)
        self.node = NetworkDaemon(self, BASE + 1, bootstrap=[self.founder])
        self.scratch = self.enterContext(scratch_dir())
        self.wallet = os.path.join(self.scratch, "wallet")
        organization = self.leither(self.founder, "org", "create", "--name", "Mill",
                                    "--param", "publicity_pulses=0")["id"]
        self.leither(self.founder, "org", "publish")
        for name in ("anna", "ben"):
            self.leither(self.founder, "key", "new", name)
            self.leither(self.founder, "member", "add", name)
        self.leither(self.founder, "reward", "anna", "1000", "--reason", "grinding")
        self.leither(self.node, "org", "follow", organization)
        self.leither(self.node, "node", "serve", "ben")
        self.assertTrue(wait_for(lambda: len(self.kept("ben")) >= 1, MEET_SECONDS), self.logs())

    def leither(self, node, *words):
        return node.leither("--wallet", self.wallet, *words)

    def logs(self):
        return "\n".join(f"--- {node.endpoint[0]}\n{node.log_tail()}" for node in (self.founder, self.node))

    def kept(self, name):
        if self.node.rpc.call("node.status")["organization"] is None:
            return []
        return self.leither(self.node, "receipt", "list", name)["items"]

    def pay(self, amount):
        return self.leither(self.founder, "pay", "ben", str(amount), "--from", "anna")["id"]

    def has(self, transaction):
        return any(one["id"] == transaction for item in self.kept("ben") for one in item["transactions"])

    def until_kept(self, transactions):
        self.assertTrue(wait_for(lambda: all(map(self.has, transactions)), SEAL_SECONDS), self.logs())

    def test_payments_made_elsewhere_leave_receipts_that_outlive_everything(self):
        paid = [self.pay(amount) for amount in (5, 7)]
        self.until_kept(paid)
        # While it is away, the payee's node learns of nothing.
        self.node.kill()
        missed = [self.pay(amount) for amount in (11, 13)]
        self.node.start()
        self.until_kept(paid + missed)
        files = []
        for number, transaction in enumerate(paid + missed):
            files.append(os.path.join(self.scratch, f"{number}.json"))
            self.leither(self.node, "receipt", "export", transaction, "--out", files[-1])
        # The payer's side was kept where the payer signs.
        payers = self.leither(self.founder, "receipt", "export", paid[0], "--account", "anna", "--out",
                              os.path.join(self.scratch, "anna.json"))
        self.assertTrue(payers["file"].endswith("anna.json"))
        self.founder.stop()
        self.node.stop()
        for path, balance in zip(files, ("5.00", "12.00", "23.00", "36.00")):
            done = leither("receipt", "verify", path, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn(f"held {balance} ", done.stdout)
        # Of a transaction that nobody here knows there is none.
        self.node.start()
        refused = self.node.refusal("--wallet", self.wallet, "receipt", "export", "ab" * 32)
        self.assertEqual(refused, (1, "not_found"))


if __name__ == "__main__":
    unittest.main()
