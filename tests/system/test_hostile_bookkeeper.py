"""One bookkeeper of four lies, as far as it may: its key is the test's, the other three are daemons, and a follower
hears of it all. With three left, every one of them must go on or the ledger halts.
"""

import time
import unittest

from harness import formats, hostile
from harness.committee import PARAMS, Committee, ledger
from harness.hostile import MIB, Siege
from harness.network import NetworkDaemon, wait_for
from harness.peer import message
from harness.sodium import key_from
from harness.stories import Stage

BASE = 280
LEADER_BASE = 285
SEAT = 0
SECONDS = 4
LATE = 2_000_000  # a pulse of some weeks ahead
LIAR = key_from("hostile", "bookkeeper")
BLOCKS = [bytes([n]) * 32 for n in range(1, 5)]


class BookkeeperTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        stage = Stage()
        cls.addClassCleanup(stage.close)
        cls.siege = Siege.of(stage, BASE, absent=[LIAR])
        cls.committee, cls.nodes, cls.chain = cls.siege.committee, cls.siege.committee.nodes, cls.siege.chain
        cls.account = cls.committee.community.keys[-1]
        cls.committee.pay(cls.nodes[0], seconds=60)  # whose first leader is the liar, and silent

    # What it signs others may bring: these are nodes of one member, new for each test.

    def at_each(self):
        return [self.siege.member(node, self.account) for node in self.nodes]

    def at_one(self, count=5):
        """At the first daemon only: the others hear what that one passes on."""
        return [self.siege.member(self.nodes[0], self.account) for _ in range(count)]

    def vote(self, height, round_=0, block=None, precommit=False, key=LIAR):
        return message(hostile.VOTE, hostile.vote(self.chain, key, SEAT, height, round_, block, precommit))

    def test_votes_of_ever_new_rounds_are_not_held_against_who_passes_them_on(self):
        """Well signed, each other than the last, as many as a peer may say."""
        siege = self.siege
        with siege.attack(every=0.1):
            voices = self.at_one()
            round_, begin = 0, time.monotonic()
            while time.monotonic() - begin < 2 * SECONDS:
                height = siege.height()
                for voice in voices:
                    said = []
                    for _ in range(20):
                        round_ = (round_ + 1) % 60_000
                        said.append(self.vote(height, round_))
                    voice.send(b"".join(said))

    def test_heartbeats_of_ever_new_pulses_are_not_held_against_who_passes_them_on(self):
        siege = self.siege
        with siege.attack(every=1):
            voices = self.at_one()
            sequence, head = siege.head()
            begin = time.monotonic()
            said = [message(hostile.HEARTBEAT, hostile.heartbeat(self.chain, LIAR, SEAT, sequence, head, LATE + n)) for n in range(5000)]
            while said and time.monotonic() - begin < 3 * SECONDS:
                for voice in voices:
                    voice.send(b"".join(said[:20]))
                    del said[:20]
                time.sleep(0.02)

    def test_a_clock_that_is_off_silences_nobody(self):
        siege = self.siege
        with siege.attack():
            liars = [siege.stranger(node, LIAR) for node in self.nodes]
            for number in range(5 * SECONDS):
                pulse = siege.pulse() + (86_400 if number % 2 else -86_400 if number % 3 else 4)
                beat = hostile.heartbeat(self.chain, LIAR, SEAT, *siege.head(), 10 ** 6 + number)
                for liar in liars:
                    liar.say(hostile.STATUS, hostile.status(siege.height(), max(pulse, 0), connected=15))
                    liar.say(hostile.HEARTBEAT, beat)
                time.sleep(0.2)

    def test_two_votes_are_evidence_once_however_often_they_are_told(self):
        siege = self.siege
        said = {}  # height: the votes
        with siege.attack(evidence=None):
            liars = self.at_each()

            def convict():
                # Of a height that is to come: the conflict is found when it opens.
                height = siege.height()
                said[height] = b"".join(self.vote(height, 3, block) for block in (None, *BLOCKS))
                for liar in liars:
                    liar.send(said[height])
                return all(node.rpc.call("evidence.list") for node in self.nodes)

            self.assertTrue(wait_for(convict, 20, 0.3), "one has not noticed")
            for _ in range(20):
                for liar in liars:
                    liar.send(b"".join(said.values()))
                time.sleep(0.1)
        for node in self.nodes:
            found = [(item["height"], item["round"], item["seat"], item["kind"]) for item in node.rpc.call("evidence.list")]
            self.assertEqual(len(found), len(set(found)), "one conflict is recorded twice")
            self.assertLessEqual(set(found), {(height, 3, SEAT, "double_prevote") for height in said})

    def test_heights_opened_for_nothing_cost_at_most_a_block_a_pulse(self):
        siege = self.siege
        with siege.attack(every=2):
            liars = self.at_each()
            begin, first = time.monotonic(), siege.height()
            while time.monotonic() - begin < 2 * SECONDS:
                said = b"".join(self.vote(siege.height() + ahead, round_) for ahead in (0, 1) for round_ in range(5))
                for liar in liars:
                    liar.send(said)
                time.sleep(0.1)
            self.assertLessEqual(siege.height() - first, (time.monotonic() - begin) * 1000 / PARAMS["pulse_ms"] + 2)

    def test_proposals_out_of_turn_are_bounded_and_decide_nothing(self):
        """Large ones, well signed, for rounds in which it would lead, of blocks that nobody can execute."""
        siege = self.siege
        junk = [self.committee.community.sign_transfer(LIAR, self.account, 1)[0] for _ in range(2000)]
        with siege.attack(growth_max=64 * MIB):
            liars = self.at_each()
            begin, number = time.monotonic(), 0
            while time.monotonic() - begin < SECONDS:
                sequence, head = siege.head()
                number += 1
                made = hostile.header(self.chain, sequence + 1, siege.pulse() + number % 5, head, BLOCKS[0], 1, junk, SEAT)
                for round_ in range(1, 5):
                    said = message(hostile.PROPOSAL, hostile.proposal(self.chain, LIAR, made, junk, round_))
                    for liar in liars:
                        liar.send(said)
                time.sleep(0.2)
            self.assertTrue(all(liar.is_gone for liar in liars), "a block without its parent's certificate is held against nobody")


