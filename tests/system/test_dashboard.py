"""The dashboard in a real browser, before a real daemon (docs/dashboard.md)."""

import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import unittest

from harness import browser as browsers
from harness.daemon import ROOT, Daemon
from harness.network import NetworkDaemon, wait_for

PAGES = ("overview", "pay", "request", "inbox", "history", "members", "invite", "votes", "contributions", "rewards", "tasks", "chat", "packs", "node", "backup", "begin")
HOSTILE = "<img src=x onerror=\"document.title='taken'\">"
# Where screenshots are left for people; nowhere by default.
SCREENSHOTS = os.environ.get("LEITHER_SCREENSHOTS")


class ClassScope:
    """What a helper for one test asks of it, for all tests of a class."""

    def __init__(self, cls):
        self.enterContext = cls.enterClassContext
        self.addCleanup = cls.addClassCleanup


@unittest.skipUnless(browsers.AVAILABLE, "chromium, chromium-driver or python3-selenium is not installed")
class DashboardTest(unittest.TestCase):
    """One community, founded by the command line, and one browser for all tests of a class."""

    number = 400
    settings = ()

    @classmethod
    def setUpClass(cls):
        cls.daemon = NetworkDaemon(ClassScope(cls), DashboardTest.number, *cls.settings)
        DashboardTest.number += 2
        cls.found()
        cls.browser = browsers.Browser()
        cls.addClassCleanup(cls.browser.end)

    @classmethod
    def found(cls):
        leither = cls.daemon.leither
        cls.organization = leither("org", "create", "--name", "Bakers' Row", "--supply", "1000000", "--param", "publicity_pulses=0")["id"]
        cls.accounts = {}
        for name in ("anna", "bea"):
            cls.accounts[name] = leither("key", "new", name)["account"]
            leither("member", "add", name)
        leither("reward", "anna", "4000", "--reason", "repaired the oven")
        wait_for(lambda: int(leither("balance", "anna")["record"]["balance"]) == 400000)
        leither("pay", "bea", "1012.50", "--from", "anna", "--reference", "two loaves")
        leither("pay", "anna", "0.25", "--from", "bea", "--reference", HOSTILE)
        cls.vote = leither("vote", "propose", "structural", "bea", "40", "--reason", "built the shop", "--proof", "photo 7")["vote"]
        leither("org", "publish")
        leither("node", "serve", "anna")
        wait_for(lambda: cls.daemon.rpc.call("node.status")["network"]["organization"]["accounts"][0]["member"])
        leither("chat", "send", "Who has flour?", "--from", "anna")

    def setUp(self):
        self.browser.emulate()
        self.browser.console()
        self.base = self.daemon.rpc.url[:-len("/rpc")]

    def link(self):
        return self.daemon.leither("dashboard")["url"]

    def sign_in(self):
        self.browser.open("about:blank")
        self.browser.open(self.link())
        self.browser.wait_for_text("Balance", "#page")

    def sign_out(self):
        self.browser.run("localStorage.clear()")
        self.browser.driver.delete_all_cookies()


