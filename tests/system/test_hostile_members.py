"""Strangers and members' nodes that mean harm, against four daemons that keep the books and one that follows.

Each test is an attack of a few seconds while honest members pay at every daemon; harness/hostile.py says what it must
leave alone.
"""

import concurrent.futures
import contextlib
import random
import time
import unittest

from harness import formats, hostile
from harness.committee import ledger
from harness.community import submit
from harness.hostile import MIB, Siege, forged
from harness.network import wait_for
from harness.peer import MISCONDUCT, Closed, message
from harness.stories import Stage

BASE = 275
SECONDS = 4
MEMBERS = 2000  # so that the state and the genesis are worth asking for
ATTACKERS = range(1900, 2000)
OTHER_CHAIN = bytes([9]) * 32
FAR = 2 ** 63
MESSAGES_PER_SECOND = 150  # three quarters of what a peer may say
# Of src/node/serving.h: what one daemon does for all who ask, in all and a second.
WORK_SAVED_UP, WORK_PER_SECOND = 4 * MIB, 16 * MIB


class Besieged(unittest.TestCase):
    """A committee of its own for each class of attacks."""

    @classmethod
    def setUpClass(cls):
        stage = Stage()
        cls.addClassCleanup(stage.close)
        cls.siege = Siege.of(stage, BASE, members=MEMBERS)
        cls.committee = cls.siege.committee
        cls.nodes = cls.committee.nodes
        cls.chain = cls.siege.chain

    def setUp(self):
        self.accounts = [self.committee.community.keys[n] for n in ATTACKERS]
        random.Random(self.id()).shuffle(self.accounts)

    def neighbours(self, each=1, **options):
        """A hostile node of a member at each daemon, or several of the same member."""
        return [self.siege.member(node, account, **options)
                for node, account in zip(self.nodes, self.accounts) for _ in range(each)]

    def expect_banned(self, villains, say=bytes):
        def are_gone():
            for villain in villains:
                villain.send(say())
            return all(villain.is_gone for villain in villains)
        self.assertTrue(wait_for(are_gone, 20), "one may go on")
        self.assertEqual({villain.farewell for villain in villains}, {MISCONDUCT})


