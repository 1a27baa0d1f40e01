"""Our DHT nodes on real sockets, many in one process: the test program leither-dht-node."""

import hashlib
import os
import socket
import time

from .daemon import BIN, anonymous_bytes, process_cpu_seconds
from .json_lines import JsonLines
from .krpc import encode

DHT_NODE = os.path.join(BIN, "leither-dht-node")
READY_SECONDS_MAX = 30


def node_address(number):
    """The loopback address of node `number`: each in a /24 of its own, as foreign clients want it."""
    return f"127.{10 + number // 250}.{1 + number % 250}.1"


def bracketed(address):
    """As it stands before a colon and a port."""
    return f"[{address}]" if ":" in address else address


def free_port(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


class DhtNodes:
    """`count` nodes that know `bootstrap`, or each the first one. Each at an address of its own, or all at `address`."""

    def __init__(self, count=1, bootstrap=(), first=0, options=(), address=None):
        listen = [f"{bracketed(address or node_address(first + number))}:0" for number in range(count)]
        command = [DHT_NODE, *(f"--listen={name}" for name in listen),
                   *(f"--bootstrap={bracketed(host)}:{port}" for host, port in bootstrap), *options]
        self.lines = JsonLines(command)
        try:
            ready = self.lines.event(READY_SECONDS_MAX)
        except (TimeoutError, AssertionError):
            self.end()
            raise
        self.endpoints = [_endpoint(node["listen"]) for node in ready["nodes"]]
        self.ids = [bytes.fromhex(node["id"]) for node in ready["nodes"]]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def __len__(self):
        return len(self.endpoints)

    @property
    def pid(self):
        return self.lines.process.pid

    def alive(self):
        return self.lines.process.poll() is None

    def cpu_seconds(self):
        return process_cpu_seconds(self.pid)

    def memory_bytes(self):
        """Anonymous memory: what the nodes hold, without the program's text."""
        return anonymous_bytes(self.pid)

    def end(self):
        return self.lines.end()

    # ---- Items -------------------------------------------------------------------------------------------

    def put_value(self, node, value):
        """{target, copies, queries, us}"""
        data = encode(value)
        answer = self.lines.ask("put_value", node=node, value=data.hex())
        return {**answer, "target": hashlib.sha1(data).digest()}

    def get_value(self, node, target):
        """{value: bencoded, holders, queries, us}; RequestFailed if it is not found."""
        return self.lines.ask("get_value", node=node, target=target.hex())

    def put_mutable(self, node, key, value, seq, salt=b""):
        return self.lines.ask("put_mutable", node=node, seed=key.seed.hex(), value=encode(value).hex(), seq=seq, salt=salt.hex())

    def get_mutable(self, node, public, salt=b""):
        return self.lines.ask("get_mutable", node=node, key=public.hex(), salt=salt.hex())

    # ---- Peers and nodes ---------------------------------------------------------------------------------

    def announce(self, node, info_hash, port=0):
        """Port 0: the node's own, implied."""
        return self.lines.ask("announce", node=node, info_hash=info_hash.hex(), port=port)

    def peers(self, node, info_hash):
        """{(address, port)}"""
        return {_endpoint(text) for text in self.lines.ask("peers", node=node, info_hash=info_hash.hex())["peers"]}

    def find_node(self, node, target):
        return self.lines.ask("find_node", node=node, target=target.hex())

    def contacts(self, node):
        """{(address, port)} of the good nodes in its table."""
        return {_endpoint(text) for text in self.lines.ask("contacts", node=node)["contacts"]}

    def wait_until_known(self, count, seconds=60):
        """Until each has `count` others in its table."""
        deadline = time.monotonic() + seconds
        for node in range(len(self)):
            while len(self.contacts(node)) < count:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"node {node} knows {len(self.contacts(node))} others, not {count}")
                time.sleep(0.05)

    # ---- The world ---------------------------------------------------------------------------------------

    def silence(self, nodes):
        """They hear and say nothing any more: dead without a sign."""
        self.lines.ask("silence", nodes=list(nodes))

    def advance(self, seconds):
        """Moves the nodes' clock."""
        self.lines.ask("advance", seconds=seconds)

    def counters(self):
        return self.lines.ask("counters")


def _endpoint(text):
    address, port = text.rsplit(":", 1)
    return address.strip("[]"), int(port)