class SigningIn(DashboardTest):
    def test_a_link_signs_in_once(self):
        self.browser.open(self.base + "/")
        self.browser.wait_for_text("By a link")
        self.sign_out()
        link = self.link()
        self.assertRegex(link, rf"^{re.escape(self.base)}/#/login/[0-9a-f]{{64}}$")
        self.browser.open("about:blank")
        self.browser.open(link)
        self.browser.wait_for_text("Balance")
        self.assertNotIn("login", self.browser.driver.current_url)
        cookie, = self.browser.driver.get_cookies()
        self.assertEqual((cookie["httpOnly"], cookie["sameSite"]), (True, "Strict"))
        self.assertEqual(self.browser.console(), [])

        self.sign_out()
        self.browser.open("about:blank")
        self.browser.open(link)
        self.browser.wait_for_text("good once")
        self.assertNotIn("Balance", self.browser.text())
        self.assertNotIn(link[-64:], self.browser.driver.current_url)

    def test_a_page_that_is_left_stays_signed_in_until_one_signs_out(self):
        self.sign_in()
        self.browser.open("about:blank")
        self.browser.open(self.base + "/")
        self.browser.wait_for_text("Balance")
        self.browser.press("Sign out", within="nav")
        self.browser.wait_for_text("By a link")
        self.browser.open("about:blank")
        self.browser.open(self.base + "/#/history")
        self.browser.wait_for_text("By a link")

    def test_the_cookie_signs_in_and_a_wrong_one_does_not(self):
        self.browser.open(self.base + "/")
        self.sign_out()
        self.browser.open(self.base + "/#/login")
        self.browser.wait_for_text("By the cookie file")
        self.browser.fill("Content of the cookie file", "0" * 64)
        self.browser.press("Sign in")
        self.browser.wait_for_text("this is not what the file cookie")
        self.browser.fill("Content of the cookie file", "zz")
        self.browser.press("Sign in")
        self.browser.wait_for_text("64 digits and letters")
        self.browser.console()
        self.browser.fill("Content of the cookie file", self.daemon.rpc.cookie)
        self.browser.press("Sign in")
        self.browser.wait_for_text("Balance")
        self.assertEqual(self.browser.console(), [])


    def test_the_browser_is_opened_by_a_private_page(self):
        scratch = self.enterContext(tempfile.TemporaryDirectory(prefix="leither-test-"))
        opened, program = os.path.join(scratch, "opened"), os.path.join(scratch, "xdg-open")
        with open(program, "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\necho \"$1\" > {opened}\n")
        os.chmod(program, 0o755)
        done = self.daemon.run_leither("dashboard", "--open", env={**os.environ, "PATH": f"{scratch}:{os.environ['PATH']}"})
        self.assertEqual((done.returncode, "#/login/" in done.stdout), (0, False), done.stderr)
        with open(opened, encoding="ascii") as file:
            page = file.read().strip()
        self.assertEqual(os.stat(page).st_mode & 0o777, 0o600)
        self.browser.open("file://" + page)
        self.browser.wait_for_text("Balance")
        done = self.daemon.run_leither("--json", "dashboard", "--open", env={**os.environ, "PATH": "/nowhere"})
        self.assertEqual((done.returncode, json.loads(done.stdout)["error"]["name"]), (4, "cannot_open"))


