"""Daemons find each other, on real sockets, knowing one address."""

import hashlib
import unittest

from harness.daemon import Daemon, scratch_dir
from harness.krpc import Asker, nodes_from
from harness.network import NetworkDaemon, wait_for


def node_id(daemon):
    """The DHT's id of a node follows from its key."""
    key = bytes.fromhex(daemon.rpc.call("node.status")["node_key"])
    return hashlib.blake2b(key, digest_size=20).digest()


def known_to(daemon):
    with Asker(daemon.endpoint) as asker:
        return {node[0] for node in nodes_from(asker.r("find_node", target=bytes(20))[b"nodes"])}


class Meeting(unittest.TestCase):
    def test_nodes_that_know_one_address_learn_of_each_other(self):
        first = NetworkDaemon(self, 1)
        second = NetworkDaemon(self, 2, bootstrap=[first])
        third = NetworkDaemon(self, 3, bootstrap=[first])
        self.assertTrue(wait_for(lambda: node_id(third) in known_to(second) and node_id(second) in known_to(third)))

    def test_a_node_remembers_the_others_over_a_restart(self):
        first = NetworkDaemon(self, 4)
        second = NetworkDaemon(self, 5, bootstrap=[first])
        third = NetworkDaemon(self, 6, bootstrap=[first])
        ids = {node_id(second), node_id(third)}
        self.assertTrue(wait_for(lambda: ids <= known_to(first)))
        first.stop()
        first.start()
        self.assertTrue(wait_for(lambda: ids <= known_to(first)))


class Organization(unittest.TestCase):
    def test_it_is_found_by_its_id_and_one_address(self):
        founder = NetworkDaemon(self, 11)
        organization = founder.leither("org", "create", "--name", "Bakers' Row")["id"]
        founder.leither("org", "publish")
        newcomer = NetworkDaemon(self, 12, bootstrap=[founder])
        found = newcomer.leither("org", "info", organization)
        self.assertEqual((found["id"], found["name"]), (organization, "Bakers' Row"))
        self.assertEqual(found["keepers"][0]["endpoints"], [f"{founder.endpoint[0]}:{founder.endpoint[1]}"])

        newcomer.leither("org", "follow", organization)
        self.assertTrue(wait_for(lambda: newcomer.leither("peers")))
        peer = newcomer.leither("peers")[0]
        self.assertEqual(peer["node_key"], founder.leither("node", "status")["node_key"])
        self.assertEqual(peer["direction"], "outbound")
        newcomer.kill()
        newcomer.start()
        self.assertTrue(wait_for(lambda: newcomer.leither("peers")), "it follows no more after a crash")

    def test_what_nobody_knows_is_not_found(self):
        founder = NetworkDaemon(self, 13)
        with self.assertRaisesRegex(AssertionError, "not_found"):
            founder.leither("org", "info", "00" * 20)


class OneMachine(unittest.TestCase):
    def test_a_second_daemon_needs_no_other_configuration(self):
        options = ["--set", "network.enabled=true", "--set", "network.map_ports=false"]
        for name in ("a", "b"):
            scratch = self.enterContext(scratch_dir())
            daemon = Daemon(scratch, options)
            self.addCleanup(daemon.end)
            daemon.start()
            self.assertIn("node_key", daemon.rpc.call("node.status"), name)


if __name__ == "__main__":
    unittest.main()
