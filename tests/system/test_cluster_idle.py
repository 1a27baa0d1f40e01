"""A committee in which nothing happens writes nothing, costs no CPU, and hardly talks."""

import os
import time
import unittest

from harness.committee import PARAMS, Committee
from harness.network import NetworkDaemon
from harness.wire import TCP, WireCount, can_count

IDLE_SECONDS = int(os.environ.get("LEITHER_IDLE_SECONDS", "20"))
# Whether others can dial a node is known, and kept, some time after its start.
QUIET_SECONDS = 8
# Each node looks every half minute whether others see it at another address, which is not so again after the first time.
LOOK_SECONDS = 32
SETTLE_SECONDS_MAX = 90
# The kernel counts in hundredths of a second.
CPU_SHARE_MAX = 0.005
# A heartbeat every ten pulses, a ping every two minutes, and what the organization's nodes tell each other.
CONNECTION_BYTES_A_SECOND_MAX = 200


class IdleCommittee(unittest.TestCase):
    def measure(self, base, count):
        started = time.monotonic()
        first = NetworkDaemon(self, base)
        nodes = [first] + [NetworkDaemon(self, base + number, bootstrap=[first]) for number in range(1, count)]
        committee = Committee(self, nodes, members=4 * count, params=PARAMS)
        committee.pay(nodes[1], 3)
        head = committee.until_agreed()
        for node in nodes:
            node.rpc.close()
        time.sleep(max(0, started + LOOK_SECONDS - time.monotonic()))
        self.settle(nodes)
        wire = WireCount(*(node.endpoint for node in nodes)) if can_count() else None
        before = [(node.written_bytes(), node.cpu_seconds()) for node in nodes]
        time.sleep(IDLE_SECONDS)
        after = [(node.written_bytes(), node.cpu_seconds()) for node in nodes]
        counted = wire.end() if wire else None
        now = committee.agreed()
        self.assertEqual((now["sequence"], now["root"]), (head["sequence"], head["root"]), "it was not idle")
        for (written, cpu), (written_after, cpu_after) in zip(before, after):
            self.assertEqual(written_after, written, "bytes written while idle")
            # One tick of the kernel's clock is within the error.
            self.assertLessEqual(cpu_after - cpu, CPU_SHARE_MAX * IDLE_SECONDS + 0.01)
        if counted:
            self.assertLess(counted[TCP] / (count * (count - 1) / 2) / IDLE_SECONDS, CONNECTION_BYTES_A_SECOND_MAX)

    def settle(self, nodes):
        """Until none of them has written anything for a while."""
        deadline = time.monotonic() + SETTLE_SECONDS_MAX
        written = None
        while time.monotonic() < deadline:
            before, written = written, [node.written_bytes() for node in nodes]
            if written == before:
                return
            time.sleep(QUIET_SECONDS)
        self.fail("they never stop writing")

    def test_of_four(self):
        self.measure(20, 4)

    def test_of_sixteen(self):
        self.measure(40, 16)


if __name__ == "__main__":
    unittest.main()
