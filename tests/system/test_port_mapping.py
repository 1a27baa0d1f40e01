"""A home line with a real router (miniupnpd) between a node and the Internet, in network namespaces.

The fake router of the unit tests refuses and hangs as told; this one shows that ours is the protocol
that routers speak: search by multicast, mapping, a datagram from outside, release.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from harness.daemon import BIN
from harness.namespaces import Lab

PORT = 7400
# Any address that a router takes for a public one; these namespaces reach nobody.
OUTSIDE, PUBLIC = "9.9.9.2", "9.9.9.1"
HOME, ROUTER = "192.168.77.2", "192.168.77.1"

FIREWALL = """
table inet filter {
    chain miniupnpd { }
    chain prerouting_miniupnpd { }
    chain postrouting_miniupnpd { }
    chain forward {
        type filter hook forward priority 0; policy drop;
        iifname "lan" accept
        ct state established,related accept
        jump miniupnpd
    }
    chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
    chain postrouting {
        type nat hook postrouting priority 100; jump postrouting_miniupnpd; oifname "wan" masquerade;
    }
}
"""
ROUTER_CONFIG = f"""
ext_ifname=wan
ext_ip={PUBLIC}
listening_ip=lan
enable_natpmp=yes
enable_upnp=yes
secure_mode=yes
uuid=00000000-0000-4000-8000-000000000001
upnp_table_name=filter
upnp_nat_table_name=filter
upnp_forward_chain=miniupnpd
upnp_nat_chain=prerouting_miniupnpd
upnp_nat_postrouting_chain=postrouting_miniupnpd
allow 1024-65535 {HOME}/24 1024-65535
"""
ASK = f"""
import socket
asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asker.settimeout(5)
asker.sendto(b"are you there?", ("{PUBLIC}", {PORT}))
print(asker.recv(100).decode())
"""


def read_until(process, text, seconds=20):
    """Lines up to and with the first that contains `text`."""
    lines = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        line = process.stdout.readline()
        if not line:
            break
        lines.append(line.strip())
        if text in line:
            return lines
    raise AssertionError(f"no {text!r} in {lines}")


@unittest.skipUnless(shutil.which("miniupnpd") and shutil.which("nft"), "needs miniupnpd and nft")
class HomeLine(unittest.TestCase):
    def setUp(self):
        lab = self.lab = Lab(self)
        self.node, self.router, self.outside = (lab.machine(name) for name in ("node", "router", "outside"))
        lab.cable((self.node, "eth", f"{HOME}/24"), (self.router, "lan", f"{ROUTER}/24"))
        lab.cable((self.outside, "eth", f"{OUTSIDE}/24"), (self.router, "wan", f"{PUBLIC}/24"))
        self.node.run("ip", "route", "add", "default", "via", ROUTER)
        # Where multicast goes is a matter of routes, which a namespace has none of.
        self.node.run("ip", "route", "add", "239.0.0.0/8", "dev", "eth")
        self.router.run("ip", "route", "add", "239.0.0.0/8", "dev", "lan")
        self.router.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        self.router.run("nft", "-f", "-", input=FIREWALL)
        self.start_router()

    def start_router(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        config = os.path.join(folder, "miniupnpd.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(ROUTER_CONFIG)
        router = self.lab.start(self.router, "miniupnpd", "-d", "-f", config, "-P", os.path.join(folder, "pid"))
        read_until(router, "Listening for NAT-PMP")
        # It logs every step; nobody else reads, and a full pipe would stop it.
        drain = subprocess.Popen(["cat"], stdin=router.stdout, stdout=subprocess.DEVNULL)
        self.addCleanup(drain.wait)
        self.addCleanup(drain.kill)

    def rules(self):
        return self.router.run("nft", "list", "table", "inet", "filter").count(f"dport {PORT}")

    def check(self, method, name):
        probe = self.lab.start(self.node, os.path.join(BIN, "port_probe"), method, str(PORT))
        lines = read_until(probe, "mapped TCP")
        self.assertEqual(lines, [f"mapped UDP {name} {PUBLIC}:{PORT}", f"mapped TCP {name} {PUBLIC}:{PORT}"])
        self.assertEqual(self.outside.run("/usr/bin/python3", "-c", ASK), "are you there?\n")
        self.assertGreater(self.rules(), 0)
        began = time.monotonic()
        probe.send_signal(signal.SIGTERM)
        read_until(probe, "stopped")
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(self.rules(), 0)

    def test_nat_pmp_lets_the_internet_in_and_shuts_the_door_again(self):
        self.check("nat_pmp", "NAT-PMP")

    def test_upnp_lets_the_internet_in_and_shuts_the_door_again(self):
        self.check("upnp", "UPnP")


if __name__ == "__main__":
    unittest.main()
