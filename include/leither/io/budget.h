// How many bytes may move: the owner's caps on upload and download, asked before bytes are moved.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "leither/base/time.h"

namespace leither::io {

// One budget serves all connections of one direction. On the reactor's thread.
class Budget {
 public:
    virtual ~Budget() = default;
    // Takes what may move now of `wanted` bytes. 0: nothing, ask again after refill_in().
    virtual std::size_t take(std::size_t wanted) = 0;
    // Bytes taken and not moved.
    virtual void give_back(std::size_t bytes) = 0;
    // Bytes that moved without being asked for, as datagrams do; those who ask wait for it.
    virtual void charge(std::size_t bytes) = 0;
    // Until take() may give something again; more than 0.
    virtual Duration refill_in() = 0;
};

// So many bytes a second: a bucket that holds a quarter of a second's worth, at least kBurstMin.
// Charges leave it in debt by no more than a bucketful.
class RateCap final : public Budget {
 public:
    static constexpr std::int64_t kBurstMin = std::int64_t{64} << 10;
    // Fewer bytes are not given while more are wanted, so that a low cap does not make many tiny
    // reads.
    static constexpr std::int64_t kQuantum = std::int64_t{16} << 10;
    static constexpr std::uint64_t kRateMax = std::uint64_t{1} << 40;
    // Time since any fixed moment; never goes back.
    using Clock = std::function<Duration()>;

    // REQUIRES: 0 < bytes_per_second <= kRateMax.
    RateCap(std::uint64_t bytes_per_second, Clock clock);
    // By the system's steady clock.
    explicit RateCap(std::uint64_t bytes_per_second);

    std::size_t take(std::size_t wanted) override;
    void give_back(std::size_t bytes) override;
    void charge(std::size_t bytes) override;
    Duration refill_in() override;

 private:
    void refill();
    Duration time_for(std::int64_t bytes) const;

    std::int64_t rate_;          // bytes a second
    std::int64_t burst_;         // bytes the bucket holds
    std::int64_t level_;         // below 0: debt
    std::int64_t fraction_ = 0;  // millionths of a byte above `level_`
    Clock clock_;
    Duration refilled_at_;
};

}  // namespace leither::io
