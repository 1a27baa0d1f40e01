#include "link.h"

#include <algorithm>

#include "leither/base/check.h"

namespace leither::peer {

Instant Link::deadline(const HubOptions& options) const {
    Instant at;
    switch (stage) {
        case Stage::dialing: return began + options.dial_timeout;
        case Stage::handshaking:
        case Stage::greeting: return began + options.handshake_timeout;
        case Stage::up: at = last_received + options.ping_after; break;
    }
    if (pong_by) at = *pong_by;
    if (resumes_at) at = *resumes_at;
    if (in_flight > 0) at = std::min(at, progress + options.stall_timeout);
    return at;
}

std::optional<CloseReason> Link::expired(const HubOptions& options, Instant now) const {
    switch (stage) {
        case Stage::dialing:
            if (now >= began + options.dial_timeout) return CloseReason::unreachable;
            return std::nullopt;
        case Stage::handshaking:
        case Stage::greeting:
            if (now >= began + options.handshake_timeout) return CloseReason::handshake_timeout;
            return std::nullopt;
        case Stage::up: break;
    }
    if (in_flight > 0 && now >= progress + options.stall_timeout) return CloseReason::stalled;
    // While we do not read, silence means nothing.
    if (pong_by && !resumes_at && now >= *pong_by) return CloseReason::idle;
    return std::nullopt;
}

bool Link::wants_ping(const HubOptions& options, Instant now) const {
    return stage == Stage::up && !pong_by && !resumes_at &&
           now >= last_received + options.ping_after;
}

Peer Link::peer() const {
    CHECK(session && session->is_established());
    const Authenticated& other = session->remote();
    Peer peer;
    peer.node = other.node;
    peer.node_key = other.node_key;
    peer.static_key = other.static_key;
    peer.endpoint = remote;
    peer.direction = direction;
    peer.pattern = other.pattern;
    peer.context = other.context;
    peer.since = up_since;
    peer.hello = hello;
    return peer;
}

void add_traffic(const Link& link, HubTotals& totals) {
    totals.bytes_in += link.bytes_in;
    totals.bytes_out += link.bytes_out;
    totals.messages_in += link.messages_in;
    totals.messages_out += link.messages_out;
}

}  // namespace leither::peer
