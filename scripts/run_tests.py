#!/usr/bin/python3
"""The stages of scripts/test, in the order in which a failure is cheapest to learn.

Each stage answers how many checks passed, failed and were skipped. A stage that cannot run (it did not
build) counts as one failure, and the stages that need its build are left out.
"""

import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
import xml.etree.ElementTree
from dataclasses import dataclass, field

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYTHON = "/usr/bin/python3"
CORES = os.cpu_count() or 1
JOBS = os.environ.get("JOBS", str(CORES))
FUZZ_SECONDS = 60            # for one target ...
FUZZ_BUDGET_SECONDS = 150    # ... unless all of them together would take longer than this
# Of one file of tests.
SYSTEM_TEST_SECONDS_MAX = 600
INTEROP_TEST_SECONDS_MAX = 600
SYSTEM_TESTS_AT_A_TIME = 3
UNSTEADY_TESTS_MAX = 3  # that are tried again; more of them are no accident
# CPU, memory or speed: not beside others.
MEASURING_TESTS = ("test_idle", "test_cluster_idle", "test_floods", "test_peers", "test_kill")
# Leaves out what takes minutes: a million accounts, thousands of blocks.
BENCH_SMOKE = "BM_CheckAndApply|BM_Two|noise|peer|^io/|/65536/30|batch_apply/10000/|merge|export|verify|memory/(1000|65536)/"

# Which of the shared fuzzing seeds suit which target, by a word in the target's name.
SEED_ARCHIVES = {"bencode": "bencode_seeds", "krpc": "bencode_seeds", "json": "json_seeds", "config": "json_seeds",
                 "rpc": "json_seeds", "http": "http_seeds", "bcs": "framing_seeds", "protocol": "framing_seeds",
                 "frame": "framing_seeds"}


@dataclass
class Outcome:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    notes: list = field(default_factory=list)
    failed_tests: list = field(default_factory=list)  # of unittest, by their full names

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.notes += other.notes
        self.failed_tests += other.failed_tests


def say(text):
    print(text, flush=True)


def run(command, **options):
    """Runs with output shown; True if it succeeded."""
    return subprocess.run(command, cwd=ROOT, check=False, **options).returncode == 0


def single(name, command):
    """A stage of one command: one check."""
    if run(command):
        return Outcome(passed=1)
    return Outcome(failed=1, notes=[f"{name}: {' '.join(command)}"])


def shared_data():
    """The folder of real inputs and vectors beside the clone, or None."""
    named = os.environ.get("LEITHER_SHARED_DATA")
    place = named or os.path.join(os.path.dirname(ROOT), "shared", "data")
    return place if os.path.isdir(place) else None


# ---- Builds ------------------------------------------------------------------------------------------

def build(name, options, targets=(), environment=None):
    """Configures and builds build/<name>; None if it went well, else the failed outcome."""
    folder = os.path.join("build", name)
    os.makedirs(os.path.join(ROOT, folder), exist_ok=True)
    env = dict(os.environ, **(environment or {}))
    configure = ["cmake", "-S", ".", "-B", folder, "-G", "Ninja", *options]
    quiet = {"stdout": subprocess.DEVNULL}
    if not run(configure, env=env, **quiet):
        return Outcome(failed=1, notes=[f"{name}: {' '.join(configure)}"])
    if not run(["ninja", "-C", folder, "-j", JOBS, "--quiet", *targets], env=env):
        return Outcome(failed=1, notes=[f"{name}: ninja -C {folder}"])
    return None


def ctest(name, *options):
    """Runs the tests of build/<name> and counts them."""
    folder = os.path.join(ROOT, "build", name)
    report = os.path.join(folder, "ctest.xml")
    # JSON and config seeds can be large, sanitized machines slow: a hang is caught by the timeout.
    command = ["ctest", "--test-dir", folder, "-j", JOBS, "--output-on-failure", "--timeout", "300",
               "--output-junit", report, "--no-tests=error", "--progress", *options]
    if os.path.exists(report):
        os.remove(report)
    run(command, stdout=None if sys.stdout.isatty() else subprocess.DEVNULL)
    if not os.path.exists(report):
        return Outcome(failed=1, notes=[f"{name}: no test ran; build/{name}"])
    return read_junit(name, report)


