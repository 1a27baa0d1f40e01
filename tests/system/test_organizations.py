"""Several organizations on one daemon: apart in all but the wallet, the API and the process."""

import contextlib
import os
import subprocess
import unittest

from harness.daemon import LEITHERD, Daemon, RpcError, leither, scratch_dir
from harness.network import NetworkDaemon, wait_for

DAMAGED = 5
TWO = ("", "choir")


def at(place):
    """The words that select a place."""
    return ("--org", place) if place else ()


def found(daemon, place, name, *more):
    return daemon.leither(*at(place), "org", "create", "--name", name, "--param", "publicity_pulses=0",
                          "--param", "pulse_ms=500", *more)["id"]


def ask(daemon, place, method, **params):
    """What that place's node answers."""
    rpc = daemon.open_rpc(daemon.rpc.url + (f"/{place}" if place else ""), daemon.rpc.cookie)
    with contextlib.closing(rpc):
        return rpc.call(method, **params)


def places(daemon):
    return {place["name"]: place for place in daemon.leither("org", "list")}


class OneDaemon(unittest.TestCase):
    options = ()

    def setUp(self):
        self.scratch = self.enterContext(scratch_dir())
        self.daemon = Daemon(os.path.join(self.scratch, "node"), [word for option in self.options for word in ("--set", option)])
        os.makedirs(self.daemon.data_dir)
        self.addCleanup(self.daemon.end)
        self.daemon.start()

    def place_dir(self, name):
        return os.path.join(self.daemon.data_dir, "organizations", name)

    def open_both(self):
        """The first and the choir, founded with the same founder's key."""
        self.daemon.leither("org", "open", "choir")
        return {place: found(self.daemon, place, name) for place, name in zip(TWO, ("Bakers' Row", "Choir"))}

    def add_anna(self, place, amount):
        if not os.path.exists(os.path.join(self.daemon.data_dir, "wallet", "anna.key")):
            self.daemon.leither("key", "new", "anna")
        self.daemon.leither(*at(place), "member", "add", "anna")
        self.daemon.leither(*at(place), "reward", "anna", amount, "--reason", f"work {amount}")
        self.assertTrue(wait_for(lambda: self.balance(place) == f"{amount}00"))

    def balance(self, place, name="anna"):
        return self.daemon.leither(*at(place), "balance", name)["record"]["balance"]

    def health(self):
        return self.daemon.rpc.get("/healthz")


class TwoOrganizations(OneDaemon):
    def test_they_share_the_wallet_and_nothing_else(self):
        ids = self.open_both()
        self.assertNotEqual(ids[""], ids["choir"])
        founders = {place: self.daemon.leither(*at(place), "org", "info")["founder"] for place in TWO}
        self.assertEqual(founders[""], founders["choir"])
        self.assertEqual({name: place["organization"]["id"] for name, place in places(self.daemon).items()}, ids)
        nodes = {ask(self.daemon, place, "node.status")["node_key"] for place in TWO}
        self.assertEqual(len(nodes), 2, "a node key each")
        for place, amount in (("", "40"), ("choir", "7")):
            self.add_anna(place, amount)
        self.assertEqual((self.balance(""), self.balance("choir")), ("4000", "700"))
        self.daemon.leither("pay", "founder", "1.50", "--from", "anna")
        self.daemon.leither("--org", "choir", "pay", "founder", "2", "--from", "anna")
        self.assertEqual((self.balance(""), self.balance("choir")), ("3850", "500"))
        anna = self.daemon.leither("key", "show", "anna")["account"]
        for place, reasons in (("", {"work 40"}), ("choir", {"work 7"})):
            items = ask(self.daemon, place, "account.history", account=anna)["items"]
            self.assertEqual({item["reference"] for item in items if item["kind"] == "reward"}, reasons)
        # After kill -9 both are there, and go on.
        self.daemon.kill()
        self.daemon.start()
        self.assertEqual((self.balance(""), self.balance("choir")), ("3850", "500"))
        self.daemon.leither("--org", "choir", "pay", "founder", "1", "--from", "anna")
        self.assertEqual((self.balance(""), self.balance("choir")), ("3850", "400"))
        self.daemon.stop()
        for directory in (self.daemon.data_dir, self.place_dir("choir")):
            done = subprocess.run([LEITHERD, "--data-dir", directory, "--verify"], check=False, capture_output=True)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_request_of_one_is_not_paid_in_the_other(self):
        self.open_both()
        for place in TWO:
            self.add_anna(place, "10")
        request = self.daemon.leither("--org", "choir", "request", "1", "--to", "founder")
        self.assertEqual(self.daemon.refusal("pay", request["text"], "--from", "anna"), (2, "bad_request"))
        self.assertEqual(self.daemon.refusal("why", request["id"]), (1, "other_organization"))
        self.assertEqual(self.daemon.leither("requests")["items"], [])
        self.daemon.leither("--org", "choir", "pay", request["text"], "--from", "anna")
        self.assertEqual((self.balance(""), self.balance("choir")), ("1000", "900"))

    def test_they_are_told_apart_in_metrics_and_log(self):
        self.open_both()
        text = self.daemon.rpc.get("/metrics")[1]
        self.assertIn("\nleither_members 1\nleither_members{org=\"choir\"} 1\n", text)
        self.assertIn("leither_organizations{state=\"serving\"} 2", text)
        self.assertIn("org=choir", self.daemon.log_tail())
        self.assertEqual(self.health(), (200, "ok\n"))

    def test_one_key_founds_one_organization(self):
        self.open_both()
        self.daemon.leither("org", "open", "third")
        name = self.daemon.refusal("--org", "third", "org", "create", "--name", "T", "--organization-key", "organization")[1]
        self.assertEqual(name, "held_elsewhere")
        self.assertIsNone(places(self.daemon)["third"]["organization"])

    def test_who_means_one_is_told_how_to_go_on_with_it(self):
        self.daemon.leither("org", "open", "choir")
        said = self.daemon.run_leither("--org", "choir", "org", "create", "--name", "Choir").stdout
        self.assertIn("leither invite\nCommands about it begin with: leither --org choir\n", said)
        refused = self.daemon.run_leither("--org", "choir", "vote", "cast", "3f2a", "yes", "--from", "founder")
        self.assertIn("leither --org choir", refused.stderr)
        self.assertNotIn("begin with", self.daemon.run_leither("org", "list").stdout)

    def test_the_environment_selects_too(self):
        self.open_both()
        done = leither("--json", "org", "info", data_dir=self.daemon.data_dir, env={"LEITHER_ORG": "choir"})
        self.assertIn("\"Choir\"", done.stdout)

    def test_node_stop_stops_all(self):
        self.open_both()
        self.assertIs(ask(self.daemon, "choir", "node.stop"), True)
        self.assertEqual(self.daemon.process.wait(5), 0)

    def test_a_backup_is_of_the_one_that_is_meant(self):
        ids = self.open_both()
        made = self.daemon.leither("--org", "choir", "backup", "create", os.path.join(self.scratch, "b"))
        self.assertEqual([one["id"] for one in made["organizations"]], [ids["choir"]])


