"""Members at two nodes ask each other for payments: by message, by hand, by policy, across kill -9."""

import os
import subprocess
import tempfile
import threading
import unittest

from harness.daemon import DECIDED, LEITHER, RpcError, leither, scratch_dir
from harness.network import NetworkDaemon, wait_for

PASSPHRASE = "open sesame"
SEALED_SECONDS = 60


class Market(unittest.TestCase):
    """A founds and keeps the ledger; B follows. anna's wallet is A's, ben's is B's; anna has 100."""

    markets = 0
    wallet_options = ()

    def setUp(self):
        Market.markets += 1
        self.number = 120 + 4 * Market.markets
        self.a = NetworkDaemon(self, self.number, *self.wallet_options)
        self.b = NetworkDaemon(self, self.number + 1, *self.wallet_options, bootstrap=[self.a])
        self.scratch = self.enterContext(scratch_dir())
        with open(os.path.join(self.scratch, "allocation.csv"), "w", encoding="ascii") as file:
            self.accounts = {"anna": self.a.leither("key", "new", "anna")["account"]}
            file.write("key,amount,reason\nanna,100,bread\n")
        organization = self.a.leither("org", "create", "--name", "Market", "--allocate", file.name,
                                      "--param", "pulse_ms=500")["id"]
        ben = self.b.leither("key", "new", "ben")
        self.accounts["ben"] = ben["account"]
        self.organization = organization
        self.a.leither("org", "publish")
        self.b.leither("org", "follow", organization)
        self.assertTrue(wait_for(lambda: self.b.leither("peers")))
        # A guest's node keeps no ledger yet, so the application is signed beside A, with B's wallet.
        self.admit(self.b, "ben")
        for daemon, name in ((self.a, "anna"), (self.b, "ben")):
            daemon.leither("node", "serve", name)
            self.assertTrue(wait_for(lambda daemon=daemon: self.is_member_at(daemon)))
        self.assertTrue(wait_for(lambda: self.b.rpc.call("node.status")["organization"]))

    def admit(self, daemon, name):
        wallet = os.path.join(daemon.data_dir, "wallet")
        application = self.a.leither("--wallet", wallet, "member", "apply", name)["application"]
        self.a.leither("member", "add", application)

    def add_third_node(self):
        """cleo's: with the bookkeeper and one other alone nothing becomes secured."""
        c = NetworkDaemon(self, self.number + 2, bootstrap=[self.a, self.b])
        c.leither("key", "new", "cleo")
        c.leither("org", "follow", self.organization)
        self.assertTrue(wait_for(lambda: c.leither("peers")))
        self.admit(c, "cleo")
        c.leither("node", "serve", "cleo")
        self.assertTrue(wait_for(lambda: self.is_member_at(c)))
        self.assertTrue(wait_for(lambda: c.rpc.call("node.status")["organization"]))

    @staticmethod
    def is_member_at(daemon):
        accounts = daemon.rpc.call("node.status")["network"]["organization"]["accounts"]
        return accounts and all(account["member"] for account in accounts)

    def balance(self, name):
        record = self.a.rpc.call("account.get", account=self.accounts[name])["record"]
        return int(record["balance"])

    def ask(self, amount, *options, reference="two loaves"):
        """ben asks anna; the request's id."""
        return self.b.leither("request", amount, "--to", "ben", "--payer", self.accounts["anna"],
                              "--reference", reference, *options)["id"]

    def state_of(self, request):
        """What became of ben's request, as he sees it."""
        items = self.b.leither("requests")["items"]
        return [item for item in items if item["id"] == request][0]

    def waiting(self):
        return self.a.leither("inbox")["items"]

    def facts(self, daemon, identity):
        return {fact["name"]: fact["text"] for fact in daemon.leither("why", identity)["facts"]}


