"""Daemons on machines of their own, in network namespaces: what they owe each other when addresses change,
packets are lost, lines are cut and routers let nobody in. Needs root, iproute2 and nft.

Most of the time is waiting, so all stories run side by side; each test tells how its story ended.
"""

import os
import shutil
import time
import unittest

from harness.daemon import ROOT
from harness.internet import PORT, Internet, Resident, endpoint, v4, v6
from harness.namespaces import can_make
from harness.stories import Stories

MEET_SECONDS = 40
MINUTE = 60
PARTITION_SECONDS = 30
# The longest rest of an address that has failed for half a minute (leither/peer/peer_table.h: 1 s, 2 s, 4 s ...), and
# a few seconds to connect.
BACKOFF_SECONDS = 40
AT_ONCE = 4

TOLD = Stories(AT_ONCE)
story, long_story = TOLD.story, TOLD.long_story


def take_part(organization, nodes):
    for node in nodes:
        node.until(lambda node=node: node.leither("org", "info", organization)["id"] == organization, MEET_SECONDS,
                   "the organization to be found")
        node.leither("org", "follow", organization)


def see_each_other(nodes, seconds=MEET_SECONDS):
    keys = {node.key for node in nodes}
    for node in nodes:
        node.until(lambda node=node: keys - {node.key} <= set(node.peers()), seconds, "connections to all others")


def three(stage, internet, address, *settings):
    """A founder and two who know its address and its organization's id."""
    a, b, c = (internet.host(name, number) for number, name in enumerate("abc", 1))
    founder = Resident(stage, a, *settings)
    others = [Resident(stage, machine, *settings, bootstrap=[endpoint(address(1))]) for machine in (b, c)]
    organization = founder.found("Bakers' Row")
    take_part(organization, others)
    nodes = [founder, *others]
    see_each_other(nodes)
    return nodes, organization


# ---- Stories -------------------------------------------------------------------------------------------------

@story
def over_ipv4(stage):
    nodes, _ = three(stage, Internet(stage), v4)
    for node in nodes:
        assert len(node.log().splitlines()) < 25, f"too talkative:\n{node.log()}"
        assert "peer_up" in node.log(), node.log()
    # What others are told are addresses where somebody listens: by default that is IPv4.
    assert nodes[1].network()["organization"]["endpoints"] == [endpoint(v4(2))], nodes[1].network()


@story
def over_ipv6(stage):
    nodes, _ = three(stage, Internet(stage), v6, f"dht.listen=[::]:{PORT}")
    for peer in nodes[1].peers().values():
        assert peer["endpoint"].startswith("[2a05:"), peer
    assert nodes[1].network()["organization"]["endpoints"] == [endpoint(v6(2))], nodes[1].network()


@long_story
def behind_nat(stage):
    internet = Internet(stage)
    a, b = internet.host("a", 1), internet.host("b", 2)
    home = internet.home("n", 3)
    founder = Resident(stage, a)
    other = Resident(stage, b, bootstrap=[endpoint(v4(1))])
    hidden = Resident(stage, home, "network.map_ports=false", bootstrap=[endpoint(v4(1))])
    organization = founder.found("Bakers' Row")
    take_part(organization, [other, hidden])
    see_each_other([founder, other, hidden])
    # It is reached through the connections that it has made, and takes part through them.
    for node in (founder, other):
        peer = node.peers()[hidden.key]
        assert peer["direction"] == "inbound" and peer["endpoint"].startswith(v4(3) + ":"), peer
    hidden.until(lambda: hidden.network()["organization"]["manifest"], MEET_SECONDS, "the manifest")
    # It is told so in plain words, and nobody asks it any more.
    hidden.until(lambda: hidden.network()["dht"]["role"] == "reader", MINUTE, "the verdict")
    said = hidden.say("node", "status")
    assert "not reachable: 0 of 2 nodes could connect to " + endpoint(v4(3)) in said, said
    assert "takes part fully by dialing others" in said, said
    assert "is asked by none" in said, said
    for node in (founder, other):
        node.until(lambda node=node: node.network()["dht"]["nodes_v4"] == 1, 30, "the hidden node to leave the table")
    founder.until(lambda: "reachable: 2 of" in founder.network()["reachability"] or
                  "reachable: 1 of" in founder.network()["reachability"], MINUTE, "the founder's verdict")
    see_each_other([founder, other, hidden])
    write_each_other(founder, hidden)


