"""Tests that mostly wait, told side by side: each is a story, and a test tells how its story ended."""

import concurrent.futures
import contextlib
import re
import sys
import threading
import unittest


class Stage(contextlib.ExitStack):
    """What the harness needs of a test."""

    addCleanup = contextlib.ExitStack.callback
    enterContext = contextlib.ExitStack.enter_context

    def skipTest(self, reason):
        raise unittest.SkipTest(reason)


class Stories:
    """Runs the stories that are wanted, so many at a time, when the first ending is asked for."""

    def __init__(self, at_once):
        self._tales = {}
        self._long = []
        self._pool = concurrent.futures.ThreadPoolExecutor(at_once)
        self._lock = threading.Lock()
        self._futures = {}

    def story(self, tale):
        self._tales[tale.__name__] = tale
        return tale

    def long_story(self, tale):
        """One that is begun before the others."""
        self._long.append(tale.__name__)
        return self.story(tale)

    def ending(self, name):
        with self._lock:
            # A single test is told alone: `python3 -m unittest test_namespaces.OnMachinesOfTheirOwn.test_...`
            asked = [word for word in sys.argv if re.search(r"\.test_\w+$", word)]
            wanted = [name] if asked else sorted(self._tales, key=lambda one: one not in self._long)
            for one in wanted:
                if one not in self._futures:
                    self._futures[one] = self._pool.submit(self._tell, self._tales[one])
        return self._futures[name].result()

    @staticmethod
    def _tell(tale):
        with Stage() as stage:
            tale(stage)