class ByHand(Market):
    def test_a_request_by_message_is_accepted_and_becomes_secured(self):
        self.add_third_node()
        request = self.ask("12.50")
        self.assertEqual(self.state_of(request)["state"], "pending")
        arrived = wait_for(self.waiting)
        self.assertEqual([(item["id"], item["kind"], item["amount"], item["reference"], item["from"], item["state"])
                          for item in arrived],
                         [(request, "request", "1250", "two loaves", self.accounts["ben"], "waiting")])
        self.assertIn("no rule", arrived[0]["why_waiting"])
        self.assertEqual(self.a.rpc.call("wallet.inbox")["items"], arrived)
        self.assertIn("leither accept", self.facts(self.a, request)["so"])

        before = self.balance("anna")
        paid = self.a.leither("accept", request[:8])
        self.assertIn(paid["state"], DECIDED)
        self.assertEqual((before - self.balance("anna"), self.balance("ben")), (1250, 1250))
        self.assertEqual(self.waiting(), [])
        self.assertEqual(self.a.leither("inbox", "--all")["items"][0]["state"], "paid")
        self.assertEqual(self.a.refusal("accept", request), (1, "already_paid"))
        self.assertEqual(self.a.refusal("decline", request), (1, "paid"))
        self.assertEqual(self.a.refusal("pay", arrived[0]["text"], "--from", "anna"), (1, "already_paid"))

        self.assertTrue(wait_for(lambda: self.state_of(request)["state"] == "secured"), self.state_of(request))
        self.assertEqual(self.state_of(request)["transaction"], paid["id"])
        for identity in (request, paid["id"]):
            facts = self.facts(self.a, identity)
            self.assertIn("by hand", facts["signed_by_payer"])
            self.assertIn("paid and secured", facts["so"])
        self.assertIn("has signed a request for 12.50", self.facts(self.b, request)["signed_by_payee"])

    def test_a_declined_request_tells_the_payee_why(self):
        request = self.ask("3")
        self.assertTrue(wait_for(self.waiting))
        self.a.leither("decline", request, "--reason", "that was one loaf")
        self.assertEqual(self.waiting(), [])
        self.assertTrue(wait_for(lambda: self.state_of(request)["state"] == "refused"), self.state_of(request))
        self.assertEqual(self.state_of(request)["reason"], "that was one loaf")
        self.assertEqual(self.a.refusal("accept", request), (1, "declined"))
        self.assertIn("that was one loaf", self.facts(self.b, request)["declined"])
        self.assertEqual(self.balance("ben"), 0)

    def test_an_expired_request_is_paid_no_more_and_says_so_on_both_sides(self):
        request = self.ask("3", "--expires", "2s")
        self.assertTrue(wait_for(lambda: self.a.leither("inbox", "--all")["items"]))
        self.assertTrue(wait_for(lambda: self.state_of(request)["state"] == "expired"))
        self.assertEqual(self.a.leither("inbox", "--all")["items"][0]["state"], "expired")
        self.assertEqual(self.a.refusal("accept", request), (1, "request_expired"))
        # Any block behind the expiry proves it.
        other = self.ask("1", reference="proof")
        self.assertTrue(wait_for(self.waiting))
        self.a.leither("accept", other)
        self.assertTrue(wait_for(lambda: self.state_of(request)["proven"]))
        self.assertIn("never will be", self.facts(self.b, request)["so"])

    def test_what_the_ledger_refuses_waits_with_its_reason_and_is_paid_later(self):
        request = self.ask("100.01")
        self.assertTrue(wait_for(self.waiting))
        self.assertEqual(self.a.refusal("accept", request), (1, "insufficient_balance"))
        item = self.waiting()[0]
        self.assertEqual((item["state"], item["refusal"]), ("waiting", "insufficient_balance"))
        self.assertIn("insufficient_balance", self.facts(self.a, request)["refused"])
        self.assertEqual(self.state_of(request)["state"], "pending")
        gift = self.b.leither("request", "0.01", "--to", "ben")["text"]
        self.a.leither("pay", gift, "--from", "anna")
        self.assertEqual(self.balance("ben"), 1)

    def test_wrong_ids_and_texts_are_refused_by_name(self):
        self.assertEqual(self.a.refusal("accept", "0123abcd"), (1, "not_found"))
        self.assertEqual(self.a.refusal("accept", "01"), (2, "ambiguous_id"))
        self.assertEqual(self.a.refusal("why", "0123abcd"), (1, "not_found"))
        self.assertEqual(self.a.refusal("pay", "leither:pay:00", "--from", "anna"), (2, "bad_request"))
        self.assertEqual(self.b.refusal("request", "1", "--to", "ben", "--payer", "7" * 40), (1, "unknown_account"))
        self.assertEqual(self.b.refusal("request", "0", "--to", "ben"), (2, "zero_amount"))
        for method, params in (("wallet.read", {"text": "hello"}), ("wallet.pay", {"account": "anna"}),
                               ("wallet.request", {"account": "anna", "amount": "1.5"})):
            with self.assertRaises(RpcError) as caught:
                self.a.rpc.call(method, **params)
            self.assertEqual(caught.exception.code, -32602, method)

    def test_a_request_as_text_is_read_and_its_audience_named_before_it_is_paid(self):
        text = self.b.rpc.call("wallet.request", account="ben", amount="250", reference="salt")["text"]
        read = self.a.rpc.call("wallet.read", text=f"Dear anna, {text}")
        self.assertEqual((read["kind"], read["payee"], read["amount"], read["reference"], read["organization_matches"],
                          read["payee_key_known"]), ("request", self.accounts["ben"], "250", "salt", True, True))
        audience = self.a.leither("pay", text, "--from", "anna", "--who-sees")
        self.assertTrue(any("bookkeepers" in one["who"] for one in audience))
        self.assertEqual(self.balance("ben"), 0)
        paid = self.a.rpc.call("wallet.pay", account="anna", text=text)
        self.assertTrue(wait_for(lambda: self.balance("ben") == 250))
        with self.assertRaises(RpcError) as caught:
            self.a.rpc.call("wallet.pay", account="anna", text=text)
        self.assertEqual((caught.exception.code, caught.exception.name), (9, "already_paid"))
        self.assertEqual(self.a.rpc.call("wallet.why", id=paid["id"])["facts"][-1]["name"], "so")

    def test_an_application_by_letter_is_accepted_or_declined(self):
        founder = self.a.leither("key", "show", "founder")["account"]
        self.a.leither("node", "serve", "founder")
        self.assertTrue(wait_for(lambda: self.is_member_at(self.a)))
        applicants = {name: self.b.leither("key", "new", name)["account"] for name in ("cleo", "dora")}
        for name in applicants:
            text = self.b.leither("member", "apply", name)["application"]
            self.b.leither("message", "send", founder, f"I know {name}.\n{text}", "--from", "ben")
        self.assertTrue(wait_for(lambda: len(self.waiting()) == 2), self.waiting())
        items = {item["applicant"]: item for item in self.waiting()}
        cleo, dora = items[applicants["cleo"]], items[applicants["dora"]]
        self.assertEqual((cleo["kind"], cleo["message"], cleo["account"]), ("application", "I know cleo.", founder))
        self.assertIn(self.a.leither("accept", cleo["id"])["state"], DECIDED)
        self.a.rpc.call("wallet.decline", id=dora["id"], reason="not yet")
        self.assertEqual({item["id"]: item["state"] for item in self.a.leither("inbox", "--all")["items"]},
                         {cleo["id"]: "accepted", dora["id"]: "declined"})
        self.assertEqual(self.a.refusal("accept", dora["id"]), (1, "declined"))
        members = [item["account"] for item in self.a.leither("member", "list")["items"]]
        self.assertIn(applicants["cleo"], members)
        self.assertNotIn(applicants["dora"], members)

    def test_people_have_names_that_stand_wherever_an_account_may(self):
        ben = self.accounts["ben"]
        self.a.leither("contact", "add", "ben", ben)
        self.b.leither("contact", "add", "anna", self.accounts["anna"])
        self.assertEqual(self.a.rpc.call("wallet.contacts"), {"contacts": [{"name": "ben", "account": ben}]})
        self.assertEqual(self.a.leither("balance", "ben")["account"], ben)
        request = self.b.leither("request", "3", "--to", "ben", "--payer", "anna")["id"]
        self.assertTrue(wait_for(self.waiting))
        self.assertRegex(self.a.run_leither("inbox").stdout, r"request +ben +anna")
        self.a.leither("accept", request)
        self.assertIn("ben", self.a.run_leither("history", "anna").stdout)
        for words, refused in ((("ben", self.accounts["anna"]), (1, "name_taken")), (("anna", ben), (1, "name_taken")),
                               (("Ben", "55" * 20), (2, "bad_name")), (("ben", "55" * 20), (1, "name_taken")),
                               (("eve", "ben"), (2, "bad_account"))):
            self.assertEqual(self.a.refusal("contact", "add", *words), refused, words)
        self.assertEqual(self.a.refusal("contact", "remove", "eve"), (4, "not_found"))
        self.a.rpc.call("wallet.set_contact", account=ben, name="benno")
        self.assertEqual(self.a.leither("contact", "list"), {"contacts": [{"name": "benno", "account": ben}]})
        self.a.leither("contact", "remove", "benno")
        self.assertEqual(self.a.refusal("balance", "benno"), (4, "not_found"))

    def test_letters_lines_and_keys_through_the_daemon(self):
        made = self.a.rpc.call("wallet.create", name="cleo")
        self.assertIn(made["account"], [key["account"] for key in self.a.leither("key", "list")])
        status = self.a.rpc.call("wallet.status")
        self.assertEqual((status["enabled"], status["encrypted"], status["locked"]), (True, False, False))
        anna = [account for account in status["accounts"] if account["name"] == "anna"][0]
        self.assertEqual((anna["member"], anna["balance"]), (True, "10000"))
        self.a.rpc.call("wallet.send", account="anna", to=self.accounts["ben"], text="Bread at six")
        letters = wait_for(lambda: self.b.rpc.call("wallet.letters", account="ben"))
        self.assertEqual([(letter["from"], letter["text"]) for letter in letters],
                         [(self.accounts["anna"], "Bread at six")])
        self.a.rpc.call("wallet.chat", account="anna", text="hello")
        self.assertTrue(wait_for(lambda: [line["text"] for line in self.b.leither("chat", "read")] == ["hello"]))


