// Counters and the Prometheus text exposition (format 0.0.4) of `GET /metrics`.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leither/base/time.h"
#include "leither/rpc/host.h"
#include "leither/rpc/places.h"

namespace leither::rpc {

enum class CallOutcome : std::uint8_t { ok, refused, invalid, failed };
const char* to_string(CallOutcome outcome);

// Durations in fixed buckets, as Prometheus wants them.
class Histogram {
 public:
    static constexpr std::array<double, 10> kBoundsSeconds = {0.001, 0.0025, 0.005, 0.01, 0.025,
                                                              0.05,  0.1,    0.25,  0.5,  1.0};
    void observe(Duration duration);

    std::uint64_t count() const { return count_; }
    double sum_seconds() const { return sum_seconds_; }
    // Observations at or below kBoundsSeconds[i].
    std::uint64_t cumulative(std::size_t i) const;

 private:
    std::array<std::uint64_t, kBoundsSeconds.size()> buckets_{};
    std::uint64_t count_ = 0;
    double sum_seconds_ = 0;
};

class Metrics {
 public:
    // `method` is a name of the method table or "unknown", so the number of series is bounded.
    void count_call(std::string_view method, CallOutcome outcome);
    // `verdict`: "admitted", "committed" or a refusal's name.
    void count_transactions(std::string_view verdict, std::uint64_t count);
    void count_block() { ++blocks_; }
    // From handing out a batch to its being durable and stepped.
    void observe_seal(Duration duration) { seals_.observe(duration); }

    using Calls = std::map<std::pair<std::string, CallOutcome>, std::uint64_t>;
    using Transactions = std::map<std::string, std::uint64_t, std::less<>>;
    const Calls& calls() const { return calls_; }
    const Transactions& transactions() const { return transactions_; }
    std::uint64_t blocks() const { return blocks_; }
    const Histogram& seals() const { return seals_; }

 private:
    Calls calls_;
    Transactions transactions_;
    std::uint64_t blocks_ = 0;
    Histogram seals_;
};

// A node that is exposed. The first place's series have no label, those of others `org`.
struct Metered {
    std::string name;  // of its place
    const Metrics* metrics = nullptr;
    const Host* host = nullptr;
};
// The whole exposition of a program; ends with a newline. `places`: how many are in which state;
// empty: not told.
std::string exposition(const std::vector<Metered>& nodes, const ProcessStats& process,
                       const std::vector<PlaceStatus>& places);

}  // namespace leither::rpc
