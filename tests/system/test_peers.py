"""Peers from outside, on real sockets: one that keeps to the documents, and every kind that does not.

The minute-long flood runs for LEITHER_FLOOD_SECONDS (scripts/soak: 60).
"""

import contextlib
import multiprocessing
import os
import random
import struct
import threading
import time
import unittest

from harness import malformed, peer
from harness.daemon import leither, open_files
from harness.floods import PATIENCE, DatagramFlood, StreamFlood
from harness.krpc import Asker, fresh_address
from harness.network import NetworkDaemon
from harness.peer import Closed, Peer
from harness.sodium import key_from

FLOOD_SECONDS = float(os.environ.get("LEITHER_FLOOD_SECONDS", "5"))
SEED = int(os.environ.get("LEITHER_SEED", "1"))
HANDSHAKE_SECONDS = 5
HALF_OPEN_MAX, HALF_OPEN_PER_BLOCK_MAX = 64, 8
GROWTH_BYTES_MAX = 16 << 20
MIB = 1 << 20
TRIES_MAX, TRY_SECONDS = 5, 0.5


class PeerTest(unittest.TestCase):
    """A daemon that serves an organization, and peers to it."""

    number = 60

    def setUp(self):
        self.daemon = NetworkDaemon(self, self.number)
        leither("org", "create", "--name", "Peers", data_dir=self.daemon.data_dir)
        leither("org", "publish", data_dir=self.daemon.data_dir)
        organization = self.daemon.rpc.call("node.status")["organization"]
        self.organization, self.chain = (bytes.fromhex(organization[name]) for name in ("id", "chain_id"))
        self.target = self.daemon.endpoint

    def peer(self, name, **options):
        made = Peer(self.target, self.chain, key_from("peers", name), **options)
        self.addCleanup(made.close)
        return made

    def known(self):
        """What the daemon says of its peers, by node key."""
        return {one["node_key"]: one for one in self.daemon.rpc.call("network.peers")}

    def wait_until(self, holds, seconds):
        deadline = time.monotonic() + seconds
        while not holds():
            self.assertLess(time.monotonic(), deadline, "waited in vain")
            time.sleep(0.02)


class Honest(PeerTest):
    number = 61

    def test_a_client_written_from_the_documents_is_a_peer(self):
        with self.peer("honest") as honest:
            self.assertEqual(honest.node_key.hex(), self.daemon.rpc.call("node.status")["node_key"])
            honest.ping()
            known = self.known()[honest.key.public.hex()]
            self.assertEqual((known["agent"], known["direction"], known["pattern"]), ("a test", "inbound", "xx"))
            honest.send(peer.message(peer.ASK_MANIFEST, bytes(20)))
            self.assertEqual(honest.expect(peer.MANIFEST_REPLY), b"\0")

    def test_messages_may_be_cut_anywhere(self):
        with self.peer("cut") as cut:
            text = b"".join(peer.message(peer.PING, struct.pack("<Q", number)) for number in range(20))
            for at in range(0, len(text), 7):
                for byte in cut.seal(text[at:at + 7]):
                    cut.send_raw(bytes([byte]))
            answers = [struct.unpack("<Q", cut.expect(peer.PONG))[0] for _ in range(20)]
            self.assertEqual(answers, list(range(20)))

    def test_of_two_connections_to_a_node_one_stays(self):
        first, second = self.peer("twice"), None
        with contextlib.suppress(Closed):
            second = self.peer("twice")
            second.ping()
        stays = [one for one in (first, second) if one is not None and peer.is_open(one.socket)]
        self.assertEqual(len(stays), 1)
        self.assertEqual(list(self.known()), [first.key.public.hex()])


