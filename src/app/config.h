// What an operator can decide about a daemon. Plain data: config_table.h knows the keys' names and
// bounds, config_file.h reads them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "leither/base/log.h"

namespace leither::app {

// A number of bytes, written "160MiB" in files and on the command line.
struct ByteSize {
    std::uint64_t bytes = 0;
    friend auto operator<=>(ByteSize, ByteSize) = default;
};
constexpr ByteSize operator""_MiB(unsigned long long mebibytes) {
    return {mebibytes << 20};
}

enum class HistoryMode : std::uint8_t { full, window };

struct Config {
    std::string data_dir;  // empty: default_data_dir()

    std::string rpc_listen = "127.0.0.1:7171";
    ByteSize rpc_body_bytes_max = 2_MiB;
    std::uint64_t rpc_batch_max = 1000;
    std::uint64_t rpc_connections_max = 64;
    std::uint64_t rpc_subscriptions_max = 32;

    LogLevel log_level = LogLevel::info;
    // Nothing: as log_level.
    std::optional<LogLevel> log_level_consensus;
    std::optional<LogLevel> log_level_node;
    std::optional<LogLevel> log_level_rpc;
    std::optional<LogLevel> log_level_io;
    std::optional<LogLevel> log_level_app;
    std::optional<LogLevel> log_level_dht;
    std::optional<LogLevel> log_level_peer;
    std::optional<LogLevel> log_level_org;
    std::string log_file;  // empty: standard output alone
    ByteSize log_file_bytes_max = 16_MiB;
    std::uint64_t log_file_count = 5;

    std::uint64_t organizations_max = 8;

    ByteSize memory_max = 160_MiB;
    HistoryMode history_mode = HistoryMode::full;
    std::uint64_t history_pulses = 91'200;
    std::uint64_t history_catch_up_blocks = 3'600;
    std::string history_checkpoint;       // empty: nothing is pinned
    std::uint64_t receipts_max = 10'000;  // 0: none are kept
    ByteSize receipts_bytes_max = 32_MiB;
    std::uint64_t verify_threads = 0;  // 0: one for each core

    bool wallet_enabled = true;
    std::string wallet_dir;                    // empty: `wallet` in the data directory
    std::uint64_t wallet_lock_after_s = 3600;  // 0: not by itself

    bool network_enabled = true;
    bool network_map_ports = true;
    ByteSize network_upload_max{};    // a second; 0: without limit
    ByteSize network_download_max{};  // a second; 0: without limit
    ByteSize network_month_max{};     // both ways together; 0: without limit
    std::string dht_listen = "0.0.0.0:7400";
    std::string dht_bootstrap;
    bool dht_public_network = false;
    std::string dht_admit = "guests";
    std::string dht_allow;
    bool dht_local_network = false;
    std::string peer_listen;  // empty: as dht_listen
    std::string peer_connect;
    std::uint64_t peer_connections_max = 128;
    ByteSize content_max_bytes = 256_MiB;

    friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace leither::app
