#include "leither/protocol/acknowledgement.h"

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"
#include "leither/protocol/peer_message.h"

#include "support/generate.h"
#include "support/worked_bytes.h"

namespace leither::protocol {
namespace {

const ChainId kChain = ChainId::copy_of(Bytes(32, 0xcc));
const Hash kBlock = Hash::copy_of(Bytes(32, 0xbb));

crypto::KeyPair node() {
    return crypto::derive_key(crypto::KeyPair::Seed{}, 0);
}

TEST(Acknowledgement, IsAsThePageShowsIt) {
    const auto acknowledgement = acknowledge(kChain, Sequence(3), kBlock, node());
    EXPECT_EQ(signing_message(kChain, acknowledgement),
              testing::worked_bytes("protocol/agreement.md", "acknowledgement message"));
    const Bytes bytes = bcs::encode(acknowledgement);
    EXPECT_EQ(bytes.size(), kAcknowledgementBytes);
    Bytes message = testing::worked_bytes("protocol/agreement.md", "acknowledgements");
    const PeerMessage told = Acknowledgements{{acknowledgement}};
    EXPECT_EQ(to_hex(encode_peer_message(told)), to_hex(message));
}

TEST(Acknowledgement, SpeaksForOneBlockOfOneChainByOneNode) {
    const auto good = acknowledge(kChain, Sequence(3), kBlock, node());
    EXPECT_TRUE(is_signed(good, kChain));
    EXPECT_FALSE(is_signed(good, ChainId{}));
    auto forged = good;
    forged.sequence = Sequence(4);
    EXPECT_FALSE(is_signed(forged, kChain));
    forged = good;
    forged.block = Hash{};
    EXPECT_FALSE(is_signed(forged, kChain));
    forged = good;
    forged.node = crypto::derive_key(crypto::KeyPair::Seed{}, 1).public_key();
    EXPECT_FALSE(is_signed(forged, kChain));
    forged = good;
    forged.signature[0] ^= 1;
    EXPECT_FALSE(is_signed(forged, kChain));
}

TEST(Acknowledgement, AsManyTravelTogetherAsAMessageMayHold) {
    Prng prng(1);
    Acknowledgements most;
    while (!most.list.full()) most.list.push_back(testing::generate<Acknowledgement>(prng));
    const Bytes bytes = bcs::encode(most);
    EXPECT_EQ(bytes.size(), Acknowledgements::kBytesMax);
    EXPECT_EQ(bcs::decode<Acknowledgements>(bytes).value(), most);
    Bytes above = bytes;
    above[0] = Acknowledgements::kMax + 1;
    above.resize(above.size() + kAcknowledgementBytes);
    EXPECT_FALSE(bcs::decode<Acknowledgements>(above).has_value());
}

}  // namespace
}  // namespace leither::protocol
