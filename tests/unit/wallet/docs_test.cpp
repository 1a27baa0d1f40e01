// The worked example of docs/protocol/joining.md, compared with the code.
#include <gtest/gtest.h>

#include "leither/codec/bcs.h"
#include "leither/wallet/invitation.h"

#include "support/worked_bytes.h"

namespace leither::wallet {
namespace {

Bytes of(std::uint8_t byte) {
    return Bytes(32, byte);
}

TEST(WorkedExample, Invitation) {
    protocol::Keeper entry;
    entry.node = PublicKey::copy_of(of(0x22));
    entry.static_key = protocol::StaticKey::copy_of(of(0x23));
    entry.endpoints.push_back({{192, 0, 2, 1}, std::uint16_t{4242}});
    Invitation invitation;
    invitation.introduction.organization = PublicKey::copy_of(of(0x11));
    invitation.introduction.chain = ChainId::copy_of(of(0xcc));
    invitation.introduction.checkpoint = {Sequence(7), Hash::copy_of(of(0x77)), Pulse(900)};
    invitation.introduction.entries.push_back(entry);
    invitation.name = BoundedText<64>("Harbour");
    invitation.time_ms = 1'700'000'000'000;
    invitation.pulse_ms = 1'000;
    invitation.member = PublicKey::copy_of(of(0x55));
    invitation.expires_ms = 1'800'000'000'000;
    const Bytes worked = testing::worked_bytes("protocol/joining.md", "invitation");
    EXPECT_EQ(bcs::encode(invitation), worked);
}

}  // namespace
}  // namespace leither::wallet