def read_junit(name, report):
    outcome = Outcome()
    for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
        status = case.get("status")
        if status == "run":
            outcome.passed += 1
        elif status in ("notrun", "disabled") or case.find("skipped") is not None:
            outcome.skipped += 1
        else:
            outcome.failed += 1
            outcome.notes.append(f"{name}: ctest --test-dir build/{name} --output-on-failure -R '^{re.escape(case.get('name'))}$'")
            print_tail(case.findtext("system-out") or "")
    return outcome


def print_tail(text, lines=60):
    say("\n".join(text.splitlines()[-lines:]))


# ---- Stages ------------------------------------------------------------------------------------------

def stage_format():
    return single("format", ["scripts/format.sh", "--check"])


def stage_layers():
    return single("layers", [PYTHON, "scripts/check_layers.py"])


def stage_bans():
    return single("bans", [PYTHON, "scripts/check_bans.py"])


def stage_programs():
    failure = build("release", RELEASE, ["programs"])
    return failure or ctest("release", "-R", r"^(app|io|sim_smoke)\.")


def stage_release():
    failure = build("release", RELEASE)
    return failure or ctest("release", "-LE", "smoke")


def stage_system():
    return unittests("system", SYSTEM_TEST_SECONDS_MAX, SYSTEM_TESTS_AT_A_TIME)


def stage_interop():
    return unittests("interop", INTEROP_TEST_SECONDS_MAX, 1)


def unittests(name, seconds_max, at_a_time):
    """Runs each tests/<name>/test_*.py in a process of its own: most wait more than they work, so several at a
    time, and then those that measure, alone."""
    files = sorted(file[:-len(".py")] for file in os.listdir(os.path.join(ROOT, "tests", name))
                   if file.startswith("test_") and file.endswith(".py"))
    outcome = Outcome()
    with concurrent.futures.ThreadPoolExecutor(at_a_time) as pool:
        together = [file for file in files if file not in MEASURING_TESTS]
        for result in pool.map(lambda file: unittest_file(name, file, seconds_max), together):
            outcome.add(result)
    for file in files:
        if file in MEASURING_TESTS:
            outcome.add(unittest_file(name, file, seconds_max))
    if len(outcome.failed_tests) <= UNSTEADY_TESTS_MAX:
        for test in list(outcome.failed_tests):
            try_again(outcome, name, test, seconds_max)
    return outcome


def try_again(outcome, name, test, seconds_max):
    """Real processes on a machine that does something else meanwhile: a test that passes alone is counted as
    passed, and named as unsteady so that somebody looks at it."""
    say(f"again, alone: {test}")
    second = unittest_file(name, test, seconds_max)
    if second.failed or not second.passed:
        return
    outcome.passed += second.passed
    outcome.failed -= 1
    outcome.notes = [note for note in outcome.notes if not note.endswith(" " + test)]
    outcome.notes.append(f"(unsteady: failed once, passed alone) {unittest_note(name, test)}")


def unittest_note(name, test):
    return f"{name}: cd tests/{name} && {PYTHON} -m unittest -v {test}"


def unittest_file(name, file, seconds_max):
    command = [PYTHON, "-m", "unittest", "-v", file]
    try:
        done = subprocess.run(command, cwd=os.path.join(ROOT, "tests", name), check=False, stderr=subprocess.PIPE,
                              text=True, timeout=seconds_max)
    except subprocess.TimeoutExpired:
        return Outcome(failed=1, notes=[f"{name}: longer than {seconds_max} s: cd tests/{name} && {' '.join(command)}"])
    outcome = read_unittest(name, done.stderr)
    if outcome.failed or done.returncode:
        print_tail(done.stderr, 150)
    return outcome


def read_unittest(name, text):
    """Counts of a verbose unittest run."""
    ran = re.search(r"^Ran (\d+) tests?", text, re.MULTILINE)
    if ran is None:
        return Outcome(failed=1, notes=[f"{name}: the tests did not start"])

    def count(word):
        found = re.search(rf"^(?:OK|FAILED) \(.*\b{word}=(\d+)", text, re.MULTILINE)
        return int(found.group(1)) if found else 0

    failed = count("failures") + count("errors")
    skipped = count("skipped")
    tests = re.findall(r"^(?:FAIL|ERROR): \w+ \(([\w.]+)\)", text, re.MULTILINE)
    notes = [unittest_note(name, test) for test in tests]
    return Outcome(int(ran.group(1)) - failed - skipped, failed, skipped, notes, tests)


