"""Newcomers with nothing but an invitation become members on machines of their own: each daemon here has a wallet
of its own, knows no address, and is told one line of text."""

import os
import pty
import subprocess
import unittest

from harness.daemon import DECIDED, LEITHER, RpcError
from harness.network import NetworkDaemon, wait_for


class Town(unittest.TestCase):
    towns = 0

    def setUp(self):
        Town.towns += 1
        self.base = 130 + 5 * Town.towns
        self.a = self.machine()

    def machine(self):
        self.base += 1
        return NetworkDaemon(self, self.base)

    def found(self, *params):
        self.a.leither("org", "create", "--name", "Mill", "--param", "pulse_ms=500", "--param", "publicity_pulses=0",
                       *[word for param in params for word in ("--param", param)])
        return self.invite(self.a)

    def invite(self, daemon, *words):
        return daemon.leither("invite", *words)["invitation"]

    def join(self, daemon, link, name, *words):
        done = daemon.leither("org", "join", link, "--from", name, *words)
        return done["account"]

    def state(self, daemon):
        return daemon.leither("org", "join", "--status")[0]["state"]

    def applications(self, daemon, account):
        """Those of one applicant, once there is one."""
        of = lambda: [one for one in daemon.leither("org", "applications") if one["applicant"] == account]
        found = wait_for(of)
        self.assertTrue(found, f"no application has come: {daemon.leither('message', 'list')}")
        return found

    def admitted(self, daemon, name):
        """Waits until the daemon itself keeps the ledger in which its key is a member's."""
        self.assertTrue(wait_for(lambda: self.state(daemon) == "member"), self.state(daemon))
        self.assertTrue(wait_for(lambda: daemon.run_leither("balance", name).returncode == 0))

    def member(self, link, name):
        """A machine of a newcomer whom the founder admits."""
        daemon = self.machine()
        account = self.join(daemon, link, name)
        self.applications(self.a, account)
        self.a.leither("org", "approve", account[:8])
        self.admitted(daemon, name)
        return daemon, account


