"""A child process that is asked by JSON lines: {"id", "do", ...} in, {"id", "ok", ...} out."""

import itertools
import json
import os
import select
import subprocess
import time


class RequestFailed(Exception):
    """The child answered that it could not; `answer` says why."""

    def __init__(self, request, answer):
        super().__init__(f"{request}: {answer}")
        self.answer = answer


class JsonLines:
    """Requests may be outstanding together: `start` sends one, `wait` brings its answer. One thread only."""

    def __init__(self, command, cwd=None):
        self.process = subprocess.Popen(command, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self._ids = itertools.count(1)
        self._requests = {}
        self._answers = {}
        self._events = []
        self._partial = b""

    def _read(self, deadline, what):
        """Takes in what the child says next."""
        ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError(f"no answer to {what}")
        data = os.read(self.process.stdout.fileno(), 1 << 16)
        if not data:
            raise AssertionError(f"the child ended with {self.process.wait()} before it answered {what}")
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "id" in message:
                self._answers[message["id"]] = message
            else:
                self._events.append(message)

    def event(self, seconds=30):
        """The next line that answers nothing."""
        deadline = time.monotonic() + seconds
        while not self._events:
            self._read(deadline, "its start")
        return self._events.pop(0)

    def start(self, what, **fields):
        number = next(self._ids)
        request = {"id": number, "do": what, **fields}
        self._requests[number] = request
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        return number

    def wait(self, number, seconds=60):
        """The answer; RequestFailed if it says so."""
        deadline = time.monotonic() + seconds
        request = self._requests.pop(number)
        while number not in self._answers:
            self._read(deadline, request)
        answer = self._answers.pop(number)
        if not answer["ok"]:
            raise RequestFailed(request, answer)
        return answer

    def ask(self, what, **fields):
        return self.wait(self.start(what, **fields))

    def end(self):
        """Leaves nothing running; the exit code."""
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        return self.process.returncode