class ByPolicy(Market):
    def test_the_policy_pays_within_its_limits_and_leaves_the_rest(self):
        self.a.leither("wallet", "policy", "set", self.accounts["ben"], "5", "--per-day", "8")
        self.assertEqual(self.a.rpc.call("wallet.policy"),
                         {"rules": [{"from": self.accounts["ben"], "amount_max": "500", "per_day": "800"}]})
        paid = self.ask("5", reference="first")
        self.assertTrue(wait_for(lambda: self.state_of(paid)["state"] in DECIDED))
        self.assertIn("by the policy", self.facts(self.a, paid)["signed_by_payer"])
        above_day = self.ask("3.01", reference="second")
        above_each = self.ask("5.01", reference="third")
        self.assertTrue(wait_for(lambda: len(self.waiting()) == 2))
        reasons = {item["id"]: item["why_waiting"] for item in self.waiting()}
        self.assertIn("24 hours: 8.01 hour against 8.00 hour", reasons[above_day])
        self.assertIn("at once: 5.01 hour against 5.00 hour", reasons[above_each])
        within = self.ask("3", reference="fourth")
        self.assertTrue(wait_for(lambda: self.state_of(within)["state"] in DECIDED))
        self.assertEqual(self.balance("ben"), 800)
        self.a.leither("wallet", "policy", "remove", self.accounts["ben"])
        self.assertEqual(self.a.rpc.call("wallet.policy"), {"rules": []})
        with self.assertRaises(RpcError) as caught:
            self.a.rpc.call("wallet.set_policy", rules=[{"from": self.accounts["ben"], "amount_max": "5"}])
        self.assertEqual(caught.exception.name, "bad_rule")

    def test_kill_at_any_moment_neither_loses_nor_doubles_a_payment(self):
        self.a.leither("wallet", "policy", "set", self.accounts["ben"], "5", "--per-day", "50")
        requests = []
        for number in range(6):
            requests.append(self.ask("1", reference=f"loaf {number}"))
            # While it is on its way, being judged, signed, submitted or committed.
            threading.Event().wait(0.05 + 0.13 * number)
            self.a.kill()
            self.a.start()
        paid = lambda: [self.state_of(request)["state"] in DECIDED for request in requests]
        self.assertTrue(wait_for(lambda: all(paid()), 90), self.b.leither("requests"))
        self.assertEqual(self.balance("ben"), 600)
        self.a.stop()
        self.a.verify()


