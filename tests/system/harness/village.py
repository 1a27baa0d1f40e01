"""Three nodes of one organization, each with a member, for tests of what members make public."""

import os
import unittest

from .daemon import scratch_dir
from .network import NetworkDaemon, wait_for


class Village(unittest.TestCase):
    """A founds and keeps the ledger; B and C follow. anna, ben and cleo are members, each at one node."""

    villages = 0
    first_number = 184  # of the addresses of this file's tests
    options = {}  # of a daemon by its name

    def setUp(self):
        base = self.first_number + 4 * Village.villages
        Village.villages += 1
        self.a = NetworkDaemon(self, base, *self.options.get("a", ()))
        self.b = NetworkDaemon(self, base + 1, *self.options.get("b", ()), bootstrap=[self.a])
        self.c = NetworkDaemon(self, base + 2, *self.options.get("c", ()), bootstrap=[self.a, self.b])
        self.scratch = self.enterContext(scratch_dir())
        self.wallet = os.path.join(self.scratch, "wallet")
        organization = self.leither(self.a, "org", "create", "--name", "Mill", "--param", "pulse_ms=500",
                                    *self.founding_words())["id"]
        for name in ("anna", "ben", "cleo"):
            self.leither(self.a, "key", "new", name)
            self.leither(self.a, "member", "add", name)
        self.leither(self.a, "org", "publish")
        for daemon in (self.b, self.c):
            self.leither(daemon, "org", "follow", organization)
        self.assertTrue(wait_for(lambda: self.leither(self.b, "peers") and self.leither(self.c, "peers")))
        for daemon, name in ((self.a, "anna"), (self.b, "ben"), (self.c, "cleo")):
            self.leither(daemon, "node", "serve", name)
        accounts = lambda daemon: daemon.rpc.call("node.status")["network"]["organization"]
        everybody = (self.a, self.b, self.c)
        self.assertTrue(wait_for(lambda: all(accounts(one)["accounts"][0]["member"] for one in everybody)))

    def founding_words(self):
        """What `org create` is given besides."""
        return ()

    def leither(self, daemon, *words, **options):
        return daemon.leither("--wallet", self.wallet, *words, **options)

    def refusal(self, daemon, *words):
        return daemon.refusal("--wallet", self.wallet, *words)