class Bounds(OneDaemon):
    options = ("organizations.max=2",)

    def test_names_are_checked(self):
        for name in ("Choir", "a/b", "..", "a b", "x" * 33):
            self.assertEqual(self.daemon.refusal("org", "open", name), (2, "bad_name"), name)
            self.assertEqual(self.daemon.refusal("--org", name, "node", "status"), (2, "bad_name"), name)
        with self.assertRaises(RpcError) as caught:
            self.daemon.rpc.call("place.open", name="..")
        self.assertEqual(caught.exception.name, "bad_name")
        self.assertFalse(os.path.exists(os.path.join(self.daemon.data_dir, "organizations")))
        self.assertEqual(self.daemon.refusal("--org", "nobody", "node", "status"), (1, "no_such_place"))

    def test_they_are_no_more_than_the_operator_allows(self):
        self.daemon.leither("org", "open", "choir")
        self.assertEqual(self.daemon.refusal("org", "open", "choir"), (1, "is_open"))
        self.assertEqual(self.daemon.refusal("org", "open", "third"), (1, "too_many"))
        self.daemon.leither("org", "close", "choir")
        self.daemon.leither("org", "open", "third")
        # A directory more than is allowed is not served, and says so; the others are.
        os.remove(os.path.join(self.place_dir("choir"), "closed"))
        self.daemon.stop()
        self.daemon.start()
        states = {name: place["state"] for name, place in places(self.daemon).items()}
        self.assertEqual(states, {"": "serving", "choir": "serving", "third": "failed"})


class Closing(OneDaemon):
    def test_one_that_is_closed_stays_so_until_it_is_opened(self):
        self.daemon.leither("org", "open", "choir")
        closed = self.daemon.leither("org", "close", "choir")
        self.assertEqual((closed["state"], closed["directory"]), ("closed", self.place_dir("choir")))
        self.assertEqual(self.daemon.refusal("--org", "choir", "node", "status"), (1, "place_closed"))
        self.daemon.stop()
        self.daemon.start()
        self.assertEqual(places(self.daemon)["choir"]["state"], "closed")
        self.daemon.leither("org", "open", "choir")
        self.assertIsNone(ask(self.daemon, "choir", "node.status")["organization"])

    def test_not_while_its_node_is_in_office(self):
        self.daemon.leither("org", "open", "choir")
        organization = found(self.daemon, "choir", "Choir")
        self.assertEqual(self.daemon.refusal("org", "close", "choir"), (1, "needed"))
        self.daemon.leither("org", "close", "choir", "--force")
        self.daemon.leither("org", "open", "choir")
        self.assertEqual(places(self.daemon)["choir"]["organization"]["id"], organization)

    def test_the_first_is_the_daemon(self):
        with self.assertRaises(RpcError):
            self.daemon.rpc.call("place.close", name="")
        self.assertEqual(self.daemon.refusal("--org", "choir", "org", "close", "choir"), (2, "bad_argument"))


