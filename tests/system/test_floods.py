"""Floods from loopback neither stop a node nor grow it, and honest lookups go on meanwhile.

LEITHER_FLOOD_SECONDS makes them longer (scripts/soak: a minute each).
"""

import os
import random
import time
import unittest

from harness import malformed
from harness.daemon import anonymous_bytes, open_files
from harness.dht_node import DhtNodes
from harness.floods import DatagramFlood, StreamFlood
from harness.json_lines import RequestFailed
from harness.krpc import Asker, encode
from harness.network import NetworkDaemon

SECONDS = float(os.environ.get("LEITHER_FLOOD_SECONDS", "4"))
SEED = int(os.environ.get("LEITHER_SEED", "1"))
DATAGRAMS_PER_SECOND = 10_000
STREAMS_PER_SECOND = 1_000
FILES_MAX = 600
GROWTH_BYTES_MAX = 16 << 20
LOOKUP_SECONDS_MAX = 1.1
NODES = 12


class Datagrams(unittest.TestCase):
    def setUp(self):
        self.prng = random.Random(SEED)
        self.datagrams = malformed.all_kinds(self.prng)

    def flood(self, nodes, datagrams, sources):
        """Floods node 0 while others ask it, and it asks others."""
        nodes.wait_until_known(8)
        targets = [nodes.put_value(number % NODES, os.urandom(100))["target"] for number in range(20)]
        before = nodes.memory_bytes()
        flood = DatagramFlood(nodes.endpoints[0], datagrams, DATAGRAMS_PER_SECOND, SECONDS, sources)
        slow = missed = asked = 0
        while flood.running():
            begin = time.monotonic()
            try:
                nodes.get_value(asked % 2, targets[asked % len(targets)])
            except RequestFailed:
                missed += 1
            slow += time.monotonic() - begin > LOOKUP_SECONDS_MAX
            asked += 1
            time.sleep(0.02)
        sent = flood.end()["sent"]
        self.assertTrue(nodes.alive())
        self.assertGreater(sent, 0.9 * SECONDS * DATAGRAMS_PER_SECOND, "too few were sent")
        self.assertGreater(asked, 5 * SECONDS)
        self.assertLessEqual(nodes.memory_bytes() - before, GROWTH_BYTES_MAX)
        self.assertLessEqual(missed + slow, 0.01 * asked, f"{missed} missed and {slow} slow of {asked} lookups")
        for target in targets:
            nodes.get_value(0, target)

    def test_malformed_ones_from_a_few_addresses(self):
        with DhtNodes(NODES, options=["--local=limited"]) as nodes:
            self.flood(nodes, self.datagrams, sources=8)

    def test_malformed_ones_from_sources_that_no_limit_holds_back(self):
        with DhtNodes(NODES, options=["--local=exempt", "--rates=lifted"]) as nodes:
            self.flood(nodes, self.datagrams, sources=8)

    def test_malformed_ones_from_many_addresses(self):
        with DhtNodes(NODES, options=["--local=limited"]) as nodes:
            self.flood(nodes, self.datagrams, sources=1000)

    def test_queries_and_puts_from_many_addresses(self):
        """Well-formed: each leaves something behind, if it may."""
        queries = [encode(malformed.query(method, a={"id": self.prng.randbytes(20), **malformed.QUERIES[method], "target": self.prng.randbytes(20)}))
                   for method in malformed.QUERIES for _ in range(500)]
        self.prng.shuffle(queries)
        with DhtNodes(NODES, options=["--local=limited"]) as nodes:
            self.flood(nodes, queries, sources=1000)

    def test_what_a_stranger_stores_is_bounded(self):
        with DhtNodes(1, options=["--local=exempt", "--rates=lifted"]) as nodes, Asker(nodes.endpoints[0]) as asker:
            before = nodes.memory_bytes()
            for _ in range(4000):
                value = self.prng.randbytes(980)
                asker.put_value(value)
            self.assertLessEqual(nodes.memory_bytes() - before, 8 << 20)
            asker.ask("ping")


class Streams(unittest.TestCase):
    """Against a whole daemon, which accepts connections of peers."""

    def setUp(self):
        self.daemon = NetworkDaemon(self, 201)

    def test_malformed_and_half_open_ones(self):
        pid = self.daemon.process.pid
        before = anonymous_bytes(pid)
        flood = StreamFlood(self.daemon.endpoint, STREAMS_PER_SECOND, SECONDS, SEED)
        flood.run()
        self.assertGreater(flood.opened, 0.9 * SECONDS * STREAMS_PER_SECOND, f"{flood.refused} were refused")
        self.assertLessEqual(anonymous_bytes(pid) - before, GROWTH_BYTES_MAX)
        self.assertLessEqual(open_files(pid), FILES_MAX)
        with Asker(self.daemon.endpoint) as asker:
            asker.ask("ping")


if __name__ == "__main__":
    unittest.main()
