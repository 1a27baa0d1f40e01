"""Committees of real daemons on bad days: slow and lossy lines, lines that are cut, a chief that is killed, a node that
comes new, cycles that end, and sixteen at once, on loopback and on such lines. Those on lines need root.

Most of the time is waiting, so the stories run side by side; each test tells how its story ended.
"""

import time
import unittest

from harness.committee import PARAMS, Committee, ledger
from harness.lines import HOME_LINE, LineDaemon, Lines
from harness.namespaces import can_make
from harness.network import NetworkDaemon
from harness.stories import Stories

# Of the docs; and what a machine that does many things at once takes on top.
PULSES_AFTER_CRASH = 3
SLACK_PULSES = 3
HALT_SECONDS = 6
AT_ONCE = 3
# The longest rest between two dials of a node that has been away for half a minute, and a few seconds.
RETURN_SECONDS = 60
# Its first questions go to nodes that do not know yet that it serves a member.
NEWCOMER_SECONDS = 90

TOLD = Stories(AT_ONCE)
story = TOLD.story


def on_lines(stage, count, **line):
    """(lines, committee) of daemons at the ends of lines like this."""
    lines = Lines(stage)
    nodes = []
    for number in range(1, count + 1):
        nodes.append(LineDaemon(stage, lines.host(f"n{number}", number), bootstrap=nodes[:1]))
    lines.shape(**line)
    return lines, Committee(stage, nodes)


def on_loopback(stage, base, count, **params):
    first = NetworkDaemon(stage, base)
    nodes = [first] + [NetworkDaemon(stage, base + number, bootstrap=[first]) for number in range(1, count)]
    return Committee(stage, nodes, members=4 * count, params=dict(PARAMS, **params))


def expect(holds, committee, what):
    if not holds:
        raise AssertionError(f"{what}\n{committee.logs()}")


def crash_and_return(committee):
    """The chief is killed; the others go on within three pulses; it comes back and catches up."""
    pulses, chief, rest = committee.block_after_crash()
    expect(pulses <= PULSES_AFTER_CRASH + SLACK_PULSES, committee, f"the next block came after {pulses:.1f} pulses")
    for node in rest:
        committee.pay(node)
    head = committee.until_agreed(rest)
    chief.start()
    committee.until_agreed(at_least=head["sequence"], seconds=RETURN_SECONDS)
    committee.pay(chief)
    return chief


# ---- Stories -------------------------------------------------------------------------------------------------

@story
def home_lines(stage):
    """30 +- 20 ms, one packet in a hundred lost, 20 Mbit/s."""
    lines, committee = on_lines(stage, 4, **HOME_LINE)
    for node in committee.nodes:
        committee.pay(node, 5)
    committee.until_agreed()
    crash_and_return(committee)
    expect(sum(port["lost"] for port in lines.counts().values()) > 0, committee, "no packet was lost")
    # A newcomer knows the organization's id and one address.
    newcomer = LineDaemon(stage, lines.host("n5", 5), bootstrap=committee.nodes[1:2])
    lines.shape(**HOME_LINE)
    committee.until(lambda: newcomer.rpc.call("organization.find", organization=committee.community.id), 40, "the organization")
    committee.follow(newcomer)
    committee.save_key("member", committee.community.keys[0])
    newcomer.leither("--wallet", committee.wallet, "node", "serve", "member")
    keepers = list(committee.nodes)
    committee.nodes.append(newcomer)
    committee.until_agreed(at_least=1, seconds=NEWCOMER_SECONDS)
    committee.pay(keepers[1])
    committee.until_agreed()
    committee.pay(newcomer, 2)
    committee.end_with_checks()


@story
def cut_lines(stage):
    """Two and two halt and do not fork; three go on without the fourth; one that hears nothing does no harm."""
    lines, committee = on_lines(stage, 4, **HOME_LINE)
    machines = [node.machine for node in committee.nodes]
    for node in committee.nodes:
        committee.pay(node)
    before = committee.until_agreed()
    lines.part(machines[:2], machines[2:])
    time.sleep(1)  # what is under way arrives
    before = {node: ledger(node)["sequence"] for node in committee.nodes}
    waiting = [identity for node in committee.nodes for identity in committee.submit(node)]
    time.sleep(HALT_SECONDS)
    for node in committee.nodes:
        expect(ledger(node)["sequence"] == before[node], committee, "two of four have decided")
    lines.heal()
    for node in committee.nodes:
        committee.until(lambda node=node: committee.is_committed(node, waiting), RETURN_SECONDS, "what waited to be committed")
    committee.until_agreed()
    away = committee.chief(committee.nodes[0])
    rest = [node for node in committee.nodes if node is not away]
    lines.part([away.machine], [node.machine for node in rest])
    for node in rest:
        committee.pay(node, 3)
    head = committee.until_agreed(rest)
    expect(ledger(away)["sequence"] < head["sequence"], committee, "it cannot know")
    lines.heal()
    committee.until_agreed(at_least=head["sequence"], seconds=RETURN_SECONDS)
    deaf = committee.nodes[3]
    lines.deafen([deaf.machine], [node.machine for node in committee.nodes if node is not deaf])
    for node in committee.nodes[:3]:
        committee.pay(node, 3)
    lines.heal()
    committee.until_agreed(at_least=ledger(committee.nodes[0])["sequence"], seconds=RETURN_SECONDS)
    committee.end_with_checks()


