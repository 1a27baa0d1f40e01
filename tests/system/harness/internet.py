"""A small Internet of network namespaces: one router, hosts behind it each with a network of its own, homes
behind masquerading routers of their own, and daemons on any of them."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time

from .daemon import LEITHER, LEITHERD
from .namespaces import Lab

PORT = 7400
HOME = "192.168.7"
NO_FORWARDING = """
table inet home {
    chain forward {
        type filter hook forward priority 0; policy drop;
        iifname "lan" accept
        ct state established,related accept
    }
    chain postrouting { type nat hook postrouting priority 100; oifname "wan" masquerade; }
}
"""


def v4(number, host=2):
    return f"5.{number}.0.{host}"


def v6(number, host=2):
    return f"2a05:{number}::{host}"


def endpoint(address):
    return f"[{address}]:{PORT}" if ":" in address else f"{address}:{PORT}"


class Internet:
    def __init__(self, test):
        self.test = test
        self.lab = Lab(test)
        self.router = self._routing("router")

    def _routing(self, name):
        machine = self.lab.machine(name)
        machine.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward; "
                                "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")
        return machine

    def host(self, name, number):
        """A machine at v4(number) and v6(number)."""
        return self._attach(self.lab.machine(name), "eth", number)

    def home(self, name, number):
        """A machine behind a router that lets connections out and none in; the world sees v4(number)."""
        gateway = self._attach(self._routing(f"{name}-gw"), "wan", number)
        machine = self.lab.machine(name)
        self.lab.cable((machine, "eth", f"{HOME}.2/24"), (gateway, "lan", f"{HOME}.1/24"))
        machine.run("ip", "route", "add", "default", "via", f"{HOME}.1")
        gateway.run("nft", "-f", "-", input=NO_FORWARDING)
        return machine

    def _attach(self, machine, interface, number):
        line = f"to{number}"
        self.lab.cable((machine, interface, f"{v4(number)}/24"), (self.router, line, f"{v4(number, 1)}/24"))
        # Without "nodad" an address may not be used in its first seconds.
        machine.run("ip", "address", "add", f"{v6(number)}/64", "dev", interface, "nodad")
        self.router.run("ip", "address", "add", f"{v6(number, 1)}/64", "dev", line, "nodad")
        machine.run("ip", "route", "add", "default", "via", v4(number, 1))
        machine.run("ip", "-6", "route", "add", "default", "via", v6(number, 1))
        return machine

    def name(self, machine, **hosts):
        """What `machine` finds by name, as its /etc/hosts says. `ip netns exec` puts the file there."""
        folder = os.path.join("/etc/netns", machine.name)
        os.makedirs(folder)
        self.test.addCleanup(shutil.rmtree, folder)
        with open(os.path.join(folder, "hosts"), "w", encoding="ascii") as file:
            file.writelines(f"{address} {host}\n" for host, address in hosts.items())

    # ---- Bad days

    def lose(self, percent):
        """So many of all packets are lost, each way. With a delay of 25 ms each way where the kernel can."""
        lines = re.findall(r"\bto\d+", self.router.run("ip", "-brief", "link"))
        netem = ("netem", "delay", "25ms", "loss", f"{percent}%")
        with contextlib.suppress(subprocess.CalledProcessError):
            for line in lines:
                self.router.run("tc", "qdisc", "add", "dev", line, "root", *netem)
            return "netem"
        self._wall(f"numgen random mod 100 < {percent} drop")
        return "nft"

    def part(self, number):
        """Nothing passes between that host and the others. Connections break, as they do when a router that
        keeps track of them starts anew; a silence of half a minute TCP would bridge."""
        self._wall(*(f'{way} "to{number}" {verdict}' for way in ("iifname", "oifname")
                     for verdict in ("meta l4proto tcp reject with tcp reset", "drop")))

    def _wall(self, *rules):
        lines = ["table inet wall {", "chain forward {", "type filter hook forward priority 0;", *rules, "}", "}"]
        self.router.run("nft", "-f", "-", input="\n".join(lines) + "\n")

    def heal(self):
        self.router.run("nft", "delete", "table", "inet", "wall")


class Resident:
    """A leitherd on one machine. Runs from now until its test ends."""

    data_place = "node"  # below its folder

    def __init__(self, test, machine, *settings, bootstrap=()):
        self.machine = machine
        self.folder = tempfile.mkdtemp(prefix="leither-test-")
        test.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.data_dir = os.path.join(self.folder, self.data_place)
        self.log_path = os.path.join(self.folder, "log")
        self.settings = ["rpc.listen=127.0.0.1:0", "dht.bootstrap=" + ", ".join(bootstrap), *settings]
        self.process = None
        test.addCleanup(self.end)
        self.start()

    def start(self):
        with open(self.log_path, "ab") as log:
            # `ip netns exec` becomes the daemon, so signals reach it.
            self.process = subprocess.Popen(["ip", "netns", "exec", self.machine.name, *self.daemon_words()],
                                            stdout=log, stderr=log)
        self.key = self.until(lambda: self.leither("node", "status")["node_key"], 30, "the daemon to serve")

    def daemon_words(self):
        return [LEITHERD, "--data-dir", self.data_dir, *(word for setting in self.settings for word in ("--set", setting))]

    def stop(self):
        self.process.terminate()
        if self.process.wait(10) != 0:
            raise AssertionError(f"leitherd ended with {self.process.returncode}:\n{self.log()}")

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def leither(self, *words):
        """What the command line answers, as JSON; raises if it refuses."""
        return json.loads(self.say("--json", *words))

    def say(self, *words):
        """The same, as a person reads it."""
        done = subprocess.run(["ip", "netns", "exec", self.machine.name, LEITHER, "--data-dir", self.data_dir, *words],
                              capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            raise AssertionError(f"leither {' '.join(words)}: {done.returncode}: {done.stderr or done.stdout}")
        return done.stdout

    def network(self):
        return self.leither("node", "status")["network"]

    def peers(self):
        """Connected nodes by key."""
        return {peer["node_key"]: peer for peer in self.leither("peers")}

    def found(self, name):
        """Founds and publishes an organization; its id."""
        organization = self.leither("org", "create", "--name", name)["id"]
        self.leither("org", "publish")
        return organization

    def key_file(self, name):
        return os.path.join(self.data_dir, "wallet", name + ".key")

    def log(self):
        with open(self.log_path, encoding="utf-8") as file:
            return file.read()

    def until(self, reached, seconds, what):
        """What `reached` answers, as soon as that is true; refusals count as not yet."""
        deadline = time.monotonic() + seconds
        last = None
        while time.monotonic() < deadline:
            try:
                if answer := reached():
                    return answer
            except (AssertionError, KeyError) as error:
                last = error
            time.sleep(0.3)
        raise AssertionError(f"waited {seconds} s in vain for {what} ({last}):\n{self.log()}")
