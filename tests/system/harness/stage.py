"""A daemon for the pages alone: serves src/web/site and answers calls from a dictionary. For what a real
daemon rarely shows: rare states, wallets of every kind, errors by name."""

import base64
import hashlib
import http.server
import json
import os
import struct
import threading

from .daemon import ROOT

SITE = os.path.join(ROOT, "src/web/site")
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".svg": "image/svg+xml"}
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
          "base-uri 'none'; frame-ancestors 'none'; form-action 'none'")
UNKNOWN = {"code": -32601, "message": "there is no such method; rpc.discover lists them"}


class Refusal(Exception):
    """An error that a call shall get."""

    def __init__(self, code, name, message):
        super().__init__(message)
        self.error = {"code": code, "message": message, "data": {"name": name}}


class Stage:
    """`answers`: by method a value, or a function of the parameters. `calls` records all there were."""

    def __init__(self, answers):
        self.answers = dict(answers)
        self.calls = []
        self.sockets = []
        self.topics = []  # (socket, number, params)
        self.lock = threading.Lock()
        stage = self

        class Handler(_Handler):
            def __init__(self, *arguments):
                self.stage = stage
                super().__init__(*arguments)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()

    def called(self, method):
        """The parameters of each call of that method."""
        return [params for name, params in self.calls if name == method]

    def tell(self, topic, data):
        """An event to whoever has subscribed to the topic."""
        with self.lock:
            for socket, number, params in self.topics:
                if params["topic"] == topic:
                    _send(socket, {"jsonrpc": "2.0", "method": "event", "params": {"subscription": number, "topic": topic, "data": data}})

    def answer(self, socket, call):
        method, params = call["method"], call.get("params", {})
        self.calls.append((method, params))
        reply = {"jsonrpc": "2.0", "id": call["id"]}
        if method == "subscribe":
            self.topics.append((socket, len(self.topics) + 1, params))
            return {**reply, "result": {"subscription": len(self.topics)}}
        if method == "unsubscribe":
            self.topics = [topic for topic in self.topics if topic[1] != params["subscription"]]
            return {**reply, "result": True}
        if method not in self.answers:
            return {**reply, "error": UNKNOWN}
        try:
            answer = self.answers[method]
            return {**reply, "result": answer(params) if callable(answer) else answer}
        except Refusal as refusal:
            return {**reply, "error": refusal.error}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path == "/rpc":
            return self._websocket()
        if self.path == "/session":
            return self._reply(200, "application/json", b'{"signed_in":true}' if self.headers.get("Authorization") else b'{"signed_in":false}')
        path = os.path.join(SITE, "index.html" if self.path == "/" else self.path.lstrip("/"))
        if not os.path.isfile(path):
            return self._reply(404, "text/plain", b"not here\n")
        with open(path, "rb") as file:
            return self._reply(200, TYPES[os.path.splitext(path)[1]], file.read())

    def do_POST(self):
        self._reply(200, "application/json", b'{"key":"stage"}')

    def _reply(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def _websocket(self):
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.send_header("Sec-WebSocket-Protocol", "leither.rpc")
        self.end_headers()
        self.wfile.flush()
        self.close_connection = True
        while (text := self._frame()) is not None:
            reply = self.stage.answer(self.connection, json.loads(text))
            with self.stage.lock:
                _send(self.connection, reply)
        with self.stage.lock:
            self.stage.topics = [topic for topic in self.stage.topics if topic[0] is not self.connection]

    def _frame(self):
        """The next text; None once the page has gone."""
        head = self.rfile.read(2)
        if len(head) < 2 or head[0] & 0x0f != 1:
            return None
        length = head[1] & 0x7f
        if length == 126:
            length, = struct.unpack(">H", self.rfile.read(2))
        elif length == 127:
            length, = struct.unpack(">Q", self.rfile.read(8))
        mask = self.rfile.read(4)
        return bytes(byte ^ mask[index % 4] for index, byte in enumerate(self.rfile.read(length))).decode()


def _send(socket, message):
    data = json.dumps(message).encode()
    head = bytes([0x81, len(data)]) if len(data) < 126 else b"\x81\x7e" + struct.pack(">H", len(data)) if len(data) < 65536 else b"\x81\x7f" + struct.pack(">Q", len(data))
    try:
        socket.sendall(head + data)
    except OSError:
        pass  # the page has gone
