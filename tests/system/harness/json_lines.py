"""A child process that is asked by JSON lines: {"id", "do", ...} in, {"id", "ok", ...} out."""

import itertools
import json
import queue
import subprocess
import threading
import time


class RequestFailed(Exception):
    """The child answered that it could not; `answer` says why."""

    def __init__(self, request, answer):
        super().__init__(f"{request}: {answer}")
        self.answer = answer


class JsonLines:
    """Requests may be outstanding together: `start` sends one, `wait` brings its answer."""

    def __init__(self, command, cwd=None):
        self.process = subprocess.Popen(command, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.events = queue.Queue()      # lines that answer nothing
        self._ids = itertools.count(1)
        self._requests = {}
        self._answers = {}
        self._arrived = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            message = json.loads(line)
            if "id" not in message:
                self.events.put(message)
                continue
            with self._arrived:
                self._answers[message["id"]] = message
                self._arrived.notify_all()
        with self._arrived:
            self._answers = None
            self._arrived.notify_all()

    def start(self, what, **fields):
        number = next(self._ids)
        request = {"id": number, "do": what, **fields}
        self._requests[number] = request
        self.process.stdin.write(json.dumps(request) + "\n")
        return number

    def wait(self, number, seconds=60):
        """The answer; RequestFailed if it says so."""
        deadline = time.monotonic() + seconds
        request = self._requests.pop(number)
        with self._arrived:
            while True:
                if self._answers is None:
                    raise AssertionError(f"the child ended with {self.process.wait()} before it answered {request}")
                if number in self._answers:
                    answer = self._answers.pop(number)
                    break
                if not self._arrived.wait(max(0, deadline - time.monotonic())):
                    raise TimeoutError(f"no answer to {request}")
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
