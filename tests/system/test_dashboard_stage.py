"""The dashboard's pages in a real browser before a stage (harness/stage.py): how they act through a wallet, and
states that a real daemon rarely shows."""

import copy
import os
import shutil
import subprocess
import unittest

from harness import browser as browsers
from harness import town
from harness.stage import Refusal, Stage

PAGES = ("overview", "pay", "request", "inbox", "history", "members", "votes", "rewards", "chat", "node", "more", "unlock")


@unittest.skipUnless(browsers.AVAILABLE, "chromium, chromium-driver or python3-selenium is not installed")
class StageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = browsers.Browser()
        cls.addClassCleanup(cls.browser.end)

    def setUp(self):
        self.stage = Stage(town.answers())
        self.addCleanup(self.stage.end)
        self.browser.emulate()
        self.browser.open("about:blank")
        self.browser.console()

    def tearDown(self):
        self.assertEqual(self.browser.console(), [])

    def open(self, route="overview"):
        self.browser.open(self.stage.url + "/#/login/ab")
        self.browser.wait_for_text("Balance", "#page")
        self.browser.go(route)


class Acting(StageTest):
    def test_a_request_is_looked_at_and_paid(self):
        self.open("pay")
        # As mail programs break it.
        self.browser.fill("Request", town.REQUEST[:50] + " " + town.REQUEST[50:])
        self.browser.press("Look at it")
        self.browser.wait_for_text("25.00 hour")
        self.browser.wait_for_text("ride to the mill")
        self.assertIn("Who can see a payment?", self.browser.text())
        self.browser.press("Who can see this?")
        self.browser.wait_for_text("nothing of it")
        self.assertEqual(self.stage.called("wallet.pay"), [])
        self.browser.press("Pay now")
        self.browser.wait_for_text("It cannot be undone", ".follow")
        self.assertEqual(self.stage.called("wallet.pay"), [{"account": town.ANNA, "text": town.REQUEST}])
        self.assertEqual(len(self.stage.called("wallet.read")), 1)
        self.assertEqual(self.stage.called("transaction.status")[0], {"id": "fe" * 32, "signer": town.ANNA})

    def test_a_damaged_request_is_explained(self):
        self.open("pay")
        self.browser.fill("Request", "leither:pay:00")
        self.browser.press("Look at it")
        self.browser.wait_for_text("ask the payee for it again")
        for read, complaint in (({"organization_matches": False}, "another organization"), ({"expires_ms": 1}, "has expired")):
            self.stage.answers["wallet.read"] = {**town.read({"text": town.REQUEST}), **read}
            self.browser.press("Look at it")
            self.browser.wait_for_text(complaint)
            self.assertNotIn("Pay now", self.browser.text())

    def test_an_amount_is_sent_in_smallest_units(self):
        self.open("pay")
        for field, value in (("Amount", "90071992547409.93"), ("Reference", "all of it")):
            self.browser.fill(field, value)
        self.browser.press("Pay")
        self.browser.wait_for_text("It cannot be undone")
        self.assertEqual(self.stage.called("wallet.pay"), [{"account": town.ANNA, "payee": town.MILL, "amount": "9007199254740993", "reference": "all of it"}])

    def test_a_refusal_says_why_and_nothing_is_lost(self):
        def refuse(_):
            raise Refusal(1, "insufficient_balance", "the payer holds less than this")
        self.stage.answers["wallet.pay"] = refuse
        self.open("pay")
        self.browser.fill("Amount", "99")
        self.browser.press("Pay")
        self.browser.wait_for_text("Not enough credit. the payer holds less than this")
        self.assertEqual(self.browser.field("Amount").get_attribute("value"), "99")
        self.stage.answers["wallet.pay"] = {"id": "fe" * 32}
        self.stage.answers["transaction.status"] = {"state": "refused", "refusal": {"name": "expired", "message": "It came too late.", "actual": 0, "limit": 0}}
        self.browser.press("Pay")
        self.browser.wait_for_text("It came too late. Nothing was paid.")

    def test_a_request_is_made_and_its_picture_read_by_others(self):
        self.open("request")
        self.browser.fill("Amount", "25")
        self.browser.fill("Reference", "ride to the mill")
        self.browser.fill("Payer", town.BEA)
        self.browser.press("Make the request")
        self.browser.wait_for_text("on its way to the payer")
        self.assertEqual(self.stage.called("wallet.request"), [
            {"account": town.ANNA, "amount": "2500", "expires_s": 600, "reference": "ride to the mill", "payer": town.BEA}])
        self.assertEqual(self.browser.find("#request-text").get_attribute("value"), town.REQUEST)
        if shutil.which("zbarimg") is None:
            self.skipTest("zbarimg is not installed")
        picture = os.path.join(self.browser.profile, "code.png")
        for scheme in ("light", "dark"):
            self.browser.emulate(scheme=scheme, scale=2, height=2400)
            self.browser.find(".qr").screenshot(picture)
            read = subprocess.run(["zbarimg", "-q", "--raw", "-Sdisable", "-Sqrcode.enable", picture], capture_output=True, check=False)
            self.assertEqual(read.stdout.decode().strip(), town.REQUEST, scheme)

    def test_what_waits_is_accepted_or_declined(self):
        self.open("inbox")
        self.assertIn("Not paid by itself: 25.00 hour is above what you allow", self.browser.text())
        self.assertIn("Mind the nails.", self.browser.text())
        self.assertEqual(self.browser.text().count("leither:join:"), 2, "in the two commands alone, not as a letter once more")
        self.browser.press("Pay")
        self.browser.wait_for_text("Done.")
        self.browser.press("Decline")
        self.browser.wait_for_text("Declined.")
        self.assertEqual((self.stage.called("wallet.accept"), self.stage.called("wallet.decline")), ([{"id": "a1"}], [{"id": "a1"}]))

    def test_why_is_answered_by_a_chain_of_facts(self):
        self.open("inbox")
        self.browser.press("Why?")
        self.browser.wait_for_text("signed a request for 25.00 hour. (signed)")
        self.assertIn("It waits for your word.", self.browser.text(".why .so"))
        self.assertEqual(self.stage.called("wallet.why"), [{"id": "a1"}])

    def test_what_one_asked_for_is_followed(self):
        self.open("request")
        self.browser.wait_for_text("What you asked for")
        first, second = self.browser.find_all(".items > li")
        self.assertIn("waits to be paid", first.text)
        self.assertIn("two loaves of rye", second.text)

    def test_what_is_paid_by_itself_is_allowed_and_taken_back(self):
        self.open("inbox")
        self.browser.wait_for_text("up to 10.00 hour each, 30.00 hour a day")
        self.browser.press("Allow somebody")
        self.browser.fill("Payee", town.CARL)
        self.browser.fill("Most for one request", "5")
        self.browser.fill("Most in a day", "7.5")
        self.browser.press("Allow")
        self.browser.wait_for_text("Allowed.")
        rule = {"from": town.BEA, "amount_max": "1000", "per_day": "3000"}
        self.assertEqual(self.stage.called("wallet.set_policy"), [{"rules": [rule, {"from": town.CARL, "amount_max": "500", "per_day": "750"}]}])
        self.browser.wait_for_text("Allow somebody")
        self.browser.press("Remove")
        self.browser.wait_for_text("Removed.")
        self.assertEqual(self.stage.called("wallet.set_policy")[-1], {"rules": []})

    def test_other_peoples_accounts_have_the_names_one_gives_them(self):
        self.open("members")
        self.browser.wait_for_text("dora")
        self.browser.go(f"history/{town.BEA}")
        self.browser.fill("Name", "bea")
        self.browser.press("Give a name")
        self.browser.wait_for_text("Called bea from now on")
        self.assertEqual(self.stage.called("wallet.set_contact"), [{"account": town.BEA, "name": "bea"}])
        self.browser.go(f"history/{town.DORA}")
        self.browser.wait_for_text("What you call this account")
        self.browser.fill("Name", "")
        self.browser.press("Change the name")
        self.browser.wait_for_text("no name any more")
        self.assertEqual(self.stage.called("wallet.set_contact")[1:], [{"account": town.DORA}])
        self.browser.go(f"history/{town.ANNA}")
        self.browser.wait_for_text("What happened")
        self.assertNotIn("What you call this account", self.browser.text())

    def test_a_letter_that_is_being_written_is_not_drawn_over(self):
        self.open("inbox")
        self.browser.press("Write a letter")
        self.browser.fill("Letter", "Dear Carl")
        items = copy.deepcopy(town.INBOX)
        items[0]["state"] = "paid"
        self.stage.answers["wallet.inbox"] = {"items": items}
        self.browser.run("document.querySelector('#page .live').refresh()")
        self.browser.fill("To", town.CARL.upper())
        self.assertEqual(self.browser.field("Letter").get_attribute("value"), "Dear Carl")
        self.browser.press("Send")
        self.browser.wait_for_text("Sent.")
        self.assertEqual(self.stage.called("wallet.send"), [{"account": town.ANNA, "to": town.CARL, "text": "Dear Carl"}])

    def test_a_ballot_and_an_application(self):
        self.open("votes")
        self.browser.press("No")
        self.browser.wait_for_text("Cast: no.")
        self.assertEqual(self.stage.called("wallet.cast"), [{"account": town.ANNA, "vote": "11" * 20, "choice": "no"}])
        self.browser.go("members")
        self.browser.wait_for_text("gluten-free")
        self.assertIn("leither org approve leither:join:0a1b2c", self.browser.text())
        self.assertIn("leither org refuse leither:join:0a1b2c --reason TEXT", self.browser.text())
        self.browser.fill("Link", "an invitation")
        self.browser.press("Show it as a code")
        self.browser.wait_for_text("A link begins with leither:")
        self.browser.fill("Link", "leither:invite:" + "k7" * 200)
        self.browser.press("Show it as a code")
        self.browser.wait(lambda: self.browser.find_all(".qr"), "no code is drawn")

    def test_talking(self):
        self.open("chat")
        self.browser.fill("Your line", "I am on my way")
        self.browser.press("Send")
        self.browser.wait(lambda: self.stage.called("wallet.chat"), "no line is sent")
        self.assertEqual(self.stage.called("wallet.chat"), [{"account": town.ANNA, "text": "I am on my way"}])
        self.browser.wait(lambda: self.browser.field("Your line").get_attribute("value") == "", "the line stays in the field")
        line = {"id": "99" * 32, "author": town.ANNA, "key": "0" * 64, "number": 2, "time_ms": town.NOW_MS, "text": "I am on my way"}
        for _ in range(2):  # the same line twice is one line
            self.stage.tell("chat", line)
        self.browser.wait_for_text("I am on my way", ".chat")
        self.assertEqual(self.browser.text(".chat").count("I am on my way"), 1)

    def test_a_locked_wallet_is_unlocked(self):
        locked = {**town.answers()["wallet.status"], "locked": True}
        self.stage.answers["wallet.status"] = locked

        def unlock(params):
            if params["passphrase"] != "open sesame":
                raise Refusal(8, "wrong_passphrase", "This is not the passphrase.")
            self.stage.answers["wallet.status"] = {**locked, "locked": False}
            return True
        self.stage.answers["wallet.unlock"] = unlock
        self.open("inbox")
        self.browser.press("Unlock the wallet")
        self.browser.wait_for_text("Passphrase")
        self.browser.fill("Passphrase", "guess")
        self.browser.press("Unlock")
        self.browser.wait_for_text("This is not the passphrase.")
        self.browser.fill("Passphrase", "open sesame")
        self.browser.press("Unlock")
        self.browser.wait_for_text("Balance")