class Crashes(Market):
    def test_a_letter_that_could_not_be_posted_goes_out_later(self):
        self.a.stop()  # the payer is away
        request = self.ask("4")
        self.b.kill()
        self.b.start()
        self.a.start()
        self.assertTrue(wait_for(self.waiting))
        self.assertEqual(self.waiting()[0]["id"], request)
        self.a.leither("accept", request)
        self.assertEqual(self.balance("ben"), 400)

    def test_what_was_signed_before_the_crash_is_submitted_again_and_once(self):
        request = self.ask("4")
        self.assertTrue(wait_for(self.waiting))
        text = self.waiting()[0]["text"]
        # The daemon dies when leither has signed: its journal has it, nobody else.
        journal = os.path.join(self.a.data_dir, "wallet", "journal")
        self.a.leither("accept", request)
        with open(journal, encoding="ascii") as file:
            lines = file.read().splitlines(keepends=True)
        self.assertEqual(lines[0], "leither-wallet-journal-1\n")
        # A torn line behind it, as a crash leaves one, is nobody's promise.
        with open(journal, "a", encoding="ascii") as file:
            file.write(lines[-1][:40])
        self.a.kill()
        self.a.start()
        self.assertEqual(self.a.refusal("pay", text, "--from", "anna"), (1, "already_paid"))
        self.assertTrue(wait_for(lambda: self.balance("ben") == 400))
        other = self.ask("1", reference="after the crash")
        self.assertTrue(wait_for(self.waiting))
        self.a.leither("accept", other)
        self.assertEqual(self.balance("ben"), 500)

    def test_a_damaged_journal_stops_signing(self):
        request = self.ask("4")
        self.assertTrue(wait_for(self.waiting))
        journal = os.path.join(self.a.data_dir, "wallet", "journal")
        with open(journal, "w", encoding="ascii") as file:
            file.write("leither-wallet-journal-1\nzz\n")
        os.chmod(journal, 0o600)
        self.assertEqual(self.a.refusal("accept", request), (4, "bad_journal"))
        os.remove(journal)
        self.a.leither("accept", request)

    def test_accepting_twice_at_once_pays_once(self):
        request = self.ask("4")
        self.assertTrue(wait_for(self.waiting))
        command = [LEITHER, "--data-dir", self.a.data_dir, "accept", request, "--no-wait"]
        several = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(3)]
        for process in several:
            process.wait()
        self.assertTrue(wait_for(lambda: self.balance("ben") == 400))
        self.assertEqual(self.a.leither("inbox", "--all")["items"][0]["state"], "paid")
        self.assertEqual(self.balance("anna"), 9_600)


