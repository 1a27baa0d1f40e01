"""Machines of our own on lines that are slow, lossy and breakable (line_switch.py)."""

import http.client
import json
import os
import subprocess
import sys
import threading

from .daemon import Daemon, Rpc, scratch_dir
from .line_switch import INTERFACE, entered
from .namespaces import Lab

PORT = 7400
SYSTEM = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# What a home line is at its worst hour.
HOME_LINE = {"delay_ms": 30, "jitter_ms": 20, "loss": 0.01, "bits_per_second": 20_000_000}
PERFECT = {"delay_ms": 0, "jitter_ms": 0, "loss": 0, "bits_per_second": 0}


def address(number):
    """Of the machine with that number. A network each: daemons ration their neighbours by /24."""
    return f"5.{number}.0.2"


class Lines:
    """A network of one switch, for the time of a test. Needs root, iproute2 and /dev/net/tun."""

    def __init__(self, test, seed=1):
        self.lab = Lab(test)
        if not os.path.exists("/dev/net/tun"):
            test.skipTest("needs /dev/net/tun")
        self._lock = threading.Lock()
        self._process = subprocess.Popen([sys.executable, "-m", "harness.line_switch", str(seed)], cwd=SYSTEM, text=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        test.addCleanup(self._end)

    def _end(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _tell(self, **order):
        with self._lock:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def host(self, name, number):
        """A machine at address(number)."""
        machine = self.lab.machine(name)
        machine.port, machine.address = name, address(number)
        self._tell(do="attach", port=name, namespace=machine.name)
        machine.run("sh", "-c", f"echo 1 > /proc/sys/net/ipv6/conf/{INTERFACE}/disable_ipv6 &&"
                                f"ip address add {address(number)}/8 dev {INTERFACE} && ip link set {INTERFACE} up &&"
                                f"ip route add default dev {INTERFACE}")
        return machine

    def shape(self, machines=None, **line):
        """All lines, or those of some machines, from now on."""
        self._tell(do="shape", ports=[machine.port for machine in machines] if machines else None, **line)

    def part(self, one, other):
        """Nothing passes between these machines."""
        self.deafen(one, other)
        self.deafen(other, one)

    def deafen(self, machines, sources):
        """These machines hear nothing of those sources, which still hear them."""
        self._tell(do="cut", **{"from": [machine.port for machine in sources],
                                "to": [machine.port for machine in machines]})

    def heal(self):
        self._tell(do="heal")

    def counts(self):
        return self._tell(do="counts")


class MachineRpc(Rpc):
    """The local API of a daemon on another machine of ours."""

    def __init__(self, machine, url, cookie, timeout=60):
        super().__init__(url, cookie, timeout)
        self.machine = machine

    def _open(self):
        return _MachineConnection(self.machine.name, self.host, self.port, timeout=self.timeout)


class _MachineConnection(http.client.HTTPConnection):
    def __init__(self, namespace, *arguments, **options):
        super().__init__(*arguments, **options)
        self._namespace = namespace

    def connect(self):
        with entered(self._namespace):  # a socket stays where it was made
            super().connect()


class LineDaemon(Daemon):
    """A leitherd on one of these machines. Runs from now until its test ends."""

    def __init__(self, test, machine, *options, bootstrap=()):
        self.machine = machine
        self.endpoint = (machine.address, PORT)
        self.prefix = ("ip", "netns", "exec", machine.name)
        settings = ["network.enabled=true", "network.map_ports=false",
                    "dht.bootstrap=" + ",".join(f"{daemon.endpoint[0]}:{PORT}" for daemon in bootstrap), *options]
        super().__init__(os.path.join(test.enterContext(scratch_dir()), "node"),
                         [word for setting in settings for word in ("--set", setting)])
        os.mkdir(self.data_dir)
        test.addCleanup(self.end)
        self.start()

    def open_rpc(self, url, cookie, timeout=60):
        return MachineRpc(self.machine, url, cookie, timeout)
