"""What a busy daemon with a wallet would answer, by the documents, for harness.stage."""

import time

from .stage import Refusal

NOW_MS = int(time.time() * 1000)
ORGANIZATION = "4c6a381a17a108f3407dfa19f7276d06a4e0b2b8"
ANNA, MILL, BEA, CARL, DORA = (word * 8 for word in ("3f2a9", "b80d4", "91c7e", "0ad53", "e64f1"))
KEYS = {account: account[:32] * 2 for account in (ANNA, MILL, BEA, CARL, DORA)}
NODES = ["1d" * 20, "47" * 20, "6b" * 20, "98" * 20, "c3" * 20, "ef" * 20, "0a" * 20]
REQUEST = "leither:pay:" + "01a7f3" * 60
FINALITY = {"final": True, "certified": True, "countersigned": 0, "online": 0, "needed": 0, "dissenting": 0}


def ago(minutes):
    return NOW_MS - int(minutes * 60_000)


def status():
    return {
        "version": "0.1.0", "node_key": "9a" * 32, "uptime_s": 93_000, "pulse": 412_345,
        "organization": {
            "id": ORGANIZATION, "name": "Bakers' Row", "chain_id": "ab" * 32, "sequence": 1804, "sequence_pulse": 412_300,
            "root": {"hash": "cd" * 32, "sum": "1000000"}, "final_sequence": 1804, "finality": FINALITY, "oldest_sequence": 0, "members": 5,
            "mempool": {"transactions": 0, "bytes": 0}, "tree": {"cached_nodes": 10, "cached_bytes": 1000},
            "evidence": {"conflicts": 0, "forks": []},
            "checkpoint": {"newest": {"name": "1790:" + "5e" * 32, "block": "5e" * 32, "sequence": 1790}, "gathering": None, "from_cycle": 0, "to_cycle": 229}},
        "network": {"dht": {"ready": True, "role": "member", "id": NODES[0], "nodes_v4": 41, "nodes_v6": 3, "items": 12, "peers": 9},
                    "connections": 6, "addresses": "192.0.2.7:7400", "ports": "mapped at the router for 3,600 s",
                    "reachability": "reachable: 3 of 3 nodes have connected", "organization": {"id": ORGANIZATION, "chain_id": "ab" * 32, "manifest": {"name": "Bakers' Row", "unit": "hour", "decimals": 2}, "accounts": [], "members_nodes": 6}},
        "catching_up": {"stage": "idle", "behind": 0, "state_permille": 0, "trouble": "none"}}


def info():
    return {"id": ORGANIZATION, "chain_id": "ab" * 32, "name": "Bakers' Row", "unit": "hour", "decimals": 2, "supply": "100000000",
            "treasury": {"kind": "treasury", "balance": "91204050", "pending": [], "sum": "91204050"}, "params": {"supervisors_required": 1}, "bookkeeping": {"supervisors": [ANNA, CARL]}, "bookkeepers": ["9a" * 32], "trusted": True}


def member(account, balance, role="member"):
    return {"account": account, "key": KEYS[account], "role": role, "balance": balance, "locked": "0"}


MEMBERS = [member(CARL, "48200"), member(ANNA, "128750", "supervisor"), member(BEA, "9212300"), member(MILL, "300000"), member(DORA, "0")]


def account(params):
    found = [one for one in MEMBERS if one["account"] == params["account"]]
    record = {"kind": "member", **found[0], "locks": [], "lanes": [], "sum": found[0]["balance"]} if found else None
    return {"account": params["account"], "sequence": 1804, "record": record}


def item(sequence, minutes, kind, direction, counterparty, amount, reference, **more):
    return {"sequence": sequence, "pulse": sequence * 200, "time_ms": ago(minutes), "id": f"{sequence:064x}", "kind": kind, "signer": ANNA,
            "direction": direction, "counterparty": counterparty, "amount": amount, "reference": reference, **more}


