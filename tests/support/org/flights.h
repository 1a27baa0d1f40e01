// Messages on their way between machines of one kind, in virtual time.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "leither/base/time.h"

namespace leither::testing {

template <class Flight>
class Flights {
 public:
    // What the machines, numbered from 0, do when it is their turn.
    struct Turns {
        std::size_t machines = 0;
        std::function<std::optional<Instant>(std::size_t)> deadline;
        std::function<void(std::size_t)> tick;
        std::function<void(Flight&&)> land;
    };

    void add(Instant lands, Flight&& flight) { flying_.emplace(lands, std::move(flight)); }
    // Whatever is due before `end`, in order of time; what lands before who is due at once.
    void run(Instant& now, Instant end, const Turns& turns) {
        for (;;) {
            Instant next = end;
            std::optional<std::size_t> actor;
            if (!flying_.empty()) next = std::min(next, flying_.begin()->first);
            for (std::size_t i = 0; i < turns.machines; ++i) {
                const auto due = turns.deadline(i);
                if (!due || *due >= next) continue;
                next = *due;
                actor = i;
            }
            if (next >= end) break;
            now = std::max(now, next);
            if (actor) {
                turns.tick(*actor);
            } else {
                Flight flight = std::move(flying_.begin()->second);
                flying_.erase(flying_.begin());
                turns.land(std::move(flight));
            }
        }
        now = end;
    }

 private:
    std::multimap<Instant, Flight> flying_;
};

}  // namespace leither::testing
