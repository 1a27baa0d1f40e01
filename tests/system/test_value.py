"""Members on three nodes record what they have done; supervisors reward it, and everybody sees for what and to whom."""

import os
import unittest

from harness.network import NetworkDaemon, wait_for
from harness.village import Village


class Value(Village):
    first_number = 280

    def setUp(self):
        super().setUp()
        keeps = lambda daemon: daemon.run_leither("--wallet", self.wallet, "balance", "anna").returncode == 0
        self.assertTrue(wait_for(lambda: keeps(self.b) and keeps(self.c)), "a member's node keeps no ledger")

    def founding_words(self):
        return ("--param", "publicity_pulses=0")

    def contribute(self, daemon, kind, text, key, *more):
        return self.leither(daemon, "contribution", "add", kind, text, "--from", key, *more)["id"]

    def known(self, daemon, *words):
        return self.leither(daemon, "contribution", "list", *words)["items"]

    def comes_to(self, daemon, identity):
        self.assertTrue(wait_for(lambda: identity in [one["id"] for one in self.known(daemon)]), "it has not come")

    def account(self, name):
        return self.leither(self.a, "key", "show", name)["account"]


class Contributions(Value):
    def test_work_is_recorded_on_one_node_rewarded_on_another_and_seen_on_a_third(self):
        plugin = self.contribute(self.a, "development", "a plugin that collects recipes", "anna")
        self.comes_to(self.c, plugin)
        recipes = self.contribute(self.c, "production", "200 recipes", "cleo", "--evidence", "pack Recipes 1",
                                  "--builds-on", plugin[:12])
        self.comes_to(self.b, recipes)
        cleo = self.account("cleo")
        [listed] = self.known(self.b, "--by", cleo)
        self.assertEqual({name: listed[name] for name in ("id", "kind", "author", "text", "evidence", "builds_on", "rewards")},
                         {"id": recipes, "kind": "production", "author": cleo, "text": "200 recipes",
                          "evidence": "pack Recipes 1", "builds_on": [plugin], "rewards": []})

        done = self.leither(self.b, "reward", "cleo", "5", "--contribution", recipes[:12])
        given = lambda: self.leither(self.a, "rewards")["given"]
        self.assertTrue(wait_for(given))
        [reward] = given()
        self.assertEqual((reward["id"], reward["reference"], reward["proof"], reward["reward"], reward["amount"]),
                         (done["id"], "200 recipes", f"contribution:{recipes}", "service", "500"))
        [work] = reward["contributions"]
        self.assertEqual((work["id"], work["known"], work["kind"], work["builds_on"]), (recipes, True, "production", [plugin]))
        register = self.leither(self.a, "rewards", "--kind", "production", "--member", "cleo")
        self.assertEqual([one["id"] for one in register["given"]], [done["id"]])
        self.assertEqual(register["totals"], [{"kind": "production", "rewards": 1, "amount": "500"}])
        for words in (("--kind", "support"), ("--member", "anna")):
            self.assertEqual(self.leither(self.a, "rewards", *words)["given"], [])
        shown = self.leither(self.a, "contribution", "show", recipes[:8])
        self.assertEqual([one["id"] for one in shown["chain"]], [plugin])
        self.assertEqual([one["transaction"] for one in shown["rewards"]], [done["id"]])
        self.assertEqual(self.leither(self.a, "contribution", "show", plugin)["continued_by"], [recipes])
        self.assertEqual([one["id"] for one in self.known(self.a, "--unrewarded")], [plugin])
        page = self.a.run_leither("--wallet", self.wallet, "rewards").stdout
        self.assertIn("production by cleo: 200 recipes, on " + plugin[:12], page)
        self.assertIn("200 recipes  pack Recipes 1  ", page)  # reason and evidence
        self.assertIn("First distribution", page)

        # Not twice by mistake, and not while the members vote on it.
        words = ("reward", "cleo", "5", "--contribution", recipes)
        self.assertEqual(self.refusal(self.a, *words), (1, "already_rewarded"))
        self.leither(self.a, *words, "--again", "--reason", "and they are good")
        vote = self.leither(self.a, "vote", "propose", "structural", "anna", "3", "--contribution", plugin)["vote"]
        subject = self.leither(self.a, "vote", "show", vote)["subject"]
        self.assertEqual((subject["reason"], subject["proof"]),
                         ("a plugin that collects recipes", f"contribution:{plugin}"))
        self.assertEqual(self.refusal(self.a, "reward", "anna", "1", "--contribution", plugin), (1, "already_proposed"))

        # What is not held here is not hidden.
        self.leither(self.a, "reward", "anna", "1", "--reason", "who knows", "--proof", "contribution:" + "7" * 64)
        self.assertEqual(given()[0]["contributions"], [{"id": "7" * 64, "known": False}])
        self.assertIn("evidence not known here", self.a.run_leither("--wallet", self.wallet, "rewards").stdout)
        self.a.kill()
        self.a.start()
        self.assertEqual([one["id"] for one in self.known(self.a)], [recipes, plugin])

    def test_what_cannot_be_recorded_or_rewarded_is_refused_by_name(self):
        add = lambda *words: self.refusal(self.a, "contribution", "add", *words, "--from", "anna")
        self.assertEqual(add("mining", "x"), (2, "bad_kind"))
        self.assertEqual(add("support", ""), (2, "empty_text"))
        self.assertEqual(add("support", "x" * 281), (2, "text_too_long"))
        self.assertEqual(add("support", "x", "--evidence", "x" * 201), (2, "text_too_long"))
        self.assertEqual(add("support", "two\nlines"), (2, "bad_text"))
        self.assertEqual(add("support", "x", "--builds-on", "7" * 64), (1, "unknown_contribution"))
        self.assertEqual(add("support", "x", *["--builds-on", "7" * 64] * 5), (2, "too_many_bases"))
        self.leither(self.a, "key", "new", "stranger")
        self.assertEqual(self.refusal(self.a, "contribution", "add", "support", "x", "--from", "stranger"), (1, "not_a_member"))
        self.assertEqual(self.known(self.a), [])

        work = self.contribute(self.a, "support", "keeps a node running", "anna")
        again = self.contribute(self.a, "support", "keeps a node running", "anna")
        self.assertNotEqual(work, again)
        reward = lambda member, *words: self.refusal(self.a, "reward", member, "1", *words)
        self.assertEqual(reward("anna"), (2, "missing_reason"))
        self.assertEqual(reward("ben", "--contribution", work), (1, "not_theirs"))
        self.assertEqual(reward("anna", "--contribution", "7" * 64), (1, "unknown_contribution"))
        self.assertEqual(reward("anna", "--contribution", work[:3]), (2, "ambiguous_id"))
        self.assertEqual(reward("anna", *["--contribution", work] * 4), (2, "too_many_contributions"))
        self.assertEqual(reward("anna", "--contribution", work, "--proof", "x" * 230), (2, "bad_text"))
        self.assertEqual(self.refusal(self.a, "contribution", "show", "7" * 64), (1, "unknown_contribution"))
        self.assertEqual(self.refusal(self.a, "rewards", "--kind", "mining"), (2, "bad_kind"))
        self.assertEqual(self.leither(self.a, "rewards")["given"], [])
        self.leither(self.a, "reward", "anna", "1", "--contribution", work, "--contribution", again)
        [given] = self.leither(self.a, "rewards")["given"]
        self.assertEqual(given["reference"], "keeps a node running; keeps a node running")
        self.assertEqual([one["id"] for one in given["contributions"]], [work, again])

    def test_confirmed_work_on_a_task_is_a_contribution(self):
        task = self.leither(self.a, "task", "create", "Repair the oven", "--amount", "4")["task"]
        submit = ("task", "submit", task, "--text", "it bakes again", "--from", "ben", "--kind", "support")
        work = self.leither(self.b, *submit)["work"]
        self.assertEqual(self.leither(self.b, *submit)["work"], work)  # handed in again it is the same
        [recorded] = self.known(self.b)
        self.assertEqual((recorded["kind"], recorded["text"], recorded["evidence"]),
                         ("support", "Repair the oven", "it bakes again"))
        self.comes_to(self.a, recorded["id"])
        self.leither(self.a, "task", "confirm", work)
        self.assertEqual(self.refusal(self.a, "task", "confirm", work), (1, "already_paid"))
        self.assertTrue(wait_for(lambda: self.leither(self.c, "rewards")["given"]))
        [given] = self.leither(self.c, "rewards")["given"]
        self.assertEqual(given["proof"], f"contribution:{recorded['id']} it bakes again")
        self.assertEqual(self.leither(self.c, "rewards")["totals"], [{"kind": "support", "rewards": 1, "amount": "400"}])