class States(StageTest):
    def test_without_keys_every_page_says_what_to_type(self):
        self.stage.answers["wallet.status"] = {"enabled": False}
        self.stage.answers["receipt.list"] = {"items": [], "accounts": [{"account": town.ANNA, "missing": None}], "count": 0, "bytes": 0}
        self.open("pay")
        self.browser.fill("Payee", "bea's shop")
        self.browser.fill("Amount", "12.5")
        self.browser.fill("Reference", "it's $HOME")
        self.browser.press("Pay")
        self.browser.wait_for_text("without spending keys")
        # As a shell must read it.
        command, = [line for line in self.browser.text().splitlines() if line.startswith("leither pay")]
        words = subprocess.run(["sh", "-c", command.replace("leither", "printf '%s|'", 1)], capture_output=True, text=True, check=True).stdout
        self.assertEqual(words, "pay|bea's shop|12.50|--from|KEY|--reference|it's $HOME|")
        for page, command in (("inbox", "leither message list"), ("members", "leither org applications"), ("chat", "leither chat send TEXT --from KEY"),
                              ("votes", f"leither vote cast {'11' * 20} yes --from KEY")):
            self.browser.go(page)
            self.assertIn(command, self.browser.text(), page)
        for method, _ in self.stage.calls:
            self.assertFalse(method.startswith("wallet.") and method != "wallet.status", method)

    def test_health_is_told_in_words(self):
        def with_changes(**changes):
            status = town.status()
            for path, value in changes.items():
                *way, last = path.split("__")
                place = status
                for step in way:
                    place = place[step]
                place[last] = value
            return status
        cases = (({"catching_up__stage": "blocks", "catching_up__behind": 12}, "It is catching up: 12 blocks behind."),
                 ({"catching_up__stage": "halted"}, "It has halted"), ({"catching_up__trouble": "anchor_too_old"}, "Pin a newer checkpoint"),
                 ({"organization__evidence": {"conflicts": 2, "forks": [9]}}, "Two blocks were decided at height 9"),
                 ({"organization__finality": {**town.FINALITY, "certified": False, "final": False, "online": 0, "needed": 2}}, "none is online"),
                 ({"organization__finality": {**town.FINALITY, "certified": False, "final": False, "dissenting": 1}}, "Hand out nothing"),
                 ({"network": None}, "takes no part in the network"), ({"network__connections": 0}, "No connection to another node"),
                 ({"network__reachability": "not reachable: 3 tried"}, "Others cannot dial it"))
        self.open("overview")
        for changes, words in cases:
            self.stage.answers["node.status"] = with_changes(**changes)
            self.stage.tell("block", {})
            self.browser.wait_for_text(words, ".health")

    def test_an_error_has_a_way_out(self):
        def fail(_):
            raise Refusal(5, "fault", "the store failed; see the log")
        self.stage.answers["member.list"] = fail
        self.open("members")
        self.browser.wait_for_text("Fault. the store failed; see the log")
        self.assertEqual(self.browser.complaints(), [])
        self.stage.answers["member.list"] = {"items": town.MEMBERS}
        self.browser.press("Try again")
        self.browser.wait_for_text("5 members")

    def test_an_older_daemon_is_named_as_that(self):
        del self.stage.answers["node.logs"]
        self.open("node")
        self.browser.wait_for_text("This daemon is older than its pages.")
        self.assertIn("Committee and cycle", self.browser.text(), "the rest of the page is there")

    def test_empty_pages_say_so(self):
        nothing = {"items": [], "pruned": False}
        self.stage.answers.update({"account.history": nothing, "vote.list": nothing, "reward.list": {"pending": [], "mining": []}, "chat.read": [],
                                   "wallet.inbox": {"items": []}, "wallet.letters": [], "network.peers": [], "node.logs": []})
        self.open("overview")
        for page, words in (("overview", "Nothing has happened yet."), ("history", "Nothing yet."), ("votes", "No vote is open."),
                            ("rewards", "Nothing has been rewarded yet."), ("chat", "Nobody has said anything yet."), ("inbox", "Nothing waits."),
                            ("node", "No connections.")):
            self.browser.go(page)
            self.browser.wait_for_text(words)
            self.assertEqual(self.browser.complaints(), [], page)

    def test_every_page_is_in_order_at_every_width(self):
        self.open("overview")
        for page in PAGES:
            self.browser.emulate()
            self.browser.go(page)
            for width in (1280, 800, 740, 360, 320):
                self.browser.emulate(width=width)
                self.assertEqual(self.browser.complaints(), [], f"{page} at {width}")


if __name__ == "__main__":
    unittest.main()
