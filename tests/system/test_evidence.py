"""A bookkeeper who votes twice is found out, and the evidence against it judged by anybody, offline."""

import json
import os
import random
import re
import time
import unittest

from harness import formats
from harness.committee import save_key
from harness.daemon import leither, scratch_dir
from harness.network import NetworkDaemon, wait_for
from harness.peer import Peer, message
from harness.sodium import key_from

REFUSED = 1
ALTERATIONS = 40
VOTE = 50
BLOCK = bytes([0x11]) * 32
HEIGHT, ROUND, LIAR = 1, 2, 1
TIME_MS = 1_700_000_000_000


def keys(name):
    return key_from("evidence", name)


def charter_of(bookkeepers, time_ms=TIME_MS):
    return formats.signed_charter(keys("organization"), keys("founder"), bookkeepers, time_ms, 1_000_000, [],
                                  formats.OPEN_PARAMS)


def evidence_file(charter, chain, seat, liar, committee, after):
    """The whole file, written from the documents."""
    conflict = formats.two_prevotes(chain, liar, formats.slot(HEIGHT, ROUND), seat, BLOCK)
    accused = {"seat": seat, "member": liar.id.hex(), "node_key": liar.public.hex(), "vote_key": liar.public.hex()}
    return {"leither_evidence": 1, "kind": "double_prevote",
            "id": formats.evidence_id(chain, HEIGHT, ROUND, seat).hex(), "organization": keys("organization").id.hex(),
            "name": "Test", "chain_id": chain.hex(), "cycle": 0, "height": HEIGHT, "round": ROUND, "after": after,
            "committee": committee, "guilty": [accused], "answerable": [],
            "data": formats.evidence_of_first_height(charter, conflict).hex()}