RELEASE = ["-DCMAKE_BUILD_TYPE=Release"]


def sanitized(sanitizers, *flags):
    """-O1 halves the compile time and the sanitizers keep their eyes; DCHECKs are on (see CMakeLists.txt)."""
    return ["-DCMAKE_BUILD_TYPE=None", "-DLEITHER_BENCH=OFF", f"-DLEITHER_SANITIZE={sanitizers}",
            " ".join(["-DCMAKE_CXX_FLAGS=-O1 -g1", *flags])]


def build_fuzzed(targets):
    """One build by clang serves the unit tests and the fuzz targets. Of UBSan three checks are left out, for
    compile time: ASan meets null pointers and most of what object-size finds; nothing does what vptr does."""
    options = sanitized("address,undefined", "-fsanitize=fuzzer-no-link", "-fno-sanitize=vptr,object-size,null")
    return build("fuzz", [*options, "-DLEITHER_FUZZ=ON", "-DCMAKE_CXX_COMPILER=clang++-14"], targets)


def stage_unit():
    return build_fuzzed(["sanitized_tests"]) or ctest("fuzz", "-E", r"^(app|sim_smoke)")


def stage_tsan():
    """Threads live in io alone; node is what they drive. Two warnings of g++ 12 are false in instrumented code."""
    options = sanitized("thread", "-Wno-tsan", "-Wno-maybe-uninitialized")
    failure = build("tsan", options, ["node_test", "io_test"])
    return failure or ctest("tsan", "-R", "^(node|io)\\.", "-E", "_NOT_BUILT")


def stage_fuzz():
    targets = sorted(name[:-len(".cpp")] for name in os.listdir(os.path.join(ROOT, "tests/fuzz"))
                     if name.endswith("_fuzz.cpp"))
    failure = build_fuzzed(targets)
    if failure:
        return failure
    seconds = fuzz_seconds(len(targets))
    say(f"{len(targets)} targets, {seconds} s each, {CORES} at a time")
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="leither-fuzz-") as scratch, \
            concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        for result in pool.map(lambda target: fuzz(target, seconds, scratch), targets):
            outcome.add(result)
    return outcome


