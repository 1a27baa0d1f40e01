"""Several daemons that keep one organization's ledger, with members whose keys we hold."""

import os
import time

from . import formats
from .community import Community, submit
from .daemon import DECIDED, GONE, scratch_dir
from .network import wait_for

MEET_SECONDS = 60
# Small committees are connected each to each; of a large one, everybody passes on what its neighbours say.
NEIGHBOURS = 6
# Nobody's limit stands in the way, and a pulse is what people have.
PARAMS = dict(formats.OPEN_PARAMS, pulse_ms=1000)


class Committee:
    """These daemons are the charter's bookkeepers, by seat; they have found each other when it is made. The first
    seats are those of `absent`: node keys that no daemon has."""

    def __init__(self, test, nodes, members=40, params=None, absent=()):
        self.test = test
        self.nodes = list(nodes)
        self.params = params or PARAMS
        self.wallet = os.path.join(test.enterContext(scratch_dir()), "wallet")
        keys = [node.rpc.call("node.status")["node_key"] for node in self.nodes]
        self.community = Community(nodes[0].rpc, members, params=self.params,
                                   others=[bytes.fromhex(key) for key in keys[1:]],
                                   before=[key.public for key in absent])
        self.absent = len(absent)
        self.save_key("organization", self.community.organization)
        nodes[0].leither("--wallet", self.wallet, "org", "publish")
        for node in self.nodes[1:]:
            self.follow(node)
        self.until(lambda: all(ledger(node) for node in self.nodes), MEET_SECONDS, "the ledger to be everywhere")
        self.until(self.is_meshed, MEET_SECONDS, "all to be connected")

    def save_key(self, name, key):
        os.makedirs(self.wallet, mode=0o700, exist_ok=True)
        save_key(self.wallet, name, key)

    def follow(self, node):
        node.rpc.call("organization.follow", organization=self.community.id)

    def is_meshed(self):
        enough = min(len(self.nodes) - 1, NEIGHBOURS)
        return all(len(node.rpc.call("network.peers")) >= enough for node in self.nodes)

    # ---- Payments

    def sign(self, node, count):
        """`count` transfers of members who pay at that node to members who pay at the next. Each pays at one only, for
        its nonces go in order."""
        number, of = self.nodes.index(node), len(self.nodes)
        payers, payees = self.community.keys[number::of], self.community.keys[(number + 1) % of::of]
        return [self.community.sign_transfer(payers[n % len(payers)], payees[n % len(payees)], 1) for n in range(count)]

    def submit(self, node, count=1):
        """Their ids; all have been taken."""
        verdicts = submit(node.rpc, self.sign(node, count))
        refused = [name for _, name in verdicts if name]
        if refused:
            raise AssertionError(f"{len(refused)} of {count} refused, e.g. {refused[0]}:\n{self.logs()}")
        return [identity for identity, _ in verdicts]

    def is_committed(self, node, identities):
        return all(node.rpc.call("transaction.status", id=identity.hex())["state"] in DECIDED for identity in identities)

    def pay(self, node, count=1, seconds=30):
        """Submits at that node and waits until it has seen them committed."""
        identities = self.submit(node, count)
        self.until(lambda: self.is_committed(node, identities), seconds, f"{count} payments to be committed")
        return identities

    # ---- What they hold

    def agreed(self, nodes=None, at_least=0):
        """The head that all of these stand at, at this sequence or behind it; None if they do not."""
        heads = [ledger(node) for node in nodes or self.nodes]
        if any(head is None or (head["sequence"], head["root"]) != (heads[0]["sequence"], heads[0]["root"]) for head in heads):
            return None
        return heads[0] if heads[0]["sequence"] >= at_least else None

    def until_agreed(self, nodes=None, at_least=0, seconds=30):
        return self.until(lambda: self.agreed(nodes, at_least), seconds, "all to agree")

    def chief(self, node):
        """The daemon that proposed the last block, and so proposes the next one."""
        receipt = node.rpc.call("receipt.get", account=self.community.founder.id.hex())["receipt"]
        return self.nodes[formats.author_of(bytes.fromhex(receipt)) - self.absent]

    def block_after_crash(self):
        """Kills the chief with a payment on its way: (pulses of time until another shows the next block, chief, rest)."""
        rest = [node for node in self.nodes if node.process.poll() is None]
        chief = self.chief(rest[0])
        rest.remove(chief)
        sequence = ledger(rest[0])["sequence"]
        chief.kill()
        begin = time.monotonic()
        self.submit(rest[0])
        self.until(lambda: ledger(rest[0])["sequence"] > sequence, 30, "a block after the crash")
        pulses = (time.monotonic() - begin) / (self.params["pulse_ms"] / 1000)
        return pulses, chief, rest

    # ---- Waiting

    def until(self, reached, seconds, what):
        def quietly():
            try:
                return reached()
            except GONE:
                return None
        value = wait_for(quietly, seconds)
        if not value:
            raise AssertionError(f"waited {seconds} s in vain for {what}:\n{self.logs()}")
        return value

    def logs(self):
        return "\n".join(f"--- {node.endpoint[0]}\n{node.log_tail(15)}" for node in self.nodes)

    def end_with_checks(self, nodes=None):
        """Every block of every daemon holds, executed again."""
        for node in nodes or self.nodes:
            node.stop()
        for node in nodes or self.nodes:
            text = node.verify()
            if "The ledger holds" not in text:
                raise AssertionError(text)


def save_key(wallet, name, key):
    """As `leither key` keeps it."""
    with open(os.open(os.path.join(wallet, name + ".key"), os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
        file.write(f"leither-key-1 {key.seed.hex()}\n")


def ledger(node):
    """What the daemon says of the organization; None before it has its ledger."""
    return node.rpc.call("node.status")["organization"]