@story
def sixteen(stage):
    """Sixteen keep one ledger; five of them are killed, the chief first, and come back."""
    committee = on_loopback(stage, 180, 16)
    for node in committee.nodes:
        committee.submit(node, 3)
    payments = [committee.submit(node) for node in committee.nodes]
    for node, identities in zip(committee.nodes, payments):
        committee.until(lambda node=node, ids=identities: committee.is_committed(node, ids), 30, "payments at each of sixteen")
    committee.until_agreed()
    pulses, chief, rest = committee.block_after_crash()
    expect(pulses <= PULSES_AFTER_CRASH + SLACK_PULSES, committee, f"the next block came after {pulses:.1f} pulses")
    gone, rest = [chief, *rest[:4]], rest[4:]
    for node in gone[1:]:
        node.kill()
    for node in rest[:3]:
        committee.pay(node, seconds=60)
    head = committee.until_agreed(rest)
    for node in gone:
        node.start()
    committee.until_agreed(at_least=head["sequence"], seconds=RETURN_SECONDS)
    committee.pay(gone[0])
    committee.until_agreed()
    committee.end_with_checks([gone[0], rest[0]])


@story
def sixteen_on_home_lines(stage):
    """Payments at each of sixteen, every pair of them on slow and lossy lines; the chief is killed, and payments go on."""
    lines, committee = on_lines(stage, 16, **HOME_LINE)
    payments = [committee.submit(node) for node in committee.nodes]
    for node, identities in zip(committee.nodes, payments):
        committee.until(lambda node=node, ids=identities: committee.is_committed(node, ids), 60, "payments at each of sixteen")
    committee.until_agreed(seconds=60)
    _, _, rest = committee.block_after_crash()
    for node in rest[:3]:
        committee.pay(node, seconds=60)
    committee.until_agreed(rest, seconds=60)
    expect(sum(port["lost"] for port in lines.counts().values()) > 0, committee, "no packet was lost")
    committee.end_with_checks(rest[:1])


@story
def short_cycles(stage):
    """Cycles of twelve seconds end whether or not somebody pays; the chief is killed as one does."""
    committee = on_loopback(stage, 205, 4, pulse_ms=200, cycle_pulses=60)
    committee.pay(committee.nodes[1])
    head = committee.until_agreed()
    idle = committee.until(lambda: committee.agreed(at_least=head["sequence"] + 1), 20, "the cycle's block")
    for node in committee.nodes:
        block = node.rpc.call("block.get", sequence=idle["sequence"])
        expect(block["transaction_count"] == 0 and block["pulse"] % 60 <= SLACK_PULSES, committee, f"{block} ends a cycle")
    chief = committee.chief(committee.nodes[0])
    rest = [node for node in committee.nodes if node is not chief]
    committee.until(lambda: rest[0].rpc.call("node.status")["pulse"] % 60 >= 56, 20, "the end of the next cycle")
    chief.kill()
    committee.until(lambda: committee.agreed(rest, idle["sequence"] + 1), 20, "its block all the same")
    for node in rest:
        committee.pay(node)
    chief.start()
    committee.until_agreed(at_least=committee.until_agreed(rest)["sequence"], seconds=RETURN_SECONDS)
    committee.end_with_checks()


# ---- Tests ---------------------------------------------------------------------------------------------------

class OnLoopback(unittest.TestCase):
    def test_sixteen_lose_five_and_go_on(self):
        TOLD.ending("sixteen")

    def test_cycles_end_idle_and_without_their_chief(self):
        TOLD.ending("short_cycles")


@unittest.skipUnless(can_make(), "needs root and the right to make network namespaces")
class OnLines(unittest.TestCase):
    def test_four_on_home_lines_lose_their_chief_and_gain_a_newcomer(self):
        TOLD.ending("home_lines")

    def test_sixteen_on_home_lines_lose_their_chief_and_go_on(self):
        TOLD.ending("sixteen_on_home_lines")

    def test_partitions_halt_or_go_on_and_never_fork(self):
        TOLD.ending("cut_lines")


if __name__ == "__main__":
    unittest.main()
