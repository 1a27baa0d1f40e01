"""kill -9 at random moments under load: nothing that was reported committed is lost, nothing is half done."""

import os
import random
import threading
import time
import unittest

from harness.community import Community, all_balances, committed_ids, submit
from harness.daemon import GONE, Daemon, scratch_dir

KILLS = int(os.environ.get("LEITHER_KILLS", "12"))
SEED = int(os.environ.get("LEITHER_SEED", "20250101"))
ACCOUNTS = 200
TRANSFERS_PER_ROUND = 3000
ALIVE_SECONDS_MAX = 1.2
REOPEN_SECONDS_MAX = 3.0


class Load(threading.Thread):
    """Submits transfers and watches blocks until the daemon dies. What it saw in a block was reported."""

    def __init__(self, rpc, transfers, first_sequence):
        super().__init__(daemon=True)
        self.rpc = rpc
        self.transfers = transfers
        self.next_sequence = first_sequence
        self.reported = []  # (sequence, block hash, ids)

    def run(self):
        try:
            for begin in range(0, len(self.transfers), 250):
                submit(self.rpc, self.transfers[begin:begin + 250])
                self.watch()
            while True:
                self.watch()
                time.sleep(0.005)
        except GONE:
            return  # killed

    def watch(self):
        head = self.rpc.call("node.status")["organization"]["sequence"]
        while self.next_sequence <= head:
            block = self.rpc.call("block.get", sequence=self.next_sequence)
            self.reported.append((self.next_sequence, block["hash"], block["transactions"]))
            self.next_sequence += 1


class KillTest(unittest.TestCase):
    def setUp(self):
        scratch = scratch_dir()
        self.daemon = Daemon(scratch.__enter__() + "/node")
        self.addCleanup(scratch.__exit__, None, None, None)
        self.addCleanup(self.daemon.end)
        os.mkdir(self.daemon.data_dir)
        self.prng = random.Random(SEED)

    def test_nothing_reported_is_ever_lost(self):
        self.daemon.start()
        community = Community(self.daemon.rpc, ACCOUNTS, seed=SEED)
        waiting = []
        committed = set()
        head = 0
        for kill in range(KILLS):
            with self.subTest(kill=kill, seed=SEED):
                missing = TRANSFERS_PER_ROUND - len(waiting)
                waiting += community.random_transfers(missing, self.prng)
                reported = self.load_and_kill(waiting, head + 1)
                head = self.reopen_and_compare(reported, head, committed)
                waiting = [transfer for transfer in waiting if transfer[1] not in committed]
        self.finish(community, waiting, head, committed)

    def load_and_kill(self, waiting, first_sequence):
        load = Load(self.daemon.rpc, waiting, first_sequence)
        load.start()
        time.sleep(self.prng.uniform(0, ALIVE_SECONDS_MAX))
        self.daemon.kill()
        load.join(30)
        self.assertFalse(load.is_alive())
        return load.reported

    def reopen_and_compare(self, reported, old_head, committed):
        """Every block that was seen is there, unchanged. Adds what is committed; the new head."""
        seconds = self.daemon.start()
        self.assertLess(seconds, REOPEN_SECONDS_MAX)
        head = self.daemon.rpc.call("node.status")["organization"]["sequence"]
        self.assertGreaterEqual(head, max([old_head] + [sequence for sequence, _, _ in reported]))
        for sequence, block_hash, ids in reported:
            block = self.daemon.rpc.call("block.get", sequence=sequence)
            self.assertEqual((block["hash"], block["transactions"]), (block_hash, ids))
        new = committed_ids(self.daemon.rpc, old_head + 1, head)
        self.assertEqual(len(new), len(set(new) - committed), "a transaction is committed twice")
        committed.update(new)
        return head

    def finish(self, community, waiting, head, committed):
        """The rest goes through; balances equal the model's; re-execution from genesis gives the same root."""
        rpc = self.daemon.rpc
        for identity, refusal in submit(rpc, waiting):
            self.assertIsNone(refusal, identity.hex())
        while len(committed) < len(community.transfers):
            status = rpc.call("node.status")["organization"]
            committed.update(committed_ids(rpc, head + 1, status["sequence"]))
            head = status["sequence"]
            time.sleep(0.02)
        self.assertEqual(committed, set(community.transfers))
        balances = all_balances(rpc)
        expected = community.balances_after(committed)
        self.assertEqual({key: balances[key] for key in expected}, expected)
        root = rpc.call("node.status")["organization"]["root"]
        self.assertEqual(int(root["sum"]), community.supply)
        self.daemon.stop()
        self.assertIn(root["hash"], self.daemon.verify())


if __name__ == "__main__":
    unittest.main()