def write_each_other(founder, hidden):
    """A member whose node nobody can dial gets a message and answers it."""
    accounts = {}
    for name in ("anna", "ben"):
        accounts[name] = founder.leither("key", "new", name)["account"]
        founder.leither("member", "add", name)
    os.makedirs(os.path.dirname(hidden.key_file("ben")), mode=0o700)
    shutil.move(founder.key_file("ben"), hidden.key_file("ben"))
    for node, name in ((founder, "anna"), (hidden, "ben")):
        node.leither("node", "serve", name)
    for node, sender, recipient, reader in ((founder, "anna", "ben", hidden), (hidden, "ben", "anna", founder)):
        text = f"{sender} to {recipient}"
        sent = node.until(lambda: node.leither("message", "send", accounts[recipient], text, "--from", sender),
                          MEET_SECONDS, f"{recipient} to be known to {sender}'s node")
        reader.until(lambda: reader.leither("message", "list", recipient)["incoming"], MEET_SECONDS, "the message")
        assert reader.leither("message", "read", sent["id"])["text"] == text


@long_story
def one_reachable(stage):
    """As most communities begin: one machine that others can dial, and members at home."""
    internet = Internet(stage)
    founder = Resident(stage, internet.host("a", 1))
    first = Resident(stage, internet.home("m", 2), bootstrap=[endpoint(v4(1))])
    organization = founder.found("Bakers' Row")
    take_part(organization, [first])
    see_each_other([founder, first])
    founder.until(lambda: founder.network()["dht"]["nodes_v4"] == 0, MINUTE, "the first to leave the table")
    said = founder.say("node", "status")
    assert "no other node that can be asked" in said, said
    assert "network_lost" not in founder.log(), founder.log()
    second = Resident(stage, internet.home("n", 3), bootstrap=[endpoint(v4(1))])
    take_part(organization, [second])
    see_each_other([founder, second])
    assert "Bakers' Row; this node takes part" in second.say("node", "status")


@long_story
def another_address(stage):
    internet = Internet(stage)
    (a, b, c), _ = three(stage, internet, v4)
    slot = sequence_of_record(a, b.key)
    began, began_ms = time.monotonic(), time.time() * 1000
    fresh = v4(2, 9)
    b.machine.run("ip", "address", "del", f"{v4(2)}/24", "dev", "eth")
    b.machine.run("ip", "address", "add", f"{fresh}/24", "dev", "eth")
    b.machine.run("ip", "route", "replace", "default", "via", v4(2, 1))
    left = lambda: MINUTE - (time.monotonic() - began)
    for node in (a, c):
        node.until(lambda node=node: node.peers()[b.key]["endpoint"].startswith(fresh + ":"), left(),
                   "a connection to the new address")
    assert b.network()["organization"]["endpoints"] == [endpoint(fresh)], b.network()
    a.until(lambda: sequence_of_record(a, b.key) > max(slot, began_ms), left(), "the record to be published anew")
    assert "addresses_changed" in b.log(), b.log()


def sequence_of_record(node, key):
    """The sequence of that node's routing record, as a stranger to `node` finds it there; 0 if it has none."""
    ask = (f"from harness.krpc import Asker, sha1\n"
           f"with Asker(('{v4(1)}', {PORT}), address='{v4(1)}') as asker:\n"
           f"    print(asker.r('get', target=sha1(bytes.fromhex('{key}') + b'addr')).get(b'seq', 0))")
    return int(node.machine.run("/usr/bin/python3", "-c", ask, cwd=os.path.join(ROOT, "tests/system")))