class Lies(Besieged):
    def test_what_is_badly_signed_ends_in_a_ban_and_changes_nothing(self):
        siege, key = self.siege, self.siege.new_key()
        height, pulse, block = siege.height(), siege.pulse(), bytes([7]) * 32
        votes = [hostile.vote(self.chain, key, seat, height + ahead, round_, said, precommit)
                 for seat in range(4) for ahead in range(3) for round_ in (0, 1, 50_000) for said in (None, block)
                 for precommit in (False, True)]
        far = hostile.header(self.chain, height + 9, pulse, block, block, 1, [], 0)
        signed_by_nobody = hostile.certificate(formats.slot(height + 9), hostile.block_hash(self.chain, far),
                                               [(seat, bytes(64)) for seat in range(3)])
        kinds = {
            "votes": lambda: [message(hostile.VOTE, one) for one in votes],
            "proposals": lambda: [message(hostile.PROPOSAL, hostile.proposal(self.chain, key, hostile.header(
                self.chain, siege.height(), pulse, block, block, 1, [], n), [])) for n in range(20)],
            "heartbeats": lambda: [message(hostile.HEARTBEAT, hostile.heartbeat(self.chain, key, seat, height, block, pulse + seat))
                                   for seat in range(4)],
            "decisions": lambda: [message(hostile.DECISION, hostile.decision(far, signed_by_nobody))] * 4,
        }
        with siege.attack():
            for name, make in kinds.items():
                with self.subTest(name):
                    self.expect_banned(self.neighbours(), lambda make=make: b"".join(make()))

    def test_a_stranger_is_not_heard_on_the_ledger(self):
        siege = self.siege
        with siege.attack():
            height, pulse = siege.height(), siege.pulse()
            strangers = [siege.stranger(node) for node in self.nodes]
            says = b"".join([
                message(hostile.STATUS, hostile.status(FAR, pulse + 86_400)),
                message(hostile.VOTE, hostile.vote(self.chain, siege.new_key(), 0, height)),
                message(hostile.ASK_BLOCKS, hostile.ask_blocks(1)), message(hostile.ASK_GENESIS, formats.u32(0)),
                message(hostile.ASK_CHAIN, formats.u64(0)), message(hostile.ASK_PIECE, hostile.ask_piece(height - 1)),
                message(hostile.TRANSACTIONS, hostile.transactions(
                    [self.committee.community.sign_transfer(self.accounts[0], self.accounts[1], 1)[0]]))])
            for _ in range(20):
                for stranger in strangers:
                    stranger.send(says)
                time.sleep(0.05)
            for stranger in strangers:
                self.assertEqual([kind for kind in stranger.heard if kind >= hostile.TRANSACTIONS], [])

    def test_messages_of_another_chain_and_of_times_far_off_change_nothing(self):
        siege = self.siege
        with siege.attack():
            villains = self.neighbours()
            heads = [siege.head() for _ in range(2)]
            for height in (0, 1, siege.height() + 5, FAR, 2 ** 64 - 1):
                for cycle in (0, 1, FAR):
                    vote = hostile.vote(self.chain, siege.new_key(), 0, height, 7, bytes(32), True, cycle)
                    beat = hostile.heartbeat(OTHER_CHAIN, siege.new_key(), 3, height, heads[0][1], FAR, cycle + 1)
                    for villain in villains:
                        villain.say(hostile.VOTE, vote)
                        villain.say(hostile.HEARTBEAT, beat)

    def test_clocks_of_one_members_nodes_silence_nobody(self):
        """A member may serve its account at many nodes; they all say that it is tomorrow."""
        siege = self.siege
        with siege.attack():
            liars = self.neighbours(each=8)
            for _ in range(5 * SECONDS):
                said = hostile.status(siege.height(), siege.pulse() + 86_400)
                for liar in liars:
                    liar.say(hostile.STATUS, said)
                time.sleep(0.2)

    def test_claims_of_heads_far_ahead_stop_nobody(self):
        siege = self.siege
        with siege.attack():
            liars = self.neighbours(each=3)
            for number in range(5 * SECONDS):
                said = hostile.status(FAR if number % 2 else siege.height() + 3, siege.pulse())
                for liar in liars:
                    liar.say(hostile.STATUS, said)
                time.sleep(0.2)
            asked = sum(liar.count(kind) for liar in liars for kind in (hostile.ASK_CHAIN, hostile.ASK_BLOCKS))
            self.assertGreater(asked, 0, "nobody has taken the bait: the claim was not understood")
            # Nothing is fetched from them, they answer nothing; and none is given up on a word.
            self.assertLess(asked, 20 * len(liars))
        for node in self.nodes:
            caught_up = wait_for(lambda node=node: not node.rpc.call("node.status")["catching_up"]["behind"], 20)
            self.assertTrue(caught_up)

    def test_of_two_payments_with_one_nonce_one_is_committed_everywhere(self):
        siege, community = self.siege, self.committee.community
        pairs = []
        with siege.attack():
            for number, payer in enumerate(self.accounts[:20]):
                counter = next_counter(self.nodes[0].rpc, payer)
                pair = [formats.transfer(self.chain, payer, self.accounts[99], amount, counter, community.expiry) for amount in (1, 2)]
                pairs.append([identity for _, identity in pair])
                first, second = self.nodes[number % 4], self.nodes[(number + 1) % 4]
                if number % 2:
                    for node, (data, _) in zip((first, second), pair):
                        siege.member(node, payer).say(hostile.TRANSACTIONS, hostile.transactions([data]))
                else:
                    for node, one in zip((first, second), pair):
                        submit(node.rpc, [one])

            def is_settled():
                return all(sum(self.committee.is_committed(node, [one]) for one in pair) == 1
                           for pair in pairs for node in (self.nodes[0], self.nodes[2]))
            self.assertTrue(wait_for(is_settled, 40), "one of each pair should be committed")


