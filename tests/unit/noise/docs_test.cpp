// The worked connection of docs/protocol/transport.md, computed again.
#include <numeric>

#include <gtest/gtest.h>

#include "leither/noise/frame.h"
#include "leither/noise/handshake.h"

#include "support/fixed_entropy.h"
#include "support/worked_bytes.h"

namespace leither::noise {
namespace {

using leither::testing::FixedEntropy;

const ChainId kChain = ChainId::copy_of(Bytes(32, 0xcc));

Bytes worked(const std::string& name) {
    return leither::testing::worked_bytes("protocol/transport.md", name);
}

void append(Bytes& out, ByteView bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

Bytes preamble_of_xx() {
    Bytes preamble = {'L', 'T', 'H', 'R', 1, 1, 0};
    append(preamble, kChain.view());
    return preamble;
}

// A handshake message as it travels.
Bytes with_length(ByteView message) {
    Bytes out = {static_cast<std::uint8_t>(message.size() >> 8),
                 static_cast<std::uint8_t>(message.size())};
    append(out, message);
    return out;
}

// A node whose seed counts up from `first`.
struct Node {
    Node(std::uint8_t first, Role own_role, std::uint8_t ephemeral)
        : role(own_role), seed(seed_from(first)), entropy(Bytes(32, ephemeral)) {}

    static crypto::KeyPair::Seed seed_from(std::uint8_t first) {
        crypto::KeyPair::Seed seed{};
        std::iota(seed.begin(), seed.end(), first);
        return seed;
    }
    Bytes identity() const {
        Bytes body;
        append(body, handshake.hash().view());
        append(body, channel.public_key().view());
        body.push_back(static_cast<std::uint8_t>(role));
        Bytes payload;
        append(payload, key.public_key().view());
        append(payload,
               key.sign(crypto::tagged_message("leither/noise-identity/1", kChain, body)).view());
        return payload;
    }

    Role role;
    crypto::KeyPair::Seed seed;
    crypto::KeyPair key = crypto::KeyPair::from_seed(seed);
    X25519KeyPair channel = X25519KeyPair::derive(seed, "leither/noise-static/1");
    FixedEntropy entropy;
    Bytes prologue = preamble_of_xx();
    Handshake handshake{{.pattern = kXX, .role = role, .prologue = prologue, .static_key = channel},
                        entropy};
};

TEST(WorkedConnection, IsAsShown) {
    Node dialer(0x00, Role::initiator, 0x41);
    Node responder(0x20, Role::responder, 0x42);
    EXPECT_EQ(to_hex(preamble_of_xx()), to_hex(worked("preamble")));
    EXPECT_EQ(dialer.channel.public_key().hex(), to_hex(worked("dialer's static key")));
    EXPECT_EQ(responder.channel.public_key().hex(), to_hex(worked("responder's static key")));

    const Bytes first = dialer.handshake.write({}).value();
    EXPECT_EQ(to_hex(with_length(first)), to_hex(worked("first message")));
    ASSERT_TRUE(responder.handshake.read(first));

    const Bytes shown = responder.identity();
    EXPECT_EQ(to_hex(shown), to_hex(worked("responder's identity")));
    const Bytes second = responder.handshake.write(shown).value();
    EXPECT_EQ(to_hex(with_length(second)), to_hex(worked("second message")));
    ASSERT_EQ(dialer.handshake.read(second).value(), shown);

    const Bytes third = dialer.handshake.write(dialer.identity()).value();
    EXPECT_EQ(to_hex(with_length(third)), to_hex(worked("third message")));
    ASSERT_TRUE(responder.handshake.read(third));
    EXPECT_EQ(dialer.handshake.hash().hex(), to_hex(worked("handshake hash")));

    Ciphers of_dialer = std::move(dialer.handshake).split();
    Ciphers of_responder = std::move(responder.handshake).split();
    const Bytes there = FrameWriter(std::move(of_dialer.send)).seal(as_bytes("hello")).value();
    const Bytes back = FrameWriter(std::move(of_responder.send)).seal(as_bytes("hello")).value();
    EXPECT_EQ(to_hex(there), to_hex(worked("dialer's frame")));
    EXPECT_EQ(to_hex(back), to_hex(worked("responder's frame")));
}

TEST(WorkedConnection, LimitsAreAsTheDocumentSays) {
    EXPECT_EQ(kMessageMax, 65'535u);
    EXPECT_EQ(kFramePlainMax, 65'519u);
    EXPECT_EQ(kFramesPerKey, 65'536u);
}

}  // namespace
}  // namespace leither::noise