class Slow(PeerTest):
    """Handshakes that never end."""

    number = 62

    def half_open(self, count, source):
        return [self.enterContext(contextlib.closing(peer.dial(self.target, source))) for _ in range(count)]

    def test_whatever_its_stage_it_ends_after_five_seconds(self):
        greeting = peer.preamble(self.chain)
        beginnings = [b"", greeting[:1], greeting[:-1], greeting, greeting + b"\0", greeting + b"\0\x20" + bytes(range(31)),
                      greeting + b"\0\x20" + bytes(range(32))]
        begin = time.monotonic()
        streams = []
        for number, beginning in enumerate(beginnings):
            stream = self.half_open(1, f"127.90.{number}.1")[0]
            stream.sendall(beginning)
            streams.append(stream)
        streams.append(self.peer("mute", greets=False, source="127.90.100.1").socket)
        trickle = self.half_open(1, "127.90.101.1")[0]
        time.sleep(HANDSHAKE_SECONDS - 1 - (time.monotonic() - begin))
        for byte in greeting[:30]:
            with contextlib.suppress(OSError):
                trickle.send(bytes([byte]))
        self.assertTrue(all(map(peer.is_open, [*streams, trickle])), "one ended too early")
        time.sleep(HANDSHAKE_SECONDS + 1 - (time.monotonic() - begin))
        self.assertFalse(any(map(peer.is_open, [*streams, trickle])), "one was given more time")

    def test_of_one_block_eight_are_kept_the_newest(self):
        streams = self.half_open(3 * HALF_OPEN_PER_BLOCK_MAX, "127.91.0.1")
        time.sleep(0.3)
        self.assertEqual(list(map(peer.is_open, streams)),
                         [False] * (2 * HALF_OPEN_PER_BLOCK_MAX) + [True] * HALF_OPEN_PER_BLOCK_MAX)

    def test_of_all_sixty_four_are_kept_and_an_honest_dialer_comes_through(self):
        streams = []
        for block in range(40):
            streams += self.half_open(4, f"127.92.{block}.1")
        time.sleep(0.3)
        self.assertEqual(sum(map(peer.is_open, streams)), HALF_OPEN_MAX)
        self.peer("in the crowd", source="127.93.0.1").ping()
        self.peer("in a full block", source="127.92.39.1").ping()


class Wrong(PeerTest):
    number = 63

    def test_a_handshake_that_is_too_long_ends_at_once(self):
        with contextlib.closing(peer.dial(self.target)) as stream:
            stream.sendall(peer.preamble(self.chain) + struct.pack(">H", 257))
            self.wait_until(lambda: not peer.is_open(stream), 2)

    def test_frames_and_messages_against_the_rules_end_the_connection(self):
        wrong = {
            "empty frame": lambda one: b"\0\0",
            "frame without text": lambda one: struct.pack(">H", 16) + one.sending.encrypt(b""),
            "noise": lambda one: struct.pack(">H", 100) + os.urandom(100),
            "large noise": lambda one: b"\xff\xff" + os.urandom(65_535),
            "oversized body": lambda one: one.seal(struct.pack("<BI", peer.PING, 9)),
            "body of 4 GiB": lambda one: one.seal(struct.pack("<BI", 29, 0xFFFFFFFF)),
            "unknown kind": lambda one: one.seal(peer.message(200, b"")),
            "not canonical": lambda one: one.seal(peer.message(peer.GOODBYE, b"\x05")),
            "second hello": lambda one: one.seal(peer.hello()),
        }
        for name, make in wrong.items():
            with self.subTest(name), self.peer(name) as one:
                one.send_raw(make(one))
                self.assertEqual(one.goodbye(), peer.MISCONDUCT)
        with self.peer("out of turn", greets=False) as one:
            one.send(peer.message(peer.PING, bytes(8)))
            self.assertEqual(one.goodbye(), peer.MISCONDUCT)

    def test_four_wrongs_make_a_ban(self):
        for _ in range(4):
            with self.peer("villain") as villain:
                villain.send(peer.message(200, b""))
                villain.goodbye()
        with self.assertRaisesRegex(Closed, f"goodbye {peer.MISCONDUCT}"):
            self.peer("villain")
        self.peer("neighbour").ping()

    def test_who_says_too_much_is_held_up_then_banned(self):
        salvo = peer.message(peer.PING, bytes(8)) * 2100  # 1,000 may be saved up, then 200 a second
        with self.peer("chatterbox", seconds=20) as chatterbox:
            begin = time.monotonic()
            chatterbox.send(salvo)
            chatterbox.ping()  # answered at once if it was read together with the salvo: then the debt comes after
            chatterbox.ping()
            self.assertGreater(time.monotonic() - begin, 2)
            self.assertLess(self.known()[chatterbox.key.public.hex()]["score"], 0)
            with self.assertRaises(Closed):
                for _ in range(9):
                    chatterbox.send(salvo)
                    chatterbox.ping()
        with self.assertRaisesRegex(Closed, f"goodbye {peer.MISCONDUCT}"):
            self.peer("chatterbox")


