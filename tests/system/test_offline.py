"""Two members ask and pay where no node can be reached, and hand the payment in later."""

import json
import os
import shutil
import subprocess
import time
import unittest

from harness.daemon import DECIDED, LEITHER, Daemon, scratch_dir
from harness.network import wait_for

PASSPHRASE = "open sesame"
MONTH_MS = 31 * 86_400_000


class Offline(unittest.TestCase):
    """A daemon that keeps the ledger; anna and ben have wallets of their own, elsewhere. anna has 100."""

    params = ("pulse_ms=500",)

    def setUp(self):
        self.scratch = self.enterContext(scratch_dir())
        keys = {name: self.alone(name, "key", "new", name) for name in ("anna", "ben")}
        self.accounts = {name: key["account"] for name, key in keys.items()}
        first = os.path.join(self.scratch, "first.csv")
        with open(first, "w", encoding="ascii") as file:
            file.write(f"key,amount,reason\n{keys['anna']['key']},100,bread\n")
        self.daemon = self.found("Market", "daemon", "--allocate", first)
        self.daemon.leither("member", "add", self.online("ben", "member", "apply", "ben")["application"])
        for name in keys:
            self.online(name, "offline", "refresh")

    def found(self, name, directory, *more):
        daemon = Daemon(os.path.join(self.scratch, directory))
        self.addCleanup(daemon.end)
        daemon.start()
        options = [word for param in self.params for word in ("--param", param)]
        daemon.leither("org", "create", "--name", name, *more, *options)
        return daemon

    def held(self, name):
        record = self.daemon.rpc.call("account.get", account=self.accounts[name])["record"]
        return int(record["balance"]) / 100

    def wallet(self, name):
        return os.path.join(self.scratch, name)

    def online(self, name, *words):
        return self.daemon.leither("--wallet", self.wallet(name), *words)

    def run_alone(self, name, *words, **options):
        """A command of whoever has the wallet and nothing else: there is no daemon in its data directory."""
        nowhere = os.path.join(self.scratch, "nowhere")
        return subprocess.run([LEITHER, "--data-dir", nowhere, "--wallet", self.wallet(name), *words], check=False,
                              **{"capture_output": True, "text": True, "timeout": 60, "stdin": subprocess.DEVNULL, **options})

    def alone(self, name, *words, **options):
        done = self.run_alone(name, "--json", *words, **options)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def refused(self, name, *words, **options):
        done = self.run_alone(name, "--json", *words, **options)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        error = json.loads(done.stdout)["error"]
        self.assertTrue(error["message"] and error["next_step"], error)
        return error["name"]

    def ask(self, amount="12.50", *words):
        return self.alone("ben", "request", amount, "--to", "ben", "--reference", "two loaves", "--offline", *words)["text"]

    def pay(self, request, *words):
        return self.alone("anna", "pay", request, "--from", "anna", "--offline", *words)

    def of_payer(self):
        return self.online("anna", "requests")["payments"]


