"""A newcomer meets one honest node and several that lie to it, each about something else of what it fetches."""

import unittest

from harness import formats, hostile
from harness.committee import PARAMS, Committee, ledger
from harness.community import submit, wait_until_empty
from harness.hostile import Siege, Villain
from harness.network import NetworkDaemon, wait_for

WELCOME = 19
CATCH_UP_BLOCKS = 16  # further behind, it takes the state
SEALED_BYTES, PASS_BYTES = 80, 132
ANSWERS = {hostile.ASK_GENESIS: hostile.GENESIS, hostile.ASK_CHAIN: hostile.CHAIN, hostile.ASK_PIECE: hostile.PIECE,
           hostile.ASK_BLOCKS: hostile.BLOCKS}


class Liar(Villain):
    """The node of a member that passes questions on to an honest node, and the answers back, but for those of one kind:
    these go through `lie`, which may also be silent."""

    def __init__(self, target, oracle, kind, lie, claim, **options):
        self.oracle, self.kind, self.lie, self.claim = oracle, kind, lie, claim
        self.lies = 0
        super().__init__(target, oracle.chain, oracle.key, **options)

    def on_message(self, kind, body):
        if kind not in ANSWERS:
            return
        if kind != self.kind:
            answer = self.oracle.ask(kind, body)
        else:
            self.lies += 1
            answer = self.lie(body, lambda: self.oracle.ask(kind, body))
        if answer is not None:
            self.say(ANSWERS[kind], answer)


def flipped(answer):
    """With one bit in the middle of what matters changed."""
    at = len(answer) * 2 // 3
    return answer[:at] + bytes([answer[at] ^ 4]) + answer[at + 1:]


# What is lied about: (question, lie).
LIES = {
    "another genesis": (hostile.ASK_GENESIS, lambda body, honest: flipped(honest())),
    "no genesis ever": (hostile.ASK_GENESIS, lambda body, honest: None),
    "another committee": (hostile.ASK_CHAIN, lambda body, honest: flipped(honest())),
    "a chain of noise": (hostile.ASK_CHAIN, lambda body, honest: body + formats.u64(0) + formats.u64(2 ** 40) + formats.length(40) + bytes(40)),
    "another state": (hostile.ASK_PIECE, lambda body, honest: flipped(honest())),
    "splits without end": (hostile.ASK_PIECE, lambda body, honest: body + bytes([hostile.SPLIT]) + b"\0"),
    "a version it has not": (hostile.ASK_PIECE, lambda body, honest: body + bytes([hostile.NOT_KEPT]) + b"\0"),
    "other blocks": (hostile.ASK_BLOCKS, lambda body, honest: flipped(honest())),
    "no blocks ever": (hostile.ASK_BLOCKS, lambda body, honest: None),
}


class NewcomerTest(unittest.TestCase):
    number = 288

    def test_gets_the_ledger_in_spite_of_every_kind_of_liar(self):
        honest = NetworkDaemon(self, self.number)
        committee = Committee(self, [honest], members=300, params=dict(PARAMS, pulse_ms=200))
        siege = Siege(self, committee)
        self.addCleanup(siege.dismiss)
        keys = committee.community.keys
        for _ in range(CATCH_UP_BLOCKS + 2):
            submit(honest.rpc, committee.community.random_transfers(20))
            wait_until_empty(honest.rpc)
        # It takes the state, and blocks behind it.
        newcomer = NetworkDaemon(self, self.number + 1, f"history.catch_up_blocks={CATCH_UP_BLOCKS}", bootstrap=[honest])
        committee.follow(newcomer)
        manifest = lambda: newcomer.rpc.call("node.status")["network"]["organization"]["manifest"]
        self.assertTrue(wait_for(manifest, 60))

        liars = {}
        far = committee.agreed()["sequence"] + 1_000_000
        for number, (name, (kind, lie)) in enumerate(LIES.items()):
            oracle = siege.member(honest, keys[100 + number])
            self.assertTrue(wait_for(lambda one=oracle: one.count(WELCOME), 20), "not welcome")
            shown = passes_in(oracle.latest[WELCOME])
            liar = siege.keep(Liar(newcomer, oracle, kind, lie, far))
            liar.say(hostile.CREDENTIALS, hostile.credentials(
                [hostile.delegation(siege.chain, keys[100 + number], liar.key.public)], shown))
            liar.say(hostile.STATUS, hostile.status(far if number % 2 else siege.height(), siege.pulse()))
            liars[name] = liar
        # It asks whoever says where it stands; the honest node says so once it takes the newcomer for a member's.
        self.assertTrue(wait_for(lambda: any(liar.lies for liar in liars.values()), 30), "no liar was asked")
        committee.save_key("member", keys[0])
        newcomer.leither("--wallet", committee.wallet, "node", "serve", "member")
        self.assertTrue(wait_for(lambda: ledger(newcomer), 120), newcomer.log_tail())
        committee.until_agreed([honest, newcomer], seconds=120)
        self.assertEqual(newcomer.rpc.call("network.peers") and ledger(newcomer)["root"], ledger(honest)["root"])
        told = sum(liar.lies for liar in liars.values())
        print(f"\n{told} lies told by {sum(liar.lies > 0 for liar in liars.values())} of {len(liars)} liars")
        self.assertGreater(told, 1)
        siege.dismiss()
        committee.end_with_checks()


def passes_in(welcome):
    """Of a keeper's `welcome`: sealed secret and passes."""
    at = 1 + SEALED_BYTES
    count = welcome[at]
    return [welcome[at + 1 + n * PASS_BYTES:at + 1 + (n + 1) * PASS_BYTES] for n in range(count)]


if __name__ == "__main__":
    unittest.main()
