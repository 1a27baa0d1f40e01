#include "leither/sim/churn.h"

namespace leither::sim {

// Uniform draws that go on falling: their number is odd with just the chance that makes the first
// one, plus the failures before, exponential.
Duration exponential(Prng& prng, Duration mean) {
    constexpr std::uint64_t kOne = std::uint64_t{1} << 32;
    for (std::uint64_t whole = 0;; ++whole) {
        const std::uint64_t first = prng.below(kOne);
        std::uint64_t last = first;
        unsigned run = 1;
        for (std::uint64_t next = prng.below(kOne); next < last; next = prng.below(kOne)) {
            last = next;
            ++run;
        }
        if (run % 2 == 0) continue;
        const auto millis = static_cast<std::uint64_t>(mean.count() / 1000);
        const std::uint64_t drawn = whole * millis + (first * millis >> 32);
        return std::chrono::milliseconds(static_cast<std::int64_t>(drawn));
    }
}

void Churn::admit(HostId host) {
    network_.world().after(exponential(prng_, mean_session_), [this, host] {
        ++departures_;
        network_.remove(host);
        admit(arrive_());
    });
}

}  // namespace leither::sim