class FromHandToHand(Offline):
    def test_nobody_has_a_node_until_one_of_them_reaches_one(self):
        self.daemon.stop()
        asked = os.path.join(self.scratch, "request.txt")
        request = self.ask("12.50", "--out", asked)
        # What it says is shown before it is signed, and by itself signs nothing.
        said = self.run_alone("anna", "pay", "--file", asked, "--from", "anna", "--offline", "--who-sees").stdout
        for words in ("12.50", "two loaves", "Market", "a member, who has signed", "bookkeepers", "Nothing was signed"):
            self.assertIn(words, said)
        self.assertFalse(os.path.exists(os.path.join(self.wallet("anna"), "journal")))
        with open(asked, encoding="ascii") as file:
            paid = self.alone("anna", "pay", "--file", "-", "--from", "anna", "--offline", stdin=file)
        self.assertTrue(paid["text"].startswith("leither:paid:"))
        self.assertEqual(paid["state"], "pending")
        self.assertGreater(paid["hand_in_ms"], time.time() * 1000)
        self.assertEqual(self.pay(request)["text"], paid["text"], "signed once, however often it is asked for")

        checked = self.alone("ben", "hand-in", paid["text"], "--check")
        self.assertEqual((checked["amount"], checked["payer"], checked["asked_here"]), ("1250", self.accounts["anna"], True))
        self.assertEqual(self.refused("ben", "hand-in", paid["text"]), "no_daemon")

        # Once there is a node, both hand it in, and once more.
        self.daemon.start()
        self.assertEqual([item["state"] for item in self.of_payer()], ["pending"])
        self.assertEqual([item["id"] for item in self.online("anna", "history", "anna")["waiting"]], [paid["id"]])
        why = [fact["name"] for fact in self.online("anna", "why", paid["id"])["facts"]]
        self.assertIn("handed_over", why)
        self.assertIn(self.online("ben", "hand-in", paid["text"])["state"], DECIDED)
        for name in ("anna", "ben"):
            again = self.online(name, "hand-in", paid["text"].upper())
            self.assertEqual((again["id"], again["state"] in DECIDED), (paid["id"], True))
        self.assertEqual((self.held("anna"), self.held("ben")), (87.5, 12.5))
        self.assertIn(self.of_payer()[0]["state"], DECIDED)
        self.assertIn(self.online("ben", "requests")["items"][0]["state"], DECIDED)
        self.assertEqual(self.online("anna", "history", "anna")["waiting"], [])

    def test_both_hand_it_in_at_the_same_moment(self):
        self.daemon.stop()
        paid = self.pay(self.ask())
        self.daemon.start()
        command = [LEITHER, "--data-dir", self.daemon.data_dir, "--json"]
        both = [subprocess.Popen([*command, "--wallet", self.wallet(name), "hand-in", paid["text"]],
                                 stdout=subprocess.PIPE, text=True) for name in ("anna", "ben")]
        for one in both:
            out, _ = one.communicate(timeout=60)
            self.assertEqual(one.returncode, 0, out)
            self.assertIn(json.loads(out)["state"], DECIDED)
        self.assertEqual(self.held("ben"), 12.5)

    def test_a_stranger_without_a_wallet_hands_in_for_them(self):
        self.daemon.stop()
        paid = self.pay(self.ask())
        self.daemon.start()
        self.assertIn(self.online("nobody", "hand-in", paid["text"])["state"], DECIDED)
        self.assertEqual(self.held("ben"), 12.5)

    def test_codes_are_read_by_another_program(self):
        if shutil.which("zbarimg") is None:
            self.skipTest("zbarimg is not installed")
        self.daemon.stop()
        done = self.run_alone("ben", "request", "12.50", "--to", "ben", "--reference", "x" * 64, "--offline", "--qr")
        request = done.stdout.split()[0]
        self.assertEqual(self.read_code(done.stdout), request)
        done = self.run_alone("anna", "pay", request, "--from", "anna", "--offline", "--qr")
        code = self.read_code(done.stdout)
        self.assertIn(code.lower(), done.stdout)
        self.daemon.start()
        self.assertIn(self.online("ben", "hand-in", code)["state"], DECIDED)

    def read_code(self, shown):
        """What zbar reads in half blocks on a terminal."""
        dark = {" ": (0, 0), "\u2588": (1, 1), "\u2580": (1, 0), "\u2584": (0, 1)}
        begin, end = "\x1b[30;107m", "\x1b[0m"
        rows = []
        for line in shown.splitlines():
            if not line.startswith(begin):
                continue
            cells = [dark[cell] for cell in line[len(begin):-len(end)]]
            rows += [[cell[half] for cell in cells] for half in (0, 1)]
        self.assertFalse(any(any(row) for row in rows[:4]), "four modules of quiet zone")
        self.assertFalse(any(any(row[:4]) or any(row[-4:]) for row in rows))
        path = os.path.join(self.scratch, "code.pbm")
        scale = 3
        with open(path, "w", encoding="ascii") as file:
            file.write(f"P1\n{len(rows[0]) * scale} {len(rows) * scale}\n")
            for row in rows:
                line = " ".join(str(cell) for cell in row for _ in range(scale)) + "\n"
                file.write(line * scale)
        read = subprocess.run(["zbarimg", "-q", "--raw", path], capture_output=True, text=True, check=False)
        return read.stdout.strip()


