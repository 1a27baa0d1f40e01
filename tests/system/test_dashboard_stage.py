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

PAGES = ("overview", "pay", "request", "inbox", "history", "members", "invite", "votes", "contributions", "rewards", "tasks", "chat", "packs", "node", "backup", "begin", "more", "unlock")
# Where screenshots are left for people; nowhere by default.
SCREENSHOTS = os.environ.get("LEITHER_SCREENSHOTS")


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

    def choose(self, label, text):
        control = self.browser.field(label)
        self.browser.run("const [select, text] = arguments; select.value = [...select.options].find((one) => one.textContent === text).value; select.dispatchEvent(new Event('change'))", control, text)

    def option(self, label, value):
        """What is shown of that choice."""
        return self.browser.run("return [...arguments[0].options].find((one) => one.value === arguments[1]).textContent", self.browser.field(label), value)

    def reason(self, button, text):
        """The field of that form, where several have one."""
        self.browser.run("const form = [...document.querySelectorAll('form')].find((one) => one.querySelector('button[type=submit]').textContent === arguments[0]); form.elements.reason.value = arguments[1]", button, text)


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
        self.browser.wait_for_text("hand over what it is for", ".follow")
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
        self.browser.wait_for_text("hand over what it is for")
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
        self.assertEqual(self.browser.text().count("leither:join:"), 0, "not as a letter once more")
        self.assertIn("Decide on it with the members", self.browser.text())
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

    def test_a_ballot(self):
        self.open("votes")
        self.browser.press("No")
        self.browser.wait_for_text("Cast: no.")
        self.assertEqual(self.stage.called("wallet.cast"), [{"account": town.ANNA, "vote": "11" * 20, "choice": "no"}])

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


class Inviting(StageTest):
    def test_an_invitation_is_made_shown_and_read_by_others(self):
        self.open("invite")
        self.choose("Good for", "3 days")
        self.browser.press("Make the invitation")
        self.browser.wait_for_text("It is good until")
        self.assertEqual(self.stage.called("wallet.invite"), [{"account": town.ANNA, "days": 3}])
        for part in ("192.0.2.7:7400, [2001:db8::7]:7400", town.ORGANIZATION, "1790:", "It holds no key and no money."):
            self.assertIn(part, self.browser.text())
        self.assertEqual(self.browser.find("textarea[aria-label=Invitation]").get_attribute("value"), town.INVITATION)
        if shutil.which("zbarimg") is None:
            self.skipTest("zbarimg is not installed")
        picture = os.path.join(self.browser.profile, "code.png")
        self.browser.emulate(scale=2, height=2400)
        self.browser.find(".qr").screenshot(picture)
        read = subprocess.run(["zbarimg", "-q", "--raw", "-Sdisable", "-Sqrcode.enable", picture], capture_output=True, check=False)
        self.assertEqual(read.stdout.decode().strip(), town.INVITATION.upper())

    def test_who_may_not_invite_is_told_why(self):
        def refuse(_):
            raise Refusal(9, "no_address", "Neither this node nor a keeper of the manifest has an address. Let the daemon listen.")
        self.stage.answers["wallet.invite"] = refuse
        self.open("invite")
        self.browser.press("Make the invitation")
        self.browser.wait_for_text("No address. Neither this node nor a keeper")
        status = copy.deepcopy(self.stage.answers["wallet.status"])
        for one in status["accounts"]:
            one.update(member=False, role=None)
        self.stage.answers["wallet.status"] = status
        self.browser.go("chat")
        self.browser.go("invite")
        self.assertIn("None of the accounts in this wallet is a member yet.", self.browser.text())

    def test_a_link_one_has_is_shown_as_a_code(self):
        self.open("invite")
        self.browser.fill("Link", "an invitation")
        self.browser.press("Show it as a code")
        self.browser.wait_for_text("A link begins with leither:", ".field")
        self.assertEqual(self.browser.field("Link").get_attribute("aria-invalid"), "true")
        self.browser.fill("Link", "leither:invite:" + "k7" * 200)
        self.browser.press("Show it as a code")
        self.browser.wait(lambda: self.browser.find_all(".qr"), "no code is drawn")
        self.assertEqual(self.browser.find_all("[aria-invalid], .complaint"), [])