class Joining(Town):
    def test_a_newcomer_with_a_link_becomes_a_member_and_is_paid(self):
        link = self.found()
        b = self.machine()
        shown = b.leither("invite", "show", link)
        self.assertEqual((shown["name"], shown["expired"]), ("Mill", False))
        self.assertEqual(shown["nodes"][0]["endpoints"][0], "%s:%d" % self.a.endpoint)
        self.assertEqual(b.leither("invite", "show", link.upper()), shown)

        account = self.join(b, link, "bea", "--note", "bakes bread")
        self.assertEqual(self.state(b), "waiting")
        found = self.applications(self.a, account)
        self.assertEqual((found[0]["note"], found[0]["state"]), ("bakes bread", "waiting"))
        # What was cut off is asked again; it is one application and one letter all the same.
        b.kill()
        b.start()
        self.assertEqual(self.join(b, link, "bea"), account)
        self.assertEqual(self.state(b), "waiting")
        self.assertEqual(len(self.applications(self.a, account)), 1)
        letters = [one for one in self.a.leither("message", "list")["incoming"] if one["from"] == account]
        self.assertEqual(len(letters), 1)
        # Nothing of the ledger is told to a guest.
        self.assertIsNone(b.rpc.call("node.status")["organization"])
        self.assertEqual(b.refusal("balance", "bea")[0], 1)

        # Decided while the newcomer's machine is off.
        b.kill()
        self.a.leither("org", "approve", account[:8])
        self.assertEqual(self.a.leither("org", "applications"), [])
        b.start()
        self.admitted(b, "bea")
        self.a.leither("reward", "founder", "20", "--reason", "built the mill")
        request = b.leither("request", "5", "--to", "bea", "--reference", "bread")["request"]
        self.a.leither("pay", request, "--from", "founder")
        self.assertTrue(wait_for(lambda: b.leither("balance", "bea")["record"]["balance"] == "500"))
        self.assertEqual(b.leither("org", "join", link, "--from", "bea")["state"], "member")

    def test_a_refusal_reaches_the_newcomer_with_its_reason(self):
        link = self.found()
        b = self.machine()
        account = self.join(b, link, "bea")
        self.applications(self.a, account)
        self.a.leither("org", "refuse", account[:8], "--reason", "come to the meeting first")
        self.assertEqual(self.a.leither("org", "applications"), [])
        refused = wait_for(lambda: [one for one in b.leither("org", "join", "--status") if one["state"] == "refused"])
        self.assertTrue(refused)
        self.assertIn("come to the meeting first", refused[0]["words"])
        self.join(b, link, "bea", "--note", "I was there")
        self.assertEqual(self.applications(self.a, account)[0]["note"], "I was there")
        self.a.leither("org", "approve", account[:8])
        self.admitted(b, "bea")

    def test_a_sponsor_passes_an_application_on(self):
        b, bea = self.member(self.found(), "bea")
        link = self.invite(b, "--by", "bea")
        c = self.machine()
        cleo = self.join(c, link, "cleo", "--note", "a friend of Bea's")
        self.applications(b, cleo)
        self.assertEqual(b.refusal("org", "approve", cleo[:8]), (4, "no_supervisor_key"))
        b.leither("org", "sponsor", cleo[:8])
        self.assertEqual(b.leither("org", "applications"), [])
        found = self.applications(self.a, cleo)
        self.assertEqual((found[0]["carrier"], found[0]["sponsor"]), (bea, bea))
        self.a.leither("org", "approve", cleo[:8])
        self.admitted(c, "cleo")

    def test_supervisors_on_several_machines_sign_one_act(self):
        b, bea = self.member(self.found("supervisors_required=2"), "bea")
        offered = self.a.leither("member", "role", bea, "supervisor", "--offer")
        self.assertEqual(offered["missing"], [bea])
        self.assertTrue(wait_for(lambda: b.leither("cosign")))
        self.assertIn(b.leither("cosign", offered["id"][:8])["state"], DECIDED)
        self.assertTrue(wait_for(lambda: len(self.a.leither("org", "info")["bookkeeping"]["supervisors"]) == 2))

        c = self.machine()
        cleo = self.join(c, self.invite(self.a), "cleo")
        self.applications(self.a, cleo)
        self.assertEqual(self.a.refusal("org", "approve", cleo[:8]), (1, "too_few_supervisors"))
        offered = self.a.leither("org", "approve", cleo[:8], "--offer")
        waiting = wait_for(lambda: b.leither("cosign"))
        self.assertEqual((waiting[0]["id"], waiting[0]["kind"]), (offered["id"], "join"))
        self.assertEqual(self.a.refusal("cosign", offered["offer"]), (4, "not_asked"))
        self.assertEqual(b.refusal("cosign", offered["offer"][:-1]), (2, "offer_damaged"))
        b.leither("cosign", offered["offer"])
        self.admitted(c, "cleo")

    def test_a_member_leaves_with_an_empty_account(self):
        b, bea = self.member(self.found(), "bea")
        self.a.leither("reward", bea, "3", "--reason", "a song")
        self.assertTrue(wait_for(lambda: b.leither("balance", "bea")["record"]["balance"] == "300"))
        self.assertEqual(b.refusal("org", "leave", "--from", "bea"), (1, "balance_not_zero"))
        request = self.a.leither("request", "3", "--to", "founder")["request"]
        b.leither("pay", request, "--from", "bea")
        b.leither("org", "leave", "--from", "bea")
        asked = wait_for(lambda: [one for one in self.a.leither("message", "list", "founder")["incoming"]
                                  if "I want to leave" in one["text"]])
        self.assertTrue(asked)
        self.a.leither("member", "leave", bea, "--offer")
        waiting = wait_for(lambda: b.leither("cosign"))
        b.leither("cosign", waiting[0]["id"][:8])
        self.assertTrue(wait_for(lambda: self.a.run_leither("balance", bea).returncode == 1))

    def test_bad_links_and_keys_are_refused_by_name(self):
        link = self.found()
        b = self.machine()
        show = ("invite", "show")
        self.assertEqual(b.refusal(*show, "leither:pay:00"), (2, "invitation_other_kind"))
        self.assertEqual(b.refusal(*show, link[:-1]), (2, "invitation_damaged"))
        self.assertEqual(b.refusal(*show, link[:20] + link[20:].upper()), (2, "invitation_damaged"))
        self.assertEqual(b.refusal(*show, "leither:invite:" + "q" * 4000), (2, "invitation_too_long"))
        self.assertEqual(b.refusal("org", "join", link), (2, "missing_key"))
        self.assertEqual(b.refusal("org", "join"), (2, "missing_link"))
        self.assertEqual(b.refusal("org", "approve", "12345678"), (1, "not_found"))
        self.assertEqual(self.a.refusal("org", "approve", "12345678"), (1, "not_found"))
        self.assertEqual(self.a.refusal("org", "approve", "1"), (2, "ambiguous_id"))
        self.assertEqual(self.a.refusal("org", "join", "--status"), (1, "not_found"))
        self.a.leither("key", "new", "stranger")
        self.assertEqual(self.a.refusal("invite", "--by", "stranger"), (1, "not_a_member"))
        code = self.a.run_leither("invite", "--qr").stdout
        self.assertIn("\u2588", code)
        self.assertLessEqual(max(len(line) for line in code.splitlines() if "\u2588" in line), 80 + len("\x1b[30;107m\x1b[0m"))


