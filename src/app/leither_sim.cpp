// The simulator's command line (docs/simulation.md).
#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "leither/base/version.h"
#include "leither/crypto/sign.h"
#include "leither/sim/scenario.h"

#include "app/unsigned_options.h"

namespace {

using namespace leither;
using nlohmann::json;
using std::chrono::minutes;

enum class Exit : int { passed = 0, failed = 1, usage = 2 };

constexpr std::uint64_t kSeedsMax = 1'000'000;
constexpr unsigned kJobsMax = 256;

constexpr const char* kFooter =
    "Examples:\n"
    "  leither-sim run --scenario dht-kill30 --seed 7\n"
    "  leither-sim sweep --scenario peer-mesh --seeds 1..100 --jobs 2\n"
    "  leither-sim run --random --seed 7\n"
    "Exit codes: 0 all goals met, 1 a goal missed, 2 usage.";

struct Chosen {
    std::string scenario;
    std::optional<std::size_t> nodes;
    std::optional<std::uint32_t> minutes;
    std::optional<unsigned> loss_percent;
    std::uint64_t seed = 1;
    std::string seeds = "1..10";
    unsigned jobs = 1;
    bool random = false;
    bool trace = false;
    bool json = false;
};

int complain(const std::string& text) {
    fmt::print(stderr, "leither-sim: {}\n", text);
    return static_cast<int>(Exit::usage);
}

class Lines final : public sim::TraceSink {
 public:
    void line(std::string_view text) override { fmt::print("{}\n", text); }
};

// What repeats a run, with only what differs from the defaults.
std::string replay_of(const sim::Scenario& scenario, const sim::Settings& settings) {
    const std::string which =
        scenario.name == sim::kRandom ? "--random" : fmt::format("--scenario {}", scenario.name);
    std::string out = fmt::format("leither-sim run {} --seed {}", which, settings.seed);
    if (settings.nodes != scenario.defaults.nodes)
        out += fmt::format(" --nodes {}", settings.nodes);
    if (settings.duration != scenario.defaults.duration) {
        const auto count = std::chrono::duration_cast<minutes>(settings.duration).count();
        out += fmt::format(" --minutes {}", count);
    }
    if (settings.loss_per_mille != scenario.defaults.loss_per_mille) {
        out += fmt::format(" --loss {}", settings.loss_per_mille / 10);
    }
    return out;
}

// A CHECK that fails in a world ends the program; what was running there is its last word.
thread_local std::array<char, 256> running{};

extern "C" void say_what_ran(int) {
    (void)!write(STDERR_FILENO, running.data(), std::strlen(running.data()));
}

sim::Report run_one(const sim::Scenario& scenario, const sim::Settings& settings) {
    const std::string line = "aborted: " + replay_of(scenario, settings) + "\n";
    std::strncpy(running.data(), line.c_str(), running.size() - 1);
    return scenario.run(settings);
}

std::string text_of(const sim::Goal& goal, sim::Unit unit) {
    const char* sign = goal.kind == sim::Goal::Kind::at_least ? ">=" : "<=";
    return fmt::format("{} {}", sign, sim::text_of(goal.bound, unit));
}

void print_report(const sim::Scenario& scenario, const sim::Settings& settings,
                  const sim::Report& report) {
    for (const sim::Figure& figure : report.figures) {
        fmt::print("{:<32} {:>16}", figure.name, sim::text_of(figure.value, figure.unit));
        if (figure.goal) {
            fmt::print("   goal {}, {}", text_of(*figure.goal, figure.unit),
                       figure.is_met() ? "met" : "MISSED");
        }
        fmt::print("\n");
    }
    fmt::print("{:<32} {:>16}\n", "virtual seconds",
               std::chrono::duration_cast<std::chrono::seconds>(report.elapsed).count());
    fmt::print("{:<32} {:>16}\n", "events", report.happenings);
    if (!report.failures.empty()) {
        fmt::print("the last events before the first failure:\n");
        for (const std::string& line : report.trace) fmt::print("  {}\n", line);
        for (const std::string& line : report.failures) fmt::print("FAILED {}\n", line);
    }
    fmt::print("hash {}\n", report.hash.hex());
    fmt::print("{}: {}\n", report.passed() ? "passed" : "FAILED", replay_of(scenario, settings));
}

json json_of(const sim::Scenario& scenario, const sim::Settings& settings,
             const sim::Report& report) {
    json figures = json::array();
    for (const sim::Figure& figure : report.figures) {
        json row = {{"name", figure.name},
                    {"value", figure.value},
                    {"text", sim::text_of(figure.value, figure.unit)}};
        if (figure.goal) {
            row["goal"] = text_of(*figure.goal, figure.unit);
            row["met"] = figure.is_met();
        }
        figures.push_back(std::move(row));
    }
    return {{"scenario", scenario.name},
            {"seed", settings.seed},
            {"replay", replay_of(scenario, settings)},
            {"passed", report.passed()},
            {"hash", report.hash.hex()},
            {"events", report.happenings},
            {"virtual_us", report.elapsed.count()},
            {"failures", report.failures},
            {"trace", report.trace},
            {"figures", std::move(figures)}};
}

int list() {
    for (const sim::Scenario& each : sim::scenarios()) {
        const auto length = std::chrono::duration_cast<minutes>(each.defaults.duration).count();
        fmt::print("{:<12} {}\n{:<12} --nodes {} --minutes {} --loss {}\n", each.name, each.what,
                   "", each.defaults.nodes, length, each.defaults.loss_per_mille / 10);
    }
    return static_cast<int>(Exit::passed);
}

sim::Settings settings_of(const sim::Scenario& scenario, const Chosen& chosen) {
    sim::Settings settings = scenario.defaults;
    settings.seed = chosen.seed;
    if (chosen.nodes) settings.nodes = *chosen.nodes;
    if (chosen.minutes) settings.duration = minutes(*chosen.minutes);
    if (chosen.loss_percent) settings.loss_per_mille = *chosen.loss_percent * 10;
    return settings;
}

int run(const sim::Scenario& scenario, sim::Settings settings, const Chosen& chosen) {
    Lines lines;
    if (chosen.trace) settings.trace = &lines;
    const sim::Report report = run_one(scenario, settings);
    if (chosen.json) {
        fmt::print("{}\n", json_of(scenario, settings, report).dump(2));
    } else {
        print_report(scenario, settings, report);
    }
    return static_cast<int>(report.passed() ? Exit::passed : Exit::failed);
}

struct Seeds {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
};

// "A..B", both included.
std::optional<Seeds> parse_seeds(const std::string& text) {
    Seeds seeds;
    const char* end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, seeds.first);
    if (first.ec != std::errc() || end - first.ptr < 3) return std::nullopt;
    if (first.ptr[0] != '.' || first.ptr[1] != '.') return std::nullopt;
    const auto last = std::from_chars(first.ptr + 2, end, seeds.last);
    if (last.ec != std::errc() || last.ptr != end || seeds.last < seeds.first) return std::nullopt;
    if (seeds.last - seeds.first >= kSeedsMax) return std::nullopt;
    return seeds;
}

