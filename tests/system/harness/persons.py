"""People who know no more than README.md, `--help` and what they are shown: each at a machine of their own, with a
daemon and a wallet where both lie by default, typing whole lines."""

import os
import pty
import re
import subprocess

from .daemon import BIN, ROOT
from .internet import Resident

LINK = re.compile(r"leither:[a-z]+:[a-z0-9]+")
COMMAND = re.compile(r"leither ([a-z]+)(?: ([a-z]+))?")
GROUPS = {"app", "backup", "chat", "key", "member", "message", "node", "org", "receipt", "tag", "task", "vote", "wallet"}
# What a refusal owes: its name and cause, and in a line of its own what to do next.
NAMED = re.compile(r"^leither: [a-z_]+: \S.*\n\S", re.MULTILINE)


class Unheard(Exception):
    """Nothing that this person has read names such a command."""


class Refused(AssertionError):
    def __init__(self, line, code, said):
        super().__init__(f"{line}: {code}: {said}")
        self.code = code
        self.said = said


def commands_in(text):
    """Those that stand there as they are typed."""
    return {f"{one} {two}" if one in GROUPS else one for one, two in COMMAND.findall(text)}


def readme():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        return file.read()


class Person(Resident):
    data_place = ".local/share/leither"

    def __init__(self, test, machine, name, known, transcript):
        self.name = name
        self.transcript = transcript
        # All that this person has read: what is typed must have been named there.
        self.read = known
        super().__init__(test, machine)

    def _words(self, *words):
        return ["env", "-i", f"HOME={self.folder}", f"PATH={BIN}:{os.environ['PATH']}", "LANG=C.UTF-8", *words]

    def daemon_words(self):
        return self._words("leitherd")

    def line(self, line):
        """The finished process of what is typed in a shell at this machine."""
        return subprocess.run(["ip", "netns", "exec", self.machine.name, *self._words("sh", "-c", line)], cwd=self.folder,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120)

    def types(self, line):
        """What a line prints for people. Refused if it fails, Unheard if nothing has named such a command."""
        self.must_know(line)
        done = self.line(line)
        self.transcript.append(f"{self.name}> {line}\n{done.returncode}: {done.stdout}{done.stderr}")
        self.read += done.stdout + done.stderr
        if done.returncode:
            raise Refused(line, done.returncode, done.stderr or done.stdout)
        return done.stdout

    def must_know(self, line):
        if not line.endswith("--help") and not commands_in(line) <= commands_in(self.read):
            raise Unheard(f"{self.name} could not know of: {line}")

    def learns(self, *groups):
        for group in groups:
            self.types(f"leither {group} --help")

    def answers(self, line, answers):
        """What a line prints on a terminal where these answers are typed."""
        ours, theirs = pty.openpty()
        try:
            process = subprocess.Popen(["ip", "netns", "exec", self.machine.name, *self._words("sh", "-c", line)],
                                       stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            os.write(ours, "".join(answer + "\n" for answer in answers).encode())
            said, _ = process.communicate(timeout=60)
        finally:
            os.close(ours)
            os.close(theirs)
        self.read += said
        if process.returncode:
            raise Refused(line, process.returncode, said)
        return said
