"""Datagrams that no node should send, by the thousand: none may stop ours, and none may be answered with
anything but a well-formed error or reply to its own transaction.

LEITHER_KRPC_TARGET as in test_krpc_blackbox.
"""

import json
import os
import random
import time
import unittest

from test_krpc_blackbox import PROTOCOL, BlackBox

from harness import malformed
from harness.daemon import shared_data
from harness.krpc import Asker, encode

SEED = int(os.environ.get("LEITHER_SEED", "1"))
DATAGRAMS_PER_ADDRESS = 25      # below what one address may send at once
PAUSE_SECONDS = 0.03            # and what all together may
CODES = set(range(201, 208)) | {301, 302}


class Malformed(BlackBox):
    def setUp(self):
        self.prng = random.Random(SEED)
        with Asker(self.target) as asker:
            self.id = asker.r("ping")[b"id"]

    def exchange(self, datagrams):
        """[(datagram, answers)], each address sending a few; the node is asked in between whether it lives."""
        datagrams = list(datagrams)
        for begin in range(0, len(datagrams), DATAGRAMS_PER_ADDRESS):
            with Asker(self.target) as asker:
                for datagram in datagrams[begin:begin + DATAGRAMS_PER_ADDRESS]:
                    yield datagram, asker.answers_to(datagram)
                self.assertEqual(self.id, asker.r("ping")[b"id"])
                self.assertEqual({self.target}, asker.sources_seen)
            time.sleep(PAUSE_SECONDS)

    def check_shape(self, datagram, answers):
        self.assertLessEqual(len(answers), 1, datagram)
        for answer in answers:
            self.assertIn(answer[b"y"], (b"r", b"e"), datagram)
            self.assertIn(encode(answer[b"t"]), datagram, "a transaction that was not in the query")
            if answer[b"y"] == b"e":
                code, text = answer[b"e"]
                self.assertIn(code, CODES)
                self.assertIsInstance(text, bytes)

    def check_refused(self, messages, codes=(PROTOCOL,)):
        """Each message is answered with one error of these codes."""
        messages = list(messages)
        for (what, _), (_, answers) in zip(messages, self.exchange(encode(message) for _, message in messages)):
            self.assertEqual([True], [answer[b"y"] == b"e" and answer[b"e"][0] in codes for answer in answers], (what, answers))

    def check_harmless(self, datagrams):
        for datagram, answers in self.exchange(datagrams):
            self.check_shape(datagram, answers)

    def test_every_field_of_a_wrong_type_is_203(self):
        self.check_refused(malformed.wrong_types())

    def test_every_field_of_a_wrong_length_is_203(self):
        self.check_refused(malformed.wrong_lengths())

    def test_every_missing_field_is_203(self):
        self.check_refused(malformed.missing_fields())

    def test_broken_heads_are_harmless(self):
        self.check_harmless(encode(message) for message in malformed.broken_heads())

    def test_a_transaction_that_is_no_string_is_not_answered(self):
        for t in (5, -1, [b"aa"], {"a": b"a"}):
            for _, answers in self.exchange([encode(malformed.query("ping", t=t))]):
                self.assertEqual([], answers)

    def test_odd_syntax_is_never_a_reply(self):
        for datagram, answers in self.exchange(malformed.odd_syntax()):
            self.check_shape(datagram, answers)
            if answers and b"9" * 19 not in datagram and b"1:x" not in datagram:
                self.assertEqual(b"e", answers[0][b"y"], datagram)

    def test_what_is_too_long_is_harmless(self):
        self.check_harmless(malformed.too_long())

    def test_what_is_cut_short_is_never_answered(self):
        for datagram, answers in self.exchange(malformed.cut_short()):
            self.assertEqual([], answers, datagram)

    def test_altered_queries_are_harmless(self):
        self.check_harmless(malformed.altered(self.prng, 1500))

    def test_random_bytes_are_harmless(self):
        self.check_harmless(malformed.random_bytes(self.prng, 500))

    def test_captured_datagrams_are_harmless(self):
        data = shared_data()
        path = data and os.path.join(data, "vectors/krpc/captured_datagrams.json")
        if not path or not os.path.exists(path):
            self.skipTest("no shared data")
        with open(path, encoding="utf-8") as file:
            vectors = json.load(file)["vectors"]
        for datagram, answers in self.exchange(bytes.fromhex(vector["datagram"]) for vector in vectors):
            self.assertLessEqual(len(answers), 1, datagram)


if __name__ == "__main__":
    unittest.main()
