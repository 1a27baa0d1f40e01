// Messages of peers: each kind decodes to a value of which the bytes are the one encoding, or is
// refused by name; a stream of them is never read beyond what its headers allow.
#include <algorithm>

#include "leither/base/check.h"
#include "leither/protocol/peer_message.h"

namespace {

using namespace leither;
using namespace leither::protocol;

void check_body(const PeerHeader& header, ByteView body) {
    const auto message = read_peer_body(header, body);
    if (!message) {
        CHECK(message.error() == PeerMessageError::bad_body);
        return;
    }
    CHECK(message->index() == header.index);
    const Bytes again = encode_peer_message(*message);
    CHECK(again.size() == kPeerHeaderBytes + body.size());
    CHECK(again[0] == kPeerMessageKinds[header.index].wire);
    CHECK(std::ranges::equal(ByteView(again).subspan(kPeerHeaderBytes), body));
}

// The first byte chooses the kind, the rest is the body.
void check_kind(ByteView input) {
    const std::size_t index = input[0] % kPeerMessageKinds.size();
    const ByteView rest = input.subspan(1);
    const std::size_t size =
        std::min<std::size_t>(rest.size(), kPeerMessageKinds[index].body_bytes_max);
    check_body({index, static_cast<std::uint32_t>(size)}, rest.first(size));
}

// Headers and bodies one behind another, as they come from a peer.
void check_stream(ByteView input) {
    while (input.size() >= kPeerHeaderBytes) {
        const auto header = read_peer_header(input.first(kPeerHeaderBytes));
        if (!header) {
            CHECK(header.error() != PeerMessageError::bad_body);
            return;
        }
        CHECK(header->body_bytes <= kPeerMessageKinds[header->index].body_bytes_max);
        input = input.subspan(kPeerHeaderBytes);
        if (input.size() < header->body_bytes) return;
        check_body(*header, input.first(header->body_bytes));
        input = input.subspan(header->body_bytes);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView input(data, size);
    check_kind(input);
    check_stream(input);
    return 0;
}
