// How a host is connected: what becomes of each datagram that leaves it, and how long it takes.
#pragma once

#include <cstdint>

#include "leither/base/time.h"

namespace leither::sim {

// All ways are one way, and the sender's line decides. Jitter alone reorders datagrams; `reorder`
// holds some back besides.
struct Line {
    // Drawn for each datagram.
    Duration latency_min = std::chrono::milliseconds(10);
    Duration latency_max = std::chrono::milliseconds(50);
    // Added for each pair of hosts, always the same for one pair: from nothing to this.
    Duration distance_max{0};
    unsigned loss_per_mille = 0;
    unsigned duplicate_per_mille = 0;
    unsigned reorder_per_mille = 0;
    Duration reorder_max = std::chrono::milliseconds(200);
    // Of streams; datagrams are taken to be small.
    std::uint64_t bytes_per_second = 5'000'000;

    // One room: 0.1 to 0.5 ms, a gigabit.
    static Line lan() {
        Line line;
        line.latency_min = std::chrono::microseconds(100);
        line.latency_max = std::chrono::microseconds(500);
        line.bytes_per_second = 100'000'000;
        return line;
    }
    // One country's homes: 30 ms, 20 ms more or less, 40 Mbit/s upward.
    static Line home() { return {}; }
    // Homes all over the world: 10 to 160 ms by pair, 10 ms jitter.
    static Line world() {
        Line line;
        line.latency_max = std::chrono::milliseconds(20);
        line.distance_max = std::chrono::milliseconds(140);
        return line;
    }
};

}  // namespace leither::sim
