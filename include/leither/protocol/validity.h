// From when until when a signed record holds, and why one is not taken.
#pragma once

#include <cstdint>

#include "leither/base/result.h"
#include "leither/base/time.h"

namespace leither::protocol {

// How far the clock of whoever signed may be ahead of ours.
inline constexpr Duration kClockTolerance = std::chrono::minutes(10);

struct Validity {
    std::uint64_t issued_ms = 0;   // Unix time; of two records of one writer the later one holds
    std::uint64_t expires_ms = 0;  // first moment at which it no longer holds
    static void fields(auto& self, auto&& visit) { visit(self.issued_ms, self.expires_ms); }
    bool is_canonical() const { return issued_ms < expires_ms; }
    bool holds(Instant now) const { return unix_ms(now) < expires_ms; }

    // From now on, for so long.
    static Validity from(Instant now, Duration lifetime);
    friend bool operator==(const Validity&, const Validity&) = default;
};

// In order of precedence.
enum class RecordError : std::uint8_t {
    wrong_key,        // signed or written by another key than the one it must come from
    too_long_lived,   // expires later than records of its kind may
    from_the_future,  // issued later than our clock tolerates
    expired,
    bad_signature,
    not_for_us,   // sealed to another key, or of another organization
    bad_content,  // does not decode, or holds what no honest writer puts there
};
const char* to_string(RecordError error);

// The record is neither too long-lived nor from the future nor expired.
Result<void, RecordError> check(const Validity& validity, Duration lifetime_max, Instant now);

}  // namespace leither::protocol