class Tasks(Town):
    def test_a_task_makes_a_guest_a_member_and_pays_at_once(self):
        link = self.found()
        made = self.a.leither("task", "create", "Repair the oven", "--amount", "40", "--text", "the left one")
        self.assertEqual(self.a.leither("task", "list")[0]["state"], "open")
        b = self.machine()
        self.assertEqual(b.refusal("task", "claim", made["task"], "--from", "bea")[1], "no_organization")
        # Not decided: the task shall earn it.
        account = self.join(b, link, "bea")
        self.assertEqual(b.leither("task", "show", made["task"])["amount"], "4000")
        b.leither("task", "claim", made["task"], "--from", "bea")
        b.kill()
        b.start()
        b.leither("task", "submit", made["id"][:8], "--text", "it bakes again", "--from", "bea")
        handed_in = wait_for(lambda: self.a.leither("task", "show", made["id"][:8])["submissions"])
        self.assertEqual((handed_in[0]["worker"], handed_in[0]["proof"]), (account, "it bakes again"))
        self.a.leither("task", "confirm", made["id"][:8])
        self.admitted(b, "bea")
        self.assertEqual(b.leither("balance", "bea")["record"]["balance"], "4000")
        earned = self.a.leither("history", account)["items"][-1]
        self.assertEqual((earned["kind"], earned["amount"]), ("earn", "4000"))
        self.assertTrue(earned["reference"].startswith("Repair the oven [task " + made["id"][:12]))
        self.assertEqual(self.a.refusal("task", "confirm", made["id"][:8]), (1, "not_submitted"))

        # A member is rewarded.
        more = self.a.leither("task", "create", "Paint the oven", "--amount", "10")
        work = b.leither("task", "submit", more["task"], "--text", "it is red", "--from", "bea")["work"]
        self.a.leither("task", "confirm", work)
        self.assertEqual(self.a.refusal("task", "confirm", work), (1, "already_paid"))
        self.assertTrue(wait_for(lambda: b.leither("balance", "bea")["record"]["balance"] == "5000"))
        self.assertEqual(self.a.refusal("task", "create", "Nothing", "--amount", "0"), (2, "zero_amount"))
        self.assertEqual(b.refusal("task", "create", "Mine", "--amount", "1"), (4, "no_supervisor_key"))

    def test_work_that_is_not_accepted_says_why(self):
        link = self.found()
        made = self.a.leither("task", "create", "Repair the oven", "--amount", "40")
        b = self.machine()
        self.join(b, link, "bea")
        b.leither("task", "submit", made["task"], "--text", "done", "--from", "bea")
        self.assertTrue(wait_for(lambda: self.a.leither("task", "show", made["id"][:8])["submissions"]))
        self.a.leither("task", "refuse", made["id"][:8], "--reason", "the door still leaks")
        self.assertTrue(wait_for(lambda: "the door still leaks" in b.leither("task", "list")[0]["state"]))


    def test_the_daemons_wallet_decides_as_the_command_line_does(self):
        link = self.found()
        made = self.a.leither("task", "create", "Repair the oven", "--amount", "40")
        waiting = lambda kind: [one for one in self.a.rpc.call("wallet.inbox")["items"]
                                if one["kind"] == kind and one["state"] == "waiting"]
        b, c = self.machine(), self.machine()
        bea = self.join(b, link, "bea")
        self.join(c, link, "cleo")
        b.leither("task", "submit", made["task"], "--text", "it bakes again", "--from", "bea")
        self.assertTrue(wait_for(lambda: waiting("submission") and len(waiting("application")) == 2))
        work = waiting("submission")[0]
        self.assertEqual(work["from"], bea)
        self.assertIn(self.a.rpc.call("wallet.accept", id=work["id"])["state"], DECIDED)
        self.assertEqual(waiting("submission"), [])
        self.admitted(b, "bea")
        cleos = [one for one in waiting("application") if one["from"] != bea][0]
        self.a.rpc.call("wallet.decline", id=cleos["id"], reason="next year")
        self.assertTrue(wait_for(lambda: self.state(c) == "refused"))
        self.join(c, link, "cleo")
        again = wait_for(lambda: [one for one in waiting("application") if one["from"] != bea])
        self.assertIn(self.a.rpc.call("wallet.accept", id=again[0]["id"])["state"], ("pending", *DECIDED))
        self.admitted(c, "cleo")
        # What one has written down for oneself waits for nobody.
        self.assertEqual([one for one in self.a.rpc.call("wallet.inbox")["items"] if one["state"] == "waiting"], [])


