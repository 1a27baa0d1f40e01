#include "leither/noise/handshake.h"

#include <gtest/gtest.h>

#include "support/fixed_entropy.h"
#include "support/noise_pair.h"

namespace leither::noise {
namespace {

using leither::testing::FixedEntropy;
using leither::testing::NoisePair;
using Turn = Handshake::Turn;

const Pattern* const kPatterns[] = {&kXX, &kXK};

// The two shortest keys of small order; the crypto tests know more.
std::vector<X25519PublicKey> small_keys() {
    X25519PublicKey zero;
    X25519PublicKey one;
    one[0] = 1;
    return {zero, one};
}

TEST(Handshake, BothSidesEndWithTheSameHashAndEachOthersKeys) {
    for (const Pattern* pattern : kPatterns) {
        NoisePair pair(*pattern);
        EXPECT_FALSE(pair.responder.remote_static());
        pair.run_all();
        EXPECT_TRUE(pair.initiator.is_complete() && pair.responder.is_complete());
        EXPECT_EQ(pair.initiator.hash(), pair.responder.hash());
        EXPECT_EQ(pair.initiator.remote_static(), pair.responder_key().public_key());
        EXPECT_EQ(pair.responder.remote_static(), pair.initiator_key().public_key());
    }
}

TEST(Handshake, TakesTurnsFromTheInitiatorOn) {
    NoisePair pair(kXX);
    EXPECT_EQ(pair.initiator.turn(), Turn::write);
    EXPECT_EQ(pair.responder.turn(), Turn::read);
    pair.run(1);
    EXPECT_EQ(pair.initiator.turn(), Turn::read);
    EXPECT_EQ(pair.responder.turn(), Turn::write);
}

TEST(Handshake, MessagesAreAsLongAsTheDocumentSays) {
    const std::size_t expected[2][3] = {{32, 96, 64}, {48, 48, 64}};
    for (std::size_t p = 0; p < 2; ++p) {
        NoisePair pair(*kPatterns[p]);
        for (std::size_t i = 0; i < 3; ++i) {
            Handshake& from = i % 2 == 0 ? pair.initiator : pair.responder;
            Handshake& to = i % 2 == 0 ? pair.responder : pair.initiator;
            const Bytes message = from.write({}).value();
            EXPECT_EQ(message.size(), expected[p][i]) << kPatterns[p]->name << " " << i;
            ASSERT_TRUE(to.read(message));
        }
    }
}

TEST(Handshake, CarriesPayloadsUpToTheLargestMessage) {
    NoisePair pair(kXX);
    pair.run(2);
    const Bytes payload(kMessageMax - 64, 0x5a);
    const Bytes message = pair.initiator.write(payload).value();
    EXPECT_EQ(message.size(), kMessageMax);
    EXPECT_EQ(pair.responder.read(message).value(), payload);
}

TEST(Handshake, LargerPayloadIsAMistakeOfOurs) {
    NoisePair pair(kXX);
    EXPECT_DEATH((void)pair.initiator.write(Bytes(kMessageMax - 31)), "kMessageMax");
}

TEST(Handshake, LargerMessageIsRefusedUnread) {
    NoisePair pair(kXX);
    EXPECT_EQ(pair.responder.read(Bytes(kMessageMax + 1)).error(), HandshakeError::too_long);
}

TEST(Handshake, EveryShorterMessageIsRefused) {
    for (const Pattern* pattern : kPatterns) {
        for (std::size_t step = 0; step < 3; ++step) {
            NoisePair original(*pattern);
            original.run(step);
            const bool to_responder = step % 2 == 0;
            const Bytes message =
                (to_responder ? original.initiator : original.responder).write({}).value();
            for (std::size_t size = 0; size < message.size(); ++size) {
                NoisePair pair(*pattern);
                pair.run(step);
                Handshake& reader = to_responder ? pair.responder : pair.initiator;
                const auto read = reader.read(ByteView(message).first(size));
                ASSERT_FALSE(read);
                EXPECT_TRUE(read.error() == HandshakeError::too_short ||
                            read.error() == HandshakeError::not_authentic)
                    << pattern->name << " " << step << " " << size;
            }
        }
    }
}

// The first message of XX is in the clear: what is altered there shows in the second.
TEST(Handshake, EveryAlteredByteIsNoticed) {
    for (const Pattern* pattern : kPatterns) {
        for (std::size_t step = 0; step < 3; ++step) {
            NoisePair original(*pattern);
            original.run(step);
            const bool to_responder = step % 2 == 0;
            const Bytes message =
                (to_responder ? original.initiator : original.responder).write({}).value();
            for (std::size_t at = 0; at < message.size(); ++at) {
                NoisePair pair(*pattern);
                pair.run(step);
                Handshake& writer = to_responder ? pair.initiator : pair.responder;
                Handshake& reader = to_responder ? pair.responder : pair.initiator;
                Bytes altered = writer.write({}).value();
                altered[at] = static_cast<std::uint8_t>(altered[at] ^ 1);
                if (reader.read(altered)) {
                    ASSERT_TRUE(pattern == &kXX && step == 0);
                    EXPECT_FALSE(writer.read(reader.write({}).value()));
                }
            }
        }
    }
}

TEST(Handshake, OtherPrologueOrKeyIsNotAuthentic) {
    Prng entropy(1);
    const auto key = X25519KeyPair::generate(entropy);
    const auto other_key = X25519KeyPair::generate(entropy);
    Handshake initiator({.pattern = kXK,
                         .role = Role::initiator,
                         .prologue = as_bytes("chain 1"),
                         .static_key = key,
                         .remote_static = key.public_key()},
                        entropy);
    const Bytes first = initiator.write({}).value();
    Handshake other_prologue({.pattern = kXK,
                              .role = Role::responder,
                              .prologue = as_bytes("chain 2"),
                              .static_key = key},
                             entropy);
    EXPECT_EQ(other_prologue.read(first).error(), HandshakeError::not_authentic);
    Handshake another({.pattern = kXK,
                       .role = Role::responder,
                       .prologue = as_bytes("chain 1"),
                       .static_key = other_key},
                      entropy);
    EXPECT_EQ(another.read(first).error(), HandshakeError::not_authentic);
}

TEST(Handshake, EphemeralKeyOfSmallOrderIsRefused) {
    for (const X25519PublicKey& key : small_keys()) {
        NoisePair xk(kXK);
        Bytes message = xk.initiator.write({}).value();
        std::ranges::copy(key.view(), message.begin());
        EXPECT_EQ(xk.responder.read(message).error(), HandshakeError::bad_key);
        // XX combines it only when it answers.
        NoisePair xx(kXX);
        ASSERT_TRUE(xx.responder.read(key.view()));
        EXPECT_EQ(xx.responder.write({}).error(), HandshakeError::bad_key);
    }
}

TEST(Handshake, KnownStaticKeyOfSmallOrderIsRefused) {
    Prng entropy(1);
    for (const X25519PublicKey& key : small_keys()) {
        Handshake initiator({.pattern = kXK,
                             .role = Role::initiator,
                             .static_key = X25519KeyPair::generate(entropy),
                             .remote_static = key},
                            entropy);
        EXPECT_EQ(initiator.write({}).error(), HandshakeError::bad_key);
    }
}

// Somebody who replays a recorded initiator gets no further than the second message.
TEST(Handshake, RecordedMessagesOpenNoSecondHandshake) {
    for (const Pattern* pattern : kPatterns) {
        NoisePair recorded(*pattern, 1);
        const Bytes first = recorded.initiator.write({}).value();
        ASSERT_TRUE(recorded.responder.read(first));
        ASSERT_TRUE(recorded.initiator.read(recorded.responder.write({}).value()));
        const Bytes third = recorded.initiator.write({}).value();
        ASSERT_TRUE(recorded.responder.read(third));

        Prng entropy(2);  // the same responder, its ephemeral key new
        Handshake responder(
            {.pattern = *pattern, .role = Role::responder, .static_key = recorded.responder_key()},
            entropy);
        ASSERT_TRUE(responder.read(first));
        ASSERT_TRUE(responder.write({}));
        EXPECT_EQ(responder.read(third).error(), HandshakeError::not_authentic);
    }
}

TEST(Handshake, SameEntropySameBytes) {
    NoisePair a(kXX, 7);
    NoisePair b(kXX, 7);
    EXPECT_EQ(a.initiator.write({}).value(), b.initiator.write({}).value());
}

TEST(Handshake, MisuseOfOursIsABug) {
    NoisePair pair(kXX);
    EXPECT_DEATH((void)pair.responder.write({}), "Turn::write");
    EXPECT_DEATH((void)pair.initiator.read({}), "Turn::read");
    EXPECT_DEATH((void)std::move(pair.initiator).split(), "is_complete");
    ASSERT_FALSE(pair.responder.read({}));
    EXPECT_DEATH((void)pair.responder.read({}), "refused_");
}

TEST(Handshake, PatternWithoutItsKeysIsABug) {
    FixedEntropy entropy(Bytes(32, 1));
    EXPECT_DEATH(Handshake({.pattern = kXK, .role = Role::initiator}, entropy), "has_value");
}

TEST(Handshake, ErrorsHaveNames) {
    EXPECT_STREQ(to_string(HandshakeError::bad_key), "bad_key");
    EXPECT_STREQ(to_string(HandshakeError::too_short), "too_short");
}

}  // namespace
}  // namespace leither::noise