class WhatIsRefused(Offline):
    def test_what_was_changed_on_its_way(self):
        self.daemon.stop()
        request = self.ask()
        amount = len("leither:pay:") + 64 + 40
        changed = request[:amount] + "01" + request[amount + 2:]
        self.assertEqual(self.refused("anna", "pay", changed, "--from", "anna", "--offline"), "bad_signature")
        paid = self.pay(request)["text"]
        middle = len(paid) // 2
        other = "q" if paid[middle] != "q" else "p"
        self.assertEqual(self.refused("ben", "hand-in", paid[:middle] + other + paid[middle + 1:], "--check"), "payment_damaged")
        self.assertEqual(self.refused("ben", "hand-in", paid[:-9], "--check"), "payment_damaged")
        self.assertEqual(self.refused("ben", "hand-in", request, "--check"), "payment_other_kind")
        self.assertEqual(self.refused("anna", "pay", paid, "--from", "anna", "--offline"), "bad_request")
        self.assertEqual(self.refused("anna", "pay", request, "13", "--from", "anna", "--offline"), "amount_mismatch")

    def test_another_organization(self):
        self.daemon.stop()
        request = self.ask()
        paid = self.pay(request)["text"]
        other = self.found("Mill", "other")
        other.leither("--wallet", self.wallet("cleo"), "key", "new", "cleo")
        other.leither("--wallet", self.wallet("cleo"), "offline", "refresh")
        self.assertEqual(other.refusal("hand-in", paid), (1, "wrong_organization"))
        self.assertEqual(self.refused("cleo", "pay", request, "--from", "cleo", "--offline"), "wrong_organization")
        # A wallet that knows two says which: the payer's request names its own, the payee must.
        other.leither("--wallet", self.wallet("ben"), "offline", "refresh")
        self.assertEqual(self.refused("ben", "request", "1", "--to", "ben", "--offline"), "ambiguous_organization")

    def test_what_a_wallet_does_not_know_or_knew_too_long_ago(self):
        self.daemon.stop()
        self.alone("dora", "key", "new", "dora")
        self.assertEqual(self.refused("dora", "request", "1", "--to", "dora", "--offline"), "nothing_known")
        request = self.ask()
        self.assertEqual(self.refused("ben", "pay", request, "--from", "ben", "--offline"), "self_payment")
        self.assertEqual(self.refused("anna", "pay", self.ask("1000"), "--from", "anna", "--offline"), "insufficient_balance")
        path = os.path.join(self.wallet("anna"), "known")
        with open(path, "rb") as file:
            known = file.read()
        for shift, name in ((-MONTH_MS, "known_too_old"), (86_400_000, "clock_behind")):
            learned = self.alone("anna", "offline", "show")[0]["known_ms"]
            with open(path, "r+b") as file:
                file.write(known.replace(learned.to_bytes(8, "little"), (learned + shift).to_bytes(8, "little")))
            self.assertEqual(self.refused("anna", "pay", request, "--from", "anna", "--offline"), name)
            with open(path, "wb") as file:
                file.write(known)
        with open(path, "wb") as file:
            file.write(known[:-1])
        self.assertEqual(self.refused("anna", "pay", request, "--from", "anna", "--offline"), "bad_known")
        self.assertFalse(os.path.exists(os.path.join(self.wallet("anna"), "journal")), "nothing was signed")

    def test_no_more_are_signed_than_can_be_told_apart(self):
        self.daemon.stop()
        paid = [self.pay(self.ask(amount)) for amount in ("1", "2", "3", "4")]
        self.assertEqual(self.refused("anna", "pay", self.ask("5"), "--from", "anna", "--offline"), "lanes_taken")
        self.daemon.start()
        # None waits for another: the last comes first, and frees a place as soon as the wallet hears of it.
        self.assertIn(self.online("ben", "hand-in", paid[3]["text"])["state"], DECIDED)
        self.online("anna", "balance", "anna")
        self.assertEqual(self.alone("anna", "offline", "show")[0]["accounts"][0]["may_sign"], 1)
        self.pay(self.ask("5"))
        # What is taken back cannot be handed in.
        self.online("anna", "cancel", paid[0]["id"], "--from", "anna")
        self.assertEqual(self.daemon.refusal("--wallet", self.wallet("ben"), "hand-in", paid[0]["text"]), (1, "bad_nonce"))
        states = {item["id"]: (item["state"], item.get("reason")) for item in self.of_payer()}
        self.assertEqual(states[paid[0]["id"]], ("refused", "cancelled"))
        self.assertEqual(states[paid[1]["id"]], ("pending", None))


