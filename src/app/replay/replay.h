// Runs a whole payment history through a daemon's public API and checks what comes of it
// (`leither replay`, docs/cli.md).
//
// Specification
//   * Founds an organization of its own, admits every account, funds it from the treasury, then
//     submits every transfer in order with both signatures.
//   * Given several daemons, it makes all of them bookkeepers and every payer a customer of one of
//     them. A transfer that needs what is still under way at another daemon waits until all of
//     them have it. At the end all must stand at the same root.
//   * Whatever the rules must refuse is submitted too and must be refused by that name.
//   * Afterwards every balance is compared with the expected one, and receipts drawn over the whole
//     history (present, past and absent accounts) are verified without the daemon.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "leither/base/prng.h"
#include "leither/base/synopsis.h"

#include "app/replay/cast.h"
#include "app/replay/courier.h"
#include "app/replay/history.h"

namespace leither::app {

enum class SignWhen : std::uint8_t { as_needed, before_the_clock_starts };

struct ReplayOptions {
    std::uint64_t seed = 1;
    std::optional<std::uint64_t> rate;  // transfers a second; nothing: as fast as they are taken
    SignWhen sign = SignWhen::as_needed;
    std::size_t receipts = 100;
};

struct ReplaySummary {
    std::size_t accounts = 0;
    std::uint64_t submitted = 0;
    std::uint64_t committed = 0;
    std::map<std::string, std::uint64_t> refused;  // by name
    std::uint64_t sequences = 0;
    double setup_seconds = 0;    // keys, founding, joining, funding
    double signing_seconds = 0;  // only if signed before the clock started
    double seconds = 0;          // from the first transfer's submission to the last one's block
    double transfers_per_second = 0;
    std::uint64_t latency_p50 = 0;  // pulses
    std::uint64_t latency_p99 = 0;
    Synopsis root;
    std::uint64_t daemons = 0;  // that stand at this root
    Amount supply;
    std::uint64_t balances_compared = 0;
    std::uint64_t receipts_verified = 0;
    std::uint64_t reconnects = 0;
    std::uint64_t mismatches = 0;
    std::vector<std::string> complaints;  // the first mismatches in words
};
nlohmann::json to_json(const ReplaySummary& summary);
std::string to_text(const ReplaySummary& summary);

class Replay {
 public:
    // The history and the daemons, at least one, outlive the replay.
    Replay(ReplayOptions options, const History& history, std::vector<DaemonLink*> daemons);

    // Throws CliError if the organization cannot be founded, RpcUnreachable if the daemon stays
    // away.
    ReplaySummary run();

 private:
    // What is submitted, numbered through: joins, then funding, then transfers.
    struct Rows {
        std::size_t joins = 0;
        std::vector<AccountIndex> funded;  // accounts with a balance before
        std::size_t transfers = 0;
        std::size_t first_transfer() const { return joins + funded.size(); }
    };
    // An account at a sequence, to be proven.
    struct Sample {
        Id id;
        std::optional<AccountIndex> account;  // nothing: an id that never joins
        Sequence sequence;
    };

    void found();
    PublicKey node_key_of(DaemonLink& daemon);
    // Makes the organization known to the daemons behind the first, which keep it from then on.
    void gather();
    void set_up(Courier& courier);
    void run_transfers();
    void submit_paced(std::vector<SignedTransaction> transactions);
    // Each to its payer's daemon, in order; those between two barriers in one go.
    void distribute(std::vector<SignedTransaction> transactions);
    // Returns when everything submitted is decided and every daemon has it.
    void settle();
    std::size_t daemon_of(std::size_t transfer) const;
    std::uint64_t delivered() const;
    std::vector<std::vector<SignedTransaction>> sign_all(Signer& signer);
    void plan_nonces();
    void on_delivered(const Delivery& delivery);
    void on_transfer_delivered(std::size_t transfer, const Delivery& delivery);

    void check_root();
    void check_balances();
    void check_receipts();
    Sample draw_sample(std::size_t number, Sequence oldest);
    void check_receipt(const Sample& sample);
    // What the account holds after that sequence; nothing before it joined.
    std::optional<Amount> balance_at(AccountIndex account, Sequence sequence) const;
    void mismatch(std::string complaint);
    void summarise_latencies();
    Acts acts() const;
    std::size_t chunk() const;

    ReplayOptions options_;
    const History& history_;
    std::vector<DaemonLink*> daemons_;
    DaemonLink& link_;  // the first of them
    Forecast forecast_;
    Cast cast_;
    Prng prng_;
    Rows rows_;
    std::vector<std::uint64_t> counters_;  // of each transfer, from its payer's first
    std::vector<bool> barriers_;           // whether everything before it must be decided first
    protocol::Charter charter_;
    ChainId chain_;
    std::vector<Courier> couriers_;  // one for each daemon

    std::vector<Sequence> joined_;                      // by account
    std::vector<Sequence> funded_at_;                   // by account; 0: never
    std::vector<std::optional<Sequence>> transferred_;  // by transfer
    std::vector<std::uint64_t> latencies_;              // transfers by pulses
    std::uint64_t paced_ = 0;                           // transfers submitted by the clock below
    std::chrono::steady_clock::time_point clock_start_{};
    ReplaySummary summary_;
};

}  // namespace leither::app
