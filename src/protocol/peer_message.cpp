#include "leither/protocol/peer_message.h"

#include <algorithm>

#include "leither/base/check.h"

namespace leither::protocol {

namespace {

constexpr bool wire_numbers_rise() {
    return std::ranges::adjacent_find(kPeerMessageKinds, std::ranges::greater_equal{},
                                      &PeerMessageKind::wire) == kPeerMessageKinds.end();
}
static_assert(wire_numbers_rise(), "each kind has a number of its own");

template <std::size_t... I>
PeerMessage read_nth(bcs::Reader& in, std::size_t index, std::index_sequence<I...>) {
    PeerMessage message;
    const auto read_as = [&]<std::size_t N>(std::integral_constant<std::size_t, N>) {
        message.emplace<N>(bcs::read<std::variant_alternative_t<N, PeerMessage>>(in));
    };
    ((index == I ? read_as(std::integral_constant<std::size_t, I>{}) : void()), ...);
    return message;
}

}  // namespace

const PeerMessageKind& kind_of(const PeerMessage& message) {
    return kPeerMessageKinds[message.index()];
}

const char* to_string(PeerMessageError error) {
    switch (error) {
        case PeerMessageError::unknown_kind: return "unknown_kind";
        case PeerMessageError::too_long: return "too_long";
        case PeerMessageError::bad_body: return "bad_body";
    }
    UNREACHABLE();
}

Result<PeerHeader, PeerMessageError> read_peer_header(ByteView bytes) {
    CHECK(bytes.size() == kPeerHeaderBytes);
    bcs::Reader in(bytes);
    const std::uint8_t wire = in.byte();
    const auto length = in.little_endian<std::uint32_t>();
    const auto kind = std::ranges::find(kPeerMessageKinds, wire, &PeerMessageKind::wire);
    if (kind == kPeerMessageKinds.end()) return fail(PeerMessageError::unknown_kind);
    if (length > kind->body_bytes_max) return fail(PeerMessageError::too_long);
    return PeerHeader{static_cast<std::size_t>(kind - kPeerMessageKinds.begin()), length};
}

Result<PeerMessage, PeerMessageError> read_peer_body(const PeerHeader& header, ByteView body) {
    CHECK(header.index < kPeerMessageKinds.size());
    bcs::Reader in(body);
    PeerMessage message =
        read_nth(in, header.index, std::make_index_sequence<kPeerMessageKinds.size()>{});
    if (!in.ok() || in.left() > 0) return fail(PeerMessageError::bad_body);
    return message;
}

Bytes encode_peer_message(const PeerMessage& message) {
    const PeerMessageKind& kind = kind_of(message);
    bcs::Writer body;
    std::visit([&body](const auto& held) { bcs::write(body, held); }, message);
    CHECK(body.size() <= kind.body_bytes_max, kind.name);
    bcs::Writer out;
    out.reserve(kPeerHeaderBytes + body.size());
    out.byte(kind.wire);
    out.little_endian(static_cast<std::uint32_t>(body.size()));
    out.raw(body.view());
    return out.take();
}

}  // namespace leither::protocol
