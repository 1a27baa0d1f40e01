"""An organization whose every key we hold, with a model of its balances beside the daemon's."""

import random
import time

from . import formats
from .sodium import key_from

SUBMIT_MAX = 5000  # transactions of one transaction.submit_many


class Community:
    """`accounts` funded members and the founder, who is their supervisor. The ledger is kept by the daemon of `rpc`,
    and by the nodes of `others`, whose keys these are; those of `before` have the seats before all these."""

    def __init__(self, rpc, accounts, balance=1_000_000, seed="community", params=formats.OPEN_PARAMS, others=(), before=()):
        self.seed = seed
        self.founder = key_from(seed, "founder")
        self.organization = key_from(seed, "organization")
        self.keys = [key_from(seed, index) for index in range(accounts)]
        self.by_id = {key.id: key for key in self.keys}
        self.opening = {key.id: balance for key in self.keys}
        self.supply = 2 * balance * accounts + 1_000_000
        status = rpc.call("node.status")
        genesis, self.chain = formats.genesis(
            self.organization, self.founder, [*before, bytes.fromhex(status["node_key"]), *others], int(time.time() * 1000),
            self.supply, [(key.public, balance) for key in self.keys], params)
        self.id = rpc.call("organization.create", genesis=genesis.hex())["id"]
        self.expiry = params["expiry_pulses_max"] - 1000
        self.counters = {}  # next counter of each signer, as far as we have signed
        self.transfers = {}  # id -> (payer, payee, amount)

    def next_counter(self, signer):
        counter = self.counters.get(signer.id, 0)
        self.counters[signer.id] = counter + 1
        return counter

    def sign_transfer(self, payer, payee, amount, reference=""):
        """(bytes, id) of the payer's next transfer."""
        data, identity = formats.transfer(self.chain, payer, payee, amount, self.next_counter(payer), self.expiry, reference)
        self.transfers[identity] = (payer.id, payee.id, amount)
        return data, identity

    def random_transfers(self, count, prng=None, amount_max=9):
        """`count` signed transfers between random members; affordable in any order."""
        prng = prng or random.Random(self.seed)
        return [self.sign_transfer(*prng.sample(self.keys, 2), prng.randint(1, amount_max)) for _ in range(count)]

    def balances_after(self, committed):
        """The model: opening balances and the transfers whose ids are in `committed`, each once."""
        balances = dict(self.opening)
        for identity in committed:
            payer, payee, amount = self.transfers[identity]
            balances[payer] -= amount
            balances[payee] += amount
        return balances


def submit(rpc, transactions):
    """Submits [(bytes, id)] in order; [(id, None or refusal's name)]."""
    verdicts = []
    for begin in range(0, len(transactions), SUBMIT_MAX):
        part = transactions[begin:begin + SUBMIT_MAX]
        answers = rpc.call("transaction.submit_many", transactions=[data.hex() for data, _ in part])
        verdicts += [(identity, answer["error"]["name"] if "error" in answer else None)
                     for (_, identity), answer in zip(part, answers)]
    return verdicts


def committed_ids(rpc, first, last):
    """Every transaction id of the blocks first..last, in order."""
    return [bytes.fromhex(text) for sequence in range(first, last + 1)
            for text in rpc.call("block.get", sequence=sequence)["transactions"]]


def head(rpc):
    return rpc.call("node.status")["organization"]["sequence"]


def wait_until_empty(rpc, seconds_max=120):
    """Waits until no transaction waits any more; the head's sequence."""
    deadline = time.monotonic() + seconds_max
    while time.monotonic() < deadline:
        organization = rpc.call("node.status")["organization"]
        if organization["mempool"]["transactions"] == 0:
            return organization["sequence"]
        time.sleep(0.02)
    raise AssertionError(f"transactions still wait after {seconds_max} s")


def all_balances(rpc):
    """Balance by account id of every member, in pages."""
    balances, start = {}, None
    while True:
        page = rpc.call("member.list", limit=1000, **({"from": start} if start else {}))
        for item in page["items"]:
            balances[bytes.fromhex(item["account"])] = int(item["balance"])
        start = page.get("next")
        if not start:
            return balances
