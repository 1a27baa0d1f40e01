"""The checkers themselves: each rule must catch a bad snippet and let the good one beside it pass."""

import contextlib
import io
import os
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))

import check_bans  # noqa: E402
import check_layers  # noqa: E402
import house  # noqa: E402
import run_tests  # noqa: E402

LAYERS = """
library fmt    | fmt/     | fmt::fmt
library sodium | sodium.h | PkgConfig::sodium
room 0 base   |        | +fmt
room 1 crypto | base   | sodium
room 3 ledger | base   |
room 7 rpc    | base   |
room 7 sim    | base   |
"""


def problems_of(path, text):
    layers = house.parse_layers(LAYERS)
    return [problem.text for problem in check_bans.check_code(path, text, layers.rooms.get(house.room_of(path)))]


class Lexer(unittest.TestCase):
    def test_comments_and_strings_are_no_code(self):
        code = house.code_only('int a; // throw\n/* catch\n */ const char* b = "try \\" throw"; char c = \'"\';\n')
        self.assertNotRegex(code, "throw|catch|try")
        self.assertEqual(code.count("\n"), 3)

    def test_digit_separators_are_no_characters(self):
        self.assertIn("rand()", house.code_only("int a = 1'000'000; int b = rand(); int c = 2'0;"))

    def test_raw_strings_are_no_code(self):
        self.assertNotIn("throw", house.code_only('auto s = R"(throw ")"; int x;'))

    def test_includes_in_comments_do_not_count(self):
        found = house.includes('#include "leither/base/check.h"\n// #include <thread>\n#include <vector>\n')
        self.assertEqual(found, [(1, "leither/base/check.h", True), (3, "vector", False)])


class Bans(unittest.TestCase):
    def assert_banned(self, snippet, path="src/ledger/a.cpp"):
        self.assertTrue(problems_of(path, snippet), f"not caught: {snippet}")

    def assert_allowed(self, snippet, path="src/ledger/a.cpp"):
        self.assertEqual(problems_of(path, snippet), [], snippet)

    def test_clocks(self):
        self.assert_banned("auto now = std::chrono::system_clock::now();")
        self.assert_banned("std::chrono::steady_clock::time_point t;")
        self.assert_banned("auto t = time(nullptr);")
        self.assert_banned("clock_gettime(CLOCK_MONOTONIC, &ts);")
        self.assert_allowed("using Instant = std::chrono::time_point<std::chrono::system_clock, Duration>;")
        self.assert_allowed("const auto t = block_time(0);")
        self.assert_allowed("auto now = std::chrono::system_clock::now();", "src/rpc/a.cpp")

    def test_threads(self):
        self.assert_banned("#include <thread>")
        self.assert_banned("std::mutex guard;")
        self.assert_allowed("#include <thread>", "src/rpc/a.cpp")

    def test_files_and_sockets(self):
        self.assert_banned("#include <fstream>")
        self.assert_banned("#include <sys/socket.h>")
        self.assert_allowed("#include <fcntl.h>", "src/crypto/key_file.cpp")

    def test_environment(self):
        self.assert_banned('const char* home = std::getenv("HOME");')

    def test_chance(self):
        self.assert_banned("std::random_device device;")
        self.assert_banned("std::shuffle(a.begin(), a.end(), prng);")
        self.assert_banned("int a = rand();")
        self.assert_banned("randombytes_buf(a, 32);")
        self.assert_allowed("prng.shuffle(items);")

    def test_floats(self):
        self.assert_banned("double share = 1;")
        self.assert_banned("auto share = 0.5;")
        self.assert_allowed('log.info("version", "1.5");')
        self.assert_allowed("const auto a = 1'000'000;")

    def test_the_simulator_is_as_deterministic_as_what_it_simulates(self):
        self.assert_banned("auto now = std::chrono::system_clock::now();", "src/sim/a.cpp")
        self.assert_banned("double share = 1;", "include/leither/sim/a.h")
        self.assert_allowed("double share = 1;", "src/rpc/a.cpp")
        self.assert_allowed("double share = 0.5;", "src/rpc/a.cpp")

    def test_exceptions(self):
        self.assert_banned("throw Error();")
        self.assert_banned("try { f(); } catch (...) {}")
        self.assert_allowed("try { f(); } catch (...) {}", "src/rpc/a.cpp")
        self.assert_allowed("TRY(read_block(store, sequence));")
        self.assert_allowed("bool try_lock = catch_up(a);")

    def test_assert(self):
        self.assert_banned("assert(a == b);")
        self.assert_allowed("static_assert(sizeof(a) == 4);")

    def test_coroutine_forms_that_gcc_miscompiles(self):
        self.assertTrue(_io_problems("if (co_await read()) return;"))
        self.assertTrue(_io_problems("co_await run([copy] { return copy; });"))
        self.assertFalse(_io_problems("const auto answer = co_await read();"))

    def test_braced_lists_that_leak_when_try_returns(self):
        self.assert_banned("return Span{std::move(oldest), TRY(read_seal(store, newest))};")
        self.assert_allowed("HeldNode held{TRY(page(location)), {}};")

    def test_ranges_that_clang_rejects(self):
        self.assert_banned("const auto repeated = std::ranges::unique(accounts);")
        self.assert_banned("for (auto x : std::views::iota(0, 3)) f(x);")
        self.assert_allowed("std::ranges::sort(accounts);")

    def test_unit_tests_keep_virtual_time(self):
        self.assert_banned("std::this_thread::sleep_for(1s);", "tests/unit/ledger/a_test.cpp")
        self.assert_allowed("std::this_thread::sleep_for(1s);", "tests/bench/a_bench.cpp")

    def test_unordered_iteration(self):
        code = "std::unordered_map<Id, std::vector<int>> entries_;\nfor (const auto& [id, v] : entries_) f(id);\n"
        names = check_bans.unordered_names(code)
        self.assertEqual(names, {"entries_"})
        self.assertEqual([p.line for p in check_bans.check_iteration("src/ledger/a.cpp", code, names)], [2])
        ordered = "std::map<Id, int> entries_;\nfor (const auto& [id, v] : entries_) f(id);\n"
        self.assertEqual(check_bans.unordered_names(ordered), set())
        lookup = "std::unordered_set<Id> seen; if (seen.contains(id)) return seen.find(id) != seen.end();"
        self.assertEqual(check_bans.check_iteration("a.cpp", lookup, {"seen"}), [])

    def test_markers_and_machine_paths(self):
        self.assertTrue(check_bans.check_text("a.md", "TO" + "DO: later"))
        self.assertTrue(check_bans.check_text("a.md", "see /ho" + "me/someone/x"))
        self.assertEqual(check_bans.check_text("a.md", "to do is to be"), [])