class Beginning(StageTest):
    """A node that belongs nowhere."""

    def setUp(self):
        super().setUp()
        def nowhere(_):
            raise Refusal(2, "no_organization", "this node keeps no ledger yet")
        self.fresh = town.status()
        self.fresh["organization"] = None
        self.fresh["network"]["organization"] = None
        wallet = {**town.answers()["wallet.status"], "accounts": []}
        self.stage.answers.update({"node.status": lambda _: self.fresh, "organization.info": nowhere, "wallet.status": lambda _: wallet})

    def open(self, route="begin"):
        self.browser.open(self.stage.url + "/#/login/ab")
        self.browser.wait_for_text("belongs to no organization yet", "#page")
        self.browser.go(route)

    def test_an_invitation_is_looked_at_and_used(self):
        def join(_):
            self.fresh["network"]["organization"] = town.status()["network"]["organization"]
            self.stage.answers["wallet.standing"] = [{"account": town.EVE, "state": "waiting", "words": "is waiting: it has arrived; a supervisor is to decide",
                                                      "member": town.ANNA, "sent_ms": town.ago(0)}]
            return {"state": "waiting", "account": town.EVE, "member": town.ANNA, "application": town.APPLICATION}
        self.stage.answers["wallet.join"] = join
        self.open()
        self.browser.fill("Invitation", "leither:pay:00")
        self.browser.press("Look at it")
        self.browser.wait_for_text("An invitation begins with leither:invite:", ".field")
        self.browser.fill("Invitation", town.INVITATION[:60] + " " + town.INVITATION[60:])
        self.browser.press("Look at it")
        self.browser.wait_for_text("Bakers' Row")
        self.assertEqual(self.stage.called("wallet.invitation"), [{"text": town.INVITATION}])
        self.browser.fill("Your name in this wallet", "Eve Baker", within=".offer")
        self.browser.press("Ask to be admitted")
        self.browser.wait_for_text("A name in this wallet has small letters", ".field")
        self.browser.fill("Your name in this wallet", "eve", within=".offer")
        self.browser.fill("Note", "I bake")
        self.browser.press("Ask to be admitted")
        self.browser.wait_for_text("It is waiting: it has arrived; a supervisor is to decide.")
        self.assertEqual(self.stage.called("wallet.join"), [{"link": town.INVITATION, "account": "eve", "note": "I bake"}])
        self.assertEqual(self.browser.complaints(), [])

    def test_an_invitation_that_is_over_is_not_used(self):
        self.stage.answers["wallet.invitation"] = {**town.INVITED, "expired": True}
        self.open()
        self.browser.fill("Invitation", town.INVITATION)
        self.browser.press("Look at it")
        self.browser.wait_for_text("It has expired. Ask whoever invited you for another one.")
        self.assertNotIn("Ask to be admitted", self.browser.text())

    def test_a_damaged_invitation_is_explained_at_its_field(self):
        def damaged(_):
            raise Refusal(-32602, "invitation_damaged", "The invitation is damaged. Ask whoever invited you for the text.")
        self.stage.answers["wallet.invitation"] = damaged
        self.open()
        self.browser.fill("Invitation", town.INVITATION)
        self.browser.press("Look at it")
        self.browser.wait_for_text("Invitation damaged. The invitation is damaged.", ".field")

    def test_an_organization_is_founded(self):
        self.stage.answers["wallet.found"] = lambda _: (self.stage.answers.update({"organization.info": town.info()}), {"id": town.ORGANIZATION})[1]
        self.open()
        self.browser.press("Found one")
        self.browser.press("Found it")
        self.browser.wait_for_text("Give it a name.", ".field")
        self.browser.fill("What is it called?", "Bakers' Row")
        self.browser.fill("How much credit will there ever be?", "100")
        self.browser.press("Add a share")
        self.browser.emulate(width=320)
        self.assertEqual(self.browser.complaints(), [])
        self.browser.emulate()
        self.browser.fill("Share", "100.01")
        self.browser.press("Found it")
        self.browser.wait_for_text("Say why each share is given.")
        self.browser.fill("Reason for it", "built the oven")
        self.browser.press("Found it")
        self.browser.wait_for_text("The shares together are more than all credit", ".field")
        self.assertEqual(self.stage.called("wallet.found"), [])
        self.browser.fill("Share", "40")
        self.browser.press("Found it")
        self.browser.wait_for_text("You are its first member and supervisor.")
        self.assertEqual(self.stage.called("wallet.found"), [{"name": "Bakers' Row", "unit": "hour", "decimals": 2, "supply": "10000", "account": "founder",
            "announcement": "All credit starts in the treasury; rewards bring it to members.", "shares": [{"key": "founder", "amount": "4000", "reason": "built the oven"}]}])
        self.browser.wait(lambda: self.browser.text("#brand") == "Bakers' Row", "the brand is not renewed")

    def test_every_page_points_the_way(self):
        self.open()
        for page in ("pay", "request", "history", "members", "votes", "rewards", "invite", "tasks", "packs"):
            self.browser.go(page)
            self.browser.wait_for_text("Join one, or found one")
            self.assertEqual(self.browser.complaints(), [], page)


