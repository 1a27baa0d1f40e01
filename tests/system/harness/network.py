"""Daemons in a network of their own: each on a loopback address of its own, so that ports are alike."""

import os
import time

from .daemon import Daemon, scratch_dir

PORT = 7400


class NetworkDaemon(Daemon):
    """Runs from now until its test ends. `number` tells addresses of one test run apart."""

    def __init__(self, test, number, *options, bootstrap=()):
        self.endpoint = (f"127.{7 + number // 256}.{number % 256}.1", PORT)
        settings = ["network.enabled=true", "network.map_ports=false", "dht.local_network=true",
                    f"dht.listen={self.endpoint[0]}:{PORT}",
                    "dht.bootstrap=" + ",".join(f"{daemon.endpoint[0]}:{PORT}" for daemon in bootstrap), *options]
        scratch = scratch_dir()
        super().__init__(os.path.join(test.enterContext(scratch), "node"),
                         [word for setting in settings for word in ("--set", setting)])
        os.mkdir(self.data_dir)
        test.addCleanup(self.end)
        self.start()


def wait_for(reached, seconds=60, every=0.1):
    """What `reached` gives as soon as it is true; None if that takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = reached()
        if value:
            return value
        time.sleep(every)
    return None