class Deaf(PeerTest):
    number = 64
    PEERS = 6
    DROPPED_SECONDS_MAX = 75  # within a minute of its last byte, at the latest

    def test_a_peer_that_never_reads_costs_a_bounded_amount_and_is_dropped(self):
        """It asks for what is larger than the question, no faster than it may."""
        question = peer.message(peer.ASK_MANIFEST, self.organization)
        deaf = [self.peer(f"deaf {number}", receive_buffer=2048) for number in range(self.PEERS)]
        honest = self.peer("honest")
        before = self.daemon.anonymous_bytes()
        begin, asked, slowest, peak = time.monotonic(), 0, 0.0, 0
        names = {one.key.public.hex() for one in deaf}
        while names & set(self.known()):
            passed = time.monotonic() - begin
            self.assertLess(passed, self.DROPPED_SECONDS_MAX, "a peer that never reads was kept")
            due = int(900 + 190 * passed) - asked
            asked += due
            for one in deaf:
                with contextlib.suppress(Closed):
                    one.send(question * due)
            slowest = max(slowest, honest.ping())
            peak = max(peak, self.daemon.anonymous_bytes() - before)
            time.sleep(0.05)
        print(f"\n{self.PEERS} deaf peers: {peak / MIB:.1f} MiB at most, dropped after {time.monotonic() - begin:.1f} s")
        self.assertLess(peak, self.PEERS * 3 * MIB)  # an outbox, and what it comes from
        self.assertLess(slowest, 1)
        self.assertEqual(list(self.known()), [honest.key.public.hex()])


def _flood_streams(target, seconds, outcome):
    flood = StreamFlood(target, 1000, seconds, SEED)
    flood.run()
    outcome.put(flood.opened)


class Flood(PeerTest):
    """10,000 malformed datagrams and 1,000 malformed streams a second at one daemon."""

    number = 65
    tries = 0

    def test_it_serves_and_does_not_grow(self):
        askers = [self.enterContext(Asker(self.target, fresh_address())) for _ in range(4)]
        values = [os.urandom(100) for _ in range(20)]
        targets = []
        for value in values:
            code, target = askers[0].put_value(value)
            self.assertEqual(code, 0)
            targets.append(target)
        honest = self.peer("honest", source="127.94.0.1")
        datagrams = malformed.all_kinds(random.Random(SEED))
        pid = self.daemon.process.pid
        before, files = self.daemon.resident_bytes(), open_files(pid)
        cpu = self.daemon.cpu_seconds()

        outcome = multiprocessing.Queue()
        streams = multiprocessing.Process(target=_flood_streams, args=(self.target, FLOOD_SECONDS, outcome))
        streams.start()
        flood = DatagramFlood(self.target, datagrams, 10_000, FLOOD_SECONDS, sources=1000)
        asked = lost = dialed = 0
        slowest = 0.0
        while flood.running():
            lost += not self.lookup(askers[asked % len(askers)], targets[asked % len(targets)], values[asked % len(targets)])
            slowest = max(slowest, honest.ping())
            if asked % 10 == 0:
                self.peer(f"newcomer {asked}", source="127.95.0.1").close()
                dialed += 1
            asked += 1
            time.sleep(0.02)
        sent = flood.end()["sent"]
        opened = outcome.get(timeout=PATIENCE * FLOOD_SECONDS)
        streams.join()
        grown = self.daemon.resident_bytes() - before
        print(f"\n{FLOOD_SECONDS:.0f} s: {sent:,} datagrams, {opened:,} streams; {asked} lookups in {self.tries} tries, {lost} lost; {dialed} new peers; "
              f"slowest pong {slowest * 1000:.0f} ms; {grown / MIB:.1f} MiB grown; "
              f"{(self.daemon.cpu_seconds() - cpu) / FLOOD_SECONDS:.0%} of a core")
        self.assertIsNone(self.daemon.process.poll())
        self.assertGreater(sent, 0.9 * FLOOD_SECONDS * 10_000, "too few were sent")
        self.assertGreater(opened, 0.9 * FLOOD_SECONDS * 1_000, "too few were accepted")
        self.assertLessEqual(grown, GROWTH_BYTES_MAX)
        self.assertGreater(asked, FLOOD_SECONDS)
        self.assertLessEqual(lost, 0.01 * asked)
        self.assertLess(slowest, 2)
        self.wait_until(lambda: open_files(pid) <= files + 8, HANDSHAKE_SECONDS + 7)

    def lookup(self, asker, target, value):
        """A node under flood reads 2,000 queries a second of all: asked a few times, as any node asks."""
        for _ in range(TRIES_MAX):
            t = os.urandom(4)
            asker.send(asker.message("get", t, {"target": target}))
            self.tries += 1
            with contextlib.suppress(TimeoutError):
                return asker.answer(t, TRY_SECONDS)[b"r"].get(b"v") == value
        return False


if __name__ == "__main__":
    unittest.main()
