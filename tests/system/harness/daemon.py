"""A leitherd of our own in a directory of our own, and ways to talk to it."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BIN = os.environ.get("LEITHER_BIN", os.path.join(ROOT, "build/release/bin"))
LEITHERD = os.path.join(BIN, "leitherd")
LEITHER = os.path.join(BIN, "leither")
START_SECONDS_MAX = 30


def shared_data():
    """The folder of real inputs beside the clone, or None."""
    place = os.environ.get("LEITHER_SHARED_DATA") or os.path.join(os.path.dirname(ROOT), "shared/data")
    return place if os.path.isdir(place) else None


class RpcError(Exception):
    def __init__(self, error):
        super().__init__(f"{error.get('code')}: {error.get('message')} {error.get('data')}")
        self.code = error.get("code")
        self.message = error.get("message")
        self.data = error.get("data") or {}

    @property
    def name(self):
        return self.data.get("name")


# States of a transaction that is in a block.
DECIDED = ("committed", "secured", "settled")

# What a call may meet while its daemon dies or stops.
GONE = (OSError, ValueError, http.client.HTTPException, RpcError)


class Rpc:
    """One connection to the local API, opened again when it breaks."""

    def __init__(self, url, cookie, timeout=60):
        self.url = url
        parts = urllib.parse.urlsplit(url)
        self.host, self.port, self.path = parts.hostname, parts.port, parts.path
        self.cookie = cookie
        self.timeout = timeout
        self._connection = None
        self._next_id = 0

    def call(self, method, **params):
        self._next_id += 1
        request = {"jsonrpc": "2.0", "id": self._next_id, "method": method, "params": params}
        status, text = self.post(json.dumps(request))
        if status != 200:
            raise RpcError({"code": status, "message": text[:200]})
        reply = json.loads(text)
        if "error" in reply:
            raise RpcError(reply["error"])
        if reply.get("id") != self._next_id:
            raise RpcError({"code": 0, "message": f"answer to another call: {text[:200]}"})
        return reply["result"]

    def post(self, body, **headers):
        """(status, text) of a raw body with the right headers, unless others are given."""
        was_open = self._connection is not None
        try:
            return self._post(body, headers)
        except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
            # The daemon closes connections that were idle for long; one that is new has no such excuse.
            if not was_open:
                raise
            return self._post(body, headers)

    def _post(self, body, headers):
        if self._connection is None:
            self._connection = self._open()
        try:
            sent = {"Authorization": f"Bearer {self.cookie}", "Content-Type": "application/json", **headers}
            self._connection.request("POST", self.path, body, sent)
            response = self._connection.getresponse()
            return response.status, response.read().decode()
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def _open(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)

    def get(self, path, **headers):
        connection = self._open()
        with contextlib.closing(connection):
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Daemon:
    """Starts and stops one leitherd. Keeps its output in <dir>.log, to show when something fails."""

    prefix = ()  # words before each command, where it runs elsewhere than here

    def __init__(self, data_dir, options=()):
        self.data_dir = data_dir
        self.options = list(options)
        self.process = None
        self.rpc = None
        self.log_path = data_dir.rstrip("/") + ".log"

    def command(self, *more):
        return [*self.prefix, LEITHERD, "--data-dir", self.data_dir, "--set", "rpc.listen=127.0.0.1:0",
                "--set", "network.enabled=false", *self.options, *more]

    def start(self):
        """Starts and waits until the API serves; the seconds that took."""
        for name in ("address", "cookie"):
            with contextlib.suppress(FileNotFoundError):
                os.remove(os.path.join(self.data_dir, name))
        begin = time.monotonic()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log)
        while not self._serves():
            if self.process.poll() is not None:
                raise AssertionError(f"leitherd ended with {self.process.returncode}:\n{self.log_tail()}")
            if time.monotonic() - begin > START_SECONDS_MAX:
                raise AssertionError(f"leitherd does not serve after {START_SECONDS_MAX} s:\n{self.log_tail()}")
            time.sleep(0.005)
        return time.monotonic() - begin

    def connect(self, timeout=60):
        """A connection of its own, for another thread or for long calls."""
        return self.open_rpc(self.rpc.url, self.rpc.cookie, timeout)

    def open_rpc(self, url, cookie, timeout=60):
        return Rpc(url, cookie, timeout)

    def _serves(self):
        try:
            url = _read(os.path.join(self.data_dir, "address"))
            cookie = _read(os.path.join(self.data_dir, "cookie"))
        except FileNotFoundError:
            return False
        if not url.endswith("/rpc"):
            return False
        rpc = self.open_rpc(url, cookie)
        try:
            rpc.call("node.status")
        except (OSError, http.client.HTTPException):
            return False
        self.rpc = rpc
        return True

    def stop(self, seconds_max=5):
        """SIGTERM; the seconds it took. Fails if they are too many or the exit code is not 0."""
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds_max)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"leitherd did not stop within {seconds_max} s:\n{self.log_tail()}") from None
        self._close_rpc()
        if code != 0:
            raise AssertionError(f"leitherd ended with {code}:\n{self.log_tail()}")
        return time.monotonic() - begin

    def kill(self):
        """Power loss, as far as a process can meet it."""
        self.process.kill()
        self.process.wait()
        self._close_rpc()

    def _close_rpc(self):
        if self.rpc is not None:
            self.rpc.close()

    def end(self):
        """Leaves nothing running, whatever happened."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._close_rpc()

    def verify(self):
        """Re-executes every block of the stopped daemon's directory; the text it prints."""
        done = subprocess.run([LEITHERD, "--data-dir", self.data_dir, "--verify"], check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"leitherd --verify ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def log_tail(self, lines=40):
        with contextlib.suppress(FileNotFoundError):
            with open(self.log_path, encoding="utf-8", errors="replace") as file:
                return "".join(file.readlines()[-lines:])
        return ""

    # ---- What the kernel knows of it ---------------------------------------------------------------

    def cpu_seconds(self):
        return process_cpu_seconds(self.process.pid)

    def written_bytes(self):
        return _proc_field(self.process.pid, "io", "write_bytes")

    def resident_bytes(self):
        return _proc_field(self.process.pid, "status", "VmRSS") * 1024

    def anonymous_bytes(self):
        return anonymous_bytes(self.process.pid)

    def peak_bytes(self):
        return _proc_field(self.process.pid, "status", "VmHWM") * 1024

    def run_leither(self, *words, **options):
        """One command to this daemon; the finished process."""
        nobody = {} if "input" in options else {"stdin": subprocess.DEVNULL}  # no terminal to ask for a passphrase
        return subprocess.run([*self.prefix, LEITHER, "--data-dir", self.data_dir, *words], check=False,
                              **{"capture_output": True, "text": True, "timeout": 60, **nobody, **options})

    def leither(self, *words, **options):
        """What a command answers, as JSON."""
        done = self.run_leither("--json", *words, **options)
        if done.returncode:
            raise AssertionError(f"leither {' '.join(words)}: {done.returncode}: {done.stderr or done.stdout}")
        return json.loads(done.stdout)

    def refusal(self, *words):
        """(exit code, name) of a command that must not succeed."""
        done = self.run_leither("--json", *words)
        if not done.returncode:
            raise AssertionError(f"leither {' '.join(words)}: done, {done.stdout}")
        return done.returncode, json.loads(done.stdout)["error"]["name"] if done.stdout else ""


def start_for_class(cls):
    """A daemon without network, `cls.daemon`, for all tests of a class, and `cls.scratch` for their files."""
    cls.scratch = cls.enterClassContext(scratch_dir())
    cls.daemon = Daemon(os.path.join(cls.scratch, "node"))
    cls.addClassCleanup(cls.daemon.end)
    os.mkdir(cls.daemon.data_dir)
    cls.daemon.start()


def process_cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def anonymous_bytes(pid):
    return _proc_field(pid, "status", "RssAnon") * 1024


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def _proc_field(pid, name, field):
    with open(f"/proc/{pid}/{name}", encoding="ascii") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    raise KeyError(field)


def _read(path):
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def leither(*arguments, data_dir=None, check=True, stdin=None, env=None):
    """Runs the CLI; the finished process."""
    where = ["--data-dir", data_dir] if data_dir else []
    done = subprocess.run([LEITHER, *arguments, *where], check=False, capture_output=True, text=True, input=stdin,
                          env=dict(os.environ, **(env or {})))
    if check and done.returncode != 0:
        raise AssertionError(f"leither {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


@contextlib.contextmanager
def scratch_dir():
    path = tempfile.mkdtemp(prefix="leither-test-")
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