class Deciding(StageTest):
    def test_an_applicant_is_admitted_once(self):
        self.open("members")
        self.assertIn("gluten-free", self.browser.text())
        self.browser.run("const button = [...document.querySelectorAll('button')].find((e) => e.textContent === 'Admit'); button.click(); button.click()")
        self.browser.wait_for_text("Admitted. Secured. It settles by itself")
        self.assertEqual(self.stage.called("wallet.approve"), [{"applicant": town.EVE, "account": town.ANNA}])

    def test_an_applicant_is_refused_with_a_reason(self):
        self.open("members")
        refuse = "//form[starts-with(@aria-label, 'Refuse')]//button"
        self.browser.press("Refuse")
        self.browser.driver.find_element("xpath", refuse).click()
        self.browser.wait_for_text("Say why, so that they know what to do.", ".field")
        self.assertEqual(self.stage.called("wallet.refuse"), [])
        self.browser.fill("Reason", "come to the meeting first")
        self.browser.driver.find_element("xpath", refuse).click()
        self.browser.wait_for_text("Refused. The reason is on its way")
        self.assertEqual(self.stage.called("wallet.refuse"), [{"applicant": town.EVE, "account": town.ANNA, "reason": "come to the meeting first"}])

    def test_where_two_must_sign_the_other_is_asked(self):
        self.stage.answers["organization.info"] = {**town.info(), "params": {"supervisors_required": 2}}
        self.stage.answers["wallet.approve"] = {"offer": town.OFFER, "id": "d2" * 32, "missing": [town.CARL], "expires_pulse": 9}
        self.open("members")
        self.assertIn("Here 2 supervisors must sign.", self.browser.text())
        self.browser.press("Admit")
        self.browser.wait_for_text("Not done yet. 1 signature still missing:")
        self.assertEqual(self.stage.called("wallet.approve"), [{"applicant": town.EVE, "account": town.ANNA, "offer": "yes"}])
        self.assertEqual(self.browser.find("textarea[aria-label='Text to sign']").get_attribute("value"), town.OFFER)
        self.browser.press("Sign")
        self.browser.wait_for_text("Secured. It settles by itself")
        self.assertEqual(self.stage.called("wallet.cosign"), [{"id": "d1" * 32, "account": town.ANNA}])

    def test_a_member_passes_an_application_on(self):
        status = copy.deepcopy(self.stage.answers["wallet.status"])
        status["accounts"][0]["role"] = "member"
        self.stage.answers["wallet.status"] = status
        self.open("members")
        self.assertEqual([button for button in self.browser.find_all("button") if button.text == "Admit"], [])
        self.browser.press("Pass it on")
        self.browser.wait_for_text("Passed on.")
        self.assertEqual(self.stage.called("wallet.sponsor"), [{"applicant": town.EVE}])

    def test_a_role_is_changed_and_a_member_leaves(self):
        self.open("members")
        self.choose("Member", self.option("Member", town.BEA))
        self.browser.press("Change it")
        self.browser.wait_for_text("Not done yet.")
        self.assertEqual(self.stage.called("wallet.set_role"), [{"member": town.BEA, "role": "supervisor", "account": town.ANNA, "offer": "yes"}])
        self.browser.press("Leave the organization")
        self.browser.press("Leave for good")
        self.browser.wait_for_text("The account you have chosen is called anna.", ".field")
        self.browser.fill("Name of that account", "anna")
        self.browser.press("Leave for good")
        self.browser.wait_for_text("2 supervisors asked by letter")
        self.assertEqual(self.stage.called("wallet.leave"), [{"account": town.ANNA}])