class Door(DashboardTest):
    """The same without a browser, which would not even try."""

    def ask(self, method, path, body="", **headers):
        connection = http.client.HTTPConnection(self.daemon.rpc.host, self.daemon.rpc.port, timeout=20)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            return response.status, response.read().decode() if response.status != 101 else "", response.headers
        finally:
            connection.close()

    def begin(self):
        """(cookie header, key) of a fresh session."""
        status, text, headers = self.ask("POST", "/session", Origin=self.base, Authorization="Link " + self.link()[-64:])
        self.assertEqual(status, 200, text)
        return headers["Set-Cookie"].split(";")[0], json.loads(text)["key"]

    CALL = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "node.status"})

    def call(self, cookie, key, **headers):
        given = {"Cookie": cookie, "Authorization": f"Session {key}", "Origin": self.base, "Content_Type": "application/json", **headers}
        return self.ask("POST", "/rpc", self.CALL, **{name: value for name, value in given.items() if value is not None})[0]

    def upgrade(self, cookie, protocols, origin):
        return self.ask("GET", "/rpc", Cookie=cookie, Origin=origin, Upgrade="websocket", Connection="Upgrade", Sec_WebSocket_Version="13",
                        Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==", Sec_WebSocket_Protocol=protocols)[0]

    def test_a_session_needs_both_secrets_and_our_own_page(self):
        cookie, key = self.begin()
        other_cookie, other_key = self.begin()
        self.assertEqual(self.call(cookie, key), 200)
        self.assertEqual(self.call(cookie, other_key), 401)
        self.assertEqual(self.call(other_cookie, key), 401)
        self.assertEqual(self.call(None, key), 401)
        self.assertEqual(self.call(cookie, key, Authorization=None), 401)
        self.assertEqual(self.call(cookie, key, Origin=None), 401)
        for origin in ("http://127.0.0.1:1", "http://localhost:" + self.base.rsplit(":")[-1]):
            self.assertEqual(self.call(cookie, key, Origin=origin), 401, origin)
        self.assertEqual(self.call(cookie, key, Origin="http://evil.example"), 403)
        self.assertEqual(self.call(cookie, key, Content_Type="text/plain"), 401)
        # The program's own way in is as it was.
        self.assertEqual(self.daemon.rpc.post(self.CALL)[0], 200)

    def test_a_websocket_needs_the_same(self):
        cookie, key = self.begin()
        good = f"leither.rpc, leither.key.{key}"
        self.assertEqual(self.upgrade(cookie, good, self.base), 101)
        self.assertEqual(self.upgrade(cookie, "leither.rpc", self.base), 401)
        self.assertEqual(self.upgrade("a=b", good, self.base), 401)
        self.assertEqual(self.upgrade(cookie, good, "http://127.0.0.1:1"), 401)

    def test_signing_out_ends_it(self):
        cookie, key = self.begin()
        status, _, headers = self.ask("POST", "/session/end", Cookie=cookie, Authorization=f"Session {key}", Origin=self.base)
        self.assertEqual((status, "Max-Age=0" in headers["Set-Cookie"]), (204, True))
        self.assertEqual(self.call(cookie, key), 401)

    def test_nobody_signs_in_from_elsewhere(self):
        token = "Link " + self.link()[-64:]
        for origin in ({}, {"Origin": "http://127.0.0.1:1"}, {"Origin": "http://evil.example"}):
            self.assertEqual(self.ask("POST", "/session", Authorization=token, **origin)[0], 403, origin)
        self.assertEqual(self.ask("POST", "/session", Authorization="Link " + "0" * 64, Origin=self.base)[0], 401)
        self.assertEqual(self.ask("POST", "/session", Origin=self.base)[0], 401)
        self.assertEqual(self.ask("POST", "/session", Authorization=token, Origin=self.base)[0], 200, "the tries above must not use it up")

    def test_files_are_kept_by_their_tags_and_have_the_policy(self):
        status, text, headers = self.ask("GET", "/")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        self.assertIn('<script type="module" src="/app.js">', text)
        for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'none'"):
            self.assertIn(part, headers["Content-Security-Policy"])
        self.assertEqual((headers["X-Content-Type-Options"], headers["Referrer-Policy"]), ("nosniff", "no-referrer"))
        tag = headers["ETag"]
        status, text, headers = self.ask("GET", "/", If_None_Match=tag)
        self.assertEqual((status, text, headers["ETag"]), (304, "", tag))
        self.assertEqual(self.ask("GET", "/", If_None_Match='"other"')[0], 200)
        self.assertEqual(self.ask("GET", "/", Host="evil.example")[0], 403)
        self.assertEqual(self.ask("GET", "/../node.key")[0], 401)
        self.assertEqual(self.ask("GET", "/node.key")[0], 401)
        self.assertEqual(self.ask("POST", "/app.js")[0], 405)


class Pages(DashboardTest):
    def setUp(self):
        super().setUp()
        self.sign_in()

    def test_the_overview_shows_the_real_balance(self):
        self.browser.wait_for_text("2 987.75 hour")
        text = self.browser.text()
        self.assertIn("Health", text)
        self.assertRegex(text, r"Members\s+3\b")
        self.assertNotIn("organization\nnot a member", text)
        self.assertIn("1 000 000.00 hour", text)  # the supply
        self.assertEqual(self.daemon.leither("balance", "anna")["record"]["balance"], "298775")
        self.assertEqual(self.browser.text("#brand"), "Bakers' Row")
        self.assertEqual(self.browser.console(), [])

    def test_a_payment_changes_it_while_one_looks(self):
        self.browser.wait_for_text("2 987.75 hour")
        self.daemon.leither("pay", "bea", "1.00", "--from", "anna")
        self.browser.wait_for_text("2 986.75 hour")
        self.daemon.leither("pay", "anna", "1.00", "--from", "bea")
        self.browser.wait_for_text("2 987.75 hour")

    def test_what_others_write_stays_text(self):
        self.browser.go(f"history/{self.accounts['anna']}")
        self.browser.wait_for_text(HOSTILE)
        self.assertEqual(self.browser.find_all("#page img"), [])
        self.assertNotEqual(self.browser.driver.title, "taken")
        self.assertEqual(self.browser.console(), [])

    def test_history_and_a_receipt_that_holds(self):
        self.browser.go(f"history/{self.accounts['anna']}")
        text = self.browser.text()
        self.assertIn("two loaves", text)
        self.assertIn("\u22121 012.50 hour", text)
        self.assertIn("+4 000.00 hour", text)
        for button in ("Receipt of today", "Receipt", "Receipt for strangers"):
            for name in os.listdir(self.browser.downloads):
                os.remove(os.path.join(self.browser.downloads, name))
            self.browser.press(button)
            saved = lambda: [name for name in os.listdir(self.browser.downloads) if name.endswith(".json")]
            name, = self.browser.wait(saved, "no receipt is saved")
            proven = self.daemon.leither("receipt", "verify", os.path.join(self.browser.downloads, name), "--organization", self.organization)
            self.assertEqual((proven["account"], proven["holds"]), (self.accounts["anna"], "member"))

    def test_members_votes_and_rewards(self):
        self.browser.go("members")
        rows = [row.text for row in self.browser.find_all("#page tbody tr")]
        self.assertEqual(len(rows), 3)
        self.assertEqual(sum("supervisor" in row for row in rows), 1)
        self.assertIn("Nobody waits to be admitted.", self.browser.text())
        self.browser.go("votes")
        text = " ".join(self.browser.text().split())
        for part in ("Structural reward of 40.00 hour", "built the shop", "photo 7", "of 3 members", "have not voted yet"):
            self.assertIn(part, text)
        self.browser.go("rewards")
        self.assertIn("repaired the oven", self.browser.text())
        self.assertIn("4 000.00 hour", self.browser.text())

    def test_a_vote_is_followed_while_one_looks(self):
        self.browser.go("votes")
        self.browser.wait_for_text("0 yes, 0 no")
        self.daemon.leither("vote", "cast", self.vote, "yes", "--from", "bea")
        self.browser.wait_for_text("1 yes, 0 no")

    def test_a_line_arrives_by_itself(self):
        self.browser.go("chat")
        self.browser.wait_for_text("Who has flour?")
        self.daemon.leither("chat", "send", "I have some", "--from", "anna")
        self.browser.wait_for_text("I have some", ".chat")

    def test_the_node_page(self):
        self.browser.go("node")
        for part in ("Standing", "Pulse", "Committee and cycle", "Disk and traffic", "Log", "this node"):
            self.browser.wait_for_text(part)
        self.browser.wait_for_text("In the last 60 pulses")
        self.browser.wait_for_text("app ready")
        self.assertRegex(self.browser.text(), r"The node keeps [\d.]+ [KM]iB\.")
        self.assertEqual(self.browser.console(), [])

    def test_peers_stand_on_the_circle_of_ids(self):
        self.browser.go("node")
        self.browser.wait_for_text("No connections.")
        follower = NetworkDaemon(self, DashboardTest.number + 90, bootstrap=[self.daemon])
        follower.leither("org", "follow", self.organization)
        self.browser.wait(lambda: self.browser.find_all(".circle .peer"), "no peer is shown", seconds=60)
        self.assertEqual(len(self.browser.find_all(".circle .own")), 1)
        peer = self.daemon.rpc.call("network.peers")[0]
        self.assertIn(peer["endpoint"], self.browser.text())
        self.browser.run("document.querySelector('.circle .peer').dispatchEvent(new MouseEvent('click'))")
        self.browser.wait_for_text(f"{peer['node'][:4]}\u2026{peer['node'][-4:]}, {peer['endpoint']}", ".map")
        self.assertEqual(self.browser.complaints(), [])

    def test_forms_say_what_is_wrong_beside_the_button(self):
        self.browser.go("request")
        for amount, complaint in (("", "Write an amount"), ("1,234", "At most 2 digits"), ("0", "more than zero"), ("-1", "Write an amount"),
                                  ("1e3", "Write an amount"), ("92233720368547758.08", "larger than any")):
            self.browser.fill("Amount", amount)
            self.browser.press("Make the request")
            self.browser.wait_for_text(complaint)
        self.browser.go("pay")
        self.browser.fill("Request", "leither:join:00")
        self.browser.press("Look at it")
        self.browser.wait_for_text("A request begins with leither:pay:")

    def test_the_keyboard_reaches_everything(self):
        self.browser.go("pay")
        self.browser.run("document.activeElement.blur()")
        reached = []
        for _ in range(50):
            self.browser.driver.switch_to.active_element.send_keys(browsers.Keys.TAB)
            reached.append(self.browser.run("const e = document.activeElement; return (e.getAttribute('aria-label') ?? e.labels?.[0]?.textContent ?? e.textContent).trim()"))
        for name in ("Skip to the page", "Overview", "Sign out", "Request", "Look at it", "Payee", "Amount", "Reference"):
            self.assertIn(name, reached)
        self.browser.go("members")
        self.assertEqual(self.browser.run("return document.activeElement.id"), "title", "the new page's heading is read out")

    def test_every_page_is_in_order_wide_and_on_a_phone_light_and_dark(self):
        looks = {"wide-light": {}, "wide-dark": {"scheme": "dark"}, "phone-light": {"width": 360, "height": 740, "scale": 2},
                 "phone-dark": {"width": 360, "height": 740, "scale": 2, "scheme": "dark"}}
        for page in (*PAGES, "more", "nowhere"):
            self.browser.emulate()
            self.browser.go(page)
            time.sleep(0.3)  # what comes after the first drawing
            for look, options in looks.items():
                self.browser.emulate(**options)
                self.assertEqual(self.browser.complaints(), [], f"{page}, {look}")
                if SCREENSHOTS:
                    tall = {**options, "height": max(options.get("height", 900), self.browser.run("return document.documentElement.scrollHeight"))}
                    self.browser.emulate(**tall)
                    self.browser.screenshot(os.path.join(SCREENSHOTS, f"{page}-{look}.png"))
        self.assertEqual(self.browser.console(), [])

    def test_qr_codes_are_read_by_others(self):
        if shutil.which("zbarimg") is None:
            self.skipTest("zbarimg is not installed")
        texts = {(level, version): f"leither:pay:{'ab0' * 2 * version}"[:12 if version == 1 else None]
                 for level in "LM" for version in (*range(1, 11), 14, 20, 25, 26, 27, 31, 32, 33, 39, 40)}
        texts[("M", 2)] = "LEITHER:PAY:0123456789ABCDEF"
        texts[("L", 3)] = "31415926535897932384626433832795028841971"
        texts[("L", 5)] = "M\u00fchle, \u9762\u5305"
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        for (level, version), text in texts.items():
            rows = self.browser.run_async(
                "const [text, level, version] = arguments; import('/qr.js').then(({encode}) => { const code = encode(text, level, version);"
                "done(Array.from({length: code.size}, (_, y) => Array.from({length: code.size}, (_, x) => code.isDark(x, y) ? 1 : 0).join(''))); })",
                text, level, version)
            self.assertEqual(len(rows), 17 + 4 * version)
            path = os.path.join(folder, "code.pgm")
            _write_picture(path, rows)
            read = subprocess.run(["zbarimg", "-q", "--raw", "-Sdisable", "-Sqrcode.enable", path], capture_output=True, check=False)
            self.assertEqual(read.stdout.decode().rstrip("\n"), text, f"{level} {version}")
        self.assertIsNone(self.browser.run_async("import('/qr.js').then(({encode}) => done(encode('a'.repeat(2954), 'L')))"))

    def test_amounts_are_whole_numbers(self):
        cases = self.browser.run_async("""import('/format.js').then(({amountText, parseAmount}) => {
            const tried = (text, decimals) => { try { return parseAmount(text, decimals); } catch (error) { return 'refused'; } };
            done([amountText('9223372036854775807', 2), amountText('5', 2), amountText('0', 0), amountText('1234567', 0),
                  tried('92233720368547758.07', 2), tried('0.1', 2), tried('12', 0), tried('1.0', 0), tried('.5', 2), tried('1.2.3', 2)]); });""")
        self.assertEqual(cases, ["92\u202f233\u202f720\u202f368\u202f547\u202f758.07", "0.05", "0", "1\u202f234\u202f567",
                                 "9223372036854775807", "10", "12", "refused", "refused", "refused"])


class Acting(DashboardTest):
    """Through the daemon's own wallet, to the ledger and back."""

    def setUp(self):
        super().setUp()
        self.sign_in()

    def balance(self, name):
        return int(self.daemon.leither("balance", name)["record"]["balance"])

    def choose(self, label, name):
        control = self.browser.field(label)
        self.browser.run("for (const option of arguments[0].options) if (option.textContent.split(',')[0] === arguments[1]) arguments[0].value = option.value", control, name)

    def request(self, amount, reference, payer=""):
        """bea's request for anna, as text."""
        self.browser.go("request")
        self.browser.fill("Amount", amount)
        self.browser.fill("Reference", reference)
        self.choose("To", "bea")
        self.browser.fill("Payer", payer)
        self.browser.press("Make the request")
        self.browser.wait(lambda: self.browser.find_all("#request-text"), "no request is made")
        return self.browser.find("#request-text").get_attribute("value")

    def test_a_request_is_made_and_paid(self):
        before = self.balance("anna"), self.balance("bea")
        text = self.request("12.50", "a bag of flour")
        self.browser.wait_for_text("waits to be paid")
        self.browser.go("pay")
        self.browser.fill("Request", text)
        self.browser.press("Look at it")
        self.browser.wait_for_text("a bag of flour")
        self.choose("From", "anna")
        self.browser.press("Pay now")
        self.browser.wait_for_text("In the ledger.", ".follow")
        self.assertEqual((self.balance("anna"), self.balance("bea")), (before[0] - 1250, before[1] + 1250))
        # Once more is not twice.
        self.browser.press("Look at it")
        self.browser.wait(lambda: self.browser.find_all(".offer form"), "it is not shown again")
        self.browser.press("Pay now")
        time.sleep(1.5)
        self.assertEqual(self.balance("bea"), before[1] + 1250)
        self.browser.go("request")
        self.browser.wait_for_text("paid, not secured yet")

    def test_a_letter_with_a_request_is_paid_from_the_inbox(self):
        before = self.balance("bea")
        self.daemon.leither("node", "serve", "bea")
        self.request("3", "a ride", payer=self.accounts["anna"])
        self.browser.wait_for_text("on its way to the payer")
        self.browser.go("inbox")
        self.browser.wait_for_text("a ride")
        self.browser.press("Pay")
        self.browser.wait_for_text("on its way into the ledger")
        self.assertTrue(wait_for(lambda: self.balance("bea") == before + 300))
        self.browser.wait_for_text("Nothing waits.")
        self.browser.press("Why?")
        self.browser.wait(lambda: self.browser.find_all(".why .so"), "there is no reason")

    def test_more_than_there_is_is_refused_in_words(self):
        text = self.request("900000", "everything")
        self.browser.go("pay")
        self.browser.fill("Request", text)
        self.browser.press("Look at it")
        self.browser.wait_for_text("everything")
        self.browser.press("Pay now")
        self.browser.wait(lambda: self.browser.find_all(".notice.bad"), "no refusal is shown")
        self.assertIn("Not enough credit.", self.browser.text(".notice.bad"))

    def test_a_ballot_and_a_line(self):
        self.browser.go("votes")
        self.browser.wait_for_text("have not voted yet")
        self.browser.press("Yes")
        self.browser.wait_for_text("1 yes, 0 no")
        self.assertEqual(self.daemon.leither("vote", "show", self.vote)["yes"], 1)
        self.browser.go("chat")
        self.browser.fill("Your line", HOSTILE)
        self.browser.press("Send")
        self.browser.wait_for_text(HOSTILE, ".chat")
        self.assertIn(HOSTILE, [line["text"] for line in self.daemon.leither("chat", "read")])
        self.assertEqual(self.browser.console(), [])


    def test_a_vote_is_proposed_and_a_service_rewarded(self):
        self.browser.go("votes")
        self.browser.press("Change a parameter")
        self.choose("Parameter", "publicity pulses")
        self.browser.run("arguments[0].dispatchEvent(new Event('change'))", self.browser.field("Parameter"))
        self.browser.wait_for_text("Now 0 pulses. It may be from 0 to 2 592 000 pulses.")
        self.browser.fill("New value", "3600")
        self.browser.fill("Reason", HOSTILE)
        self.browser.press("Propose the change")
        self.browser.wait(lambda: "publicity_pulses becomes 3 600 pulses (now 0)" in " ".join(self.browser.text().split()), "the vote is not listed")
        found, = [vote for vote in self.daemon.leither("vote", "list")["items"] if vote["subject"]["kind"] == "parameter"]
        self.assertEqual((found["subject"]["parameter"], found["subject"]["value"], found["subject"]["reason"]), ("publicity_pulses", 3600, HOSTILE))

        before = self.balance("bea")
        self.browser.go("rewards")
        self.choose("Member", "bea")
        self.browser.fill("Amount", "12.50")
        self.browser.fill("Reason", "swept the square")
        self.browser.fill("Proof", "everybody has seen it")
        self.browser.press("Give the reward")
        self.browser.wait_for_text("swept the square", "tbody")
        self.assertTrue(wait_for(lambda: self.balance("bea") == before + 1250))
        self.browser.fill("Amount", "99999999")
        self.browser.fill("Reason", "everything")
        self.browser.press("Give the reward")
        self.browser.wait(lambda: self.browser.find_all(".notice.bad"), "no refusal is shown")
        self.assertEqual(self.browser.console(), [])

    def test_a_tag_is_made_and_found(self):
        self.browser.go("packs")
        self.browser.fill("Under the tag", "Bread")
        self.browser.fill("Text or account", "Anna's bakery")
        self.choose("Tagged by", "anna")
        self.browser.press("Tag it")
        self.browser.wait_for_text("Others find it from now on.")
        self.browser.fill("Tag", "bread")
        self.browser.press("Search")
        self.browser.wait_for_text("Anna's bakery", "table")
        self.browser.fill("Under the tag", "b*d")
        self.browser.fill("Text or account", "x")
        self.browser.press("Tag it")
        self.browser.wait_for_text("is no tag", ".field")


def _write_picture(path, rows, scale=3, quiet=4):
    side = (len(rows) + 2 * quiet) * scale
    blank = b"\xff" * side
    lines = [blank] * (quiet * scale)
    for row in rows:
        line = b"\xff" * quiet * scale + b"".join(b"\x00" * scale if bit == "1" else b"\xff" * scale for bit in row) + b"\xff" * quiet * scale
        lines += [line] * scale
    lines += [blank] * (quiet * scale)
    with open(path, "wb") as file:
        file.write(b"P5\n%d %d\n255\n" % (side, side) + b"".join(lines))


class ComingAndGoing(DashboardTest):
    def test_a_daemon_that_goes_and_comes_back(self):
        self.sign_in()
        port = self.daemon.rpc.port
        self.daemon.kill()
        self.browser.wait_for_text("The daemon is away")
        self.assertIn("Balance", self.browser.text(), "what was shown stays")
        self.daemon.options += ["--set", f"rpc.listen=127.0.0.1:{port}"]
        self.daemon.start()
        # Sessions end with the daemon.
        self.browser.wait_for_text("By a link", seconds=30)
        self.browser.open("about:blank")
        self.browser.open(self.link())
        self.browser.wait_for_text("2 987.75 hour")

    def test_a_session_that_ends_elsewhere_ends_here(self):
        self.sign_in()
        key = self.browser.run("return localStorage.getItem('leither.key')")
        cookie, = self.browser.driver.get_cookies()
        connection = http.client.HTTPConnection(self.daemon.rpc.host, self.daemon.rpc.port, timeout=20)
        connection.request("POST", "/session/end", "", {"Origin": self.base, "Authorization": f"Session {key}",
                                                        "Cookie": f"{cookie['name']}={cookie['value']}"})
        self.assertEqual(connection.getresponse().status, 204)
        connection.close()
        self.browser.run("location.hash = '#/members'")
        self.browser.wait_for_text("By a link")


class SeveralOrganizations(DashboardTest):
    def test_one_is_chosen_at_the_top_and_the_session_holds_for_all(self):
        self.sign_in()
        self.assertEqual(self.browser.find_all("#places select"), [])
        self.daemon.leither("org", "open", "choir")
        self.daemon.leither("--org", "choir", "org", "create", "--name", "Choir", "--unit", "song")
        self.sign_in()
        self.browser.wait(lambda: self.browser.find_all("#places select"), "nothing to choose from")
        self.choose("choir")
        self.browser.wait_for_text("Choir", "header")
        self.browser.go("members")
        self.browser.wait_for_text("founder")
        self.assertNotIn("bea", self.browser.text())
        self.choose("")
        self.browser.wait_for_text("Bakers' Row", "header")
        self.browser.go("members")
        self.browser.wait_for_text("bea")

    def choose(self, place):
        self.browser.wait(lambda: self.browser.find_all(f"#places option[value='{place}']"), "it cannot be chosen")
        self.browser.run("const select = document.querySelector('#places select'); select.value = arguments[0];"
                         "select.dispatchEvent(new Event('change'));", place)


@unittest.skipUnless(browsers.AVAILABLE, "chromium, chromium-driver or python3-selenium is not installed")
class WithoutOrganization(unittest.TestCase):
    def test_a_new_node_says_how_to_begin(self):
        scratch = self.enterContext(tempfile.TemporaryDirectory(prefix="leither-test-"))
        daemon = Daemon(os.path.join(scratch, "node"))
        self.addCleanup(daemon.end)
        os.mkdir(daemon.data_dir)
        daemon.start()
        browser = browsers.Browser()
        self.addCleanup(browser.end)
        browser.open(daemon.leither("dashboard")["url"])
        browser.wait_for_text("belongs to no organization yet")
        for page in PAGES:
            browser.go(page)
            browser.emulate(width=360, height=740)
            self.assertEqual(browser.complaints(), [], page)
            browser.emulate()
        self.assertEqual(browser.console(), [])
        daemon.leither("org", "create", "--name", "Late", "--supply", "10")
        browser.go("overview")
        browser.wait_for_text("Health")


@unittest.skipUnless(browsers.AVAILABLE, "chromium, chromium-driver or python3-selenium is not installed")
class BeginningToEnd(unittest.TestCase):
    """A founder and a newcomer who never see a terminal, each at the page of a node of their own."""

    def setUp(self):
        self.browser = browsers.Browser()
        self.addCleanup(self.browser.end)

    def machine(self):
        DashboardTest.number += 1
        return NetworkDaemon(self, DashboardTest.number)

    def sit_down_at(self, daemon, route):
        self.browser.open("about:blank")
        self.browser.open(daemon.leither("dashboard")["url"])
        self.browser.wait(lambda: self.browser.run("return document.body.dataset.connection") == "open" and "login" not in self.browser.driver.current_url, "not signed in")
        self.browser.wait(lambda: self.browser.find_all("#page .live"), "no page is drawn")
        self.browser.go(route)

    def test_founding_inviting_joining_and_a_task(self):
        founder, guest = self.machine(), self.machine()
        self.sit_down_at(founder, "begin")
        self.browser.press("Found one")
        self.browser.fill("What is it called?", "Bakers' Row")
        self.browser.press("Add a share")
        self.browser.fill("Share", "100")
        self.browser.fill("Reason for it", "built the oven")
        self.browser.press("Found it")
        self.browser.wait_for_text("You are its first member and supervisor.")
        self.assertEqual(founder.leither("balance", "founder")["record"]["balance"], "10000")

        self.browser.press("Invite somebody")
        self.browser.wait_for_text("Make the invitation")
        self.browser.press("Make the invitation")
        link = self.browser.wait(lambda: self.browser.find("textarea[aria-label=Invitation]").get_attribute("value"), "no invitation is made")
        self.assertEqual(guest.leither("invite", "show", link)["name"], "Bakers' Row")

        self.sit_down_at(guest, "begin")
        self.browser.fill("Invitation", link[:-1])
        self.browser.press("Look at it")
        self.browser.wait_for_text("Invitation damaged.", ".field")
        self.browser.fill("Invitation", link)
        self.browser.press("Look at it")
        self.browser.wait_for_text("Begins at")
        self.browser.fill("Your name in this wallet", "bea", within=".offer")
        self.browser.fill("Note", "bakes bread")
        self.browser.press("Ask to be admitted")
        self.browser.wait_for_text("how it stands is said above", seconds=60)
        self.browser.wait_for_text("It is waiting", seconds=60)
        account = guest.leither("key", "list")[0]["account"]

        self.assertTrue(wait_for(lambda: founder.rpc.call("wallet.applications")))
        self.sit_down_at(founder, "members")
        self.browser.wait_for_text("bakes bread")
        self.browser.press("Admit")
        self.browser.wait_for_text("2 members", seconds=60)
        self.browser.wait_for_text("Nobody waits to be admitted.")
        self.browser.go("tasks")
        self.browser.fill("What is to be done?", "Repair the oven")
        self.browser.fill("What it pays", "40")
        self.browser.press("Promise it")
        self.browser.wait_for_text("Promised.")
        task = self.browser.find(".outcome textarea").get_attribute("value")

        self.assertTrue(wait_for(lambda: guest.run_leither("balance", "bea").returncode == 0))
        self.sit_down_at(guest, "tasks")
        self.browser.fill("Text of the task", task)
        self.browser.press("Say that I do it")
        self.browser.wait_for_text("It is yours to do")
        self.browser.press("Hand it in")
        self.browser.fill("What shows that it is done?", "it bakes again")
        self.browser.press("Hand in")
        self.browser.wait_for_text("hands it in: it bakes again")

        self.assertTrue(wait_for(lambda: founder.leither("task", "list")[0]["submissions"]))
        self.sit_down_at(founder, "tasks")
        self.browser.wait_for_text("it bakes again")
        self.browser.press("Accept and pay")
        self.browser.wait_for_text("Accepted.", seconds=60)
        self.assertIn(account, [item.get("counterparty") for item in founder.rpc.call("account.history", account=founder.rpc.call("organization.info")["id"])["items"]])
        self.assertEqual(self.browser.console(), [])


class Palette(unittest.TestCase):
    """Contrast by WCAG 2: 4.5 for text, 3 for what only has to be seen."""

    TEXT = [("text", "ground"), ("text", "surface"), ("text", "sunken"), ("muted", "ground"), ("muted", "surface"), ("muted", "sunken"),
            ("accent", "surface"), ("accent", "ground"), ("on-accent", "accent"), ("on-accent", "accent-strong"), ("accent-strong", "accent-soft"),
            ("text", "accent-soft"), ("good", "surface"), ("warn", "warn-soft"), ("warn", "ground"), ("warn", "surface"), ("bad", "bad-soft"),
            ("bad", "surface"), ("text", "bad-soft"), ("ground", "text")]
    SEEN = [("control", "surface"), ("control", "ground"), ("good", "surface"), ("bad", "surface"), ("accent", "sunken")]

    def test_everything_is_readable_light_and_dark(self):
        with open(os.path.join(ROOT, "src/web/site/style.css"), encoding="utf-8") as file:
            style = file.read()
        light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in re.findall(r":root \{(.*?)\n *\}", style, re.DOTALL))
        self.assertEqual(set(light), set(dark))
        for name, palette in (("light", light), ("dark", dark)):
            for least, pairs in ((4.5, self.TEXT), (3, self.SEEN)):
                for front, back in pairs:
                    ratio = contrast(palette[front], palette[back])
                    self.assertGreaterEqual(ratio, least, f"{name}: {front} on {back}: {ratio:.2f}")


def contrast(one, other):
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour):
    channels = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


if __name__ == "__main__":
    unittest.main()
