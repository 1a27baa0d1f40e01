"""Machines of our own: network namespaces joined by cables. Needs root and iproute2."""

import itertools
import os
import shutil
import subprocess
import threading
import unittest


def can_make():
    """Whether this machine lets us make network namespaces."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"lt{os.getpid()}x{threading.get_ident()}"
    made = subprocess.run(["ip", "netns", "add", name], check=False, capture_output=True).returncode == 0
    if made:
        subprocess.run(["ip", "netns", "del", name], check=True)
    return made


class Machine:
    """One network namespace."""

    def __init__(self, name):
        self.name = name

    def run(self, *command, **options):
        """Runs to the end; its standard output."""
        done = subprocess.run(["ip", "netns", "exec", self.name, *command], check=True, text=True,
                              capture_output=True, **options)
        return done.stdout

    def start(self, *command, **options):
        # Not through a shell: `ip netns exec` becomes the command, so signals reach it.
        return subprocess.Popen(["ip", "netns", "exec", self.name, *command], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)


class Lab:
    """Machines and cables, all gone at the end of the test."""

    _count = itertools.count()  # labs may be built side by side

    def __init__(self, test: unittest.TestCase):
        if not can_make():
            test.skipTest("needs root and the right to make network namespaces")
        self._test = test
        self._prefix = f"lt{os.getpid()}{chr(ord('a') + next(Lab._count) % 26)}"

    def machine(self, name):
        full = f"{self._prefix}-{name}"
        subprocess.run(["ip", "netns", "add", full], check=True)
        self._test.addCleanup(subprocess.run, ["ip", "netns", "del", full], check=False)
        machine = Machine(full)
        machine.run("ip", "link", "set", "lo", "up")
        return machine

    def cable(self, one, other):
        """Joins (machine, interface, "address/bits") with another such."""
        (left, left_name, _), (right, right_name, _) = one, other
        subprocess.run(["ip", "link", "add", left_name, "netns", left.name, "type", "veth",
                        "peer", "name", right_name, "netns", right.name], check=True)
        for machine, interface, address in (one, other):
            machine.run("ip", "address", "add", address, "dev", interface)
            machine.run("ip", "link", "set", interface, "up")

    def start(self, machine, *command):
        """A process that is ended with the test."""
        process = machine.start(*command)

        def end():
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stdout.close()
        self._test.addCleanup(end)
        return process
