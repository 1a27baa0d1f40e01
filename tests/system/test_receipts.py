"""Receipts prove themselves without a daemon; altered ones do not."""

import json
import os
import random
import re
import unittest

from harness.community import Community, submit, wait_until_empty
from harness.daemon import leither, start_for_class

REFUSED = 1
ALTERATIONS = 60


class ReceiptTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        start_for_class(cls)
        cls.community = Community(cls.daemon.rpc, accounts=30)
        transfers = cls.community.random_transfers(200)
        submit(cls.daemon.rpc, transfers)
        cls.head = wait_until_empty(cls.daemon.rpc)
        cls.present = cls.community.keys[0].id.hex()
        cls.receipts = {
            name: cls.export(name, account, at)
            for name, account, at in [("now", cls.present, None), ("at founding", cls.present, 0), ("absent", "ab" * 20, None)]
        }
        cls.balances = cls.community.balances_after(cls.community.transfers)
        cls.daemon.stop()

    @classmethod
    def export(cls, name, account, sequence):
        path = os.path.join(cls.scratch, name.replace(" ", "-") + ".json")
        at = ["--at", str(sequence)] if sequence is not None else []
        leither("receipt", "export", account, "--form", "full", *at, "--out", path, data_dir=cls.daemon.data_dir)
        return path

    def verify(self, path, *options):
        return leither("receipt", "verify", path, "--json", *options, check=False)

    def test_present_past_and_absent_accounts_are_proven_offline(self):
        for name, path in self.receipts.items():
            done = self.verify(path)
            self.assertEqual(done.returncode, 0, name + done.stdout + done.stderr)
        held = self.balances[bytes.fromhex(self.present)]
        self.assertIn(f'"{held // 100}.{held % 100:02} credit"', self.verify(self.receipts["now"]).stdout)
        self.assertIn('"10000.00 credit"', self.verify(self.receipts["at founding"]).stdout)
        self.assertIn('"nothing"', self.verify(self.receipts["absent"]).stdout)

    def test_another_organization_is_refused(self):
        self.assertEqual(self.verify(self.receipts["now"], "--organization", self.community.id).returncode, 0)
        self.assertEqual(self.verify(self.receipts["now"], "--organization", "00" * 20).returncode, REFUSED)

    def test_each_altered_receipt_is_refused(self):
        prng = random.Random(5)
        with open(self.receipts["now"], encoding="utf-8") as file:
            text = file.read()
        # The receipt's own bytes: the longest run of hexadecimal digits in the file.
        run = max(re.finditer(r"[0-9a-f]{64,}", text), key=lambda match: len(match.group(0)))
        path = os.path.join(self.scratch, "altered.json")
        for _ in range(ALTERATIONS):
            place = prng.randrange(run.start(), run.end())
            other = prng.choice([digit for digit in "0123456789abcdef" if digit != text[place]])
            with open(path, "w", encoding="utf-8") as file:
                file.write(text[:place] + other + text[place + 1:])
            done = self.verify(path)
            self.assertNotEqual(done.returncode, 0, f"digit {place - run.start()} altered, yet it verifies")
            self.assertIn("error", json.loads(done.stdout))

    def test_a_file_that_is_no_receipt_is_named(self):
        path = os.path.join(self.scratch, "none.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write("{}")
        self.assertNotEqual(self.verify(path).returncode, 0)
        self.assertNotEqual(self.verify(os.path.join(self.scratch, "missing.json")).returncode, 0)


if __name__ == "__main__":
    unittest.main()