class EvidenceFileTest(unittest.TestCase):
    """Without a daemon."""

    def setUp(self):
        self.scratch = self.enterContext(scratch_dir())
        self.liar = keys("liar")
        charter, chain = charter_of([keys("honest").public, self.liar.public])
        self.good = evidence_file(charter, chain, LIAR, self.liar, 2, "2023-11-14 22:13:20 UTC")
        self.chain, self.charter = chain, charter

    def verify(self, content, *options):
        path = os.path.join(self.scratch, "evidence.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write(content if isinstance(content, str) else json.dumps(content))
        return leither("evidence", "verify", path, *options, check=False)

    def refusal(self, content, *options):
        done = self.verify(content, "--json", *options)
        self.assertEqual(done.returncode, REFUSED, done.stdout + done.stderr)
        error = json.loads(done.stdout)["error"]
        self.assertTrue(error["message"] and error["next_step"])
        return error["name"]

    def test_says_who_did_what_and_what_it_costs(self):
        done = self.verify(self.good)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for words in ("cast two different prevotes", "height 1, round 2", "seat 1", self.liar.id.hex(), "pledge"):
            self.assertIn(words, done.stdout)
        answer = json.loads(self.verify(self.good, "--json").stdout)
        self.assertEqual(answer["guilty"], self.good["guilty"])

    def test_every_bad_file_is_refused_by_name(self):
        self.assertEqual(self.refusal("{}"), "not_evidence")
        self.assertEqual(self.refusal(dict(self.good, data="no hex")), "not_evidence")
        self.assertEqual(self.refusal(dict(self.good, data=self.good["data"][:-2])), "malformed")
        self.assertEqual(self.refusal(dict(self.good, data="02" + self.good["data"][2:])), "unknown_version")
        self.assertEqual(self.refusal(dict(self.good, height=2)), "field_mismatch")
        self.assertEqual(self.refusal(dict(self.good, guilty=[])), "field_mismatch")
        self.assertEqual(self.refusal(self.good, "--organization", "00" * 20), "wrong_organization")

    def test_only_the_key_of_the_seat_is_convicted(self):
        for seat, liar, name in [(0, self.liar, "not_proven"), (LIAR, keys("honest"), "not_proven"),
                                 (2, self.liar, "unknown_seat")]:
            made = evidence_file(self.charter, self.chain, seat, liar, 2, self.good["after"])
            self.assertEqual(self.refusal(made), name)
        other = charter_of([keys("honest").public, self.liar.public], TIME_MS + 1)[0]
        made = evidence_file(other, self.chain, LIAR, self.liar, 2, self.good["after"])
        self.assertEqual(self.refusal(made), "not_proven")

    def test_each_altered_record_is_refused(self):
        prng = random.Random(5)
        data = self.good["data"]
        for _ in range(ALTERATIONS):
            place = prng.randrange(len(data))
            other = prng.choice([digit for digit in "0123456789abcdef" if digit != data[place]])
            self.refusal(dict(self.good, data=data[:place] + other + data[place + 1:]))


class LyingBookkeeperTest(unittest.TestCase):
    """A daemon keeps the books together with a bookkeeper who votes twice."""

    number = 95

    def setUp(self):
        self.daemon = NetworkDaemon(self, self.number)
        self.liar = keys("liar")
        own = bytes.fromhex(self.daemon.rpc.call("node.status")["node_key"])
        genesis, self.chain = formats.genesis(
            keys("organization"), keys("founder"), [own, self.liar.public], int(time.time() * 1000) - 60_000, 1_000_000,
            [(keys("anna").public, 1_000)], formats.OPEN_PARAMS)
        self.organization = self.daemon.rpc.call("organization.create", genesis=genesis.hex())["id"]
        # Others are let in once there is a manifest.
        wallet = os.path.join(self.enterContext(scratch_dir()), "wallet")
        os.mkdir(wallet, mode=0o700)
        save_key(wallet, "organization", keys("organization"))
        self.daemon.leither("--wallet", wallet, "org", "publish")

    def recorded(self):
        return self.daemon.rpc.call("evidence.list")

    def vote_twice(self):
        peer = Peer(self.daemon.endpoint, self.chain, self.liar)
        self.addCleanup(peer.close)

        def speak():
            for block in (None, BLOCK):
                vote = formats.prevote(self.chain, self.liar, formats.slot(HEIGHT, ROUND), LIAR, block)
                peer.send(message(VOTE, vote))
            return self.recorded()

        self.assertTrue(wait_for(speak, 20), self.daemon.log_tail())

    def test_is_recorded_exported_and_judged_offline(self):
        self.assertEqual(self.daemon.leither("evidence", "list"), [])
        self.assertRegex(self.daemon.run_leither("node", "status").stdout, r"evidence: +none")
        self.vote_twice()
        items = self.recorded()
        self.assertEqual([(item["kind"], item["seat"], item["height"]) for item in items], [("double_prevote", LIAR, HEIGHT)])
        identity = formats.evidence_id(self.chain, HEIGHT, ROUND, LIAR).hex()
        self.assertEqual(items[0]["id"], identity)
        self.assertIsNone(items[0]["at_stake"], "the charter's bookkeepers pledge nothing")
        self.assertRegex(self.daemon.run_leither("node", "status").stdout, r"evidence: +1 conflict recorded")
        with open(self.daemon.log_path, encoding="utf-8") as log:
            self.assertEqual(len(re.findall("conflict_recorded", log.read())), 1)

        path = self.daemon.data_dir + ".json"
        self.daemon.leither("evidence", "export", identity[:12], path)
        self.daemon.stop()
        done = leither("evidence", "verify", path, "--organization", self.organization)
        self.assertIn(self.liar.public.hex(), done.stdout)

        # It is there again, and no report of it takes what nobody has pledged.
        self.daemon.start()
        self.assertEqual(self.recorded(), items)
        self.daemon.leither("key", "new", "anna")
        self.assertEqual(self.daemon.refusal("evidence", "report", path, "--from", "anna"), (REFUSED, "not_found"))
        self.assertEqual(self.daemon.refusal("evidence", "export", "abcdef", path), (REFUSED, "not_found"))


if __name__ == "__main__":
    unittest.main()
