"""An organization's life as its founder and three newcomers play it: each on a machine of their own (network
namespaces; root only), with what README.md, `--help` and the programs' own words tell them, from founding to first
payment, vote, reward, chat, pack, backup, restore and leaving. Then the same with the line of whoever acts cut at
each step.

Most of the time is waiting, so all stories run side by side; each test tells how its story ended.
"""

import contextlib
import os
import re
import shutil
import threading
import time
import unittest

from harness.internet import Internet
from harness.namespaces import can_make
from harness.persons import LINK, NAMED, Person, Refused, readme
from harness.stories import Stories

PATIENCE_SECONDS = 90
PARAMS = "--param pulse_ms=250 --param publicity_pulses=0 --param vote_pulses=80"
ACCOUNT = re.compile(r"\b[0-9a-f]{40}\b")
UNDECIDED = 5
AGAIN = "again"  # "run the same command again", "run this again later"
TOLD_LINES = 40  # of what was typed and answered before a failure

TOLD = Stories(8)
story = TOLD.story


class Play:
    """The machines, and what each person has come to know. `cut` says whether and how a step's line is cut."""

    def __init__(self, stage, cut=lambda step: None):
        self.stage = stage
        self.internet = Internet(stage)
        self.cut = cut
        self.steps = 0
        self.known = readme()
        self.links = {}
        self.transcript = []
        self.cut_off = []  # exit codes of what was cut off

    def person(self, name, number):
        one = Person(self.stage, self.internet.host(name, number), name, self.known, self.transcript)
        self.links[name] = number
        one.types("leither --help")
        return one

    # ---- A step, and a step whose line is cut

    def act(self, who, line, already=()):
        """What `line` prints once it is done; `already` names the refusals that say it has been. Text of a refusal that
        leaves it pending too: the story waits for what comes of it."""
        self.steps += 1
        how = self.cut(self.steps)
        if how is None:
            return who.types(line)
        said, code = self.act_cut_off(who, line, how)
        if code in (0, UNDECIDED) and AGAIN not in said:
            return said
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return who.types(line)
            except Refused as refused:
                if any(f"leither: {name}:" in refused.said for name in already):
                    return refused.said
                if refused.code == UNDECIDED:
                    return refused.said
                if time.monotonic() > deadline:
                    raise
            time.sleep(1)

    def act_cut_off(self, who, line, how):
        """(text, exit code) while nothing passes: what fails, or is left pending, says so by name and says what next."""
        answer = []

        def typed():
            try:
                answer.append((who.types(line), 0))
            except Refused as refused:
                answer.append((refused.said, refused.code))
            except BaseException as error:  # told by the story's thread
                answer.append((error, None))
        hand = threading.Thread(target=typed)
        if how == "before":
            self.internet.part(self.links[who.name])
        hand.start()
        if how == "amid":
            time.sleep(0.05)
            self.internet.part(self.links[who.name])
        hand.join()
        self.internet.heal()
        said, code = answer[0]
        if code is None:
            raise said
        self.cut_off.append(code)
        if code:
            assert NAMED.search(said), f"{line}: no name or no next step:\n{said}"
        return said, code

    def until(self, who, line, holds, what):
        """What `line` prints as soon as `holds` finds it in there."""
        return who.until(lambda: holds(said) and said if (said := who.types(line)) else None, PATIENCE_SECONDS,
                         f"{what} ({line})")


def link_in(text, kind):
    found = [one for one in LINK.findall(text) if one.startswith(f"leither:{kind}:")]
    assert found, text
    return found[0]


def rows(text):
    """A table's rows as lists of words, without its heading."""
    return [line.split() for line in text.splitlines()[1:]]


# ---- Acts --------------------------------------------------------------------------------------

def found(play, founder):
    said = founder.answers(f"leither org create {PARAMS}", ["Bakers' Row", "", "", "", ""])
    assert "Founded" in said, said
    return link_in(play.act(founder, "leither invite"), "invite")


def ask_to_join(play, newcomer, link, note):
    key = newcomer.name
    newcomer.learns("key")
    play.act(newcomer, f"leither org join {link} --from {key} --note '{note}'")
    play.until(newcomer, "leither org join --status", lambda said: "waiting" in said, "the application to wait")
    return ACCOUNT.search(newcomer.types(f"leither key show {key}"))[0]


def arrives(play, decider, account):
    play.until(decider, "leither org applications", lambda said: account in said, "the application")


def becomes_member(play, newcomer):
    play.until(newcomer, "leither org join --status", lambda said: "is a member" in said, "membership")
    holds(play, newcomer, newcomer.name, None)


def holds(play, who, account, amount):
    """Once this person's node says so."""
    return play.until(who, f"leither balance {account}", lambda said: amount is None or said.startswith(f"{amount} hour"),
                      f"{amount} on {account}")


def join_directly(play, founder, bea, link):
    account = ask_to_join(play, bea, link, "bakes bread")
    founder.learns("org")
    arrives(play, founder, account)
    play.act(founder, f"leither org approve {account[:8]}", already=("member_exists",))
    becomes_member(play, bea)
    return account