class SeveralSupervisors(Value):
    def founding_words(self):
        self.leither(self.a, "key", "new", "dora")
        path = os.path.join(self.scratch, "first.csv")
        with open(path, "w", encoding="utf-8") as file:
            file.write("key,amount,reason\n" + self.leither(self.a, "key", "show", "dora")["key"] + ",40,gave the first flour\n")
        return ("--param", "publicity_pulses=0", "--param", "supervisors_required=2", "--announce", "Flour comes first",
                "--allocate", path)

    def test_a_reward_is_offered_to_supervisors_elsewhere_and_the_first_distribution_is_public(self):
        self.leither(self.a, "member", "role", "ben", "supervisor")
        work = self.contribute(self.c, "promotion", "put up forty posters", "cleo")
        self.comes_to(self.a, work)
        words = ("reward", "cleo", "2", "--contribution", work)
        self.assertEqual(self.refusal(self.a, *words), (1, "too_few_supervisors"))
        offered = self.leither(self.a, *words, "--offer", "--with", self.account("ben"))
        self.assertEqual(offered["missing"], [self.account("ben")])
        self.assertEqual(self.leither(self.a, "rewards")["given"], [])
        self.assertIn("sequence", self.leither(self.b, "cosign", offered["offer"], "--by", "ben"))
        self.assertTrue(wait_for(lambda: self.leither(self.c, "rewards")["given"]))
        register = self.leither(self.c, "rewards")
        self.assertEqual(register["given"][0]["contributions"][0]["text"], "put up forty posters")
        first = register["first"]
        self.assertEqual(first["announcement"], "Flour comes first")
        self.assertEqual([(one["account"], one["amount"], one["reason"]) for one in first["allocations"]],
                         [(self.account("dora"), "4000", "gave the first flour")])


class Unpublished(unittest.TestCase):
    def test_rewards_need_no_catalogue_and_a_contribution_says_how_to_get_one(self):
        daemon = NetworkDaemon(self, 296)
        daemon.leither("org", "create", "--name", "Alone", "--param", "publicity_pulses=0")
        daemon.leither("key", "new", "anna")
        daemon.leither("member", "add", "anna")
        daemon.leither("reward", "anna", "40", "--reason", "repaired the oven")
        self.assertIn("repaired the oven", daemon.run_leither("rewards").stdout)
        words = ("contribution", "add", "support", "a warm oven", "--from", "anna")
        refused = daemon.run_leither(*words)
        self.assertIn("leither org publish", refused.stderr)
        daemon.leither("org", "publish")
        daemon.leither(*words)


if __name__ == "__main__":
    unittest.main()