class Cut(Offline):
    def test_a_payer_cut_off_between_signing_and_showing_shows_the_same(self):
        self.daemon.stop()
        request = self.ask()
        nowhere = os.path.join(self.scratch, "no", "such", "directory")
        self.assertEqual(self.refused("anna", "pay", request, "--from", "anna", "--offline", "--out", nowhere), "io")
        journal = os.path.join(self.wallet("anna"), "journal")
        with open(journal, "rb") as file:
            signed = file.read()
        paid = self.pay(request)
        with open(journal, "rb") as file:
            self.assertEqual(file.read(), signed, "nothing else was signed")
        # Cut off while it was written: nobody was told, and the place is free.
        with open(journal, "r+b") as file:
            file.truncate(len(signed) - 5)
        self.daemon.start()
        again = self.pay(request)
        self.assertIn(self.online("ben", "hand-in", again["text"])["state"], DECIDED)
        if again["id"] != paid["id"]:
            self.assertEqual(self.daemon.refusal("hand-in", paid["text"]), (1, "bad_nonce"))
        self.assertEqual(self.held("ben"), 12.5)

    def test_a_node_killed_after_it_was_handed_in(self):
        self.daemon.stop()
        paid = self.pay(self.ask())
        self.daemon.start()
        self.online("ben", "hand-in", paid["text"], "--no-wait")
        self.daemon.kill()
        self.daemon.start()
        self.assertIn(self.online("anna", "hand-in", paid["text"])["state"], DECIDED)
        self.assertEqual(self.held("ben"), 12.5)

    def test_sealed_keys_sign_with_the_passphrase(self):
        secret = os.path.join(self.scratch, "passphrase")
        with open(secret, "w", encoding="ascii") as file:
            file.write(PASSPHRASE + "\n")
        os.chmod(secret, 0o600)
        sealed = {"env": {**os.environ, "LEITHER_PASSPHRASE_FILE": secret}}
        self.daemon.stop()
        self.alone("anna", "key", "protect", **sealed)
        request = self.ask()
        self.assertEqual(self.refused("anna", "pay", request, "--from", "anna", "--offline"), "locked")
        paid = self.alone("anna", "pay", request, "--from", "anna", "--offline", **sealed)
        self.daemon.start()
        self.assertIn(self.online("ben", "hand-in", paid["text"])["state"], DECIDED)


class Late(Offline):
    params = ("pulse_ms=500", "expiry_pulses_max=20")

    def test_what_is_handed_in_too_late_is_provably_void_and_frees_its_place(self):
        self.daemon.stop()
        request = self.ask("12.50", "--expires", "1h")
        paid = self.pay(request)
        over = lambda: time.time() * 1000 > paid["hand_in_ms"] + 1000
        self.assertTrue(wait_for(over, 60))
        self.assertEqual(self.refused("ben", "hand-in", paid["text"], "--check"), "expired")
        self.assertEqual(self.refused("anna", "pay", request, "--from", "anna", "--offline"), "undecided")
        self.daemon.start()
        self.assertEqual(self.daemon.refusal("--wallet", self.wallet("ben"), "hand-in", paid["text"]), (1, "expired"))
        self.assertEqual(self.of_payer()[0]["state"], "expired")
        # A later block proves it; then the same request is paid anew, in the same place.
        self.daemon.leither("cancel", "--from", "founder")
        self.assertTrue(self.of_payer()[0]["proven"])
        self.online("anna", "offline", "refresh")
        again = self.pay(request)
        self.assertNotEqual(again["id"], paid["id"])
        self.assertIn(self.online("ben", "hand-in", again["text"])["state"], DECIDED)
        self.assertEqual(self.daemon.refusal("hand-in", paid["text"])[1], "expired")
        self.assertEqual(self.held("ben"), 12.5)


if __name__ == "__main__":
    unittest.main()
