// The line of a program's nodes as its owner allows it: both directions of one peer::Budget, and
// the month's traffic kept in a small file: at the end, and whenever kSaveEvery have passed.
#pragma once

#include <memory>
#include <string>

#include "leither/base/log.h"
#include "leither/io/budget.h"
#include "leither/peer/rate_limit.h"

namespace leither::io {

class TrafficMeter {
 public:
    // No more than so much is forgotten by a power failure.
    static constexpr std::uint64_t kSaveEvery = std::uint64_t{64} << 20;

    // Reads `file`, if it is there: what does not read is an unused month.
    TrafficMeter(const peer::Budget::Options& options, std::string file, Log log);
    // Keeps the month's usage.
    ~TrafficMeter();

    Budget& upload() { return up_; }
    Budget& download() { return down_; }
    void save();
    // Of the calendar month by the clock.
    peer::Budget::Usage usage();
    const peer::Budget::Options& caps() const { return caps_; }

 private:
    class Direction final : public Budget {
     public:
        Direction(TrafficMeter& meter, peer::Way way) : meter_(meter), way_(way) {}
        std::size_t take(std::size_t wanted) override;
        void give_back(std::size_t bytes) override;
        void charge(std::size_t bytes) override;
        Duration refill_in() override;

     private:
        TrafficMeter& meter_;
        peer::Way way_;
        std::size_t given_back_ = 0;
    };

    void spend(peer::Way way, std::uint64_t bytes, Instant now);

    Log log_;
    std::string file_;
    peer::Budget::Options caps_;
    peer::Budget budget_;
    std::uint64_t unsaved_ = 0;
    Direction up_{*this, peer::Way::up};
    Direction down_{*this, peer::Way::down};
};

}  // namespace leither::io