def join_through_sponsor(play, founder, bea, cleo):
    link = link_in(play.act(bea, "leither invite"), "invite")
    account = ask_to_join(play, cleo, link, "a friend of Bea")
    bea.learns("org")
    arrives(play, bea, account)
    play.act(bea, f"leither org sponsor {account[:8]}", already=("not_found",))
    arrives(play, founder, account)
    play.act(founder, f"leither org approve {account[:8]}", already=("member_exists",))
    becomes_member(play, cleo)
    return account


def join_by_task(play, founder, dora, link):
    founder.learns("task")
    task = link_in(play.act(founder, "leither task create 'Paint the oven' --amount 10 --text red"), "task")
    account = ask_to_join(play, dora, link, "paints")
    dora.learns("task")
    play.act(dora, f"leither task claim {task} --from dora")
    play.act(dora, f"leither task submit {task} --text 'it is red' --from dora")
    tasks = play.until(founder, "leither task list", lambda said: "handed in" in said, "the work")
    identity = rows(tasks)[0][0]
    play.act(founder, f"leither task confirm {identity}", already=("already_paid", "not_submitted"))
    becomes_member(play, dora)
    holds(play, dora, "dora", "10.00")
    return account


def reward(play, founder, bea, account):
    play.act(founder, f"leither reward {account} 40 --reason 'repaired the oven'")
    holds(play, bea, "bea", "40.00")
    assert "repaired the oven" in bea.types("leither rewards")


def pay_by_letter(play, bea, cleo, bea_account):
    """The payee asks and goes away; the payer pays meanwhile."""
    cleo.types("leither request --help")
    asked = play.act(cleo, f"leither request 12.50 --to cleo --payer {bea_account} --reference 'two loaves'")
    inbox = play.until(bea, "leither inbox", lambda said: "two loaves" in said, "the request")
    identity = rows(inbox)[0][0]
    cleo.stop()
    bea.types("leither accept --help")
    play.act(bea, f"leither accept {identity}", already=("already_paid",))
    holds(play, bea, "bea", "27.50")
    assert "committed" in bea.types(f"leither why {identity}")
    cleo.start()
    play.until(cleo, "leither requests", lambda said: "committed" in said or "secured" in said or "settled" in said, "the payment")
    holds(play, cleo, "cleo", "12.50")
    assert asked


def vote(play, founder, bea, cleo, cleo_account):
    founder.learns("vote")
    said = play.act(founder, f"leither vote propose operation {cleo_account} 5 --reason 'sweeps the hall'")
    identity = re.search(r"leither vote cast ([0-9a-f]+) yes", said)[1]
    for member in (bea, cleo):
        member.learns("vote")
        play.until(member, "leither vote list", lambda said: identity in said, "the vote")
        play.act(member, f"leither vote cast {identity} yes --from {member.name}", already=("already_voted",))
    return identity


def counted(play, cleo, identity):
    def result():
        with contextlib.suppress(Refused):
            return cleo.types(f"leither vote result {identity}")
    said = cleo.until(result, PATIENCE_SECONDS, "the count")
    assert "passed" in said, said
    holds(play, cleo, "cleo", "17.50")


def chat(play, bea, dora):
    play.act(bea, "leither chat send 'Who has flour?' --from bea")
    dora.learns("chat")
    said = play.until(dora, "leither chat read", lambda said: "Who has flour?" in said, "the line")
    assert said.count("Who has flour?") == 1, said


def pack(play, bea, dora):
    folder = os.path.join(bea.folder, "prices")
    os.mkdir(folder)
    with open(os.path.join(folder, "index.html"), "w", encoding="ascii") as file:
        file.write("<p>Rye 120, wheat 100</p>\n" * 1000)
    bea.learns("app", "tag")
    play.act(bea, "leither app publish ./prices --kind content --name Prices --from bea")
    play.until(dora, "leither app list", lambda said: "Prices" in said, "the pack")
    play.act(dora, "leither app fetch Prices --out ./prices-of-bea")
    with open(os.path.join(folder, "index.html"), "rb") as given, \
         open(os.path.join(dora.folder, "prices-of-bea/index.html"), "rb") as got:
        assert given.read() == got.read()
    play.act(bea, "leither tag add bread 'the bakery, 12 Mill Lane' --from bea")
    said = play.until(dora, "leither tag search bread", lambda said: "12 Mill Lane" in said, "the tag")
    assert said.count("12 Mill Lane") == 1, said


def move_house(play, bea, number):
    """The old machine is gone; from one file and twelve words all is there again."""
    said = play.act(bea, "leither backup create credit.backup", already=("exists",))
    words = re.findall(r"\d+\. ([a-z]+)", said)
    assert len(words) == 12, said
    bea.types("leither backup verify --help")
    bea.end()
    fresh = play.person("bea-again", number)
    fresh.name = "bea"
    play.links["bea"] = number
    shutil.copy(os.path.join(bea.folder, "credit.backup"), fresh.folder)
    with open(os.path.join(fresh.folder, "words"), "w", encoding="ascii") as file:
        file.write(" ".join(words))
    shutil.rmtree(bea.folder)
    fresh.types("leither backup restore --help")
    play.act(fresh, "leither backup restore credit.backup --words words")
    holds(play, fresh, "bea", "27.50")
    fresh.learns("receipt")
    fresh.types("leither receipt export bea --out bea.json")
    proven = fresh.types("leither receipt verify bea.json")
    assert "27.50 hour" in proven, proven
    return fresh


