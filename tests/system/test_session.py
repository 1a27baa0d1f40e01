"""The README's first session, as printed."""

import os
import re
import subprocess
import unittest

from harness.daemon import BIN, ROOT, Daemon, scratch_dir


def first_session():
    """The lines of the first code block below the README's heading."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        readme = file.read()
    block = re.search(r"## A first session\n.*?```\n(.*?)```", readme, re.DOTALL).group(1)
    return block.splitlines()


class SessionTest(unittest.TestCase):
    def test_the_first_session_works_as_printed(self):
        start, *commands = first_session()
        self.assertEqual(start, "leitherd &")
        with scratch_dir() as scratch:
            environment = dict(os.environ, PATH=f"{BIN}:{os.environ['PATH']}", XDG_DATA_HOME=scratch)
            environment.pop("STATE_DIRECTORY", None)
            # The daemon of the session, but on a free port: another may run on this machine.
            daemon = Daemon(os.path.join(scratch, "leither"))
            self.addCleanup(daemon.end)
            os.mkdir(daemon.data_dir)
            daemon.start()
            output = {}
            for command in commands:
                done = subprocess.run(command, shell=True, cwd=scratch, env=environment, check=False,
                                      capture_output=True, text=True, timeout=30)
                self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
                output[command.split(" ", 1)[1]] = done.stdout
            self.assertEqual(daemon.process.wait(5), 0)
        self.assertIn("27.50", output["balance anna"])
        self.assertIn("two loaves", output["history bea"])
        self.assertIn("10000", output["child 0/0"].replace(",", ""))
        self.assertIn("27.50", output["receipt verify anna.json"])


if __name__ == "__main__":
    unittest.main()
