// What the dispatcher asks of the program around the node, for the node's user. The node knows
// nothing of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "leither/base/time.h"

namespace leither::rpc {

// Opens the dashboard once.
struct DashboardLink {
    std::string url;
    Instant expires;
};

// A line of the log that is still in memory.
struct LogLine {
    std::uint64_t number = 0;  // counts from 1 since the start
    Instant time;
    std::string level;  // "trace" ... "error"
    std::string room;
    std::string event;
    std::string fields;
};

struct DiskUse {
    std::uint64_t used_bytes = 0;  // by the data directory
    std::uint64_t free_bytes = 0;
    std::uint64_t total_bytes = 0;
};

class Front {
 public:
    virtual ~Front() = default;
    virtual DashboardLink dashboard_link() = 0;
    // The newest lines behind number `after`, oldest first, at most `max`.
    virtual std::vector<LogLine> log_lines(std::uint64_t after, std::size_t max) const = 0;
    virtual std::optional<DiskUse> disk_use() = 0;
};

}  // namespace leither::rpc
