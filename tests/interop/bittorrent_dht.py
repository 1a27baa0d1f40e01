"""Nodes of npm bittorrent-dht, all in one process of node."""

import os
import shutil
import time

from harness.json_lines import JsonLines

HERE = os.path.dirname(os.path.abspath(__file__))


def missing():
    """What keeps it from running, or None."""
    if shutil.which("node") is None:
        return "no node"
    if not os.path.isdir(os.path.join(HERE, "node_modules", "bittorrent-dht")):
        return "bittorrent-dht is not installed: npm ci in tests/interop"
    return None


class BittorrentDht:
    def __init__(self):
        self.lines = JsonLines(["node", os.path.join(HERE, "bittorrent_dht.mjs")], cwd=HERE)

    def start(self, address, port, bootstrap):
        """A node that knows (address, port) pairs."""
        names = [f"{host}:{number}" for host, number in bootstrap]
        answer = self.lines.ask("start", address=address, port=port, bootstrap=names or False)
        return BittorrentDhtNode(self.lines, answer["node"], (address, port))

    def end(self):
        return self.lines.end()


class BittorrentDhtNode:
    def __init__(self, lines, number, endpoint):
        self.endpoint = endpoint
        self._lines = lines
        self._number = number

    def _ask(self, what, **fields):
        return self._lines.ask(what, node=self._number, **fields)

    def nodes(self):
        return self._ask("count")["nodes"]

    def wait_for_nodes(self, count, seconds=60):
        deadline = time.monotonic() + seconds
        while self.nodes() < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"bittorrent-dht knows {self.nodes()} nodes, not {count}")
            time.sleep(0.05)

    def put_value(self, value):
        """(target, copies stored)"""
        answer = self._ask("put_value", value=value.hex())
        return bytes.fromhex(answer["target"]), answer["copies"]

    def get_value(self, target):
        return _bytes(self._ask("get_value", target=target.hex())["value"])

    def put_mutable(self, key, value, seq, salt=b"", **more):
        answer = self._ask("put_mutable", seed=key.seed.hex(), value=value.hex(), seq=seq, salt=salt.hex(), **more)
        return bytes.fromhex(answer["target"]), answer["copies"]

    def get_mutable(self, public, salt=b""):
        """(value, sequence)"""
        answer = self._ask("get_mutable", key=public.hex(), salt=salt.hex())
        return _bytes(answer["value"]), answer.get("seq")

    def announce(self, info_hash, port):
        self._ask("announce", info_hash=info_hash.hex(), port=port)

    def peers(self, info_hash):
        """{(address, port)}"""
        found = (text.rsplit(":", 1) for text in self._ask("peers", info_hash=info_hash.hex())["peers"])
        return {(address, int(port)) for address, port in found}


def _bytes(text):
    return None if text is None else bytes.fromhex(text)