class Sealed(Market):
    def with_passphrase(self, daemon, *words, passphrase=PASSPHRASE, json="--json"):
        """A command whose passphrase comes by a descriptor."""
        with tempfile.TemporaryFile() as file:
            file.write(passphrase.encode() + b"\n")
            file.seek(0)
            return daemon.run_leither(*([json] if json else []), "--passphrase-fd", str(file.fileno()), *words,
                                      pass_fds=[file.fileno()])

    def test_a_protected_wallet_needs_its_passphrase_or_an_unlocked_daemon(self):
        request = self.ask("4")
        self.assertTrue(wait_for(self.waiting))
        self.assertEqual(self.with_passphrase(self.a, "key", "protect").returncode, 0)
        path = os.path.join(self.a.data_dir, "wallet", "anna.key")
        with open(path, encoding="ascii") as file:
            self.assertTrue(file.read().startswith("leither-key-2 "))
        self.assertEqual(self.a.leither("key", "show", "anna")["account"], self.accounts["anna"])

        # Locked: everywhere by name.
        self.assertEqual(self.a.refusal("accept", request), (4, "locked"))
        self.assertEqual(self.a.refusal("key", "new", "cleo"), (4, "locked"))
        status = self.a.rpc.call("wallet.status")
        self.assertEqual((status["encrypted"], status["locked"]), (True, True))
        with self.assertRaises(RpcError) as caught:
            self.a.rpc.call("wallet.accept", id=request)
        self.assertEqual(caught.exception.name, "locked")
        with self.assertRaises(RpcError) as caught:
            self.a.rpc.call("wallet.unlock", passphrase="open barley")
        self.assertEqual(caught.exception.name, "wrong_passphrase")
        wrong = self.with_passphrase(self.a, "accept", request, passphrase="open barley")
        self.assertEqual(wrong.returncode, 4)
        self.assertIn("wrong_passphrase", wrong.stdout)

        # The daemon unlocked: leither asks it.
        self.assertEqual(self.with_passphrase(self.a, "wallet", "unlock").returncode, 0)
        self.assertEqual(self.a.leither("inbox")["items"][0]["id"], request)
        self.assertIn(self.a.leither("accept", request)["state"], DECIDED)
        self.assertEqual(self.balance("ben"), 400)
        self.a.leither("wallet", "lock")
        self.assertTrue(self.a.rpc.call("wallet.status")["locked"])

        # A new key is sealed like the others; unprotected all are plain again.
        self.assertEqual(self.with_passphrase(self.a, "key", "new", "cleo").returncode, 0)
        again = self.with_passphrase(self.a, "key", "protect")
        self.assertEqual(again.returncode, 4)
        self.assertIn("already_protected", again.stdout)
        secret = os.path.join(self.scratch, "passphrase")
        with open(secret, "w", encoding="ascii") as file:
            file.write(PASSPHRASE + "\n")
        os.chmod(secret, 0o644)
        environment = {"LEITHER_PASSPHRASE_FILE": secret}
        refused = leither("key", "unprotect", data_dir=self.a.data_dir, check=False, env=environment)
        self.assertEqual(refused.returncode, 4)
        self.assertIn("chmod 600", refused.stderr)
        os.chmod(secret, 0o600)
        leither("key", "unprotect", data_dir=self.a.data_dir, env=environment)
        self.assertFalse(self.a.rpc.call("wallet.status")["encrypted"])
        self.assertEqual(self.a.refusal("key", "unprotect"), (4, "not_protected"))

    def test_the_policy_waits_for_the_passphrase(self):
        self.a.leither("wallet", "policy", "set", self.accounts["ben"], "5")
        self.assertEqual(self.with_passphrase(self.a, "key", "protect").returncode, 0)
        request = self.ask("4")
        inbox = lambda: self.a.rpc.call("message.inbox", account=self.accounts["anna"])
        self.assertTrue(wait_for(inbox))
        self.a.kill()
        self.a.start()
        self.assertEqual(self.balance("ben"), 0)
        self.assertEqual(self.with_passphrase(self.a, "wallet", "unlock").returncode, 0)
        self.assertTrue(wait_for(lambda: self.balance("ben") == 400))
        self.assertTrue(wait_for(lambda: self.state_of(request)["state"] in DECIDED))


class Timed(Market):
    wallet_options = ("wallet.lock_after_s=2",)

    def test_an_unlocked_wallet_locks_itself(self):
        Sealed.with_passphrase(self, self.a, "key", "protect")
        self.a.rpc.call("wallet.unlock", passphrase=PASSPHRASE)
        self.assertFalse(self.a.rpc.call("wallet.status")["locked"])
        self.assertTrue(wait_for(lambda: self.a.rpc.call("wallet.status")["locked"], 20))


class Without(Market):
    wallet_options = ("wallet.enabled=false",)

    def test_a_daemon_without_spending_keys_carries_what_leither_signs(self):
        self.assertEqual(self.a.rpc.call("wallet.status"),
                         {"enabled": False, "encrypted": False, "locked": False, "accounts": []})
        with self.assertRaises(RpcError) as caught:
            self.a.rpc.call("wallet.inbox")
        self.assertEqual((caught.exception.code, caught.exception.name), (9, "no_wallet"))
        request = self.ask("4")
        self.assertTrue(wait_for(self.waiting))
        self.a.leither("accept", request)
        self.assertEqual(self.balance("ben"), 400)


if __name__ == "__main__":
    unittest.main()
