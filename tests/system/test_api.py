"""The local API towards strangers, mistakes and malice (docs/rpc.md)."""

import http.client
import json
import os
import random
import socket
import time
import unittest

from harness.community import Community, submit, wait_until_empty
from harness.daemon import RpcError, shared_data, start_for_class

BODY_BYTES_MAX = 2 << 20
BATCH_CALLS_MAX = 1000
CONNECTIONS_MAX = 64
GROWTH_BYTES_MAX = 24 << 20


class ApiTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        start_for_class(cls)
        cls.community = Community(cls.daemon.rpc, accounts=20)
        cls.rpc = cls.daemon.rpc

    def assert_alive(self):
        self.assertIsNone(self.daemon.process.poll(), self.daemon.log_tail())
        self.assertIsNone(self.rpc.call("node.status")["catching_up"], "it has no network")

    def raw(self, payload, seconds=5):
        """What the daemon answers to raw bytes on a connection of their own."""
        with socket.create_connection((self.rpc.host, self.rpc.port), timeout=seconds) as connection:
            try:
                connection.sendall(payload)
                connection.shutdown(socket.SHUT_WR)
                answer = b""
                while chunk := connection.recv(65536):
                    answer += chunk
                return answer
            except OSError:
                return b""

    def status_of(self, body="{}", **headers):
        self.rpc.close()
        return self.rpc.post(body, **headers)[0]


class Door(ApiTest):
    STATUS = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "node.status", "params": {}})

    def test_the_cookie_is_demanded(self):
        self.assertEqual(self.status_of(self.STATUS), 200)
        self.assertIn(self.status_of(self.STATUS, Authorization=""), (401, 403))
        self.assertIn(self.status_of(self.STATUS, Authorization="Bearer " + "0" * 64), (401, 403))
        self.assertIn(self.status_of(self.STATUS, Authorization="Basic " + self.rpc.cookie), (401, 403))

    def test_a_foreign_host_name_is_refused(self):
        for host in ("example.org", "127.0.0.1.example.org", "", "localhost.evil:80", "10.0.0.1"):
            self.assertIn(self.status_of(self.STATUS, Host=host), (400, 403, 421), host)
        for host in ("localhost", "127.0.0.1:1", f"[::1]:{self.rpc.port}"):
            self.assertEqual(self.status_of(self.STATUS, Host=host), 200, host)

    def test_a_web_page_elsewhere_is_refused(self):
        for origin in ("https://example.org", "null", "http://localhost.evil", "file://"):
            self.assertIn(self.status_of(self.STATUS, Origin=origin), (400, 403), origin)
        self.assertEqual(self.status_of(self.STATUS, Origin=f"http://127.0.0.1:{self.rpc.port}"), 200)

    def test_the_files_are_private(self):
        for name in ("cookie", "address"):
            mode = os.stat(os.path.join(self.daemon.data_dir, name)).st_mode & 0o777
            self.assertEqual(mode, 0o600, name)

    def test_health_and_metrics(self):
        self.assertEqual(self.rpc.get("/healthz")[0], 200)
        status, text = self.rpc.get("/metrics", Authorization=f"Bearer {self.rpc.cookie}")
        self.assertEqual(status, 200)
        self.assertRegex(text, r"(?m)^# TYPE leither_\w+ counter$")
        self.assertEqual(self.rpc.get("/nowhere", Authorization=f"Bearer {self.rpc.cookie}")[0], 404)


class Mistakes(ApiTest):
    def error(self, method, **params):
        with self.assertRaises(RpcError) as caught:
            self.rpc.call(method, **params)
        return caught.exception

    def test_each_mistake_has_its_code(self):
        self.assertEqual(self.error("no.such").code, -32601)
        self.assertEqual(self.error("account.get").code, -32602)
        self.assertEqual(self.error("account.get", account="zz").code, -32602)
        self.assertEqual(self.error("account.get", account="00" * 20, nonsense=1).code, -32602)
        self.assertEqual(self.error("block.get", sequence=-1).code, -32602)
        self.assertEqual(self.error("account.get", account="00" * 20, sequence=10 ** 9).code, 3)
        self.assertEqual(self.error("block.get", sequence=10 ** 9).code in (3, 4), True)

    def test_a_refusal_comes_by_name_with_its_numbers(self):
        payer, payee = self.community.keys[:2]
        data, _ = self.community.sign_transfer(payer, payee, 10 ** 12)
        self.community.counters[payer.id] -= 1
        error = self.error("transaction.submit", transaction=data.hex())
        self.assertEqual((error.code, error.name), (1, "insufficient_balance"))
        self.assertEqual(int(error.data["limit"]), 10 ** 12)
        self.assertEqual(self.error("transaction.submit", transaction="00").name, "malformed")

    def test_a_forged_signature_is_refused(self):
        payer, payee = self.community.keys[2:4]
        data, _ = self.community.sign_transfer(payer, payee, 1)
        self.community.counters[payer.id] -= 1
        forged = data[:-1] + bytes([data[-1] ^ 1])
        self.assertEqual(self.error("transaction.submit", transaction=forged.hex()).name, "bad_signature")

    def test_the_same_transaction_commits_once(self):
        transfer = self.community.sign_transfer(*self.community.keys[4:6], 5)
        self.assertEqual(submit(self.rpc, [transfer])[0][1], None)
        self.assertIn(submit(self.rpc, [transfer])[0][1], ("already_pending", "already_committed", "bad_nonce"))
        wait_until_empty(self.rpc)
        self.assertIn(submit(self.rpc, [transfer])[0][1], ("already_committed", "bad_nonce"))