HISTORY = [item(1804, 4, "transfer", "in", BEA, "1250", "two loaves of rye"), item(1799, 61, "transfer", "out", CARL, "4000", "firewood, one cord"),
           item(1733, 400, "transfer", "in", MILL, "112000", "flour of the whole month, delivered on Tuesdays"),
           item(1701, 1500, "reward", "in", ORGANIZATION, "40000", "repaired the oven"),
           item(1544, 4000, "transfer", "out", DORA, "75", "an egg"), item(1500, 9000, "join", "none", BEA, None, "")]
REWARDS = [item(1701, 1500, "reward", "out", ANNA, "40000", "repaired the oven"),
           item(1650, 3000, "reward", "out", BEA, "120000", "built the shop's counter", vote="77" * 20),
           item(1208, 20000, "reward", "out", CARL, "5000", "translated the statutes")]


def vote(identity, kind, state, yes, no, **more):
    subject = {"kind": kind, "member": BEA, "amount": "400000", "reason": "built the shop's counter and shelves", "proof": "photographs in the shop, invoice 17"}
    if kind == "parameter":
        subject = {"kind": "parameter", "parameter": "member_transactions_per_cycle", "value": 500, "reason": "market days are busy", "now": 200,
                   "least": 1, "most": 100000, "unit": ""}
    needed = 2
    lacks = [word for word, lacking in (("quorum", yes < needed), ("majority", 2 * no > yes)) if lacking]
    return {"vote": identity, "proposal": identity[:32] * 2, "proposer": ANNA, "subject": subject, "opened": 1, "closes": 2, "closes_ms": ago(-900),
            "state": state, "yes": yes, "no": no, "members": 5, "quorum": {"needed": needed, "reached": yes >= needed},
            "majority": {"needed": -(-2 * (yes + no) // 3), "reached": not lacks}, "lacks": lacks, **more}


VOTES = [vote("11" * 20, "structural", "open", 1, 0, own={"account": ANNA, "standing": "may_cast"}),
         vote("22" * 20, "parameter", "open", 3, 1, own={"account": ANNA, "standing": "has_cast", "choice": "yes"}),
         vote("77" * 20, "operation", "passed", 4, 0, effect={"pending": False}), vote("33" * 20, "parameter", "rejected", 1, 0)]
SAID = [(BEA, 95, "Good morning! Who has flour left? I am two bags short for tomorrow."), (CARL, 80, "Nothing here, sorry."),
        (ANNA, 71, "The mill has. I pass by at noon and can bring two bags."), (BEA, 70, "You are a treasure. I will send a request for the ride."),
        (DORA, 12, "Eggs are back from Thursday on.\nSame price as before the winter.")]
LINES = [{"id": f"{index:064x}", "author": author, "key": KEYS[author], "number": index, "time_ms": ago(minutes), "text": text}
         for index, (author, minutes, text) in enumerate(SAID)]
LOGS = [{"number": number, "time_ms": ago(40 - number), "level": level, "room": room, "event": event, "fields": fields} for number, (level, room, event, fields) in enumerate([
    ("info", "app", "ready", "version=0.1.0 url=http://127.0.0.1:7171/rpc"), ("info", "node", "organization_opened", "sequence=1790 members=5"),
    ("info", "peer", "reachability", "verdict=reachable detail=\"3 of 3 nodes have connected\""), ("warn", "io", "port_mapping_renewed_late", "seconds=12"),
    ("error", "node", "clock_not_trusted", "ahead_ms=8120 peers=4")], 1)]
INBOX = [{"id": "a1", "kind": "request", "account": ANNA, "from": BEA, "sent_ms": ago(9), "state": "waiting", "text": REQUEST, "message": "e1" * 32, "amount": "2500",
          "reference": "ride to the mill", "expires_ms": ago(-50), "why_waiting": "25.00 hour is above what you allow for one request (10.00 hour)"},
         {"id": "a2", "kind": "application", "account": ANNA, "from": "5bd0c" * 8, "sent_ms": ago(30), "state": "waiting", "text": "I bake gluten-free and live next to the church.\nleither:join:0a1b2c", "message": "e2" * 32},
         {"id": "a3", "kind": "request", "account": ANNA, "from": DORA, "sent_ms": ago(300), "state": "paid", "text": "leither:pay:00", "message": "e3" * 32, "amount": "75", "reference": "an egg"}]

EVE = "5bd0c" * 8
APPLICATION = "leither:join:" + "0a1b2c" * 40
APPLICATIONS = [{"applicant": EVE, "key": EVE[:32] * 2, "sent_ms": ago(30), "carrier": EVE, "sponsor": None, "account": ANNA,
                 "note": "I bake gluten-free and live next to the church.", "state": "waiting", "expiry": 9, "application": APPLICATION}]
OFFER = "leither:cosign:" + "2c0b1a" * 60
OFFERS = [{"id": "d1" * 32, "kind": "join", "what": "admit 7f3c0a1e... (repairs roofs)", "signer": CARL, "missing": [ANNA], "until_ms": ago(-240), "offer": OFFER}]
INVITATION = "leither:invite:" + "qpzry9x8" * 45
INVITED = {"organization": ORGANIZATION, "name": "Bakers' Row", "chain_id": "ab" * 32, "checkpoint": "1790:" + "5e" * 32,
           "nodes": [{"node_key": "9a" * 32, "endpoints": ["192.0.2.7:7400", "[2001:db8::7]:7400"]}], "member": ANNA, "expires_ms": ago(-20160), "expired": False}
PARAMETERS = [{"parameter": "vote_pulses", "now": 3600, "least": 60, "most": 2592000, "unit": "pulses"},
              {"parameter": "supervisors_required", "now": 1, "least": 1, "most": 16, "unit": ""}]
TASK = "leither:task:" + "9x8gf2tv" * 40


def task(identity, title, amount, state, supervisor=ANNA, claims=(), submissions=(), text=""):
    return {"id": identity * 32, "title": title, "text": text, "amount": amount, "supervisor": supervisor, "expires_ms": ago(-20000), "state": state,
            "claims": [{"worker": worker, "sent_ms": ago(300)} for worker in claims],
            "submissions": [{"worker": worker, "sent_ms": ago(30), "proof": proof} for worker, proof in submissions], "task": TASK}


TASKS = [task("a7", "Whitewash the bakehouse", "8000", "paid to 0ad53a0a", claims=[CARL], submissions=[(CARL, "it is white")]),
         task("b7", "Sweep the square after the market", "1500", "open", supervisor=CARL),
         task("c7", "Repair the oven", "4000", "handed in by 91c7e91c7e91", claims=[BEA], submissions=[(BEA, "it bakes again; Dora has seen it")],
              text="The left one. The door does not close, and the thermometer shows nothing any more.")]
PACKS = [{"id": "aa" * 32, "publisher": MILL, "key": KEYS[MILL], "name": "Prices", "version": "3", "text": "What the mill asks for flour and bran this winter.", "published_ms": ago(2000),
          "applications": [{"kind": "content", "entry": "index.html"}], "bytes": 9, "local": {"state": "complete", "done_bytes": 9, "total_bytes": 9, "asked_nodes": 1}},
         {"id": "bb" * 32, "publisher": BEA, "key": KEYS[BEA], "name": "Shop", "version": "1.2", "text": "", "published_ms": ago(9000),
          "applications": [{"kind": "service", "entry": "shop.html"}, {"kind": "search", "entry": "find.html"}], "bytes": 3_400_000, "local": None}]
TAGS = [{"id": "f1" * 32, "author": ANNA, "key": KEYS[ANNA], "tag": "bread", "target": {"text": "Anna's bakery, 12 Mill Lane"}, "issued_ms": ago(100), "expires_ms": ago(-100000)},
        {"id": "f2" * 32, "author": MILL, "key": KEYS[MILL], "tag": "bread", "target": {"pack": "aa" * 32}, "issued_ms": ago(100), "expires_ms": ago(-50000)}]
CONTRIBUTIONS = [
    {"id": "e2" * 32, "kind": "promotion", "author": BEA, "key": KEYS[BEA], "text": "Told the weekly market of us: eleven asked how to join", "evidence": "the list of names hangs in the shop",
     "builds_on": ["e1" * 32], "issued_ms": ago(200), "rewards": []},
    {"id": "e1" * 32, "kind": "development", "author": ANNA, "key": KEYS[ANNA], "text": "Drew the plan of the shop", "evidence": "", "builds_on": [], "issued_ms": ago(9000),
     "rewards": [{"transaction": "0e" * 32, "sequence": 1650, "amount": "120000", "kind": "structural"}]}]


def read(params):
    if not params["text"].startswith(REQUEST):
        raise Refusal(-32602, "bad_request", "this text is damaged: ask the payee for it again")
    return {"kind": "request", "payee": BEA, "payee_key_known": True, "amount": "2500", "reference": "ride to the mill", "expiry": 9,
            "expires_ms": ago(-50), "organization_matches": True,
            "who_sees": [{"who": "the payer", "what": "everything: amount, reference, who, when"}, {"who": "everybody else", "what": "nothing of it"}]}


def answers():
    office_seat = [{"member": ANNA, "node_key": "9a" * 32}, {"member": BEA, "node_key": "8b" * 32}, {"member": CARL, "node_key": "7c" * 32}, {"member": DORA, "node_key": "6d" * 32}]
    return {
        "node.status": lambda _: status(), "organization.info": info(), "account.get": account,
        "account.history": lambda params: {"items": (REWARDS if params["account"] == ORGANIZATION else HISTORY)[:params.get("limit", 50)], "pruned": False},
        "member.list": {"items": MEMBERS}, "vote.list": lambda params: {"items": [one for one in VOTES if params["state"] == "all" or one["state"] != "open"], "pruned": False},
        "reward.list": {"pending": [{"transaction": f"{1850:064x}", "member": CARL, "amount": "2500", "due": 9, "due_ms": ago(-300)}],
                        "mining": [{"cycle": 228, "root": "00" * 32, "lines": [{"line": 0, "account": ANNA, "amount": "312", "claimed": True},
                                                                             {"line": 1, "account": BEA, "amount": "288", "claimed": False}]}]},
        "chat.read": lambda params: [] if "before" in params else LINES, "receipt.list": {"items": [], "accounts": [], "count": 0, "bytes": 0},
        "office.status": {"node_key": "9a" * 32, "pulse": 412_345, "cycle": 229, "first_pulse": 411_000, "end_pulse": 412_800, "present": office_seat,
                          "next": {"seats": office_seat[1:], "spares": []}, "after_next": {"seats": [], "spares": []}, "candidates": [1, 2, 3, 4], "seat": 0,
                          "silence": "none", "vote_keys": "fitting", "author": {"sequence": 1804, "pulse": 1, "seat": 1, **office_seat[1]}, "due": None},
        "network.peers": [{"node": node, "node_key": "00" * 32, "endpoint": f"192.0.2.{index + 10}:7400", "direction": "outbound" if index % 2 else "inbound",
                           "pattern": "xx", "agent": "leither/0.1.0", "since_ms": ago(7 * index + 3), "bytes_in": 48_123 * 9 ** (index % 3), "bytes_out": 91_000 * (index + 1),
                           "messages_in": 1, "messages_out": 1, "score": index, "reserved": False} for index, node in enumerate(NODES[1:])],
        "node.machine": {"uptime_s": 93_000, "cpu_ms": 412_000, "resident_bytes": 92_000_000, "disk": {"used_bytes": 431_000_000, "free_bytes": 41_000_000_000, "total_bytes": 128_000_000_000},
                         "month": {"up_bytes": 1_912_000_000, "down_bytes": 2_201_000_000, "month_bytes_max": 0, "upload_max": 0, "download_max": 0}},
        "node.logs": LOGS, "block.get": lambda params: {"sequence": params["sequence"], "pulse": 412_345 - 6 * (1804 - params["sequence"]) - 3, "transaction_count": 1 + params["sequence"] * 7 % 5,
                                                      "time_ms": NOW_MS, "trusted": True},
        "transaction.status": {"state": "secured", "sequence": 1805, "settles_ms": NOW_MS + 86_400_000, "contested": False, "finality": FINALITY},
        "wallet.status": {"enabled": True, "encrypted": True, "locked": False, "accounts": [
            {"name": "anna", "account": ANNA, "key": KEYS[ANNA], "member": True, "role": "supervisor", "balance": "128750"},
            {"name": "organization", "account": ORGANIZATION, "key": ORGANIZATION[:32] * 2, "member": False, "role": None, "balance": None},
            {"name": "mill", "account": MILL, "key": KEYS[MILL], "member": True, "role": "member", "balance": "300000"}]},
        "wallet.read": read, "wallet.pay": {"id": "fe" * 32}, "wallet.request": {"text": REQUEST, "id": "aa" * 32}, "wallet.inbox": lambda _: {"items": INBOX},
        "wallet.letters": lambda params: [{"id": "b1", "from": CARL, "sent_ms": ago(700), "text": "The cord is stacked behind the oven.\nMind the nails."}] + [{"id": "e2" * 32, "from": "5bd0c" * 8, "sent_ms": ago(30), "text": "leither:join:0a1b2c"}] if params["account"] == ANNA else [],
        "wallet.requests": lambda _: {"items": [
            {"id": "c1" * 32, "account": ANNA, "amount": "1250", "reference": "two loaves of rye", "asked_ms": ago(20), "expires_ms": ago(10), "state": "secured", "payer": BEA},
            {"id": "c2" * 32, "account": ANNA, "amount": "800", "reference": "a cake", "asked_ms": ago(3), "expires_ms": ago(-7), "state": "pending"}]},
        "wallet.policy": lambda _: {"rules": [{"from": BEA, "amount_max": "1000", "per_day": "3000"}]}, "wallet.set_policy": True,
        "wallet.contacts": lambda _: {"contacts": [{"name": "dora", "account": DORA}]}, "wallet.set_contact": True,
        "wallet.why": lambda _: {"id": "a1", "facts": [{"name": "asked", "text": "91c7\u2026 signed a request for 25.00 hour.", "source": "signature"},
                                                       {"name": "so", "text": "It waits for your word.", "source": "journal"}]},
        "wallet.invite": {**INVITED, "invitation": INVITATION}, "wallet.invitation": INVITED, "wallet.standing": [],
        "wallet.applications": lambda _: APPLICATIONS, "wallet.offers": lambda _: OFFERS, "wallet.approve": {"id": "f9" * 32, "state": "pending"}, "wallet.refuse": {"id": "f8" * 32, "applicant": EVE},
        "wallet.sponsor": {"applicant": EVE}, "wallet.cosign": {"id": "d1" * 32, "state": "pending"}, "wallet.set_role": {"offer": OFFER, "id": "f7" * 32, "missing": [BEA], "expires_pulse": 9},
        "wallet.leave": {"asked": 2}, "wallet.propose": {"id": "f6" * 32, "state": "pending", "vote": "44" * 20}, "wallet.reward": {"id": "f5" * 32, "state": "pending"},
        "vote.parameters": PARAMETERS, "wallet.tasks": lambda _: TASKS, "wallet.create_task": {"task": TASK, "id": "d7" * 32, "expires_ms": ago(-40000)},
        "wallet.claim_task": lambda params: {"id": "b7" * 32, "state": "claimed"}, "wallet.submit_task": {"id": "b7" * 32, "state": "submitted", "work": "leither:submit:00"},
        "wallet.confirm_task": {"id": "f4" * 32, "state": "pending"}, "wallet.refuse_task": {"id": "f3" * 32}, "wallet.tag": {"id": "f2" * 32},
        "app.list": lambda _: PACKS, "app.fetch": {"state": "fetching", "done_bytes": 1_200_000, "total_bytes": 3_400_000, "asked_nodes": 2}, "app.remove": {"id": "aa" * 32},
        "app.show": {**PACKS[0], "files": [{"path": "index.html", "bytes": 9, "pieces": ["01" * 32, "02" * 32]}]},
        "app.piece": lambda params: {"data": "3c623e" if params["piece"] == "01" * 32 else "72796521213c"}, "tag.find": True,
        "tag.search": lambda params: TAGS if params["tag"] == "bread" else [],
        "contribution.list": lambda _: {"items": CONTRIBUTIONS, "pruned": False}, "wallet.contribute": {"id": "e3" * 32},
        "wallet.accept": {"id": "fd" * 32}, "wallet.decline": True, "wallet.cast": {"id": "fc" * 32}, "wallet.chat": {"id": "fb" * 32}, "wallet.send": {"id": "fa" * 32},
    }
