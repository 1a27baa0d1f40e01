// What the dispatcher needs of the program that runs the node. io::EventLoop is the real one; tests
// and fuzzers bring a small one.
#pragma once

#include <cstdint>
#include <optional>

#include "leither/base/time.h"
#include "leither/node/input.h"
#include "leither/node/queries.h"
#include "leither/peer/rate_limit.h"

namespace leither::rpc {

// What the node's line has carried this month, and what its owner allows.
struct LineStats {
    peer::Budget::Usage used;
    peer::Budget::Options caps;
};

// The process as its operator sees it, for `/metrics` and `node.status`.
struct ProcessStats {
    std::uint64_t resident_bytes = 0;
    Duration cpu{};
    Duration uptime{};
    std::optional<LineStats> line;  // nothing without network
};

enum class PulseEvents : std::uint8_t { off, on };

class Host {
 public:
    virtual ~Host() = default;
    // Valid until the host goes on; never kept.
    virtual node::Queries queries() const = 0;
    virtual const PublicKey& node_key() const = 0;
    virtual Instant now() const = 0;
    // Queues the input; what comes of it arrives later through Dispatcher::on_reply and on_event,
    // never from within this call.
    virtual void enqueue(node::Input&& input) = 0;
    // Whether Dispatcher::on_pulse shall be called each second. Off at first: an idle node sleeps.
    virtual void set_pulse_events(PulseEvents events) = 0;
    // Stops the node as on SIGTERM, once the current call is done.
    virtual void stop() = 0;
    virtual ProcessStats process_stats() const = 0;
};

}  // namespace leither::rpc
