// Every knob of the hub.
#pragma once

#include <string>

#include "leither/peer/conduct.h"
#include "leither/peer/peer_table.h"
#include "leither/peer/rate_limit.h"

namespace leither::peer {

struct HubOptions {
    // ---- How many
    std::size_t connections_max = 128;       // established, reserved slots included
    std::size_t reserved_max = 16;           // of these, kept for configured and reserved nodes
    std::size_t inbound_per_block_max = 8;   // established, of one global /24 or /56
    std::size_t outbound_target = 8;         // for each organization served
    std::size_t outbound_per_block_max = 2;  // of global addresses, unless configured
    std::size_t dials_max = 8;               // at once
    std::size_t half_open_max = 64;          // accepted, not yet authenticated
    std::size_t half_open_per_block_max = 8;
    std::size_t contexts_max = 16;
    Duration plan_every = std::chrono::milliseconds(100);  // at most so often are dials planned

    // ---- How long
    Duration dial_timeout = std::chrono::seconds(10);      // until the transport is open
    Duration handshake_timeout = std::chrono::seconds(5);  // until the other's Hello
    Duration ping_after = std::chrono::seconds(120);       // of silence
    Duration pong_timeout = std::chrono::seconds(30);
    // The same after a change of the host's addresses.
    Duration pong_timeout_moved = std::chrono::seconds(10);
    Duration stall_timeout = std::chrono::seconds(60);  // without the transport taking a byte
    Duration full_patience = std::chrono::seconds(10);  // the same, with a full outbox
    // Two connections to one node that are made within this time are taken for a simultaneous dial.
    Duration simultaneous = std::chrono::seconds(10);

    // ---- How much, from and to each peer
    std::size_t outbox_bytes_max = std::size_t{2} << 20;
    std::size_t in_flight_bytes = std::size_t{256} << 10;  // handed to the transport at once
    TokenBucket::Limit messages = {200, 1000};
    TokenBucket::Limit bytes = {4 << 20, 8 << 20};

    // ---- Reachability
    Duration dial_back_timeout = std::chrono::seconds(30);
    Duration dial_back_every = std::chrono::hours(1);
    Duration dial_back_interval_min = std::chrono::seconds(60);  // of one asker
    std::size_t dial_backs_max = 4;                              // tried for others at once

    Conduct::Options conduct;
    PeerTable::Options table;

    // ---- What our Hello says
    std::string agent = "leither";
    std::uint16_t listen_port = 0;  // 0 = nobody can dial us
    std::uint64_t features = 0;
};

}  // namespace leither::peer
