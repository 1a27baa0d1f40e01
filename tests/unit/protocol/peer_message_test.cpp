#include "leither/protocol/peer_message.h"

#include <gtest/gtest.h>

#include "support/org/org_sample.h"

namespace leither::protocol {
namespace {

using leither::testing::generate;

Bytes header_of(std::uint8_t wire, std::uint32_t length) {
    bcs::Writer out;
    out.byte(wire);
    out.little_endian(length);
    return out.take();
}

Hello longest_hello() {
    Hello hello;
    hello.agent = decltype(hello.agent)(std::string(decltype(hello.agent)::kMax, 'a'));
    hello.observed = WireEndpoint::of(Endpoint::parse("[2001:db8::1]:80").value());
    return hello;
}

TEST(PeerMessage, EveryKindSurvivesTheWire) {
    Prng prng(1);
    for (int i = 0; i < 2000; ++i) {
        const auto message = generate<PeerMessage>(prng);
        const Bytes bytes = encode_peer_message(message);
        const auto header = read_peer_header(ByteView(bytes).first(kPeerHeaderBytes));
        ASSERT_TRUE(header.has_value()) << kind_of(message).name;
        EXPECT_EQ(header->index, message.index());
        const ByteView body = ByteView(bytes).subspan(kPeerHeaderBytes);
        ASSERT_EQ(header->body_bytes, body.size());
        const auto again = read_peer_body(*header, body);
        ASSERT_TRUE(again.has_value()) << kind_of(message).name;
        EXPECT_EQ(encode_peer_message(*again), bytes);
    }
}

TEST(PeerMessage, TheLongestOfTheHubsOwnFillTheirMaximum) {
    const PeerMessage longest[] = {longest_hello(), Ping{},        Pong{},
                                   Goodbye{},       AskDialBack{}, DialBackResult{}};
    for (const PeerMessage& message : longest) {
        EXPECT_EQ(encode_peer_message(message).size(),
                  kPeerHeaderBytes + kind_of(message).body_bytes_max)
            << kind_of(message).name;
    }
}

TEST(PeerMessage, ALengthAboveItsKindsMaximumIsRefusedByTheHeaderAlone) {
    for (const PeerMessageKind& kind : kPeerMessageKinds) {
        EXPECT_TRUE(read_peer_header(header_of(kind.wire, kind.body_bytes_max)).has_value());
        const auto above = read_peer_header(header_of(kind.wire, kind.body_bytes_max + 1));
        ASSERT_FALSE(above.has_value()) << kind.name;
        EXPECT_EQ(above.error(), PeerMessageError::too_long);
        EXPECT_FALSE(read_peer_header(header_of(kind.wire, ~std::uint32_t{0})).has_value());
    }
}

TEST(PeerMessage, AnUnknownKindIsRefused) {
    for (const int wire : {0, 7, 15, 255}) {
        const auto header = read_peer_header(header_of(static_cast<std::uint8_t>(wire), 0));
        ASSERT_FALSE(header.has_value()) << wire;
        EXPECT_EQ(header.error(), PeerMessageError::unknown_kind);
    }
}

TEST(PeerMessage, ABodyTooShortOrTooLongOrNotCanonicalIsRefused) {
    const auto ping = read_peer_header(header_of(2, 8)).value();
    EXPECT_TRUE(read_peer_body(ping, Bytes(8)).has_value());
    EXPECT_EQ(read_peer_body(ping, Bytes(7)).error(), PeerMessageError::bad_body);
    EXPECT_EQ(read_peer_body(ping, Bytes(9)).error(), PeerMessageError::bad_body);
    const auto goodbye = read_peer_header(header_of(4, 1)).value();
    EXPECT_TRUE(read_peer_body(goodbye, Bytes{4}).has_value());
    EXPECT_EQ(read_peer_body(goodbye, Bytes{5}).error(), PeerMessageError::bad_body);
}

TEST(PeerMessage, TheBodyIsTheEncodingOfItsStruct) {
    const Ping ping{0x0102030405060708};
    EXPECT_EQ(to_hex(encode_peer_message(ping)), "02080000000807060504030201");
}

TEST(WireEndpoint, HasOneFormForEachAddress) {
    for (const char* text : {"192.0.2.1:80", "[2001:db8::1]:65535"}) {
        const Endpoint endpoint = Endpoint::parse(text).value();
        const WireEndpoint wire = WireEndpoint::of(endpoint);
        EXPECT_TRUE(wire.is_canonical());
        EXPECT_EQ(wire.endpoint(), endpoint);
        EXPECT_EQ(bcs::decode<WireEndpoint>(bcs::encode(wire)).value(), wire);
    }
    // ::ffff:192.0.2.1 stands for the IPv4 address.
    const auto mapped = from_hex("1000000000000000000000ffffc00002015000").value();
    EXPECT_EQ(bcs::decode<WireEndpoint>(mapped).error(), bcs::DecodeError::not_canonical);
    const auto five = from_hex("0501020304055000").value();
    EXPECT_EQ(bcs::decode<WireEndpoint>(five).error(), bcs::DecodeError::not_canonical);
}

}  // namespace
}  // namespace leither::protocol
