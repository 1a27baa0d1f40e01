"""Nodes that are not ours and mean harm: they speak the ledger's messages, as docs/protocol/ describes them, and lie.

A `Villain` is one connection of such a node, as a stranger, as the node of a member, or as a bookkeeper whose key the
test holds. A `Siege` is what an attack must leave alone: payments under way, the daemons' agreement, their standing
with each other, their memory.
"""

import contextlib
import struct
import threading
import time

from . import formats
from .committee import PARAMS, Committee, ledger
from .community import submit
from .network import NetworkDaemon, wait_for
from .peer import GOODBYE, PING, PONG, Closed, Peer, message
from .sodium import key_from

CREDENTIALS, RECORD_OFFER, RECORD_ASK, RECORD_REPLY = 18, 20, 21, 22
TRANSACTIONS, PROPOSAL, VOTE, HEARTBEAT, STATUS, DECISION = 48, 49, 50, 51, 52, 53
ASK_BLOCKS, BLOCKS, ASK_GENESIS, GENESIS, ASK_CHAIN, CHAIN, ASK_PIECE, PIECE = 64, 65, 66, 67, 68, 69, 70, 71
DECISIONS, VOTES = 0, 1  # what a status may want
SPLIT, NOT_KEPT = 1, 2   # outcomes of a piece
MIB = 1 << 20
# A pulse of a second, a machine that does other things too.
COMMIT_SECONDS = 45
AGREE_SECONDS = 45


# ---- A hostile connection ----------------------------------------------------------------------------------

class Villain:
    """Reads all it is sent on a thread of its own, and keeps count; says what it is told to."""

    def __init__(self, node, chain, key, source=None, reads=True, receive_buffer=None):
        self.peer = Peer(node.endpoint, chain, key, source=source, receive_buffer=receive_buffer, seconds=20)
        self.chain, self.key = chain, key
        self.heard = {}     # kind: (messages, bytes)
        self.latest = {}    # kind: body
        self.farewell = None
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._closed = threading.Event()
        self._thread = None
        if reads:
            self.peer.socket.settimeout(None)
            self._thread = threading.Thread(target=self._read, daemon=True)
            self._thread.start()

    def _read(self):
        with contextlib.suppress(Closed, OSError, ValueError):
            while True:
                kind, body = self.peer.receive()
                count, size = self.heard.get(kind, (0, 0))
                self.heard[kind] = (count + 1, size + len(body))
                self.latest[kind] = body
                if kind == PING:
                    self.say(PONG, body)
                self.on_message(kind, body)
                if kind == GOODBYE:
                    self.farewell = body[0]
        self._closed.set()

    def on_message(self, kind, body):
        """For those who answer."""

    def ask(self, kind, body):
        """The next answer to that question; None if there is none."""
        with self._asking:
            before = self.count(kind + 1)
            self.say(kind, body)
            wait_for(lambda: self.count(kind + 1) > before or self.is_gone, 10, 0.02)
            return self.latest.get(kind + 1)

    def say(self, kind, body):
        return self.send(message(kind, body))

    def send(self, messages):
        """False once the other side has had enough."""
        if self.is_gone:
            return False
        try:
            with self._lock:
                self.peer.send(messages)
            return True
        except (Closed, OSError):
            self._closed.set()
            return False

    @property
    def is_gone(self):
        return self._closed.is_set()

    def count(self, kind):
        return self.heard.get(kind, (0, 0))[0]

    def bytes(self, kind):
        return self.heard.get(kind, (0, 0))[1]

    def close(self):
        with contextlib.suppress(OSError):
            self.peer.socket.shutdown(2)
        self.peer.close()
        if self._thread:
            self._thread.join(5)


# ---- What it says ------------------------------------------------------------------------------------------

def delegation(chain, account, node_public, lifetime_s=86_400):
    now = int(time.time() * 1000)
    body = account.public + node_public + formats.u64(now - 1000) + formats.u64(now + lifetime_s * 1000)
    return body + account.sign(formats.tagged("leither/delegation/1", chain, body))


