#include "message_stream.h"

#include <utility>

#include "leither/base/check.h"

namespace leither::peer {

namespace {

CloseReason reason_of(protocol::PeerMessageError error) {
    switch (error) {
        case protocol::PeerMessageError::unknown_kind: return CloseReason::unknown_message;
        case protocol::PeerMessageError::too_long: return CloseReason::oversized;
        case protocol::PeerMessageError::bad_body: return CloseReason::bad_message;
    }
    UNREACHABLE();
}

// Takes whole messages off the front of `left`.
std::optional<CloseReason> take(ByteView& left, std::vector<protocol::PeerMessage>& messages) {
    while (left.size() >= protocol::kPeerHeaderBytes) {
        const auto header = protocol::read_peer_header(left.first(protocol::kPeerHeaderBytes));
        if (!header) return reason_of(header.error());
        const std::size_t whole = protocol::kPeerHeaderBytes + header->body_bytes;
        if (left.size() < whole) break;
        auto message = protocol::read_peer_body(
            *header, left.subspan(protocol::kPeerHeaderBytes, header->body_bytes));
        if (!message) return reason_of(message.error());
        messages.push_back(std::move(*message));
        left = left.subspan(whole);
    }
    return std::nullopt;
}

}  // namespace

std::optional<CloseReason> MessageStream::feed(ByteView plain,
                                               std::vector<protocol::PeerMessage>& messages) {
    partial_.insert(partial_.end(), plain.begin(), plain.end());
    ByteView left(partial_);
    const auto reason = take(left, messages);
    // In its own memory: after a long message little is kept, after a refusal nothing.
    partial_ = reason ? Bytes() : Bytes(left.begin(), left.end());
    return reason;
}

}  // namespace leither::peer