def _io_problems(snippet):
    room = house.Room(8, "io", [])
    return check_bans.check_code("src/io/a.cpp", snippet, room)


class Layers(unittest.TestCase):
    def setUp(self):
        self.house = house.parse_layers(LAYERS)

    def problem(self, room, header, quoted=True, present=()):
        return check_layers.check_include(self.house, self.house.rooms[room], f"src/{room}/a.cpp", 1, header,
                                          quoted, lambda place: place in present)

    def test_a_room_reaches_down_only_as_declared(self):
        self.assertIsNone(self.problem("ledger", "leither/base/check.h"))
        self.assertIsNone(self.problem("ledger", "leither/ledger/rules.h"))
        self.assertIsNotNone(self.problem("ledger", "leither/crypto/hash.h"))
        self.assertIsNotNone(self.problem("base", "leither/ledger/rules.h"))

    def test_private_headers_stay_in_their_room(self):
        self.assertIsNone(self.problem("ledger", "rules/table.h", present=("src/ledger/rules/table.h",)))
        self.assertIsNotNone(self.problem("ledger", "../crypto/secret.h", present=("src/crypto/secret.h",)))

    def test_libraries_stay_behind_their_room(self):
        self.assertIsNone(self.problem("crypto", "sodium.h", quoted=False))
        self.assertIsNotNone(self.problem("ledger", "sodium.h", quoted=False))
        self.assertIsNone(self.problem("ledger", "fmt/format.h", quoted=False))
        self.assertIsNotNone(self.problem("ledger", "yaml-cpp/yaml.h", quoted=False))
        self.assertIsNone(self.problem("ledger", "vector", quoted=False))

    def test_uses_only_go_down(self):
        upward = house.parse_layers("room 1 a | b |\nroom 2 b | |\n")
        sideways = house.parse_layers("room 1 a | b |\nroom 1 b | |\n")
        unknown = house.parse_layers("room 1 a | c |\n")
        for bad in (upward, sideways, unknown):
            self.assertTrue(check_layers.check_graph(bad))
        self.assertEqual(check_layers.check_graph(self.house), [])

    def test_cmake_says_the_same(self):
        room = self.house.rooms["crypto"]
        good = "leither_room(crypto USES base THIRD_PARTY PkgConfig::sodium)"
        self.assertEqual(check_layers.check_cmake(self.house, room, good), [])
        for bad in ("leither_room(crypto USES base)",
                    "leither_room(crypto USES base ledger THIRD_PARTY PkgConfig::sodium)",
                    "leither_room(crypto USES base PUBLIC_THIRD_PARTY PkgConfig::sodium)",
                    "add_library(crypto)"):
            self.assertTrue(check_layers.check_cmake(self.house, room, bad), bad)

    def test_a_line_that_cannot_be_read_is_an_error(self):
        for bad in ("rom 1 a | | ", "room x a | |", "room 1 a"):
            with self.assertRaises(house.LayersError):
                house.parse_layers(bad)

    def test_a_whole_tree(self):
        with tempfile.TemporaryDirectory() as root:
            files = {
                "docs/layers.txt": "room 0 base | |\nroom 1 codec | |\n",
                "src/base/CMakeLists.txt": "leither_room(base)",
                "src/codec/CMakeLists.txt": "leither_room(codec)",
                "src/codec/a.cpp": '#include "leither/base/bytes.h"\n',
                "src/attic/a.cpp": "\n",
            }
            for path, text in files.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            found = sorted(problem.path for problem in check_layers.check(root))
        self.assertEqual(found, ["src/attic/a.cpp", "src/codec/a.cpp"])


