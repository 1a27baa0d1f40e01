#include <algorithm>
#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "app/config_file.h"
#include "support/shared_data.h"

namespace leither::app {
namespace {

// What load_config says of a file with this text.
ConfigFaults faults_of(const std::string& text) {
    const auto loaded = load_config({"c.json", text, {}});
    return loaded ? ConfigFaults{} : loaded.error();
}
std::string only_fault_of(const std::string& text) {
    const auto faults = faults_of(text);
    return faults.size() == 1 ? faults.front() : "faults: " + std::to_string(faults.size());
}
std::string fault_of_setting(const std::string& setting) {
    const auto loaded = load_config({"", std::nullopt, {setting}});
    return loaded ? "" : loaded.error().front();
}

std::filesystem::path project_root() {
    return testing::source_dir();
}

TEST(Config, NothingGivenIsEveryDefault) {
    const auto loaded = load_config({"", std::nullopt, {}});
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->config, Config{});
}

TEST(Config, CommentsAndSectionsAreRead) {
    const auto loaded =
        load_config({"c.json", "// ours\n{ \"log\": { /* loud */ \"level\": \"debug\" } }", {}});
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->config.log_level, LogLevel::debug);
}

TEST(Config, TheCommandLineIsStrongerThanTheFile) {
    const auto loaded = load_config(
        {"c.json", R"({"rpc": {"batch_max": 5}})", {"rpc.batch_max=6", "log.level=off"}});
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->config.rpc_batch_max, 6u);
    EXPECT_EQ(loaded->config.log_level, LogLevel::off);
}

TEST(Config, AnUnknownKeyNamesItsLineAndTheNearestKey) {
    EXPECT_EQ(only_fault_of("{\n  \"rpc\": {\n    \"lisen\": 1\n  }\n}"),
              "c.json:3: unknown key \"rpc.lisen\"; the nearest is \"rpc.listen\"");
}

TEST(Config, AnEmptyUnknownSectionIsUnknownToo) {
    EXPECT_EQ(only_fault_of("{ \"memry\": {} }"),
              "c.json:1: unknown key \"memry\"; the nearest is \"memory.max\"");
}

TEST(Config, AWrongTypeNamesWhatIsAllowed) {
    EXPECT_EQ(only_fault_of("{\"rpc\": {\n\"batch_max\": \"many\"}}"),
              "c.json:2: \"rpc.batch_max\" must be a number from 1 to 10000, not \"many\"; the "
              "default is 1000");
    EXPECT_EQ(only_fault_of("{\"log\": {\"level\": [\"info\"]}}"),
              "c.json:1: \"log.level\" must be one of \"trace\", \"debug\", \"info\", \"warn\", "
              "\"error\", \"off\", not []; the default is \"info\"");
}

TEST(Config, AValueOutOfRangeNamesTheBounds) {
    EXPECT_EQ(only_fault_of("{\"memory\": {\"max\": \"1KiB\"}}"),
              "c.json:1: \"memory.max\" must be a size from \"16MiB\" to \"1TiB\", not \"1KiB\"; "
              "the default is \"160MiB\"");
    EXPECT_EQ(fault_of_setting("verify.threads=257"),
              "--set verify.threads=257: \"verify.threads\" must be a number from 0 to 256, not "
              "257; the default is 0");
}

TEST(Config, BoundsThemselvesAreAllowed) {
    EXPECT_EQ(fault_of_setting("verify.threads=256"), "");
    EXPECT_EQ(fault_of_setting("memory.max=16MiB"), "");
    EXPECT_EQ(fault_of_setting("memory.max=16777216"), "");
}

TEST(Config, ADuplicateKeyNamesBothLines) {
    EXPECT_EQ(only_fault_of("{\"rpc\": {\n\"batch_max\": 1,\n\"batch_max\": 2}}"),
              "c.json:3: duplicate key \"rpc.batch_max\", first given on line 2; remove one of "
              "them");
    EXPECT_EQ(only_fault_of("{\"rpc\": {\"batch_max\": 1},\n\"rpc\": {\"body_bytes_max\": 5000}}"),
              "c.json:2: duplicate key \"rpc\", first given on line 1; remove one of them");
}

TEST(Config, BrokenJsonNamesItsLine) {
    const std::string fault = only_fault_of("{\n\"data_dir\": \n}");
    EXPECT_TRUE(fault.starts_with("c.json:3: syntax error")) << fault;
    EXPECT_EQ(only_fault_of("7"), "c.json:1: the file must be one object: { ... }");
}

TEST(Config, EveryFaultIsToldAtOnce) {
    EXPECT_EQ(faults_of("{\"a\": 1, \"b\": 2, \"rpc\": {\"batch_max\": 0}}").size(), 3u);
}