def forged(signed):
    """The same with another signature."""
    return signed[:-1] + bytes([signed[-1] ^ 1])


def credentials(delegations, passes=()):
    return formats.length(len(delegations)) + b"".join(delegations) + formats.length(len(passes)) + b"".join(passes)


def routing_record(chain, key, delegations, lifetime_s=3600):
    """Of a node that is at a place of the documents' own. `delegations`: as delegation() makes them."""
    now = int(time.time() * 1000)
    served = b"".join(one[:32] + one[64:] for one in delegations)  # without the node key
    endpoint = formats.length(4) + bytes([192, 0, 2, 1]) + formats.u16(4242)
    body = (key.public + key.public + formats.length(1) + endpoint + formats.length(len(delegations)) + served +
            formats.u64(0) + formats.u64(now - 1000) + formats.u64(now + lifetime_s * 1000))
    return body + key.sign(formats.tagged("leither/routing-record/1", chain, body))


def record_offer(nodes):
    """All just issued."""
    return formats.length(len(nodes)) + b"".join(node + formats.u64(int(time.time() * 1000) - 1000) for node in nodes)


def records(listed):
    return formats.length(len(listed)) + b"".join(listed)


def status(height, pulse, round_=0, step=1, interest=VOTES, connected=0, wanted=None, rounds=(), cycle=0):
    """rounds: [(round, has proposal, prevotes, precommits)]"""
    held = b"".join(formats.u32(number) + bytes([proposal]) + formats.u32(prevotes) + formats.u32(precommits)
                    for number, proposal, prevotes, precommits in rounds)
    return (formats.u64(cycle) + formats.u64(height) + formats.u32(round_) + bytes([step]) + formats.u64(pulse) +
            bytes([interest]) + formats.u32(connected) + (b"\0" if wanted is None else b"\1" + formats.u32(wanted)) +
            formats.length(len(rounds)) + held)


def vote(chain, key, seat, height, round_=0, block=None, precommit=False, cycle=0):
    where = formats.slot(height, round_, cycle)
    said = b"\0" if block is None else b"\1" + block
    if not precommit:
        signed = key.sign(formats.tagged("leither/prevote/1", chain, where + said))
    elif block is None:
        signed = key.sign(formats.tagged("leither/nil-precommit/1", chain, where))
    else:
        signed = key.sign(formats.tagged("leither/precommit/1", chain, where + block))
    return where + bytes([precommit]) + said + formats.u16(seat) + signed


def heartbeat(chain, key, seat, height, head, pulse, cycle=0):
    body = formats.u64(cycle) + formats.u64(height) + head + formats.u64(pulse) + formats.u16(seat)
    return body + key.sign(formats.tagged("leither/heartbeat/1", chain, body))


def header(chain, sequence, pulse, parent, root, supply, transactions, author, signers=0, count=None):
    """transactions: their bytes. The root is what its maker says it is."""
    hashes = b"".join(formats.blake2b(one) for one in transactions)
    commitment = formats.blake2b(formats.tagged("leither/transactions/1", chain, formats.length(len(transactions)) + hashes))
    return (formats.u64(sequence) + formats.u64(pulse) + parent + root + formats.u64(supply) + commitment +
            formats.u32(len(transactions) if count is None else count) + formats.u16(author) + formats.u32(signers))


def block_hash(chain, made):
    return formats.blake2b(formats.tagged("leither/block/1", chain, made))


def certificate(where, block, signatures):
    """signatures: [(seat, signature)]"""
    return where + block + formats.length(len(signatures)) + b"".join(formats.u16(seat) + signed for seat, signed in signatures)


