"""An idle node writes nothing and costs no CPU worth measuring."""

import os
import time
import unittest

from harness.community import Community, submit, wait_until_empty
from harness.daemon import Daemon, scratch_dir

IDLE_SECONDS = int(os.environ.get("LEITHER_IDLE_SECONDS", "20"))
SETTLE_SECONDS = 3
CPU_SHARE_MAX = 0.003


class IdleTest(unittest.TestCase):
    def measure(self, prepare):
        with scratch_dir() as scratch:
            daemon = Daemon(os.path.join(scratch, "node"))
            self.addCleanup(daemon.end)
            os.mkdir(daemon.data_dir)
            daemon.start()
            prepare(daemon.rpc)
            daemon.rpc.close()
            time.sleep(SETTLE_SECONDS)
            written, cpu = daemon.written_bytes(), daemon.cpu_seconds()
            time.sleep(IDLE_SECONDS)
            self.assertEqual(daemon.written_bytes(), written, "bytes written while idle")
            # The kernel counts in hundredths of a second: one tick is within the error.
            self.assertLessEqual(daemon.cpu_seconds() - cpu, max(CPU_SHARE_MAX * IDLE_SECONDS, 0.01))
            daemon.stop()

    def test_with_an_organization(self):
        def prepare(rpc):
            community = Community(rpc, accounts=1000)
            submit(rpc, community.random_transfers(500))
            wait_until_empty(rpc)
        self.measure(prepare)


if __name__ == "__main__":
    unittest.main()