def leave(play, founder, dora, account):
    dora.types("leither pay --help")
    request = link_in(play.act(founder, "leither request 10 --to founder --reference 'good bye'"), "pay")
    play.act(dora, f"leither pay {request} --from dora", already=("already_paid",))
    holds(play, dora, "dora", "0.00")
    dora.learns("org")
    play.act(dora, "leither org leave --from dora")
    founder.learns("message", "member")
    letters = play.until(founder, "leither message list", lambda said: "I want to leave" in said, "the wish to leave")
    letter = next(row for row in rows(letters) if "leave" in row)
    letters = founder.types(f"leither message read {letter[0]}")
    line = re.search(r"leither member leave [0-9a-f]{40} --offer", letters)
    assert line and account in line[0], letters
    play.act(founder, line[0])
    offered = play.until(dora, "leither cosign", lambda said: "let go" in said, "the founder's signature")
    play.act(dora, f"leither cosign {rows(offered)[0][0]}", already=("not_found", "not_a_member"))
    play.until(founder, "leither member list", lambda said: account not in said, "the member to be gone")


def play_through(stage, cut=lambda step: None):
    play = Play(stage, cut)
    try:
        play_all(play)
    except Exception as error:
        raise AssertionError("\n".join(play.transcript[-TOLD_LINES:])) from error
    return play


def play_all(play):
    founder = play.person("founder", 1)
    link = found(play, founder)
    bea, cleo, dora = (play.person(name, number) for number, name in enumerate(("bea", "cleo", "dora"), 2))
    accounts = {"bea": join_directly(play, founder, bea, link)}
    accounts["cleo"] = join_through_sponsor(play, founder, bea, cleo)
    accounts["dora"] = join_by_task(play, founder, dora, link)
    reward(play, founder, bea, accounts["bea"])
    pay_by_letter(play, bea, cleo, accounts["bea"])
    identity = vote(play, founder, bea, cleo, accounts["cleo"])
    chat(play, bea, dora)
    pack(play, bea, dora)
    counted(play, cleo, identity)
    bea = move_house(play, bea, 5)
    for name, account in accounts.items():
        nothing_twice(founder, account, LEDGER[name])
    leave(play, founder, dora, accounts["dora"])
    nothing_twice(founder, "founder", FOUNDER)


# What each account's history says before dora leaves, and the founder's afterwards.
LEDGER = {"bea": ["join", "reward +40.00", "transfer -12.50"],
          "cleo": ["join", "transfer +12.50", "reward +5.00"],
          "dora": ["earn +10.00"]}
FOUNDER = ["join", "join", "earn 10.00", "reward 40.00", "propose", "transfer +10.00", "leave"]


def nothing_twice(founder, account, expected):
    history = founder.leither("history", account)["items"]
    told = [" ".join([one["kind"], *amount_of(one)]) for one in history]
    assert sorted(one for one in told if one != "cast") == sorted(expected), told


def amount_of(item):
    sign = {"in": "+", "out": "-"}.get(item.get("direction"), "")
    amount = item.get("amount")
    return [f"{sign}{int(amount) / 100:.2f}"] if amount else []


# ---- Stories -----------------------------------------------------------------------------------

@story
def as_told(stage):
    play_through(stage)


CODES = {"before": [], "amid": []}  # of commands whose line was cut


def cut_each(parts, how):
    """A story for each part of the steps: every so manieth is cut off."""
    for part in range(parts):
        def tale(stage, part=part):
            play = play_through(stage, lambda step: how if step % parts == part else None)
            assert len(play.cut_off) > 6, play.cut_off
            CODES[how] += play.cut_off
        tale.__name__ = f"cut_{how}_{part}_of_{parts}"
        story(tale)


cut_each(3, "before")
cut_each(3, "amid")


# ---- Tests -------------------------------------------------------------------------------------

@unittest.skipUnless(can_make(), "needs root and the right to make network namespaces")
@unittest.skipUnless(shutil.which("nft"), "needs nft")
class FourMachines(unittest.TestCase):
    def test_a_founder_and_three_newcomers_find_every_step(self):
        TOLD.ending("as_told")

    def test_a_line_cut_before_any_step_delays_it_and_loses_nothing(self):
        for part in range(3):
            TOLD.ending(f"cut_before_{part}_of_3")
        self.assertTrue(any(CODES["before"]), "nobody missed the line")

    def test_a_line_cut_amid_any_step_delays_it_and_loses_nothing(self):
        for part in range(3):
            TOLD.ending(f"cut_amid_{part}_of_3")


if __name__ == "__main__":
    unittest.main()
