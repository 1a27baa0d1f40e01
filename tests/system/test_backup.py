"""A member's machine is gone: from one file and twelve words everything is back on another one."""

import json
import os
import shutil
import unittest

from harness.daemon import scratch_dir
from harness.network import NetworkDaemon, wait_for


class Backup(unittest.TestCase):
    """A founds and keeps the ledger; anna lives on B."""

    runs = 0

    def setUp(self):
        Backup.runs += 1
        base = 220 + 4 * Backup.runs
        self.scratch = self.enterContext(scratch_dir())
        self.base = base
        self.a = NetworkDaemon(self, base)
        self.b = NetworkDaemon(self, base + 1, bootstrap=[self.a])
        self.organization = self.a.leither("org", "create", "--name", "Mill", "--param", "pulse_ms=500")["id"]
        self.a.leither("org", "publish")
        self.b.leither("org", "follow", self.organization)
        self.assertTrue(wait_for(lambda: self.b.leither("peers")))
        self.anna = self.b.leither("key", "new", "anna")["account"]
        self.assertTrue(wait_for(lambda: self.b.run_leither("org", "info").returncode == 0), "B has no ledger")
        application = self.b.leither("member", "apply", "anna")
        self.a.leither("member", "add", application["application"])
        self.b.leither("node", "serve", "anna")
        self.words = os.path.join(self.scratch, "words")
        self.file = os.path.join(self.scratch, "credit.backup")

    def create(self, *more):
        made = self.b.leither("backup", "create", self.file, *more)
        with open(self.words, "w", encoding="ascii") as out:
            out.write(made["words"])
        return made

    def balance(self, daemon):
        done = daemon.run_leither("--json", "balance", "anna")
        return json.loads(done.stdout)["record"] if done.returncode == 0 else None

    def test_a_new_machine_goes_on_where_the_old_one_was(self):
        self.assertTrue(wait_for(lambda: self.balance(self.b)), "B has no ledger")
        before = self.balance(self.b)
        made = self.create()
        self.assertEqual(len(made["words"].split()), 12)
        self.assertIn("anna.key", made["files"])
        self.assertEqual(made["organizations"][0]["id"], self.organization)
        with open(self.file, "rb") as sealed:
            content = sealed.read()
        self.assertNotIn(b"anna", content)
        self.assertNotIn(b"Mill", content)
        self.assertEqual(os.stat(self.file).st_mode & 0o777, 0o600)
        with open(os.path.join(self.b.data_dir, "wallet", "anna.key"), "rb") as key:
            old_key = key.read()
        old_node = self.b.rpc.call("node.status")["node_key"]
        self.b.kill()
        shutil.rmtree(self.b.data_dir)

        c = NetworkDaemon(self, self.base + 2)  # it knows nobody
        checked = c.leither("backup", "verify", self.file, "--words", self.words)
        self.assertEqual(checked["files"], made["files"])
        restored = c.leither("backup", "restore", self.file, "--words", self.words)
        self.assertIn("follows it again", restored["notes"][0])
        with open(os.path.join(c.data_dir, "wallet", "anna.key"), "rb") as key:
            self.assertEqual(key.read(), old_key)
        self.assertTrue(wait_for(lambda: self.balance(c) == before), (self.balance(c), before))
        self.assertNotEqual(c.rpc.call("node.status")["node_key"], old_node)
        self.assertEqual(c.rpc.call("office.status")["present"], self.a.rpc.call("office.status")["present"])
        served = c.rpc.call("node.status")["network"]["organization"]["accounts"]
        self.assertEqual([one["account"] for one in served], [self.anna])
        # Once more is no harm, and the words may come from standard input.
        again = c.run_leither("--json", "backup", "restore", self.file, "--words", "-", input=made["words"].upper())
        self.assertEqual(again.returncode, 0, again.stdout)

    def test_bad_words_and_bad_files_are_refused_by_name_and_nothing_is_written(self):
        self.create()
        refuse = lambda words, file=None: self.b.run_leither("--json", "backup", "verify", file or self.file, "--words", "-",
                                                             input=words)
        name = lambda done: (done.returncode, done.stdout.split('"name":')[1].split('"')[1])
        self.assertEqual(name(refuse("zoo zoo")), (4, "wrong_count"))
        self.assertEqual(name(refuse("zoo " * 11 + "zzz")), (4, "unknown_word"))
        self.assertEqual(name(refuse("zoo " * 12)), (4, "bad_checksum"))
        self.assertEqual(name(refuse("zoo " * 11 + "wrong")), (4, "does_not_open"))
        self.assertEqual(name(refuse("zoo " * 11 + "wrong", "/etc/hostname")), (4, "not_a_backup"))
        self.assertEqual(self.b.refusal("backup", "create", self.file), (4, "exists"))
        empty = os.path.join(self.scratch, "empty")
        self.assertEqual(self.b.refusal("--wallet", empty, "backup", "create", self.file + "2"), (4, "no_wallet"))

        other = os.path.join(self.scratch, "other")
        self.b.leither("--wallet", other, "key", "new", "anna")
        self.b.leither("--wallet", other, "key", "new", "zora")
        before = sorted(os.listdir(other))
        self.assertEqual(self.b.refusal("--wallet", other, "backup", "restore", self.file, "--words", self.words), (4, "exists"))
        self.assertEqual(sorted(os.listdir(other)), before)
        with open(self.file, "r+b") as file:
            file.seek(100)
            byte = file.read(1)
            file.seek(100)
            file.write(bytes([byte[0] ^ 1]))
        self.assertEqual(self.b.refusal("backup", "verify", self.file, "--words", self.words), (4, "does_not_open"))

    def test_the_same_words_open_a_later_backup(self):
        self.create()
        self.b.leither("key", "new", "second")
        later = self.b.leither("backup", "create", self.file, "--replace", "--words", self.words)
        self.assertNotIn("words", later)
        self.assertIn("second.key", self.b.leither("backup", "verify", self.file, "--words", self.words)["files"])
        self.b.stop()
        alone = self.b.leither("backup", "create", self.file + "2", "--words", self.words)
        self.assertEqual(alone["organizations"], [])
        self.b.start()


if __name__ == "__main__":
    unittest.main()
