"""The network that other tests rely on is as slow, lossy and breakable as they ask (root only)."""

import re
import socket
import struct
import time
import unittest

from harness.line_switch import entered
from harness.lines import HOME_LINE, PERFECT, Lines, address

PORT = 9000
QUIET_SECONDS = 0.2
SO_RCVBUFFORCE = 33  # of asm-generic/socket.h


class LinesTest(unittest.TestCase):
    def setUp(self):
        self.lines = Lines(self)
        self.machines = [self.lines.host(name, number) for number, name in enumerate("abc", 1)]
        self.sockets = [self.open(machine, socket.SOCK_DGRAM) for machine in self.machines]
        for number, one in enumerate(self.sockets, 1):
            one.bind((address(number), PORT))
        # Neighbours' Ethernet addresses are known before anything is counted.
        self.lines.shape(**PERFECT)
        for source in range(3):
            for target in range(3):
                if source != target:
                    self.send(source, target, 1)
                    self.sockets[target].recv(100)
        for one in self.sockets:
            one.settimeout(QUIET_SECONDS)

    def open(self, machine, kind):
        with entered(machine.name):
            made = socket.socket(socket.AF_INET, kind)
        self.addCleanup(made.close)
        made.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 23)
        made.settimeout(10)
        return made

    def send(self, source, target, count, interval=0.0):
        for number in range(count):
            self.sockets[source].sendto(struct.pack(">Id", number, time.monotonic()), (address(target + 1), PORT))
            time.sleep(interval)

    def receive(self, target):
        """[(number, seconds on the way)] of what has arrived or still arrives."""
        arrived = []
        while True:
            try:
                number, sent = struct.unpack(">Id", self.sockets[target].recv(100))
            except TimeoutError:
                return arrived
            arrived.append((number, time.monotonic() - sent))

    def heard(self, source, target, count):
        self.send(source, target, count)
        return len(self.receive(target))

    def test_delay_is_what_was_asked_for(self):
        self.lines.shape(**dict(PERFECT, delay_ms=100))
        self.sockets[1].settimeout(10)
        late = []
        for _ in range(10):
            self.send(0, 1, 1)
            arrived = self.sockets[1].recv(100)
            late.append(time.monotonic() - struct.unpack(">Id", arrived)[1])
        self.assertGreaterEqual(min(late), 0.099)
        self.assertLess(sorted(late)[5], 0.115)

    def test_one_in_so_many_is_lost_the_rest_keeps_its_order(self):
        self.lines.shape(**dict(HOME_LINE, loss=0.1))
        self.send(0, 1, 1000, interval=0.0005)
        arrived = [number for number, _ in self.receive(1)]
        self.assertEqual(arrived, sorted(arrived))
        # Three standard deviations are 28.
        self.assertAlmostEqual(len(arrived), 900, delta=30)
        self.assertEqual(self.lines.counts()["a"]["lost"], 1000 - len(arrived))

    def test_a_line_carries_what_it_should(self):
        self.lines.shape(**dict(PERFECT, bits_per_second=20_000_000, delay_ms=30))
        server = self.open(self.machines[1], socket.SOCK_STREAM)
        server.bind((address(2), PORT))
        server.listen()
        client = self.open(self.machines[0], socket.SOCK_STREAM)
        client.connect((address(2), PORT))
        accepted = server.accept()[0]
        self.addCleanup(accepted.close)
        accepted.settimeout(10)
        client.settimeout(10)
        size = 2_000_000
        begin = time.monotonic()
        with self.subTest("a stream of 2 MB"):
            self.pump(client, accepted, size)
            rate = 8 * size / (time.monotonic() - begin)
            self.assertLess(rate, 20_000_000)
            self.assertGreater(rate, 8_000_000)

    def pump(self, client, accepted, size):
        client.setblocking(False)
        left, got = bytes(size), 0
        while got < size:
            if left:
                try:
                    left = left[client.send(left[:65_536]):]
                except BlockingIOError:
                    pass
            accepted.settimeout(10 if not left else 0.01)
            try:
                got += len(accepted.recv(1 << 20))
            except TimeoutError:
                self.assertTrue(left, "the stream has stalled")

    def test_cut_one_way_both_ways_and_healed(self):
        a, b, c = self.machines
        self.lines.deafen([b], [a])
        self.assertEqual((self.heard(0, 1, 5), self.heard(1, 0, 5), self.heard(0, 2, 5)), (0, 5, 5))
        self.lines.part([a], [b, c])
        self.assertEqual((self.heard(1, 0, 5), self.heard(0, 2, 5), self.heard(1, 2, 5)), (0, 0, 5))
        self.lines.heal()
        self.assertEqual((self.heard(0, 1, 5), self.heard(2, 0, 5)), (5, 5))

    def test_machines_see_no_other_network(self):
        routes = self.machines[0].run("ip", "route")
        self.assertEqual(set(re.findall(r"dev (\S+)", routes)), {"eth"})


if __name__ == "__main__":
    unittest.main()