void print_swept(const sim::Scenario& scenario, const sim::Settings& settings,
                 const sim::Report& report, const Chosen& chosen) {
    if (chosen.json) {
        fmt::print("{}\n", json_of(scenario, settings, report).dump());
    } else if (report.passed()) {
        fmt::print("seed {} passed\n", settings.seed);
    } else {
        std::string missed;
        for (const sim::Figure& figure : report.figures) {
            if (figure.is_met()) continue;
            missed += fmt::format(" {} {} (goal {});", figure.name,
                                  sim::text_of(figure.value, figure.unit),
                                  text_of(*figure.goal, figure.unit));
        }
        fmt::print("seed {} FAILED:{} replay: {}\n", settings.seed, missed,
                   replay_of(scenario, settings));
        for (const std::string& line : report.failures) fmt::print("  {}\n", line);
    }
    std::fflush(stdout);
}

// Each world is on one thread; worlds share nothing.
int sweep(const sim::Scenario& scenario, const sim::Settings& settings, const Chosen& chosen) {
    const auto seeds = parse_seeds(chosen.seeds);
    if (!seeds) {
        return complain(fmt::format("--seeds {}: write A..B, A <= B, at most {} of them",
                                    chosen.seeds, kSeedsMax));
    }
    const std::uint64_t all = seeds->last - seeds->first + 1;  // at most kSeedsMax
    std::atomic<std::uint64_t> next = 0;
    std::uint64_t failed = 0;
    std::mutex printing;
    const auto work = [&] {
        for (std::uint64_t i = next++; i < all; i = next++) {
            sim::Settings its = settings;
            its.seed = seeds->first + i;
            const sim::Report report = run_one(scenario, its);
            const std::lock_guard lock(printing);
            if (!report.passed()) ++failed;
            print_swept(scenario, its, report, chosen);
        }
    };
    std::vector<std::thread> others;
    for (unsigned i = 1; i < chosen.jobs; ++i) others.emplace_back(work);
    work();
    for (std::thread& other : others) other.join();
    if (!chosen.json) fmt::print("{} of {} seeds passed\n", all - failed, all);
    return static_cast<int>(failed == 0 ? Exit::passed : Exit::failed);
}

