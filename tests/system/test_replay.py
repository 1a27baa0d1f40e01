"""Histories, from signed request to verified receipt, through the public API: real ones, and one of our own."""

import csv
import json
import os
import random
import subprocess
import time
import unittest

from harness.daemon import LEITHER, leither, scratch_dir, shared_data
from harness.network import NetworkDaemon, wait_for


def write_csv(path, header, rows):
    with open(path, "w", encoding="ascii", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_history(folder, accounts, rows, seed=11):
    """A random affordable history with self-payments and unfunded accounts; how many self-payments it has."""
    prng = random.Random(seed)
    names = [prng.randbytes(20).hex() for _ in range(accounts)]
    balances = {name: prng.choice([0, 1, 10 ** 6, 10 ** 12]) for name in names}
    write_csv(os.path.join(folder, "balances.csv"), ["account_hex20", "balance_uint64"], sorted(balances.items()))
    transfers, self_payments = [], 0
    while len(transfers) < rows:
        payer = prng.choice([name for name in names if balances[name]])
        payee = prng.choice(names)
        amount = prng.randint(1, balances[payer])
        self_payments += payer == payee
        balances[payer] -= amount
        balances[payee] += amount
        transfers.append([len(transfers) // 7, len(transfers) % 7, payer, payee, amount])
    write_csv(os.path.join(folder, "transfers.csv"),
              ["time_or_block", "tx_index", "payer_hex20", "payee_hex20", "amount_uint64"], transfers)
    write_csv(os.path.join(folder, "expected.csv"), ["account_hex20", "balance_uint64"], sorted(balances.items()))
    return self_payments


class RealHistories(unittest.TestCase):
    def replay(self, name):
        folder = os.path.join(shared_data() or "", "transfers", name)
        if not os.path.isdir(folder):
            self.skipTest("no shared histories beside this clone")
        summary = json.loads(leither("replay", folder, "--json").stdout)
        with open(os.path.join(folder, "stats.json"), encoding="utf-8") as file:
            stats = json.load(file)
        self.assertEqual(summary["mismatches"], 0)
        self.assertEqual(summary["committed"], stats["rows"] - stats["self_payments"])

    def test_g1_libre_currency(self):
        self.replay("g1_libre_currency")

    def test_xrp_ledger(self):
        self.replay("xrp_ledger")


class HistoryOfOurOwn(unittest.TestCase):
    def test_it_ends_in_the_balances_expected(self):
        with scratch_dir() as folder:
            self_payments = write_history(folder, accounts=40, rows=300)
            summary = json.loads(leither("replay", folder, "--json").stdout)
        self.assertEqual((summary["mismatches"], summary["committed"]), (0, 300 - self_payments))
        self.assertEqual(summary["refused"].get("self_payment", 0), self_payments)

    def test_a_wrong_expectation_is_a_failure(self):
        with scratch_dir() as folder:
            write_history(folder, accounts=10, rows=20)
            path = os.path.join(folder, "expected.csv")
            with open(path, encoding="ascii") as file:
                lines = file.read().splitlines()
            account, balance = lines[1].split(",")
            lines[1] = f"{account},{int(balance) + 1}"
            with open(path, "w", encoding="ascii") as file:
                file.write("\n".join(lines) + "\n")
            done = leither("replay", folder, "--json", check=False)
        self.assertNotEqual(done.returncode, 0)
        summary, _ = json.JSONDecoder().raw_decode(done.stdout)
        self.assertEqual(summary["mismatches"], 1)

    def test_a_folder_that_is_none_is_named(self):
        done = leither("replay", "no/such/folder", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no/such/folder", done.stderr)


class SeveralDaemons(unittest.TestCase):
    def setUp(self):
        first = NetworkDaemon(self, 216)
        self.nodes = [first] + [NetworkDaemon(self, 216 + number, bootstrap=[first]) for number in range(1, 4)]

    def replay(self, *words):
        further = [word for node in self.nodes[1:] for word in ("--also", node.data_dir)]
        return subprocess.Popen([LEITHER, "--data-dir", self.nodes[0].data_dir, "--json", "replay", *words, *further],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def summary(self, process):
        out, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, out + err + self.nodes[1].log_tail())
        return json.loads(out)

    def test_payers_spend_at_one_what_they_were_paid_at_another(self):
        with scratch_dir() as folder:
            self_payments = write_history(folder, accounts=20, rows=40)
            summary = self.summary(self.replay(folder))
        self.assertEqual((summary["mismatches"], summary["committed"], summary["daemons"]), (0, 40 - self_payments, 4))

    def test_one_is_killed_and_its_payers_pay_at_the_others(self):
        process = self.replay("--generate", "community:3:200", "--rate", "20")
        chief = self.nodes[0]
        self.assertTrue(wait_for(lambda: (self.status(self.nodes[1]) or {}).get("members", 0) > 50, 60), "nobody has joined")
        joined = self.status(self.nodes[1])["sequence"]
        self.assertTrue(wait_for(lambda: self.status(self.nodes[1])["sequence"] >= joined + 4, 60), "nothing is paid")
        chief.kill()
        time.sleep(2)
        chief.start()
        summary = self.summary(process)
        self.assertEqual((summary["mismatches"], summary["committed"], summary["daemons"]), (0, 200, 4))
        self.assertGreaterEqual(summary["reconnects"], 1)

    @staticmethod
    def status(node):
        return node.rpc.call("node.status")["organization"]


if __name__ == "__main__":
    unittest.main()