class ByTheDaemonsWallet(Town):
    """The methods of pages that do what commands do (docs/rpc.md)."""

    def refused(self, daemon, method, **params):
        with self.assertRaises(RpcError) as caught:
            daemon.rpc.call(method, **params)
        return caught.exception.name

    def test_founding_inviting_joining_and_deciding(self):
        self.assertEqual(self.refused(self.a, "wallet.invite"), "no_organization")
        share = {"key": "ann", "amount": "2500", "reason": "built the mill"}
        for bad in ({"amount": "x"}, {"reason": "r" * 141}, {"key": "nobody"}):
            self.assertIn(self.refused(self.a, "wallet.found", name="Mill", account="ann", shares=[{**share, **bad}]), ("bad_amount", "bad_share", "not_found"))
        self.assertEqual(self.refused(self.a, "wallet.found", name="Mill", decimals=18), "bad_amount")
        self.assertIsNone(self.a.rpc.call("node.status")["organization"])
        made = self.a.rpc.call("wallet.found", name="Mill", supply="100000", account="ann", shares=[share])
        self.assertEqual(self.a.leither("balance", "ann")["record"]["balance"], "2500")
        self.assertEqual(self.a.rpc.call("organization.allocations")[0]["reason"], "built the mill")

        invited = self.a.rpc.call("wallet.invite", days=3)
        self.assertEqual((invited["organization"], invited["name"], invited["expired"]), (made["id"], "Mill", False))
        link = invited["invitation"]
        b = self.machine()
        self.assertEqual(b.rpc.call("wallet.invitation", text=link)["member"], invited["member"])
        self.assertEqual(self.refused(b, "wallet.invitation", text=link[:-1]), "invitation_damaged")
        self.assertEqual(self.refused(b, "wallet.standing"), "no_organization")
        asked = b.rpc.call("wallet.join", link=link, account="bea", note="bakes bread")
        self.assertEqual(b.rpc.call("wallet.join", link=link, account="bea")["application"], asked["application"], "one application, however often it is asked")
        self.assertEqual(b.rpc.call("wallet.standing")[0]["state"], "waiting")
        self.assertEqual(self.refused(b, "wallet.approve", applicant=asked["account"]), "not_found")

        found = self.applications(self.a, asked["account"])[0]
        self.assertEqual(self.a.rpc.call("wallet.applications")[0]["application"], found["application"])
        self.assertEqual(self.refused(self.a, "wallet.approve", applicant="12345678"), "not_found")
        self.a.rpc.call("wallet.approve", applicant=asked["account"])
        self.admitted(b, "bea")
        self.assertEqual(self.refused(self.a, "wallet.approve", applicant=asked["account"]), "member_exists")
        self.assertEqual(self.refused(b, "wallet.reward", member="bea", amount="1", reason="a song"), "no_supervisor_key")
        self.assertEqual(self.refused(self.a, "wallet.propose", kind="parameter", parameter="vote_pulses", value=1, reason="sooner"), "parameter_out_of_bounds")
        self.assertEqual(self.refused(self.a, "wallet.propose", kind="structural", member=asked["account"], reason="an oven"), "bad_amount")
        role = self.a.rpc.call("wallet.set_role", member=asked["account"], role="supervisor", offer="yes")
        self.assertEqual(role["missing"], [asked["account"]])
        self.assertTrue(wait_for(lambda: b.rpc.call("wallet.offers")))
        self.assertEqual(self.refused(self.a, "wallet.cosign", id=role["id"][:8]), "not_found")
        b.rpc.call("wallet.cosign", id=role["id"][:8])
        self.assertTrue(wait_for(lambda: len(self.a.leither("org", "info")["bookkeeping"]["supervisors"]) == 2))


class Founding(Town):
    def test_founding_asks_on_a_terminal_and_not_elsewhere(self):
        self.assertEqual(self.a.run_leither("org", "create", stdin=subprocess.DEVNULL).returncode, 2)
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        process = subprocess.Popen([LEITHER, "--data-dir", self.a.data_dir, "org", "create"], stdin=theirs,
                                   stdout=subprocess.PIPE, text=True)
        os.close(theirs)
        os.write(ours, b"\nBakers' Row\n\nlots\n5000\n\n\n")
        said, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, said)
        self.assertIn("\"lots\" is no amount", said)
        info = self.a.leither("org", "info")
        self.assertEqual((info["name"], info["unit"], info["supply"]), ("Bakers' Row", "hour", "500000"))


if __name__ == "__main__":
    unittest.main()
