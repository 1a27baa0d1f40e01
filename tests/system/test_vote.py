"""Votes of the members, from the command line, with a real daemon that is killed on the way."""

import os
import time
import unittest

from harness import formats
from harness.daemon import DECIDED, Daemon, scratch_dir
from harness.sodium import blake2b

PULSE_SECONDS = 0.1
VOTE_PULSES = 60
CYCLE_PULSES = 60
PARAMS = {"pulse_ms": 100, "vote_pulses": VOTE_PULSES, "cycle_pulses": CYCLE_PULSES, "publicity_pulses": 20,
          "mining_reward_per_cycle": 600, "member_transactions_per_cycle": 1000}


class VoteTest(unittest.TestCase):
    def setUp(self):
        scratch = self.enterContext(scratch_dir()) if hasattr(self, "enterContext") else self._scratch()
        self.daemon = Daemon(os.path.join(scratch, "node"))
        self.addCleanup(self.daemon.end)
        os.mkdir(self.daemon.data_dir)
        self.daemon.start()
        params = [word for name, value in PARAMS.items() for word in ("--param", f"{name}={value}")]
        self.leither("org", "create", "--name", "Town", "--supply", "10000", *params)
        for name in ("anna", "ben", "carl"):
            self.leither("key", "new", name)
            self.leither("member", "add", name)

    def _scratch(self):
        scratch = scratch_dir()
        self.addCleanup(scratch.__exit__, None, None, None)
        return scratch.__enter__()

    def leither(self, *words):
        return self.daemon.leither(*words)

    def propose(self, *words):
        return self.leither("vote", "propose", *words)["vote"]

    def cast(self, name, vote, choice):
        self.assertIn(self.leither("vote", "cast", vote, choice, "--from", name)["state"], DECIDED)

    def kill(self):
        self.daemon.kill()
        self.daemon.start()

    def wait(self, what, done, seconds=60):
        deadline = time.monotonic() + seconds
        while not done():
            self.assertLess(time.monotonic(), deadline, f"{what} after {seconds} s\n{self.daemon.log_tail()}")
            time.sleep(PULSE_SECONDS)

    def state(self, vote):
        return self.leither("vote", "show", vote)["state"]

    def params(self):
        return self.leither("org", "info")["params"]

    def test_members_decide_and_a_kill_loses_nothing(self):
        change = self.propose("parameter", "member_transactions_per_pulse", "9", "--reason", "market day")
        reward = self.propose("structural", "anna", "40", "--reason", "built the oven", "--proof", "photo 7")
        lonely = self.propose("operation", "ben", "5", "--reason", "keeps the server")
        self.cast("anna", change, "yes")
        self.cast("ben", change[:12], "yes")
        self.cast("carl", change, "no")
        self.cast("founder", reward, "yes")
        self.cast("anna", reward, "yes")
        self.cast("anna", lonely, "yes")
        self.assertEqual(self.daemon.refusal("vote", "cast", change, "no", "--from", "anna"), (1, "already_voted"))

        self.kill()
        shown = self.leither("vote", "show", change, "--from", "carl")
        self.assertEqual((shown["yes"], shown["no"], shown["members"], shown["state"]), (2, 1, 4, "open"))
        self.assertEqual(shown["own"]["choice"], "no")
        listed = self.leither("vote", "list", "--from", "ben")["items"]
        self.assertEqual([(vote["vote"], vote["own"]["standing"]) for vote in listed],
                         [(change, "has_cast"), (reward, "may_cast"), (lonely, "may_cast")])
        self.assertEqual(self.daemon.refusal("vote", "result", change), (1, "vote_open"))

        self.wait("no vote is counted", lambda: self.state(change) != "open")
        self.kill()  # while what has passed waits to come into force
        self.wait("votes are open", lambda: not self.leither("vote", "list")["items"])
        passed = self.leither("vote", "result", change)
        self.assertEqual((passed["state"], passed["explanation"]), ("passed", "passed: 2 yes, 1 no of 4 members"))
        failed = self.leither("vote", "result", lonely)
        self.assertEqual((failed["state"], failed["lacks"]), ("rejected", ["quorum"]))
        self.assertEqual(failed["explanation"],
                         "rejected: 1 of 4 members said yes, and at least 2 must (a third)")
        self.assertEqual(self.leither("vote", "result", reward)["state"], "passed")
        text = self.daemon.run_leither("vote", "result", lonely)
        self.assertEqual(text.returncode, 0)
        self.assertIn("operation reward of 5.00 hour to ben: keeps the server", text.stdout)
        self.assertIn("at least 2 must (a third)", text.stdout)

        self.assertEqual(self.daemon.refusal("vote", "cast", lonely, "yes", "--from", "ben"), (1, "vote_not_open"))
        self.wait("the reward is not paid", lambda: self.balance("anna") == 4000)
        self.assertEqual(self.balance("ben"), 0)
        paid = self.leither("history", "anna")["items"][0]
        self.assertEqual((paid["kind"], paid["vote"], paid["reference"]), ("reward", reward, "built the oven"))
        self.wait("the parameter is not in force", lambda: self.params()["member_transactions_per_pulse"] == 9)
        self.assertEqual(self.leither("vote", "show", change)["effect"], {"in_force": True})
        # Of another supervisor's view nothing else has changed.
        self.assertEqual({name: self.params()[name] for name in PARAMS}, PARAMS)

        given = [one for one in self.leither("rewards")["given"] if one.get("vote") == reward]
        self.assertEqual([one["reference"] for one in given], ["built the oven"])
        self.check_mining_proofs()
        receipt = os.path.join(self.daemon.data_dir, "..", "vote.json")
        self.leither("receipt", "export", change, "--form", "full", "--out", receipt)
        self.assertEqual(self.leither("receipt", "verify", receipt)["holds"], "vote")
        self.daemon.stop()
        self.daemon.verify()

    def balance(self, name):
        return int(self.leither("balance", name)["record"]["balance"])

    def check_mining_proofs(self):
        """By docs/protocol/election.md alone."""
        chain = bytes.fromhex(self.daemon.rpc.call("organization.info")["chain_id"])
        rewards = self.leither("rewards")
        self.assertTrue(rewards["mining"])
        for term in rewards["mining"]:
            for line in term["lines"]:
                proof = self.leither("rewards", "proof", line["account"], "--cycle", str(term["cycle"]))
                body = (formats.u64(term["cycle"]) + bytes([proof["line"]]) + bytes.fromhex(proof["account"]) +
                        formats.u64(int(proof["amount"])))
                at, known = proof["line"], blake2b(formats.tagged("leither/reward-line/1", chain, body))
                for sibling in map(bytes.fromhex, proof["path"]):
                    pair = known + sibling if at % 2 == 0 else sibling + known
                    known, at = blake2b(formats.tagged("leither/reward-node/1", chain, pair)), at // 2
                self.assertEqual(known.hex(), term["root"])
        self.assertIn("structural reward of 40.00 hour to anna", self.daemon.run_leither("rewards").stdout)

    def test_the_register_says_who_was_rewarded_why_and_by_whose_word(self):
        self.leither("reward", "anna", "2.50", "--reason", "swept\nthe mill", "--proof", "minutes of May")
        given = self.leither("rewards")["given"]
        self.assertEqual([(one["reference"], one["proof"], one["amount"]) for one in given],
                         [("swept\nthe mill", "minutes of May", "250")])
        self.assertEqual(given[0]["signer"], self.leither("balance", "founder")["account"])
        self.assertEqual(given[0]["counterparty"], self.leither("balance", "anna")["account"])
        text = self.daemon.run_leither("rewards").stdout
        for words in ("RECOMMENDED BY", "minutes of May", "swept\\u{a}the mill"):
            self.assertIn(words, text)
        self.assertEqual(len(self.leither("rewards", "--limit", "0")["given"]), 0)

    def test_each_slip_is_named_with_its_remedy(self):
        for words, expected in (
                (("propose", "parameter", "vote_pulses", "59", "--reason", "x"), (2, "parameter_out_of_bounds")),
                (("propose", "parameter", "vote_puls", "60", "--reason", "x"), (2, "unknown_parameter")),
                (("propose", "parameter", "pulse_ms", "500", "--reason", "x"), (2, "fixed_parameter")),
                (("propose", "parameter", "vote_pulses", "60", "--reason", "x", "--by", "anna"),
                 (1, "not_supervisor")),
                (("propose", "parameter", "vote_pulses", "60", "--reason", ""), (2, "missing_reason")),
                (("propose", "parameter", "vote_pulses", "60", "--reason", "x" * 281), (2, "bad_text")),
                (("propose", "structural", "anna", "5000", "--reason", "x"), (1, "daily_reward_limit")),
                (("propose", "structural", "anna", "5", "--reason", ""), (2, "missing_reason")),
                (("propose", "structural", "nobody", "5", "--reason", "x"), (4, "not_found")),
                (("propose", "structural", "00" * 20, "5", "--reason", "x"), (1, "counterparty_unknown")),
                (("propose", "operation", "anna", "5", "--reason", "x" * 281), (2, "bad_text")),
                (("show", "12"), (2, "bad_id")),
                (("show", "abcd"), (1, "not_found")),
                (("show", "00" * 20), (1, "not_found")),
                (("result", "zz" * 20), (2, "bad_id")),
                (("cast", "00" * 20, "yes", "--from", "anna"), (1, "vote_not_open"))):
            with self.subTest(words=words):
                self.assertEqual(self.daemon.refusal("vote", *words), expected)
        self.assertEqual(self.daemon.refusal("rewards", "proof", "anna", "--cycle", "999"), (1, "rewards_unknown"))
        bounds = self.daemon.run_leither("vote", "propose", "parameter", "vote_pulses", "59", "--reason", "x")
        self.assertIn("vote_pulses must be from 60 to 2592000 (pulses).", bounds.stderr)
        needs_vote = self.daemon.run_leither("reward", "anna", "5", "--reason", "x", "--kind", "structural")
        self.assertIn("leither vote propose structural", needs_vote.stderr)
        self.assertEqual(self.leither("vote", "list", "--all")["items"], [])

    def test_who_joins_later_cannot_vote(self):
        vote = self.propose("operation", "ben", "5", "--reason", "keeps the server")
        self.leither("key", "new", "dora")
        self.leither("member", "add", "dora")
        self.assertEqual(self.daemon.refusal("vote", "cast", vote, "yes", "--from", "dora"), (1, "joined_after_vote"))
        self.assertEqual(self.leither("vote", "show", vote)["members"], 4)


if __name__ == "__main__":
    unittest.main()