class Proposing(StageTest):
    def test_a_parameter_is_proposed_within_its_bounds(self):
        self.open("votes")
        self.browser.press("Change a parameter")
        self.assertIn("Now 3 600 pulses. It may be from 60 to 2 592 000 pulses.", self.browser.text())
        self.choose("Parameter", "supervisors required")
        self.browser.wait_for_text("Now 1. It may be from 1 to 16.")
        for value, complaint in (("17", "Write a whole number from 1 to 16."), ("two", "Write a whole number"), ("1", "That is the value it has now."), ("2", "Say what for")):
            self.browser.fill("New value", value)
            self.browser.press("Propose the change")
            self.browser.wait_for_text(complaint, ".field")
        self.assertEqual(self.stage.called("wallet.propose"), [])
        self.browser.fill("Reason", "four eyes")
        self.browser.press("Propose the change")
        self.browser.wait_for_text("Secured. It settles by itself")
        self.assertEqual(self.stage.called("wallet.propose"), [{"kind": "parameter", "parameter": "supervisors_required", "value": 2, "reason": "four eyes", "account": town.ANNA}])

    def test_a_reward_is_put_to_the_vote(self):
        self.open("votes")
        self.browser.press("Reward a member by vote")
        self.choose("Member", self.option("Member", town.BEA))
        self.browser.fill("Amount", "40")
        self.reason("Propose the reward", "built the shop")
        self.browser.fill("Proof", "photo 7")
        self.browser.press("Propose the reward")
        self.browser.wait_for_text("Secured. It settles by itself")
        self.assertEqual(self.stage.called("wallet.propose"), [{"kind": "structural", "member": town.BEA, "amount": "4000", "reason": "built the shop", "proof": "photo 7", "account": town.ANNA}])

    def test_a_service_is_rewarded(self):
        self.open("rewards")
        self.choose("Member", self.option("Member", town.BEA))
        self.browser.fill("Amount", "0")
        self.browser.fill("Reason", "swept the square")
        self.browser.press("Give the reward")
        self.browser.wait_for_text("The amount must be more than zero.", ".field")
        self.browser.fill("Amount", "12.50")
        self.browser.run("const button = [...document.querySelectorAll('button')].find((e) => e.textContent === 'Give the reward'); button.click(); button.click()")
        self.browser.wait_for_text("Secured. It settles by itself")
        self.assertEqual(self.stage.called("wallet.reward"), [{"member": town.BEA, "amount": "1250", "kind": "service", "reason": "swept the square", "account": town.ANNA}])

    def test_a_refusal_of_the_ledger_is_shown_at_the_amount(self):
        def refuse(_):
            raise Refusal(1, "zero_amount", "the amount is zero")
        self.stage.answers["wallet.reward"] = refuse
        self.open("rewards")
        self.browser.fill("Amount", "1")
        self.browser.fill("Reason", "a song")
        self.browser.press("Give the reward")
        self.browser.wait_for_text("Zero amount. the amount is zero", ".field")
        self.assertEqual(self.browser.field("Amount").get_attribute("value"), "1")

    def test_who_is_no_supervisor_is_told_so(self):
        status = copy.deepcopy(self.stage.answers["wallet.status"])
        status["accounts"][0]["role"] = "member"
        self.stage.answers["wallet.status"] = status
        self.open("votes")
        self.browser.wait_for_text("Supervisors open votes.")
        self.browser.go("rewards")
        self.browser.wait_for_text("Supervisors recommend rewards.")
        self.browser.go("tasks")
        self.assertNotIn("Promise a task", self.browser.text())