@story
def loss(stage):
    internet = Internet(stage)
    internet.lose(5)
    three(stage, internet, v4)


@long_story
def partition(stage):
    internet = Internet(stage)
    nodes, organization = three(stage, internet, v4)
    internet.part(1)
    nodes[0].until(lambda: not nodes[0].peers(), 10, "the connections to break")
    time.sleep(PARTITION_SECONDS)
    assert nodes[0].key not in nodes[1].peers()
    internet.heal()
    see_each_other(nodes, BACKOFF_SECONDS)
    # Finding works again, too.
    newcomer = Resident(stage, internet.host("d", 4), bootstrap=[endpoint(v4(3))])
    take_part(organization, [newcomer])


@long_story
def late_bootstrap(stage):
    internet = Internet(stage)
    a, b = internet.host("a", 1), internet.host("b", 2)
    internet.name(b, **{"seed.example": v4(1)})
    # A dead address, one where nobody ever is, and a name whose host is down.
    early = Resident(stage, b, bootstrap=[endpoint(v4(2, 77)), endpoint(v4(99)), f"seed.example:{PORT}"])
    time.sleep(15)
    assert early.network()["dht"]["nodes_v4"] == 0
    said = early.say("node", "status")
    assert "nobody known yet" in said, said
    founder = Resident(stage, a)
    organization = founder.found("Bakers' Row")
    began = time.monotonic()
    take_part(organization, [early])
    see_each_other([founder, early], MINUTE - (time.monotonic() - began))


@story
def new_key(stage):
    internet = Internet(stage)
    seed_at = endpoint(v4(1))
    seed = Resident(stage, internet.host("s", 1))
    founder = Resident(stage, internet.host("a", 2), bootstrap=[seed_at])
    organization = founder.found("Bakers' Row")
    take_part(organization, [seed])
    see_each_other([seed, founder])
    was = seed.key
    seed.stop()
    # A ledger would not be opened without its key; what it knows of the network is nobody's secret.
    os.remove(os.path.join(seed.data_dir, "node.key"))
    shutil.rmtree(os.path.join(seed.data_dir, "ledger"))
    seed.start()
    assert seed.key != was
    see_each_other([seed, founder], MINUTE)
    newcomer = Resident(stage, internet.host("b", 3), bootstrap=[seed_at])
    take_part(organization, [newcomer])
    see_each_other([seed, founder, newcomer])


# ---- Tests ---------------------------------------------------------------------------------------------------

@unittest.skipUnless(can_make(), "needs root and the right to make network namespaces")
@unittest.skipUnless(shutil.which("nft"), "needs nft")
class OnMachinesOfTheirOwn(unittest.TestCase):
    def test_three_machines_meet_by_one_address_and_an_id(self):
        TOLD.ending("over_ipv4")

    def test_they_meet_over_ipv6_alone(self):
        TOLD.ending("over_ipv6")

    def test_a_member_behind_nat_takes_part_and_is_told_that_nobody_can_dial_it(self):
        TOLD.ending("behind_nat")

    def test_members_at_home_find_an_organization_with_one_reachable_machine(self):
        TOLD.ending("one_reachable")

    def test_a_machine_that_moves_is_found_at_its_new_address_within_a_minute(self):
        TOLD.ending("another_address")

    def test_finding_works_while_one_packet_in_twenty_is_lost(self):
        TOLD.ending("loss")

    def test_after_a_partition_of_half_a_minute_connections_come_back(self):
        TOLD.ending("partition")

    def test_a_node_that_comes_up_before_its_bootstrap_node_finds_the_network(self):
        TOLD.ending("late_bootstrap")

    def test_a_bootstrap_node_may_come_back_with_another_key(self):
        TOLD.ending("new_key")


if __name__ == "__main__":
    unittest.main()