class Floods(Besieged):
    """Much of what is allowed, and of what is not."""

    def submit_more(self, node, count):
        """Payments of members who do not pay otherwise."""
        community, number = self.committee.community, self.nodes.index(node)
        payers = community.keys[400 + number:ATTACKERS.start:len(self.nodes)]
        signed = [community.sign_transfer(payers[n % len(payers)], self.accounts[99], 1) for n in range(count)]
        self.assertEqual([name for _, name in submit(node.rpc, signed) if name], [])

    def ask_much(self, villains, question, seconds=SECONDS):
        """As fast as a peer may speak without being held up."""
        begin, said = time.monotonic(), 0
        while (passed := time.monotonic() - begin) < seconds:
            due = int(900 + 190 * passed) - said
            for villain in villains:
                villain.send(question * due)
            said += due
            time.sleep(0.05)
        return time.monotonic() - begin

    def test_badly_signed_transactions_end_in_a_ban(self):
        """Whoever posts them says that it has admitted them."""
        siege, payee = self.siege, self.accounts[99]
        posts = [forged(formats.transfer(self.chain, payer, payee, 1, 0, self.committee.community.expiry)[0])
                 for payer in self.accounts[40:90]]
        with siege.attack():
            self.expect_banned(self.neighbours(), lambda: message(hostile.TRANSACTIONS, hostile.transactions(posts)))

    def test_questions_are_answered_as_far_as_the_budget_goes(self):
        siege = self.siege
        head = siege.height() - 1
        questions = {"genesis": message(hostile.ASK_GENESIS, formats.u32(0)),
                     "blocks": message(hostile.ASK_BLOCKS, hostile.ask_blocks(1)),
                     "piece": message(hostile.ASK_PIECE, hostile.ask_piece(head)),
                     "chain": message(hostile.ASK_CHAIN, formats.u64(0))}
        with siege.attack(growth_max=64 * MIB):
            askers = self.neighbours(each=4)
            time.sleep(0.5)
            begin = time.monotonic()
            for question in questions.values():
                self.ask_much(askers, question, 2)
                # Whoever asks little is served meanwhile.
                modest = siege.member(self.nodes[0], self.accounts[10])
                modest.say(hostile.ASK_PIECE, hostile.ask_piece(head))
                self.assertTrue(wait_for(lambda one=modest: one.count(hostile.PIECE), 20), "a modest question is not answered")
            took = time.monotonic() - begin
            kinds = (hostile.BLOCKS, hostile.GENESIS, hostile.CHAIN, hostile.PIECE)
            sent = sum(asker.bytes(kind) for asker in askers for kind in kinds) / len(self.nodes)
            self.assertGreater(sent, 0)
            self.assertLess(sent, WORK_SAVED_UP + WORK_PER_SECOND * (took + 2))

    def test_transactions_that_never_can_be_paid_hold_up_nobody(self):
        """Well signed, but poor, late or not in turn: each costs two signature checks, and they come by the thousand."""
        siege, community = self.siege, self.committee.community
        payee = self.accounts[99]
        useless = []
        for payer in self.accounts[60:90]:
            useless += [formats.transfer(self.chain, payer, payee, 2 ** 60, 0, community.expiry)[0],   # has not got it
                        formats.transfer(self.chain, payer, payee, 1, 5, community.expiry)[0],         # others come first
                        formats.transfer(self.chain, payer, payee, 1, 0, 0)[0],                        # expired
                        formats.transfer(self.chain, payer, payee, 1, 0, FAR)[0]]                      # expires too late
        post = message(hostile.TRANSACTIONS, hostile.transactions(useless))
        with siege.attack(growth_max=64 * MIB):
            villains = self.neighbours(each=2)
            begin = time.monotonic()
            while time.monotonic() - begin < SECONDS:
                for villain in villains:
                    villain.send(post * 2)
                time.sleep(0.05)
        for node in self.nodes:
            self.assertTrue(wait_for(lambda node=node: ledger(node)["mempool"]["transactions"] == 0, 20))

    def test_credentials_by_the_thousand_cost_little(self):
        siege = self.siege
        with siege.attack():
            villains = self.neighbours()
            strangers = [siege.stranger(node) for node in self.nodes]
            good = {v: message(hostile.CREDENTIALS, hostile.credentials(
                [hostile.delegation(self.chain, account, v.key.public) for account in self.accounts[:6]])) for v in villains}
            bad = {s: message(hostile.CREDENTIALS, hostile.credentials(
                [forged(hostile.delegation(self.chain, self.accounts[0], s.key.public))])) for s in strangers}
            for villain, said in {**good, **bad}.items():
                self.ask_much([villain], said, 0.5)
            self.expect_banned(strangers)

    def offer_records(self, villains, record_of, seconds=SECONDS):
        """Offers ever new nodes, and gives the records that are asked for; how many those were."""
        given = 0
        keys = {}

        def answer(villain, kind, body):
            nonlocal given
            if kind != hostile.RECORD_ASK:
                return
            reader = formats.Reader(body)
            asked = [reader.take(20) for _ in range(reader.length())]
            for first in range(0, len(asked), 8):
                replied = [record_of(keys[node]) for node in asked[first:first + 8]]
                villain.say(hostile.RECORD_REPLY, hostile.records(replied))
                given += len(replied)

        for villain in villains:
            villain.on_message = lambda kind, body, villain=villain: answer(villain, kind, body)
        begin = time.monotonic()
        while time.monotonic() - begin < seconds and not all(villain.is_gone for villain in villains):
            for villain in villains:
                some = {key.id: key for key in (self.siege.new_key() for _ in range(32))}
                keys.update(some)
                villain.say(hostile.RECORD_OFFER, hostile.record_offer(sorted(some)))
            time.sleep(0.05)
        return given

    def test_routing_records_of_ever_new_nodes_cost_little(self):
        """One member delegates to nodes by the thousand: the latest four count."""
        with self.siege.attack():
            given = self.offer_records(self.neighbours(), lambda key: hostile.routing_record(
                self.chain, key, [hostile.delegation(self.chain, self.accounts[0], key.public)]))
            self.assertGreater(given, 0)

    def test_routing_records_of_strangers_cost_little(self):
        with self.siege.attack():
            given = self.offer_records(self.neighbours(), lambda key: hostile.routing_record(self.chain, key, []))
            self.assertGreater(given, 0)

    def test_forged_routing_records_end_in_a_ban(self):
        with self.siege.attack():
            villains = self.neighbours()
            self.offer_records(villains, lambda key: forged(hostile.routing_record(self.chain, key, [])), 20)
            self.assertEqual({villain.farewell for villain in villains}, {MISCONDUCT})

    def test_coming_and_going_hundreds_of_times(self):
        siege = self.siege
        said = hostile.status(siege.height(), siege.pulse())
        with siege.attack(growth_max=40 * MIB):
            for number in range(300):
                with contextlib.suppress(Closed, OSError):
                    node = self.nodes[number % 4]
                    visitor = siege.member(node, self.accounts[number % 7])
                    visitor.say(hostile.STATUS, said)
                    siege.forget(visitor)

    def test_a_reader_that_stops_while_blocks_flow_is_bounded(self):
        siege = self.siege
        with siege.attack(growth_max=64 * MIB, every=0.2):
            deaf = self.neighbours(each=6, reads=False, receive_buffer=2048)
            said = hostile.status(siege.height(), siege.pulse())
            for one in deaf:
                one.say(hostile.STATUS, said)
                one.send(message(hostile.ASK_PIECE, hostile.ask_piece(siege.height() - 1)) * 8)
            for _ in range(SECONDS):
                for node in self.nodes:
                    self.submit_more(node, 100)
                time.sleep(1)

    def test_a_changing_mind_is_not_sent_everything_each_time(self):
        """Whoever wants to hear votes is sent all that waits; once a block, however often it says so."""
        siege = self.siege
        with siege.attack(growth_max=64 * MIB):
            fickle = self.neighbours()
            node = self.nodes[0]
            begin = ledger(node)["sequence"]
            both = b"".join(message(hostile.STATUS, hostile.status(siege.height(), siege.pulse(), interest=interest))
                            for interest in (hostile.DECISIONS, hostile.VOTES))
            payments = 0
            for _ in range(SECONDS):
                payments += 500
                self.submit_more(node, 500)
                for villain in fickle:
                    villain.send(both * 90)
                time.sleep(1)
            blocks = ledger(node)["sequence"] - begin
            sent = max(villain.bytes(hostile.TRANSACTIONS) for villain in fickle)
            # Each payment as it comes, and what waits with each block.
            self.assertLess(sent, (blocks + 2) * payments * 300)

    def test_many_payments_one_by_one_are_not_as_many_messages(self):
        """A node may serve a shop: its neighbours must not take that for a flood."""
        siege, node = self.siege, self.nodes[1]
        key = node.rpc.call("node.status")["node_key"]

        def heard():
            return [one["messages_in"] for other in self.nodes if other is not node
                    for one in other.rpc.call("network.peers") if one["node_key"] == key]

        def shop(number, until):
            rpc, payer = node.connect(), self.accounts[40 + number]
            counter = next_counter(rpc, payer)
            with contextlib.closing(rpc):
                while time.monotonic() < until:
                    data, _ = formats.transfer(self.chain, payer, self.accounts[99], 1, counter, self.committee.community.expiry)
                    rpc.call("transaction.submit", transaction=data.hex())
                    counter += 1

        with siege.attack(growth_max=64 * MIB):
            before, begin = heard(), time.monotonic()
            with concurrent.futures.ThreadPoolExecutor(6) as pool:
                for done in [pool.submit(shop, number, begin + SECONDS) for number in range(6)]:
                    done.result()
            took = time.monotonic() - begin
            # A post every 20 ms at most, and what a round takes.
            rates = [(now - then) / took for now, then in zip(heard(), before)]
            self.assertLess(max(rates), MESSAGES_PER_SECOND)

    def test_a_crowd_does_not_keep_out_a_bookkeeper(self):
        """Every place that strangers may have is taken when a bookkeeper comes back."""
        siege, back = self.siege, self.nodes[3]
        rest = self.nodes[:3]
        standing = siege.standing()
        back.stop()
        crowd = []
        for node in rest:
            with contextlib.suppress(Closed, OSError):
                while True:
                    crowd.append(siege.stranger(node))
                    if len(crowd) % 130 == 0:
                        break
        self.assertGreater(len(crowd), 3 * 64)
        back.start()
        try:
            key = back.rpc.call("node.status")["node_key"]
            meets = wait_for(lambda: all(key in {one["node_key"] for one in node.rpc.call("network.peers")} for node in rest), 60)
            self.assertTrue(meets, "it found no place")
            self.committee.pay(back, seconds=hostile.COMMIT_SECONDS)
        finally:
            siege.dismiss()
        siege.expect_good_standing(standing)


def next_counter(rpc, key):
    return rpc.call("account.nonce", account=key.id.hex())["counter"]


if __name__ == "__main__":
    unittest.main()
