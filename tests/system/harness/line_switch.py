"""A switch in user space, whose lines are as slow, lossy and breakable as one asks: for kernels without netem.

Run as a process (`python3 -m harness.line_switch SEED`); `lines.py` drives it. Commands are lines of JSON on standard
input, each answered by one line of JSON on standard output:

    {"do": "attach", "port": "a", "namespace": "..."}   makes the interface `eth` there; its packets come here
    {"do": "shape", "delay_ms": 30, "jitter_ms": 20, "loss": 0.01, "bits_per_second": 20000000, "ports": ["a"]}
    {"do": "cut", "from": ["a"], "to": ["b"]}           nothing passes that way any more
    {"do": "heal"}
    {"do": "counts"}

A packet waits for its sender's line up, travels, and waits for its receiver's line down. Each line carries so many bits
a second and holds what it sends in 250 ms before it drops more. Delay is drawn evenly from delay - jitter to delay +
jitter; what one port sends another keeps its order, as on a line whose queues grow and shrink. Chance is seeded: the
same packets would meet the same luck.
"""

import contextlib
import ctypes
import fcntl
import heapq
import itertools
import json
import os
import random
import select
import struct
import sys
import time

INTERFACE = "eth"
QUEUE_SECONDS = 0.25
FRAMES_AT_ONCE = 64
FRAME_BYTES_MAX = 65_536
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def entered(namespace):
    """This thread is in that network namespace meanwhile."""
    with open("/proc/thread-self/ns/net", "rb") as ours, open(f"/run/netns/{namespace}", "rb") as theirs:
        _enter(theirs)
        try:
            yield
        finally:
            _enter(ours)


def _enter(namespace):
    if _libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def open_tap(namespace):
    """A descriptor of a new Ethernet interface in that namespace. Without offloads: frames are whole and no longer than
    a line takes, and checksums are there."""
    with entered(namespace):
        tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", INTERFACE.encode(), IFF_TAP | IFF_NO_PI))
    return tap


class Line:
    """One direction of one port's line: so many bits a second, one frame after the other."""

    def __init__(self):
        self.free_at = 0.0

    def passes_at(self, now, frame, bits_per_second):
        """When the frame has passed; None if too much waits already."""
        if not bits_per_second:
            return now
        begin = max(now, self.free_at)
        if begin - now > QUEUE_SECONDS:
            return None
        self.free_at = begin + 8 * len(frame) / bits_per_second
        return self.free_at


class Port:
    def __init__(self, name, tap, seed):
        self.name, self.tap = name, tap
        self.prng = random.Random(f"{seed}/{name}")
        self.delay, self.jitter, self.loss, self.bits_per_second = 0.0, 0.0, 0.0, 0
        self.up, self.down = Line(), Line()
        self.last_arrival = {}  # by port, of what was sent to it
        self.counts = {"sent": 0, "bytes": 0, "lost": 0, "cut": 0, "dropped": 0, "received": 0, "received_bytes": 0}


class Switch:
    def __init__(self, seed, ready):
        self.seed = seed
        self.ready = ready
        self.ports = {}
        self.by_tap = {}
        self.by_address = {}  # Ethernet address -> port
        self.cuts = set()  # (from, to)
        self.due = []  # (when, number, act, arguments)
        self.numbers = itertools.count()

    # ---- Commands

    def command(self, order):
        return getattr(self, "do_" + order.pop("do"))(**order)

    def do_attach(self, port, namespace):
        made = Port(port, open_tap(namespace), self.seed)
        self.ports[port] = made
        self.by_tap[made.tap] = made
        self.ready.register(made.tap, select.EPOLLIN)
        return True

    def do_shape(self, delay_ms, jitter_ms, loss, bits_per_second, ports=None):
        """What leaves these ports is late and lost so; their lines carry so much, both ways."""
        for name in ports or self.ports:
            port = self.ports[name]
            port.delay, port.jitter, port.loss = delay_ms / 1000, jitter_ms / 1000, loss
            port.bits_per_second = bits_per_second
        return True

    def do_cut(self, **ends):
        self.cuts |= set(itertools.product(ends["from"], ends["to"]))
        return True

    def do_heal(self):
        self.cuts.clear()
        return True

    def do_counts(self):
        return {name: port.counts for name, port in self.ports.items()}

    # ---- Frames

    def take(self, tap, now):
        """Reads what a machine has sent."""
        source = self.by_tap[tap]
        for _ in range(FRAMES_AT_ONCE):
            try:
                frame = os.read(tap, FRAME_BYTES_MAX)
            except OSError:  # nothing more, or the machine is gone
                return
            source.counts["sent"] += 1
            source.counts["bytes"] += len(frame)
            self.by_address[frame[6:12]] = source
            passed = source.up.passes_at(now, frame, source.bits_per_second)
            if passed is None:
                source.counts["dropped"] += 1
                continue
            known = None if frame[0] & 1 else self.by_address.get(frame[:6])
            for target in [known] if known else list(self.ports.values()):
                if target is not source:
                    self.travel(source, target, frame, passed)

    def travel(self, source, target, frame, passed):
        if source.loss and source.prng.random() < source.loss:
            source.counts["lost"] += 1
            return
        arrival = passed + max(0.0, source.delay + source.prng.uniform(-source.jitter, source.jitter))
        arrival = max(arrival, source.last_arrival.get(target.name, 0.0))
        source.last_arrival[target.name] = arrival
        self.later(arrival, self.arrive, source, target, frame)

    def arrive(self, when, source, target, frame):
        if (source.name, target.name) in self.cuts:
            source.counts["cut"] += 1
            return
        passed = target.down.passes_at(when, frame, target.bits_per_second)
        if passed is None:
            target.counts["dropped"] += 1
            return
        self.later(passed, self.give, target, frame)

    def give(self, _when, target, frame):
        with contextlib.suppress(OSError):  # its machine or interface is down
            os.write(target.tap, frame)
            target.counts["received"] += 1
            target.counts["received_bytes"] += len(frame)

    def later(self, when, act, *arguments):
        heapq.heappush(self.due, (when, next(self.numbers), act, arguments))

    def step(self, now):
        """Does what is due; the seconds until more is, or None."""
        while self.due and self.due[0][0] <= now:
            when, _, act, arguments = heapq.heappop(self.due)
            act(when, *arguments)
        return self.due[0][0] - now if self.due else None


def main():
    ready = select.epoll()
    ready.register(sys.stdin.fileno(), select.EPOLLIN)
    switch = Switch(sys.argv[1], ready)
    with contextlib.suppress(OSError):
        os.nice(-10)  # a switch that is late would be a slower line than asked for
    pause = None
    while True:
        # Half a millisecond early rather than one late: the timer of epoll counts whole milliseconds.
        for descriptor, _ in ready.poll(-1 if pause is None else max(0.0, pause - 0.0005)):
            if descriptor != sys.stdin.fileno():
                switch.take(descriptor, time.monotonic())
                continue
            line = sys.stdin.readline()
            if not line:
                return
            print(json.dumps(switch.command(json.loads(line))), flush=True)
        pause = switch.step(time.monotonic())


if __name__ == "__main__":
    main()