class Counting(unittest.TestCase):
    """What scripts/test makes of its stages' output."""

    def test_unittest_output(self):
        text = "FAIL: test_a (test_x.Case)\n\nRan 10 tests in 1.0s\n\nFAILED (failures=1, errors=2, skipped=3)\n"
        outcome = run_tests.read_unittest("system", text)
        self.assertEqual((outcome.passed, outcome.failed, outcome.skipped), (4, 3, 3))
        self.assertIn("test_x.Case", outcome.notes[0])
        clean = run_tests.read_unittest("system", "Ran 7 tests in 1.0s\n\nOK (skipped=1)\n")
        self.assertEqual((clean.passed, clean.failed, clean.skipped), (6, 0, 1))
        self.assertEqual(run_tests.read_unittest("system", "ImportError").failed, 1)

    def test_ctest_output(self):
        with tempfile.TemporaryDirectory() as folder:
            report = os.path.join(folder, "ctest.xml")
            with open(report, "w", encoding="utf-8") as file:
                file.write('<testsuite><testcase name="a.B" status="run"/><testcase name="a.C" status="notrun"/>'
                           '<testcase name="a.D" status="fail"><system-out>why</system-out></testcase></testsuite>')
            with contextlib.redirect_stdout(io.StringIO()):
                outcome = run_tests.read_junit("release", report)
        self.assertEqual((outcome.passed, outcome.failed, outcome.skipped), (1, 1, 1))
        self.assertIn("a\\.D", outcome.notes[0])

    def test_one_that_passes_alone_counts_and_is_named(self):
        root, run_tests.ROOT = run_tests.ROOT, self.enterContext(tempfile.TemporaryDirectory())
        self.addCleanup(setattr, run_tests, "ROOT", root)
        os.makedirs(os.path.join(run_tests.ROOT, "tests", "some"))
        with open(os.path.join(run_tests.ROOT, "tests", "some", "test_a.py"), "w", encoding="utf-8") as file:
            file.write("import os, unittest\n"
                       "class Case(unittest.TestCase):\n"
                       "    def test_never(self): self.fail()\n"
                       "    def test_second_time(self):\n"
                       "        if not os.path.exists('seen'): os.mkdir('seen'); self.fail()\n")
        with contextlib.redirect_stdout(io.StringIO()):
            outcome = run_tests.unittests("some", 20, 1)
        self.assertEqual((outcome.passed, outcome.failed), (1, 1))
        self.assertRegex(outcome.notes[0], "^some: .*test_never$")
        self.assertRegex(outcome.notes[1], "unsteady.*test_second_time$")

    def test_the_fuzzing_budget_is_shared(self):
        cores, run_tests.CORES = run_tests.CORES, 2
        self.addCleanup(setattr, run_tests, "CORES", cores)
        self.assertEqual(run_tests.fuzz_seconds(4), 60)
        self.assertEqual(run_tests.fuzz_seconds(10), 30)
        self.assertEqual(run_tests.fuzz_seconds(26), 11)


class ThisTree(unittest.TestCase):
    def test_layers_hold(self):
        self.assertEqual([str(problem) for problem in check_layers.check(ROOT)], [])

    def test_bans_hold(self):
        self.assertEqual([str(problem) for problem in check_bans.check(ROOT)], [])


if __name__ == "__main__":
    unittest.main()
