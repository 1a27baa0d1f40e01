// Why a connection ended, spelled alike in log and API.
#pragma once

#include <cstdint>

#include "leither/protocol/peer_message.h"

namespace leither::peer {

enum class CloseReason : std::uint8_t {
    // It never came to be.
    unreachable,        // the dial was refused, or nobody answered
    handshake_timeout,  // not authenticated in time
    crowded_out,        // a newer half-open connection took its place
    bad_preamble,       // not our protocol
    unknown_context,    // an organization we do not serve
    bad_handshake,      // a handshake message that does not open, or is too long
    bad_identity,       // the node key did not sign for this handshake
    wrong_node,         // authentic, but not the node that was dialed
    to_self,
    banned,
    // The other side broke the protocol.
    bad_frame,        // bytes that do not open
    unknown_message,  // a kind we do not know
    oversized,        // a message above its kind's maximum
    bad_message,      // not a canonical body
    out_of_turn,      // Hello missing or repeated, an answer nobody asked for
    flood,            // more than its share, again and again
    stalled,          // it has not read for too long
    outbox_full,      // it reads more slowly than it asks
    // Ordinary ends.
    lost,        // the transport closed or broke
    idle,        // no answer to a ping
    duplicate,   // another connection to the same node stays
    full,        // no free slot
    not_needed,  // forgotten by the operator, or no longer wanted
    stopping,    // this node stops
    said_goodbye,
};
const char* to_string(CloseReason reason);
// Whether it tells against the other side: such an end costs it points.
bool is_misconduct(CloseReason reason);
// What the other side is told; nothing where a word would help only an attacker.
std::optional<protocol::GoodbyeReason> goodbye_for(CloseReason reason);

}  // namespace leither::peer
