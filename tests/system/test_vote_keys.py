"""Keys of a node's seats: in a file of their own, in no copy of the ledger, and missed when they are gone."""

import os
import shutil
import stat
import time
import unittest

from harness.daemon import Daemon, scratch_dir

PULSE_SECONDS = 0.1
PARAMS = {"pulse_ms": 100, "cycle_pulses": 60, "publicity_pulses": 0}


def seeds_in(content):
    """The seeds of docs/protocol/storage.md, "Vote keys"."""
    assert content[0] == 1
    at = 1 + 32
    at += 1 + 32 * content[at]
    count, at = content[at], at + 1
    rows = [content[at + 40 * n:at + 40 * (n + 1)] for n in range(count)]
    assert at + 40 * count == len(content)
    return [row[8:] for row in rows]


class VoteKeys(unittest.TestCase):
    def setUp(self):
        scratch = scratch_dir()
        self.addCleanup(scratch.__exit__, None, None, None)
        self.dir = os.path.join(scratch.__enter__(), "node")
        self.daemon = Daemon(self.dir)
        self.addCleanup(self.daemon.end)
        os.mkdir(self.dir)
        self.daemon.start()
        self.file = os.path.join(self.dir, "vote.keys")

    def leither(self, *words):
        return self.daemon.leither(*words)

    def seeds(self):
        with open(self.file, "rb") as file:
            return seeds_in(file.read())

    def wait(self, what, done, seconds=60):
        deadline = time.monotonic() + seconds
        while not done():
            self.assertLess(time.monotonic(), deadline, f"{what} after {seconds} s\n{self.daemon.log_tail()}")
            time.sleep(PULSE_SECONDS)

    def stand(self):
        params = [word for name, value in PARAMS.items() for word in ("--param", f"{name}={value}")]
        self.leither("org", "create", "--name", "Town", "--supply", "10000", *params)
        self.leither("key", "new", "anna")
        self.leither("member", "add", "anna")
        self.leither("reward", "anna", "50", "--reason", "keeps the books")
        self.wait("a reward", lambda: int(self.leither("balance", "anna")["record"]["balance"]) > 0)
        self.leither("pledge", "20", "--from", "anna")
        self.wait("a key", self.seeds)

    def test_they_are_for_their_owner_alone_and_in_no_copy_of_the_ledger(self):
        self.assertEqual(self.seeds(), [])
        self.stand()
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o600)
        # Later ones come, earlier ones go.
        first = self.seeds()[0]
        self.wait("another key", lambda: first not in self.seeds(), 120)
        seeds = [first, *self.seeds()]
        self.daemon.stop()
        for place, _, names in os.walk(os.path.join(self.dir, "ledger")):
            for name in names:
                with open(os.path.join(place, name), "rb") as file:
                    content = file.read()
                for seed in seeds:
                    self.assertNotIn(seed, content, name)
        self.daemon.start()
        self.assertEqual(self.leither("committee")["vote_keys"], "fitting")

    def test_what_does_not_fit_is_told_with_its_remedy(self):
        self.stand()
        self.daemon.stop()
        backup = os.path.join(self.dir, "backup")
        shutil.copytree(os.path.join(self.dir, "ledger"), backup)
        os.chmod(self.file, 0o644)
        with self.assertRaises(Exception):
            self.daemon.start()
        self.assertIn("chmod 600", self.daemon.log_tail())
        os.chmod(self.file, 0o600)
        self.daemon.start()
        self.assertEqual(self.leither("committee")["vote_keys"], "fitting")
        self.daemon.stop()

        # The ledger of before that start, beside the file of now.
        shutil.rmtree(os.path.join(self.dir, "ledger"))
        shutil.copytree(backup, os.path.join(self.dir, "ledger"))
        self.daemon.start()
        self.assertEqual(self.leither("committee")["vote_keys"], "foreign")
        self.assertIn("vote_keys_unfit", self.daemon.log_tail(200))
        self.assertIn("its vote keys were foreign at its start", self.daemon.run_leither("committee").stdout)
        self.daemon.stop()

        os.unlink(self.file)
        self.daemon.start()
        self.assertEqual(self.leither("committee")["vote_keys"], "missing")
        self.daemon.stop()
        self.daemon.start()
        self.assertEqual(self.leither("committee")["vote_keys"], "fitting")


if __name__ == "__main__":
    unittest.main()