class Failing(OneDaemon):
    def damage(self, directory):
        with open(os.path.join(directory, "ledger", "CURRENT"), "w", encoding="ascii") as file:
            file.write("nonsense\n")

    def test_one_that_is_damaged_does_not_take_the_others_down(self):
        ids = self.open_both()
        self.daemon.stop()
        self.damage(self.place_dir("choir"))
        self.daemon.start()
        listed = places(self.daemon)
        self.assertEqual((listed[""]["state"], listed[""]["organization"]["id"]), ("serving", ids[""]))
        self.assertEqual(listed["choir"]["state"], "failed")
        self.assertIn(self.place_dir("choir"), listed["choir"]["detail"])
        status, text = self.health()
        self.assertEqual(status, 503)
        self.assertIn("choir", text)
        self.assertEqual(self.daemon.refusal("--org", "choir", "node", "status"), (1, "place_failed"))
        self.assertEqual(self.daemon.refusal("org", "open", "choir"), (1, "place_failed"))
        self.add_anna("", "5")
        self.daemon.leither("org", "close", "choir")
        self.assertEqual(self.health(), (200, "ok\n"))
        self.daemon.stop()

    def test_without_the_first_the_others_go_on_and_the_program_still_answers(self):
        ids = self.open_both()
        self.daemon.stop()
        self.damage(self.daemon.data_dir)
        # The harness waits for /rpc to answer a question that needs a node.
        with self.assertRaises(RpcError) as caught:
            self.daemon.start()
        self.assertEqual(caught.exception.name, "place_failed")
        listed = places(self.daemon)
        self.assertEqual((listed[""]["state"], listed["choir"]["state"]), ("failed", "serving"))
        self.assertEqual(listed["choir"]["organization"]["id"], ids["choir"])
        self.add_anna("choir", "5")
        self.assertEqual(self.balance("choir"), "500")

    def test_when_all_fail_the_daemon_ends_as_with_one(self):
        self.open_both()
        self.daemon.stop()
        for directory in (self.daemon.data_dir, self.place_dir("choir")):
            self.damage(directory)
        with self.assertRaises(AssertionError):
            self.daemon.start()
        self.assertEqual(self.daemon.process.wait(5), DAMAGED)

    def test_a_directory_of_another_daemon_is_left_alone(self):
        self.open_both()
        self.daemon.stop()
        other = Daemon(self.place_dir("choir"))
        self.addCleanup(other.end)
        other.start()
        self.daemon.start()
        choir = places(self.daemon)["choir"]
        self.assertEqual(choir["state"], "failed")
        self.assertIn(str(other.process.pid), choir["detail"])
        other.stop()
        self.daemon.leither("org", "open", "choir")
        self.assertEqual(places(self.daemon)["choir"]["state"], "serving")


class TwoDaemons(unittest.TestCase):
    def setUp(self):
        self.a = NetworkDaemon(self, 600)
        self.b = NetworkDaemon(self, 601, bootstrap=[self.a])

    def join(self, place, name):
        """ben's node follows an organization that A founds, and keeps its ledger."""
        organization = found(self.a, place, name)
        self.a.leither(*at(place), "org", "publish")
        begin = ask(self.a, place, "organization.introduction")["introduction"]
        ask(self.b, place, "organization.follow", organization=organization, introduction=begin)
        self.assertTrue(wait_for(lambda: self.b.leither(*at(place), "peers")), place)
        wallet = os.path.join(self.b.data_dir, "wallet")
        application = self.a.leither(*at(place), "--wallet", wallet, "member", "apply", "ben")["application"]
        self.a.leither(*at(place), "member", "add", application)
        self.b.leither(*at(place), "node", "serve", "ben")
        self.assertTrue(wait_for(lambda: ask(self.b, place, "node.status")["organization"]), place)
        return organization

    def test_members_pay_across_in_both(self):
        for daemon in (self.a, self.b):
            daemon.leither("org", "open", "choir")
        ben = self.b.leither("key", "new", "ben")["account"]
        self.a.leither("key", "new", "anna")
        ports = {daemon: places(daemon)["choir"] for daemon in (self.a, self.b)}
        for place, name, amount in (("", "Bakers' Row", "40"), ("choir", "Choir", "7")):
            self.join(place, name)
            self.a.leither(*at(place), "member", "add", "anna")
            self.a.leither(*at(place), "reward", "anna", amount, "--reason", "work")
        for place, amount in (("", "3"), ("choir", "2")):
            request = self.b.leither(*at(place), "request", amount, "--to", "ben")["text"]
            self.a.leither(*at(place), "pay", request, "--from", "anna")
        for place, units in (("", "300"), ("choir", "200")):
            def balance(place=place):
                return ask(self.b, place, "account.get", account=ben)["record"]["balance"]
            self.assertTrue(wait_for(lambda: balance() != "0"), place)
            self.assertEqual(balance(), units)
        # Ports stay over restarts.
        for daemon in (self.b, self.a):
            daemon.stop()
            daemon.start()
            choir = places(daemon)["choir"]
            self.assertEqual((choir["udp_port"], choir["tcp_port"]), (ports[daemon]["udp_port"], ports[daemon]["tcp_port"]))
        self.assertTrue(wait_for(lambda: self.b.leither("--org", "choir", "peers")))


if __name__ == "__main__":
    unittest.main()
