// How much may flow: a token bucket for each peer's messages and bytes, and the caps and monthly
// quota of the whole node. Integers and time as an argument; nothing here waits.
#pragma once

#include <cstdint>
#include <optional>

#include "leither/base/time.h"

namespace leither::peer {

// `rate` units a second, of which at most `burst` may be saved up. What has already happened is
// charged even when too little is left: the debt is paid off before more is allowed.
class TokenBucket {
 public:
    struct Limit {
        std::uint32_t rate = 0;   // 0 = without limit
        std::uint32_t burst = 0;  // > 0 if there is a limit
    };
    TokenBucket(Limit limit, Instant now);

    void charge(std::uint64_t units, Instant now);
    // Whole units that may be spent now; the greatest number if there is no limit.
    std::uint64_t available(Instant now) const;
    // Whole units charged beyond what there was; 0 if there is no limit.
    std::uint64_t debt(Instant now) const;
    // When `units` (at most the burst) will be available.
    Instant ready_at(std::uint64_t units, Instant now) const;

 private:
    std::int64_t level_at(Instant now) const;  // in millionths of a unit

    Limit limit_;
    std::int64_t level_ = 0;
    Instant at_;
};

enum class Way : std::uint8_t { up, down };

// The node's own line. The host asks before it reads or writes on any connection, and tells what it
// did. When the month's quota is used up, both ways go on at `trickle`: enough to stay a member,
// too little to matter on a bill.
class Budget {
 public:
    struct Options {
        std::uint32_t up_bytes_per_second = 0;    // 0 = without limit
        std::uint32_t down_bytes_per_second = 0;  // 0 = without limit
        std::uint64_t month_bytes_max = 0;        // both ways together; 0 = without limit
        std::uint32_t trickle_bytes_per_second = 2048;
    };
    // What a host keeps over restarts.
    struct Usage {
        std::uint32_t month = 0;  // calendar months since January 1970, UTC
        std::uint64_t up_bytes = 0;
        std::uint64_t down_bytes = 0;
        friend bool operator==(const Usage&, const Usage&) = default;
    };
    struct Allowance {
        std::uint64_t bytes = 0;
        // When to ask again if `bytes` is zero.
        std::optional<Instant> again;
    };

    Budget(Options options, const Usage& saved, Instant now);

    Allowance allow(Way way, Instant now);
    void spend(Way way, std::uint64_t bytes, Instant now);
    Usage usage(Instant now);
    bool quota_is_spent(Instant now);

 private:
    void turn_month(Instant now);
    TokenBucket& bucket(Way way);

    Options options_;
    Usage usage_;
    TokenBucket up_;
    TokenBucket down_;
    TokenBucket trickle_;
};

// Calendar months since January 1970, UTC; 0 before.
std::uint32_t month_of(Instant now);

}  // namespace leither::peer