class LeaderTest(unittest.TestCase):
    """It leads the first round there is; each kind of block that may not stand gets a committee of its own."""

    def decide_against(self, make, evidence=0, cut_off=False):
        """`make(siege, height, pulse, parent, root)`: proposals, as the leader sends them to each daemon. `cut_off`: it
        loses its connections by them."""
        with Stage() as stage:
            first = NetworkDaemon(stage, LEADER_BASE)
            nodes = [first] + [NetworkDaemon(stage, LEADER_BASE + n, bootstrap=[first]) for n in (1, 2)]
            committee = Committee(stage, nodes, members=12, params=PARAMS, absent=[LIAR])
            siege = Siege(stage, committee)
            liars = [siege.stranger(node, LIAR) for node in nodes]
            root = ledger(first)["root"]
            said = make(siege, ledger(first)["sequence"] + 1, siege.pulse() + 1, siege.chain, root)
            identities = committee.submit(first)
            for _ in range(20):
                for liar in liars:
                    for one in said:
                        liar.say(hostile.PROPOSAL, one)
                time.sleep(0.05)
            committee.until(lambda: committee.is_committed(first, identities), hostile.COMMIT_SECONDS, "a block all the same")
            head = committee.until_agreed(seconds=hostile.AGREE_SECONDS)
            if cut_off:
                self.assertTrue(all(liar.is_gone for liar in liars), "one may go on")
            self.assertEqual(head["root"]["sum"], root["sum"])
            for node in nodes:
                self.assertEqual(len(node.rpc.call("evidence.list")), evidence)
            block = first.rpc.call("block.get", sequence=1)
            self.assertEqual(block["transactions"], [identity.hex() for identity in identities])
            siege.dismiss()
            committee.end_with_checks()

    def propose(self, siege, made, transactions=(), **options):
        return hostile.proposal(siege.chain, LIAR, made, list(transactions), **options)

    def header(self, siege, height, pulse, parent, root, transactions=(), **options):
        supply = int(root["sum"])
        return hostile.header(siege.chain, height, pulse, parent, bytes.fromhex(root["hash"]), supply, list(transactions), SEAT, **options)

    def test_an_empty_block_with_another_root(self):
        self.decide_against(lambda siege, height, pulse, parent, root: [
            self.propose(siege, self.header(siege, height, pulse, parent, dict(root, hash=(b"x" * 32).hex())))])

    def test_a_block_of_a_pulse_far_off(self):
        self.decide_against(lambda siege, height, pulse, parent, root: [
            self.propose(siege, self.header(siege, height, pulse + 1000, parent, root))])

    def test_a_block_full_of_transactions_that_do_not_hold(self):
        def make(siege, height, pulse, parent, root):
            keys = siege.committee.community.keys
            bad = [hostile.forged(formats.transfer(siege.chain, keys[0], keys[1], 1, n, 1000)[0]) for n in range(3000)]
            return [self.propose(siege, self.header(siege, height, pulse, parent, root, bad), bad)]
        self.decide_against(make)

    def test_a_block_larger_than_a_message_may_be(self):
        """Not read to its end: whoever sends it is cut off, and the next leads."""
        def make(siege, height, pulse, parent, root):
            keys = siege.committee.community.keys
            many = [formats.transfer(siege.chain, keys[0], keys[1], 1, n, 1000)[0] for n in range(6000)]
            self.assertGreater(sum(map(len, many)), MIB)
            return [self.propose(siege, self.header(siege, height, pulse, parent, root, many), many)]
        self.decide_against(make, cut_off=True)

    def test_a_block_that_says_it_holds_others(self):
        self.decide_against(lambda siege, height, pulse, parent, root: [
            self.propose(siege, self.header(siege, height, pulse, parent, root, count=2 ** 32 - 1))])

    def test_two_blocks_are_evidence(self):
        self.decide_against(lambda siege, height, pulse, parent, root: [
            self.propose(siege, self.header(siege, height, pulse + n, parent, dict(root, hash=(b"x" * 32).hex()))) for n in (0, 1)], evidence=1)


if __name__ == "__main__":
    unittest.main()