def fuzz_seconds(targets):
    """What each target gets when CORES of them run at a time."""
    rounds = -(-targets // CORES) or 1
    return min(int(os.environ.get("FUZZ_SECONDS", FUZZ_SECONDS)),
               int(os.environ.get("FUZZ_BUDGET_SECONDS", FUZZ_BUDGET_SECONDS)) // rounds)


def fuzz(target, seconds, scratch):
    """One target: its committed corpus and the shared seeds are read, what it finds new goes to scratch."""
    new = os.path.join(scratch, target)
    os.makedirs(new)
    folders = [new] + [folder for folder in (os.path.join(ROOT, "tests/fuzz/corpus", target),) if os.path.isdir(folder)]
    folders += unpack_seeds(target, scratch)
    artifacts = os.path.join(ROOT, "build/fuzz/findings", target) + "-"
    os.makedirs(os.path.dirname(artifacts), exist_ok=True)
    binary = os.path.join(ROOT, "build/fuzz/bin", target)
    command = [binary, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-verbosity=0",
               "-print_final_stats=1", f"-artifact_prefix={artifacts}", *folders]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, errors="replace")
    executed = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    say(f"  {target}: {int(executed.group(1)) if executed else 0:,} inputs{'' if done.returncode == 0 else ', FINDING'}")
    if done.returncode == 0:
        return Outcome(passed=1)
    print_tail(done.stderr)
    return Outcome(failed=1, notes=[f"fuzz: build/fuzz/bin/{target} build/fuzz/findings/{target}-*"])


def unpack_seeds(target, scratch):
    data = shared_data()
    archive = next((name for word, name in SEED_ARCHIVES.items() if word in target), None)
    path = os.path.join(data, "fuzz", f"{archive}.tar.gz") if data and archive else None
    if path is None or not os.path.exists(path):
        return []
    folder = os.path.join(scratch, f"seeds-{target}")
    with tarfile.open(path) as file:
        file.extractall(folder)
    return [folder]


def stage_bench():
    """Every kind of benchmark once, at its smaller sizes; each checks its own result."""
    binary = os.path.join(ROOT, "build/release/bin/leither-bench")
    if not os.path.exists(binary):
        return Outcome(failed=1, notes=["bench: leither-bench was not built: scripts/build"])
    command = [binary, f"--benchmark_filter={BENCH_SMOKE}", "--benchmark_format=json"]
    done = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if done.returncode != 0:
        return Outcome(failed=1, notes=[f"bench: {' '.join(command)}"])
    outcome = Outcome()
    for row in json.loads(done.stdout)["benchmarks"]:
        outcome.passed += not row.get("error_occurred")
        outcome.failed += bool(row.get("error_occurred"))
        if row.get("error_occurred"):
            outcome.notes.append(f"bench: {row['name']}: {row['error_message']}")
    return outcome


FULL, QUICK = "full", "quick"

STAGES = [  # name, function, the runs that it is part of besides --only, what it is
    ("format", stage_format, (FULL, QUICK), "clang-format 14 finds nothing to change"),
    ("layers", stage_layers, (FULL, QUICK), "rooms include only what docs/layers.txt allows"),
    ("bans", stage_bans, (FULL, QUICK), "no clock, thread, file, float, exception where it may not be"),
    ("programs", stage_programs, (FULL, QUICK), "release build by g++ with -Werror; tests of app and io, every scenario of the simulator, small"),
    ("release", stage_release, (QUICK,), "unit, golden, scenario and corpus tests, compiled for release by g++"),
    ("system", stage_system, (FULL, QUICK), "real daemons: kill -9, bad input, limits, replays"),
    ("interop", stage_interop, (FULL, QUICK), "libtorrent, bittorrent-dht and a black-box suite against our DHT nodes"),
    ("bench", stage_bench, (FULL, QUICK), "every benchmark runs once and checks its result"),
    ("unit", stage_unit, (FULL,), "unit, golden and scenario tests under ASan and UBSan, compiled by clang 14"),
    ("fuzz", stage_fuzz, (FULL,), "every fuzz target from its corpus"),
    ("tsan", stage_tsan, (), "io and node tests under TSan (scripts/soak runs it)"),
]


def chosen_stages(arguments):
    if arguments.only:
        return [stage for stage in STAGES if stage[0] in arguments.only]
    return [stage for stage in STAGES if (QUICK if arguments.quick else FULL) in stage[2]]


def parse_arguments():
    stages = "\n".join(f"  {name:8} {text}" for name, _, _, text in STAGES)
    parser = argparse.ArgumentParser(prog="scripts/test", description=f"Stages:\n{stages}",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="release tests instead of sanitizers and fuzzing")
    parser.add_argument("--only", action="append", choices=[stage[0] for stage in STAGES], metavar="STAGE",
                        help="run only this stage (may be repeated)")
    return parser.parse_args()


def main():
    stages = chosen_stages(parse_arguments())
    if shared_data() is None:
        say("No shared data beside this clone (../shared/data): the tests that need it are skipped.")
    total = Outcome()
    rows = []
    for name, function, _, text in stages:
        say(f"\n==> {name}: {text}")
        begin = time.monotonic()
        outcome = function()
        rows.append((name, outcome, time.monotonic() - begin))
        total.add(outcome)
    say("\nstage     passed  failed  skipped  seconds")
    for name, outcome, seconds in rows:
        say(f"{name:8} {outcome.passed:7} {outcome.failed:7} {outcome.skipped:8} {seconds:8.0f}")
    for note in total.notes:
        say(f"again: {note}")
    skipped = f", {total.skipped} skipped" if total.skipped else ""
    say(f"\n{total.passed} passed, {total.failed} failed{skipped}")
    sys.exit(1 if total.failed else 0)


if __name__ == "__main__":
    main()