def proposal(chain, key, made, transactions, round_=0, parent=None, cycle=0, height=None):
    """The leader's own block. `made`: its header."""
    where = formats.slot(height or struct.unpack("<Q", made[:8])[0], round_, cycle)
    signed = key.sign(formats.tagged("leither/proposal/1", chain, where + b"\0" + block_hash(chain, made)))
    listed = b"\1" + formats.length(len(transactions)) + b"".join(transactions)
    return where + b"\0" + formats.length(0) + made + (b"\0" if parent is None else b"\1" + parent) + listed + signed


def decision(made, certified, transactions=()):
    return made + certified + b"\1" + formats.length(len(transactions)) + b"".join(transactions)


def transactions(listed):
    return formats.length(len(listed)) + b"".join(listed)


def ask_blocks(first, bytes_max=512 << 10):
    return formats.u64(first) + formats.u32(bytes_max)


def ask_piece(sequence, prefix=bytes(20), bits=0):
    return formats.u64(sequence) + prefix + bytes([bits])


# ---- What must stand -----------------------------------------------------------------------------------------

class Load(threading.Thread):
    """Honest members pay at each daemon, one payment a daemon every `every` seconds, until told to end."""

    def __init__(self, committee, nodes, every=0.5):
        super().__init__(daemon=True)
        self.committee, self.every = committee, every
        self.rpcs = [(node, node.connect()) for node in nodes]
        self.paid = {node: [] for node in nodes}  # node: [(id, when)]
        self.fault = None
        self._ends = threading.Event()

    def run(self):
        try:
            while not self._ends.is_set():
                for node, rpc in self.rpcs:
                    [(identity, refusal)] = submit(rpc, self.committee.sign(node, 1))
                    if refusal:
                        raise AssertionError(f"an honest payment at {node.endpoint[0]} was refused: {refusal}")
                    self.paid[node].append(identity)
                self._ends.wait(self.every)
        except Exception as fault:  # told by end(), on the test's thread
            self.fault = fault

    def end(self):
        """Waits until each has been committed where it was submitted; how many there were."""
        self._ends.set()
        self.join()
        for _, rpc in self.rpcs:
            rpc.close()
        if self.fault:
            raise AssertionError(f"{self.fault}\n{self.committee.logs()}") from self.fault
        for node, identities in self.paid.items():
            self.committee.until(lambda node=node, ids=identities: self.committee.is_committed(node, ids[-20:]),
                                 COMMIT_SECONDS, f"the payments at {node.endpoint[0]} to be committed")
        return sum(map(len, self.paid.values()))