void add_common(CLI::App& command, Chosen& chosen) {
    auto* named =
        command.add_option("--scenario", chosen.scenario, "Which; see `leither-sim list`");
    auto* drawn = command.add_flag("--random", chosen.random,
                                   "A ledger whose sizes and faults are drawn from the seed");
    named->excludes(drawn);
    command.add_option("--nodes", chosen.nodes, "How many nodes");
    command.add_option("--minutes", chosen.minutes, "How long, in virtual minutes");
    command.add_option("--loss", chosen.loss_percent, "Datagrams lost, in percent")
        ->check(CLI::Range(0u, sim::kLossPerMilleMax / 10));
    command.add_flag("--json", chosen.json, "Answer in JSON");
}

}  // namespace

int main(int argc, char** argv) {
    Chosen chosen;
    CLI::App cli("Simulates networks of nodes in virtual time.");
    cli.set_version_flag("--version", std::string(kVersion));
    cli.footer(kFooter);
    cli.require_subcommand(1);
    const auto* listing = cli.add_subcommand("list", "The scenarios and their defaults");
    auto* once = cli.add_subcommand("run", "Runs a scenario once");
    add_common(*once, chosen);
    once->add_option("--seed", chosen.seed, "Where all chance comes from");
    once->add_flag("--trace", chosen.trace, "Print each event")->excludes("--json");
    auto* many = cli.add_subcommand("sweep", "Runs a scenario for many seeds");
    add_common(*many, chosen);
    many->add_option("--seeds", chosen.seeds, "A..B, both included");
    many->add_option("--jobs", chosen.jobs, "Seeds at the same time")
        ->check(CLI::Range(1u, kJobsMax));
    app::demand_decimal_numbers(cli);
    try {
        cli.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return cli.exit(error) == 0 ? 0 : static_cast<int>(Exit::usage);
    }
    if (listing->parsed()) return list();
    if (chosen.random) chosen.scenario = sim::kRandom;
    if (chosen.scenario.empty()) return complain("--scenario NAME or --random is needed");
    const sim::Scenario* scenario = sim::find_scenario(chosen.scenario);
    if (scenario == nullptr) {
        return complain(
            fmt::format("--scenario {}: there is none of this name; `leither-sim list` "
                        "names all",
                        chosen.scenario));
    }
    const sim::Settings settings = settings_of(*scenario, chosen);
    if (const auto fault = sim::fault_of(*scenario, settings)) return complain(*fault);
    crypto::initialise();
    std::signal(SIGABRT, say_what_ran);
    if (once->parsed()) return run(*scenario, settings, chosen);
    return sweep(*scenario, settings, chosen);
}
