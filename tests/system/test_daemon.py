"""The life of one leitherd: starting, stopping, and the ways in which its surroundings fail."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from harness.community import Community, all_balances, submit, wait_until_empty
from harness.daemon import GONE, LEITHERD, ROOT, Daemon, scratch_dir

# app::DaemonExit
BAD_CONFIG, LOCKED, ENVIRONMENT = 2, 3, 4
START_SECONDS_MAX = 2


class DaemonTest(unittest.TestCase):
    def setUp(self):
        scratch = scratch_dir()
        self.scratch = scratch.__enter__()
        self.addCleanup(scratch.__exit__, None, None, None)
        self.daemon = self.make_daemon("node")

    def make_daemon(self, name, *options):
        daemon = Daemon(os.path.join(self.scratch, name), options)
        self.addCleanup(daemon.end)
        os.makedirs(daemon.data_dir, exist_ok=True)
        return daemon

    def run_leitherd(self, *arguments, seconds_max=10):
        return subprocess.run([LEITHERD, *arguments], check=False, capture_output=True, text=True, timeout=seconds_max)


class StartAndStop(DaemonTest):
    def test_an_empty_node_starts_and_stops_quickly(self):
        self.assertLess(self.daemon.start(), START_SECONDS_MAX)
        self.assertIsNone(self.daemon.rpc.call("node.status")["organization"])
        self.assertLess(self.daemon.stop(), 1)

    def test_checking_signatures_gives_way_to_all_else_it_does(self):
        self.daemon.start()
        nice = {}
        for task in os.scandir(f"/proc/{self.daemon.process.pid}/task"):
            with open(os.path.join(task.path, "stat"), encoding="ascii") as file:
                name, rest = file.read().split("(", 1)[1].rsplit(")", 1)
            nice.setdefault(name, set()).add(int(rest.split()[16]))
        own = nice["leitherd"]
        self.assertEqual(nice["leither-disk"], own)
        self.assertEqual(nice["leither-verify"], {min(19, max(own) + 10)})

    def test_it_stops_within_five_seconds_under_load(self):
        prng = random.Random(3)
        self.daemon.start()
        community = Community(self.daemon.rpc, accounts=200)
        for _ in range(3):
            transfers = community.random_transfers(8000, prng)
            load = threading.Thread(target=self.submit_until_refused, args=(self.daemon.connect(), transfers))
            load.start()
            time.sleep(prng.uniform(0.05, 0.8))
            self.daemon.stop(seconds_max=5)
            load.join()
            self.daemon.start()
            # What was refused because the node stopped must be signed again from the counter it knows.
            for key in community.keys:
                community.counters[key.id] = self.daemon.rpc.call("account.nonce", account=key.id.hex())["counter"]
        self.daemon.stop()

    def submit_until_refused(self, rpc, transfers):
        with contextlib.closing(rpc), contextlib.suppress(*GONE):
            submit(rpc, transfers)

    def test_the_ledger_survives_a_clean_stop(self):
        self.daemon.start()
        community = Community(self.daemon.rpc, accounts=50)
        transfers = community.random_transfers(300)
        submit(self.daemon.rpc, transfers)
        wait_until_empty(self.daemon.rpc)
        before = self.daemon.rpc.call("node.status")["organization"]
        self.daemon.stop()
        self.daemon.start()
        after = self.daemon.rpc.call("node.status")["organization"]
        self.assertEqual((after["sequence"], after["root"]), (before["sequence"], before["root"]))
        balances = all_balances(self.daemon.rpc)
        expected = community.balances_after(community.transfers)
        self.assertEqual({key: balances[key] for key in expected}, expected)
        self.daemon.stop()
        self.assertIn(after["root"]["hash"], self.daemon.verify())

    def test_node_stop_stops_it(self):
        self.daemon.start()
        self.assertIs(self.daemon.rpc.call("node.stop"), True)
        self.assertEqual(self.daemon.process.wait(5), 0)

    def test_sigint_stops_it_too(self):
        self.daemon.start()
        self.daemon.process.send_signal(signal.SIGINT)
        self.assertEqual(self.daemon.process.wait(5), 0)


class Surroundings(DaemonTest):
    def test_a_second_daemon_is_refused_with_the_pid_of_the_first(self):
        self.daemon.start()
        second = self.run_leitherd(*self.daemon.command()[1:])
        self.assertEqual(second.returncode, LOCKED)
        self.assertIn(str(self.daemon.process.pid), second.stderr)
        self.daemon.rpc.call("node.status")

    def test_a_port_in_use_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            done = self.run_leitherd("--data-dir", self.daemon.data_dir, "--set", f"rpc.listen=127.0.0.1:{port}")
        self.assertEqual(done.returncode, ENVIRONMENT)
        self.assertIn(str(port), done.stdout + done.stderr)

    def test_a_directory_that_cannot_be_made_is_named(self):
        blocked = os.path.join(self.scratch, "file")
        with open(blocked, "w", encoding="ascii"):
            pass
        done = self.run_leitherd("--data-dir", os.path.join(blocked, "node"))
        self.assertEqual(done.returncode, ENVIRONMENT)
        self.assertIn(blocked, done.stderr)

    def test_an_unwritable_directory_is_named(self):
        # Root writes everywhere but on a file system mounted read-only.
        with mounted_tmpfs(self, "size=4m,mode=700") as place:
            subprocess.run(["mount", "-o", "remount,ro", place], check=True)
            done = self.run_leitherd("--data-dir", os.path.join(place, "node"))
        self.assertEqual(done.returncode, ENVIRONMENT)
        self.assertIn(place, done.stderr)

    def test_a_full_disk_stops_it_clearly_and_it_resumes(self):
        with mounted_tmpfs(self, "size=24m,mode=700") as place:
            daemon = Daemon(os.path.join(place, "node"))
            daemon.log_path = os.path.join(self.scratch, "full.log")
            self.addCleanup(daemon.end)
            os.mkdir(daemon.data_dir)
            daemon.start()
            community = Community(daemon.rpc, accounts=100)
            submit(daemon.rpc, community.random_transfers(200))
            wait_until_empty(daemon.rpc)
            seen = daemon.rpc.call("node.status")["organization"]
            seen_block = daemon.rpc.call("block.get", sequence=seen["sequence"])
            code = self.fill_up(daemon, community, place)
            self.assertEqual(code, ENVIRONMENT, daemon.log_tail())
            self.assertRegex(daemon.log_tail(), r"(?i)space|full")
            os.remove(os.path.join(place, "ballast"))
            daemon.start()
            self.assertEqual(daemon.rpc.call("block.get", sequence=seen["sequence"]), seen_block)
            daemon.stop()
            daemon.verify()

    def fill_up(self, daemon, community, place):
        """Fills the disk, then goes on paying until the daemon ends; its exit code."""
        with open(os.path.join(place, "ballast"), "wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(bytes(1 << 16))
        deadline = time.monotonic() + 60
        while daemon.process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(*GONE):
                submit(daemon.rpc, community.random_transfers(500))
            time.sleep(0.05)
        return daemon.process.poll()


class Configuration(DaemonTest):
    def write_config(self, text):
        path = os.path.join(self.scratch, "leitherd.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def refusal(self, text):
        done = self.run_leitherd("--config", self.write_config(text), "--check-config")
        self.assertEqual(done.returncode, BAD_CONFIG, done.stdout)
        return done.stderr

    def test_the_sample_is_in_order(self):
        sample = os.path.join(ROOT, "config/leitherd.json")
        self.assertEqual(self.run_leitherd("--config", sample, "--check-config").returncode, 0)

    def test_an_unknown_key_names_the_line_and_the_nearest_key(self):
        message = self.refusal('{\n  // the port\n  "rpc": {\n    "lisen": "127.0.0.1:0"\n  }\n}\n')
        self.assertIn("leitherd.json:4: ", message)
        self.assertIn("rpc.listen", message)

    def test_a_bad_value_says_what_is_allowed(self):
        self.assertIn("debug", self.refusal('{"log": {"level": "loud"}}'))
        self.assertIn("MiB", self.refusal('{"memory": {"max": "1KiB"}}'))
        self.assertRegex(self.refusal('{"rpc": '), r"leitherd\.json:1: ")

    def test_a_bad_override_is_refused(self):
        done = self.run_leitherd("--set", "memory.mx=1GiB", "--check-config")
        self.assertEqual(done.returncode, BAD_CONFIG)
        self.assertIn("memory.max", done.stderr)

    def test_every_value_is_printed_with_its_source(self):
        path = self.write_config('{"log": {"level": "warn"}}')
        done = self.run_leitherd("--config", path, "--set", "memory.max=200MiB", "--print-config")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"log\.level.*warn.*leitherd\.json")
        self.assertRegex(done.stdout, r"memory\.max.*200MiB.*--set")
        self.assertRegex(done.stdout, r"rpc\.batch_max.*1000.*default")

    def test_sighup_reloads_what_it_can_and_says_what_needs_a_restart(self):
        path = self.write_config('{"log": {"level": "info"}}')
        daemon = self.make_daemon("reloaded", "--config", path)
        daemon.start()
        self.write_config('{"log": {"level": "debug"}, "memory": {"max": "200MiB"}}')
        daemon.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 5
        while "memory.max" not in daemon.log_tail() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertRegex(daemon.log_tail(), r"memory\.max")
        self.assertRegex(daemon.log_tail(), r"log\.level")
        daemon.rpc.call("node.status")
        self.write_config('{"log": {"level": ')
        daemon.process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        daemon.rpc.call("node.status")
        daemon.stop()


class Service(DaemonTest):
    def test_systemd_is_told(self):
        path = os.path.join(self.scratch, "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(path)
            listener.settimeout(5)
            os.environ["NOTIFY_SOCKET"] = path
            self.addCleanup(os.environ.pop, "NOTIFY_SOCKET", None)
            self.daemon.start()
            self.assertIn(b"READY=1", listener.recv(4096))
            self.daemon.stop()
            messages = b""
            listener.settimeout(0.2)
            with contextlib.suppress(OSError):
                while True:
                    messages += listener.recv(4096)
            self.assertIn(b"STOPPING=1", messages)


@contextlib.contextmanager
def mounted_tmpfs(test, options):
    """A small disk of our own; skips the test where we may not have one."""
    place = tempfile.mkdtemp(prefix="leither-disk-")
    mounted = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=False, stderr=subprocess.DEVNULL).returncode == 0
    try:
        if not mounted:
            test.skipTest("needs root and the right to mount a small disk")
        yield place
    finally:
        if mounted:
            subprocess.run(["umount", "-l", place], check=False)
        os.rmdir(place)


if __name__ == "__main__":
    unittest.main()
