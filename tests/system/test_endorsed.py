"""Endorsed receipts at a lone bookkeeper; test_cluster.py has them from four."""

import json
import os
import unittest

from harness.daemon import RpcError, leither, start_for_class

REFUSED = 1


class LoneBookkeeper(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        start_for_class(cls)
        for words in (("org", "create", "--name", "Mill", "--param", "publicity_pulses=0"),
                      ("key", "new", "anna"), ("member", "add", "anna"),
                      ("reward", "anna", "100", "--reason", "grinding"), ("key", "new", "dora")):
            leither(*words, data_dir=cls.daemon.data_dir)
        cls.anna = cls.export("anna")
        cls.absent = cls.export("dora")
        cls.full = cls.export("anna", "--form", "full")

    @classmethod
    def export(cls, account, *options):
        path = os.path.join(cls.scratch, "-".join([account, *options]) + ".json")
        leither("receipt", "export", account, *options, "--out", path, data_dir=cls.daemon.data_dir)
        return path

    def file(self, path):
        with open(path, encoding="utf-8") as file:
            return json.load(file)

    def verify(self, file):
        path = os.path.join(self.scratch, "shown.json")
        with open(path, "w", encoding="utf-8") as out:
            json.dump(file, out)
        return leither("receipt", "verify", path, check=False)

    def test_it_is_the_default_and_says_in_words_what_it_shows(self):
        file = self.file(self.anna)
        self.assertEqual((file["kind"], file["holds"]), ("endorsed", "member"))
        self.assertEqual(file["balance"].split()[0], "100.00")
        self.assertNotIn("key", file)
        self.assertNotIn("role", file)
        done = self.verify(file)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("for strangers", done.stdout)
        self.assertIn("no neighbour's balance", done.stdout)
        self.assertIn("trusts its bookkeepers", done.stdout)
        full = self.file(self.full)
        self.assertEqual(full["kind"], "account")
        self.assertIn("Show it only to members", self.verify(full).stdout)
        self.assertLess(len(file["data"]), len(full["data"]) + 400)

    def test_an_owner_without_account_has_its_absence_endorsed(self):
        done = self.verify(self.file(self.absent))
        self.assertIn("did not exist", done.stdout)

    def test_whatever_is_altered_is_refused(self):
        file = self.file(self.anna)
        for place in range(0, len(file["data"]), max(1, len(file["data"]) // 60)):
            digit = "0" if file["data"][place] != "0" else "1"
            altered = dict(file, data=file["data"][:place] + digit + file["data"][place + 1:])
            self.assertEqual(self.verify(altered).returncode, REFUSED, place)
        for field, value in (("balance", "999.00 credit"), ("account", "00" * 20), ("kind", "account"),
                             ("branch_sum", "1.00 credit"), ("sequence", 0), ("trusted", False)):
            self.assertEqual(self.verify(dict(file, **{field: value})).returncode, REFUSED, field)
        other = dict(file, data=self.file(self.absent)["data"])
        self.assertEqual(self.verify(other).returncode, REFUSED)

    def test_what_cannot_be_endorsed_is_refused_by_name(self):
        rows = ((("ab" * 20,), "not_your_account"), (("anna", "--form", "endorsed", "--at", "0"), "newest_only"),
                (("cd" * 32, "--form", "endorsed"), "newest_only"))
        for words, name in rows:
            done = leither("receipt", "export", *words, "--json", data_dir=self.daemon.data_dir, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertEqual(json.loads(done.stdout)["error"]["name"], name)

    def test_a_question_of_another_key_is_refused(self):
        terms = self.daemon.rpc.call("receipt.terms")
        self.assertEqual((terms["bookkeepers"], terms["needed"]), (1, 1))
        key = bytes.fromhex(self.file(self.full)["key"])
        question = key + terms["cycle"].to_bytes(8, "little") + terms["sequence"].to_bytes(8, "little") + bytes(64)
        with self.assertRaises(RpcError) as refused:
            self.daemon.rpc.call("receipt.endorse", question=question.hex())
        self.assertEqual(refused.exception.name, "bad_signature")


if __name__ == "__main__":
    unittest.main()