class Working(StageTest):
    def test_a_contribution_is_recorded_and_rewarded(self):
        self.open("contributions")
        for part in ("Told the weekly market of us", "Evidence: the list of names", "Builds on: Drew the plan of the shop", "1 200.00 hour"):
            self.assertIn(part, self.browser.text())
        self.browser.press("Record it")
        self.browser.wait_for_text("Say what was done.", ".field")
        self.choose("Kind", "support: help given")
        self.browser.fill("What was done?", "Carried flour for Dora")
        self.browser.press("Record it")
        self.browser.wait_for_text("Recorded, for everybody to see.")
        self.assertEqual(self.stage.called("wallet.contribute"), [{"account": town.ANNA, "kind": "support", "text": "Carried flour for Dora"}])
        summary, = [one for one in self.browser.find_all("summary") if one.text == "Reward it"]
        summary.click()
        button = self.browser.find("form[aria-label^='Reward:'] button")
        button.click()
        self.browser.wait_for_text("Write an amount", ".field")
        self.browser.fill("Amount", "25")
        button.click()
        self.browser.wait_for_text("Secured. It settles by itself")
        self.assertEqual(self.stage.called("wallet.reward"), [{"member": town.BEA, "amount": "2500", "contribution": "e2" * 32, "account": town.ANNA}])

    def test_a_task_is_promised_claimed_handed_in_and_paid(self):
        self.open("tasks")
        self.browser.fill("What is to be done?", "Paint the oven")
        self.browser.fill("What it pays", "10")
        self.browser.press("Promise it")
        self.browser.wait_for_text("Promised. Hand it to whoever may do it:")
        self.assertEqual(self.stage.called("wallet.create_task"), [{"title": "Paint the oven", "amount": "1000", "days": 30, "account": town.ANNA}])
        self.browser.fill("Text of the task", "leither:pay:00")
        self.browser.press("Say that I do it")
        self.browser.wait_for_text("A task begins with leither:task:", ".field")
        self.browser.fill("Text of the task", town.TASK)
        self.browser.press("Say that I do it")
        self.browser.wait_for_text("It is yours to do, and is listed above.")
        self.browser.press("I do it")
        self.browser.wait_for_text("The supervisor is told that you do it.")
        self.assertEqual(self.stage.called("wallet.claim_task"), [{"task": town.TASK, "account": town.ANNA}, {"task": "b7" * 32, "account": town.ANNA}])
        self.browser.press("Hand it in")
        self.browser.press("Hand in")
        self.browser.wait_for_text("Say what shows that it is done.", ".field")
        self.browser.fill("What shows that it is done?", "it is swept")
        self.browser.press("Hand in")
        self.browser.wait_for_text("Handed in. The supervisor decides.")
        self.assertEqual(self.stage.called("wallet.submit_task"), [{"task": "b7" * 32, "account": town.ANNA, "text": "it is swept"}])
        self.browser.press("Accept and pay")
        self.browser.wait_for_text("Secured. It settles by itself")
        self.assertEqual(self.stage.called("wallet.confirm_task"), [{"task": "c7" * 32, "worker": town.BEA, "account": town.ANNA}])

    def test_work_is_not_accepted_with_a_reason(self):
        self.open("tasks")
        self.browser.press("Do not accept it")
        self.browser.press("Do not accept")
        self.browser.wait_for_text("Say what is missing.", ".field")
        self.browser.fill("Reason", "the door still leaks")
        self.browser.press("Do not accept")
        self.browser.wait_for_text("The reason is on its way to the worker.")
        self.assertEqual(self.stage.called("wallet.refuse_task"), [{"task": "c7" * 32, "worker": town.BEA, "account": town.ANNA, "reason": "the door still leaks"}])

    def test_packs_are_fetched_shown_and_saved(self):
        self.open("packs")
        self.browser.press("Fetch")
        self.browser.wait_for_text("1.1 MiB of 3.2 MiB, asked 2 nodes.")
        self.browser.press("Show the files")
        self.browser.wait_for_text("begin here")
        self.assertIn("leither app fetch aaaaaaaaaaaa --out ./prices", self.browser.text())
        self.browser.press("Save index.html")
        path = os.path.join(self.browser.downloads, "index.html")
        self.browser.wait(lambda: os.path.exists(path), "no file is saved")
        with open(path, "rb") as file:
            self.assertEqual(file.read(), b"<b>rye!!<")
        done = [{**one, "local": town.PACKS[0]["local"]} for one in town.PACKS]
        self.stage.answers.update({"app.list": done, "app.fetch": done[1]["local"]})
        self.browser.wait(lambda: len([e for e in self.browser.find_all("button") if e.text == "Show the files"]) == 2, "the pack does not become complete")
        self.assertEqual({one["id"] for one in self.stage.called("app.fetch")}, {"bb" * 32})

    def test_tags_are_searched_and_made(self):
        self.open("packs")
        self.browser.fill("Tag", "two words")
        self.browser.press("Search")
        self.browser.wait_for_text("A tag is one word", ".field")
        self.browser.fill("Tag", "Bread")
        self.browser.press("Search")
        self.browser.wait_for_text("Anna's bakery, 12 Mill Lane")
        self.assertIn("the pack Prices 3", self.browser.text())
        self.browser.fill("Tag", "cake")
        self.browser.press("Search")
        self.browser.wait_for_text("Nobody has tagged anything \u201ccake\u201d.")
        self.assertEqual(self.stage.called("tag.find"), [{"tag": "cake"}])
        self.browser.fill("Under the tag", "Flour")
        self.browser.press("Tag it")
        self.browser.wait_for_text("Write what others shall find.", ".field")
        self.browser.fill("Text or account", "the mill")
        self.browser.press("Tag it")
        self.browser.wait_for_text("Others find it from now on.")
        self.assertEqual(self.stage.called("wallet.tag"), [{"account": town.ANNA, "tag": "flour", "target": "the mill", "days": 90}])


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
        for page, command in (("inbox", "leither message list"), ("members", "leither org applications"), ("invite", "leither invite --qr"), ("tasks", "leither task list"),
                              ("rewards", "leither reward MEMBER AMOUNT --reason TEXT"), ("packs", "leither tag add TAG TARGET --from KEY"), ("backup", "leither backup create"), ("chat", "leither chat send TEXT --from KEY"),
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
            for folded in (True, False):
                if not folded:
                    self.browser.run("for (const one of document.querySelectorAll('details')) one.open = true")
                for width in (1280, 800, 740, 360, 320):
                    self.browser.emulate(width=width)
                    self.assertEqual(self.browser.complaints(), [], f"{page} at {width}, folded: {folded}")
            self.photograph(page)

    def photograph(self, page):
        """As test_dashboard.py does, of what a busy organization shows."""
        if not SCREENSHOTS:
            return
        for look, options in {"wide-light": {}, "phone-dark": {"width": 360, "height": 740, "scale": 2, "scheme": "dark"}}.items():
            self.browser.emulate(**options)
            self.browser.emulate(**{**options, "height": max(options.get("height", 900), self.browser.run("return document.documentElement.scrollHeight"))})
            self.browser.screenshot(os.path.join(SCREENSHOTS, f"stage-{page}-{look}.png"))


if __name__ == "__main__":
    unittest.main()