TEST(Config, OnlyLoopbackAddressesAreListenedOn) {
    EXPECT_EQ(fault_of_setting("rpc.listen=127.0.0.1:0"), "");
    EXPECT_EQ(fault_of_setting("rpc.listen=[::1]:80"), "");
    for (const char* wrong : {"0.0.0.0:1", "10.0.0.1:1", "127.0.0.1", "localhost:70000", ":1"}) {
        EXPECT_NE(fault_of_setting(std::string("rpc.listen=") + wrong), "") << wrong;
    }
    EXPECT_EQ(fault_of_setting("rpc.listen=0.0.0.0:1"),
              "--set: \"rpc.listen\" must be a loopback address and port, not \"0.0.0.0:1\"; write "
              "for example \"127.0.0.1:7171\" or \"[::1]:0\"");
}

TEST(Config, ACheckpointIsASequenceAndAHash) {
    const std::string hash(64, 'a');
    EXPECT_EQ(fault_of_setting("history.checkpoint="), "");
    EXPECT_EQ(fault_of_setting("history.checkpoint=1234:" + hash), "");
    for (const std::string& wrong :
         {std::string(hash), std::string("1234:"), ":" + hash, "-1:" + hash, "01:" + hash,
          "1234:" + hash + "a", "99999999999999999999:" + hash, "1234:" + std::string(64, 'A')}) {
        EXPECT_NE(fault_of_setting("history.checkpoint=" + wrong), "") << wrong;
    }
}

TEST(Config, ASettingWithoutValueIsRefused) {
    EXPECT_EQ(fault_of_setting("log.level"),
              "--set log.level: no value; write --set key.path=value");
}

TEST(Config, DescribeTellsWhereEachValueComesFrom) {
    const auto loaded =
        load_config({"c.json", "{\n\"memory\": {\"max\": \"64MiB\"}}", {"log.level=warn"}});
    ASSERT_TRUE(loaded);
    const std::string text = describe(*loaded);
    const auto expect_line = [&](const std::string& setting, const std::string& source) {
        const std::string line = setting + std::string(44 - setting.size(), ' ') + " # " + source;
        EXPECT_NE(text.find(line + "\n"), std::string::npos) << text;
    };
    expect_line("memory.max = \"64MiB\"", "c.json:2");
    expect_line("log.level = \"warn\"", "--set");
    expect_line("rpc.batch_max = 1000", "default");
}

TEST(Config, DifferencesPartWhatAppliesAtOnceFromWhatNeedsARestart) {
    Config fresh;
    fresh.log_level_rpc = LogLevel::trace;
    fresh.verify_threads = 3;
    EXPECT_EQ(differences(Config{}, fresh, Applies::at_once),
              std::vector<std::string>{"log.levels.rpc: \"\" -> \"trace\""});
    EXPECT_EQ(differences(Config{}, fresh, Applies::at_restart),
              std::vector<std::string>{"verify.threads: 0 -> 3"});
}

TEST(ConfigSize, EveryUnitReadsBack) {
    for (const std::uint64_t bytes : {0ull, 1ull, 1023ull, 1024ull, 5ull << 20, 3ull << 40}) {
        const auto size = parse_size(format_size({bytes}));
        ASSERT_TRUE(size);
        EXPECT_EQ(size->bytes, bytes);
    }
    for (const char* wrong : {"", "MiB", "1 MiB", "1MB", "-1", "99999999999TiB"}) {
        EXPECT_FALSE(parse_size(wrong)) << wrong;
    }
}

// The files made from the table. LEITHER_REWRITE=1 writes them anew, to be reviewed and committed.
TEST(ConfigTable, TheSampleIsWhatTheTableSays) {
    const auto path = project_root() / "config/leitherd.json";
    if (std::getenv("LEITHER_REWRITE") != nullptr) std::ofstream(path) << sample_config();
    EXPECT_EQ(testing::load_text(path), sample_config())
        << "run: LEITHER_REWRITE=1 app_test --gtest_filter='ConfigTable.*'";
    const auto loaded = load_config({"leitherd.json", sample_config(), {}});
    ASSERT_TRUE(loaded) << loaded.error().front();
    EXPECT_EQ(loaded->config, Config{});
}

TEST(ConfigTable, TheReferenceIsWhatTheTableSays) {
    const auto path = project_root() / "docs/configuration.md";
    const std::string begin = "<!-- keys -->\n";
    const std::string end = "<!-- /keys -->\n";
    std::string text = testing::load_text(path);
    const auto from = text.find(begin) + begin.size();
    const auto to = text.find(end);
    ASSERT_NE(to, std::string::npos);
    if (std::getenv("LEITHER_REWRITE") != nullptr) {
        text.replace(from, to - from, config_reference());
        std::ofstream(path) << text;
        return;
    }
    EXPECT_EQ(text.substr(from, to - from), config_reference())
        << "run: LEITHER_REWRITE=1 app_test --gtest_filter='ConfigTable.*'";
}

TEST(ConfigTable, EveryKeyHasAnExplanationAndADefaultWithinItsBounds) {
    for (const ConfigKey& key : config_keys()) {
        EXPECT_FALSE(key.doc.empty()) << key.path;
        EXPECT_EQ(find_config_key(key.path), &key);
        EXPECT_EQ(nearest_config_key(key.path), key.path);
    }
}

}  // namespace
}  // namespace leither::app
