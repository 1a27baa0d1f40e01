#include "leither/wallet/invitation.h"

#include <gtest/gtest.h>

#include "leither/codec/base32.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"

namespace leither::wallet {
namespace {

PublicKey key_of(std::uint8_t byte) {
    return PublicKey::copy_of(Bytes(32, byte));
}

protocol::Keeper entry(std::uint8_t byte, std::size_t endpoints = 1) {
    protocol::Keeper keeper;
    keeper.node = key_of(byte);
    keeper.static_key =
        protocol::StaticKey::copy_of(Bytes(32, static_cast<std::uint8_t>(byte + 1)));
    for (std::size_t i = 0; i < endpoints; ++i) {
        keeper.endpoints.push_back(
            {{192, 0, 2, static_cast<std::uint8_t>(i + 1)}, std::uint16_t{4242}});
    }
    return keeper;
}

// As in docs/protocol/joining.md.
Invitation sample() {
    Invitation invitation;
    invitation.introduction.organization = key_of(0x11);
    invitation.introduction.chain = ChainId::copy_of(Bytes(32, 0xcc));
    invitation.introduction.checkpoint = {Sequence(7), Hash::copy_of(Bytes(32, 0x77)), Pulse(900)};
    invitation.introduction.entries.push_back(entry(0x22));
    invitation.name = BoundedText<64>("Harbour");
    invitation.time_ms = 1'700'000'000'000;
    invitation.pulse_ms = 1'000;
    invitation.member = key_of(0x55);
    invitation.expires_ms = 1'800'000'000'000;
    return invitation;
}

LinkFault fault_of(const std::string& text) {
    const auto read = invitation_from_text(text);
    EXPECT_FALSE(read.has_value());
    return read ? LinkFault{} : read.error();
}

// A link around bytes that no invitation has.
std::string link_around(Bytes bytes) {
    Bytes all(kInvitationPrefix.begin(), kInvitationPrefix.end());
    all.insert(all.end(), bytes.begin(), bytes.end());
    const Hash hash = crypto::blake2b_256(all);
    bytes.insert(bytes.end(), hash.view().begin(), hash.view().begin() + 4);
    return std::string(kInvitationPrefix) + to_base32(bytes);
}

TEST(Invitation, ComesBackFromItsTextInEitherCase) {
    const Invitation invitation = sample();
    const std::string text = to_text(invitation);
    ASSERT_TRUE(invitation_from_text(text).has_value());
    EXPECT_EQ(*invitation_from_text(text), invitation);
    ASSERT_TRUE(invitation_from_text(in_capitals(text)).has_value());
    EXPECT_EQ(*invitation_from_text(in_capitals(text)), invitation);
    EXPECT_EQ(text, link_around(bcs::encode(invitation)));
}

TEST(Invitation, TheLargestFitsALink) {
    Invitation largest = sample();
    largest.name = BoundedText<64>(std::string(64, 'n'));
    largest.introduction.entries.clear();
    while (!largest.introduction.entries.full()) {
        auto one = entry(static_cast<std::uint8_t>(largest.introduction.entries.size()), 2);
        for (auto& endpoint : one.endpoints) endpoint.address.assign(16, 0x20);
        largest.introduction.entries.push_back(one);
    }
    const std::string text = to_text(largest);
    EXPECT_LE(text.size(), kLinkCharactersMax);
    ASSERT_TRUE(invitation_from_text(text).has_value());
    EXPECT_EQ(*invitation_from_text(text), largest);
}

TEST(Invitation, EachFaultIsNamed) {
    const std::string text = to_text(sample());
    EXPECT_EQ(fault_of(""), LinkFault::other_kind);
    EXPECT_EQ(fault_of("leither:join:00"), LinkFault::other_kind);
    EXPECT_EQ(fault_of("Leither:invite:qqqq"), LinkFault::other_kind);
    EXPECT_EQ(fault_of(std::string(kInvitationPrefix) + std::string(kLinkCharactersMax, 'q')),
              LinkFault::too_long);
    EXPECT_EQ(fault_of(text.substr(0, text.size() - 1)), LinkFault::damaged);
    EXPECT_EQ(fault_of(text + "q"), LinkFault::damaged);
    EXPECT_EQ(fault_of(std::string(kInvitationPrefix)), LinkFault::damaged);
    EXPECT_EQ(fault_of(std::string(kInvitationPrefix) + in_capitals(text.substr(15))),
              LinkFault::damaged);
    EXPECT_EQ(fault_of(link_around({1, 2, 3})), LinkFault::not_readable);
    Bytes longer = bcs::encode(sample());
    longer.push_back(0);
    EXPECT_EQ(fault_of(link_around(longer)), LinkFault::not_readable);
    // Without a node to begin at it invites to nothing.
    Invitation nowhere = sample();
    nowhere.introduction.entries.clear();
    EXPECT_EQ(fault_of(link_around(bcs::encode(nowhere))), LinkFault::not_readable);
    nowhere.introduction.entries.push_back(entry(0x22, 0));
    EXPECT_EQ(fault_of(link_around(bcs::encode(nowhere))), LinkFault::not_readable);
    Invitation timeless = sample();
    timeless.pulse_ms = 0;
    EXPECT_EQ(fault_of(link_around(bcs::encode(timeless))), LinkFault::not_readable);
}

TEST(Invitation, NoCharacterMayBeAnother) {
    const std::string text = to_text(sample());
    for (std::size_t i = kInvitationPrefix.size(); i < text.size(); ++i) {
        std::string altered = text;
        altered[i] = altered[i] == 'q' ? 'p' : 'q';
        EXPECT_FALSE(invitation_from_text(altered)) << i;
    }
}

TEST(Invitation, IsFoundInALetter) {
    const std::string text = to_text(sample());
    const std::string letter = "Come and see us!\n" + text + "\nAnna";
    EXPECT_EQ(find_link(letter, kInvitationPrefix), text);
    EXPECT_EQ(find_link(in_capitals(letter), kInvitationPrefix), in_capitals(text));
    EXPECT_TRUE(find_link("leither:join:00", kInvitationPrefix).empty());
    EXPECT_TRUE(find_link("", kInvitationPrefix).empty());
}

TEST(Invitation, CountsPulsesFromTheFounding) {
    const Invitation invitation = sample();
    EXPECT_EQ(invitation.pulse_at(invitation.time_ms + 5'999), Pulse(5));
    EXPECT_EQ(invitation.pulse_at(invitation.time_ms - 1), Pulse(0));
}

}  // namespace
}  // namespace leither::wallet