class Limits(ApiTest):
    def test_a_body_at_the_limit_and_above(self):
        padding = " " * (BODY_BYTES_MAX - len(Door.STATUS))
        self.assertEqual(self.status_of(Door.STATUS + padding), 200)
        try:
            self.assertEqual(self.status_of(Door.STATUS + padding + " "), 413)
        except (OSError, http.client.HTTPException):
            pass  # refused before we had sent it all
        self.rpc.close()
        self.assert_alive()

    def test_a_batch_at_the_limit_and_above(self):
        def batch(size):
            self.rpc.close()
            return json.loads(self.rpc.post(json.dumps([json.loads(Door.STATUS)] * size))[1])
        self.assertEqual(len(batch(BATCH_CALLS_MAX)), BATCH_CALLS_MAX)
        self.assertEqual(batch(BATCH_CALLS_MAX + 1)["error"]["code"], -32600)

    def test_more_connections_than_allowed(self):
        self.rpc.close()
        crowd = [socket.create_connection((self.rpc.host, self.rpc.port), timeout=5) for _ in range(2 * CONNECTIONS_MAX)]
        for connection in crowd:
            connection.close()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                self.assert_alive()
                return
            except (OSError, ValueError, http.client.HTTPException):
                self.rpc.close()
                time.sleep(0.05)
        self.assert_alive()


class Malice(ApiTest):
    REQUEST = b"POST /rpc HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s"

    def framed(self, body):
        return self.REQUEST % (self.rpc.cookie.encode(), len(body), body)

    def flood(self, payloads):
        """Sends each on its own connection; the daemon stays, and stays small."""
        self.assert_alive()
        before = self.daemon.resident_bytes()
        for payload in payloads:
            self.raw(payload)
        self.rpc.close()
        self.assert_alive()
        self.assertLess(self.daemon.resident_bytes() - before, GROWTH_BYTES_MAX)

    def test_mutated_requests(self):
        prng = random.Random(1)
        good = self.framed(Door.STATUS.encode())
        self.flood(_mutated(prng, good) for _ in range(1500))

    def test_mutated_json(self):
        prng = random.Random(2)
        texts = [Door.STATUS.encode(), b'[{"jsonrpc":"2.0","method":"account.get","params":{"account":"' + b"0" * 40 + b'"},"id":"x"}]']
        self.flood(self.framed(_mutated(prng, prng.choice(texts))) for _ in range(1500))

    def test_hostile_shapes(self):
        deep = b"[" * 100_000
        self.flood(map(self.framed, [
            deep, deep + b"]" * 100_000, b'{"a":' * 50_000, b'"' + b"\\u0000" * 10_000 + b'"', b"\xff\xfe" * 1000,
            b'{"jsonrpc":"2.0","id":1e999,"method":"node.status"}', b'{"id":1,"id":2}', b"", b"null", b"[]", b"0" * 100_000,
            b'{"jsonrpc":"2.0","id":1,"method":"' + b"m" * 500_000 + b'"}',
            b'{"jsonrpc":"2.0","id":1,"method":"transaction.submit_many","params":{"transactions":[' + b'"",' * 5001 + b'""]}}',
        ]))

    def test_hostile_heads(self):
        cookie = self.rpc.cookie.encode()
        self.flood([
            b"GET / HTTP/1.1\r\nHost: " + b"a" * 100_000 + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
            b"POST /rpc HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + cookie +
            b"\r\nContent-Length: 99999999999999999999\r\n\r\n",
            b"POST /rpc HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + cookie +
            b"\r\nContent-Length: -1\r\n\r\n",
            b"POST /rpc HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + cookie +
            b"\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
            b"POST /rpc HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + cookie +
            b"\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"GET /rpc HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x00" * 100_000, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ] * 20)

    def test_vectors_of_other_parsers(self):
        folder = os.path.join(shared_data() or "", "vectors/json/test_parsing")
        if not os.path.isdir(folder):
            self.skipTest("no shared JSON vectors beside this clone")
        bodies = []
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), "rb") as file:
                bodies.append(file.read())
        self.flood(map(self.framed, bodies))


def _mutated(prng, data):
    data = bytearray(data)
    for _ in range(prng.randint(1, 6)):
        place = prng.randrange(len(data))
        act = prng.randrange(4)
        if act == 0:
            data[place] = prng.randrange(256)
        elif act == 1:
            del data[place:place + prng.randint(1, 20)]
        elif act == 2:
            data[place:place] = bytes(prng.randrange(256) for _ in range(prng.randint(1, 20)))
        else:
            data[place:place] = data[max(0, place - 30):place] * prng.randint(1, 50)
        data = data or bytearray(b"x")
    return bytes(data)



if __name__ == "__main__":
    unittest.main()