class Siege:
    """A committee, its followers, and the attackers of one test.

        with siege.attack(): ...

    pays meanwhile, and asserts behind it all that no attack may change.
    """

    def __init__(self, test, committee, followers=(), seed="hostile"):
        self.test, self.committee, self.seed = test, committee, seed
        self.followers = list(followers)
        self.honest = [*committee.nodes, *self.followers]
        self.chain = committee.community.chain
        self._made = 0
        self._open = []

    @staticmethod
    def of(stage, base, members=60, absent=(), **params):
        """Four bookkeepers, those of `absent` none of ours, and a follower whose node serves a member."""
        first = NetworkDaemon(stage, base)
        nodes = [first] + [NetworkDaemon(stage, base + n, bootstrap=[first]) for n in range(1, 4 - len(absent))]
        committee = Committee(stage, nodes, members=members, params=dict(PARAMS, **params), absent=absent)
        follower = NetworkDaemon(stage, base + 4, bootstrap=[first])
        committee.follow(follower)
        committee.save_key("member", committee.community.keys[0])
        served = ("--wallet", committee.wallet, "node", "serve", "member")
        committee.until(lambda: follower.run_leither(*served).returncode == 0, 60, "the follower to serve a member")
        committee.until(lambda: ledger(follower), 90, "the follower to have the ledger")
        return Siege(stage, committee, [follower])

    # ---- Attackers

    def new_key(self):
        self._made += 1
        return key_from(self.seed, self._made)

    def stranger(self, node, key=None, **options):
        return self.keep(Villain(node, self.chain, key or self.new_key(), **options))

    def keep(self, villain):
        self._open.append(villain)
        return villain

    def member(self, node, account, key=None, **options):
        """The node of a member: a neighbour as soon as it has shown so."""
        villain = self.stranger(node, key, **options)
        villain.say(CREDENTIALS, credentials([delegation(self.chain, account, villain.key.public)]))
        return villain

    def forget(self, villain):
        self._open.remove(villain)
        villain.close()

    def dismiss(self):
        for villain in self._open:
            villain.close()
        self._open.clear()

    # ---- What the daemons say

    def height(self, node=None):
        """The one that is decided next."""
        return ledger(node or self.committee.nodes[0])["sequence"] + 1

    def pulse(self):
        return self.committee.nodes[0].rpc.call("node.status")["pulse"]

    def head(self, node=None):
        """(sequence, block hash) of the head."""
        rpc = (node or self.committee.nodes[0]).rpc
        sequence = rpc.call("node.status")["organization"]["sequence"]
        return sequence, bytes.fromhex(rpc.call("block.get", sequence=sequence)["hash"])

    # ---- The assertions

    @contextlib.contextmanager
    def attack(self, growth_max=24 * MIB, evidence=0, every=0.5):
        """Payments at each of the committee's daemons while it lasts; then everything else. `evidence`: records of it that
        there are more at each of them; None: the test looks at them itself."""
        self.committee.until_agreed(self.honest, seconds=AGREE_SECONDS)
        before = {node: node.anonymous_bytes() for node in self.honest}
        known = {node: len(node.rpc.call("evidence.list")) for node in self.committee.nodes}
        begin = ledger(self.committee.nodes[0])
        standing = self.standing()
        load = Load(self.committee, self.committee.nodes, every)
        load.start()
        try:
            yield load
        finally:
            try:
                paid = load.end()
            finally:
                grown = {node: node.anonymous_bytes() - before[node] for node in self.honest}
                self.dismiss()
        self.committee.pay(self.committee.nodes[0], seconds=COMMIT_SECONDS)
        end = self.committee.until_agreed(self.honest, seconds=AGREE_SECONDS)
        self.expect(paid > 0 and end["sequence"] > begin["sequence"], "nothing was paid meanwhile")
        self.expect(end["root"]["sum"] == begin["root"]["sum"] and end["members"] == begin["members"], "credit or members have changed")
        self.expect(max(grown.values()) <= growth_max, f"grown by {max(grown.values()) / MIB:.1f} MiB")
        for node in self.committee.nodes:
            found = len(node.rpc.call("evidence.list"))
            self.expect(evidence in (None, found - known[node]), f"{found - known[node]} records of evidence at {node.endpoint[0]}")
        self.expect_good_standing(standing)

    def standing(self):
        """{(daemon, other): score}, of the honest."""
        keys = {node.rpc.call("node.status")["node_key"]: node for node in self.honest}
        return {(node, keys[one["node_key"]]): one["score"] for node in self.honest
                for one in node.rpc.call("network.peers") if one["node_key"] in keys}

    def expect_good_standing(self, before):
        """No honest daemon holds more against another than it did, none has left another, each votes."""
        after = self.standing()
        for node in self.committee.nodes:
            for other in self.committee.nodes:
                self.expect(other is node or (node, other) in after, f"{node.endpoint[0]} has lost {other.endpoint[0]}")
            silence = node.rpc.call("office.status")["silence"]
            self.expect(silence == "none", f"{node.endpoint[0]} does not vote: {silence}")
        for (node, other), score in after.items():
            self.expect(score >= before.get((node, other), 0), f"{node.endpoint[0]} holds {score} against {other.endpoint[0]}")

    def expect(self, holds, what):
        if not holds:
            raise AssertionError(f"{what}\n{self.committee.logs()}")
