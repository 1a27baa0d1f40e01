#include "leither/peer/session.h"

#include <functional>

#include <gtest/gtest.h>

#include "leither/base/prng.h"
#include "leither/codec/bcs.h"
#include "leither/noise/handshake.h"
#include "leither/protocol/domain_tags.h"

namespace leither::peer {
namespace {

using protocol::Goodbye;
using protocol::Ping;

const Context kContext = Context::of(ChainId::copy_of(Bytes(32, 0xcc)));

Identity identity_of(std::uint64_t seed) {
    Prng prng(seed);
    return Identity::of(crypto::KeyPair::generate(prng));
}

// A dialer and a responder, and what they send each other.
struct Pair {
    explicit Pair(const Target& target, std::vector<Context> served = {kContext})
        : left(Session::dial(alice, target, alice_entropy)),
          right(Session::accept(bob, std::move(served), bob_entropy)) {}

    static const Identity& of_alice() {
        static const Identity identity = identity_of(1);
        return identity;
    }
    static const Identity& of_bob() {
        static const Identity identity = identity_of(2);
        return identity;
    }

    // Until both have nothing more to say. The reasons, dialer's first.
    std::pair<std::optional<CloseReason>, std::optional<CloseReason>> run() {
        Session::Step to_right = left.start();
        while (!closed.first && !closed.second && !to_right.write.empty()) {
            Session::Step to_left = right.receive(to_right.write);
            closed.second = to_left.close;
            if (to_left.write.empty()) break;
            to_right = left.receive(to_left.write);
            closed.first = to_right.close;
        }
        left.check_invariants();
        right.check_invariants();
        return closed;
    }

    const Identity& alice = of_alice();
    const Identity& bob = of_bob();
    Prng alice_entropy{10};
    Prng bob_entropy{20};
    Session left;
    Session right;
    std::pair<std::optional<CloseReason>, std::optional<CloseReason>> closed;
};

Target first_contact() {
    Target target;
    target.context = kContext;
    return target;
}
Target known_bob() {
    Target target = first_contact();
    target.static_key = Pair::of_bob().channel.public_key();
    return target;
}

class SessionTest : public ::testing::TestWithParam<Pattern> {
 protected:
    Target target() const { return GetParam() == Pattern::xx ? first_contact() : known_bob(); }
};
INSTANTIATE_TEST_SUITE_P(Patterns, SessionTest, ::testing::Values(Pattern::xx, Pattern::xk),
                         [](const auto& pattern) { return to_string(pattern.param); });

TEST_P(SessionTest, BothLearnWhoTheOtherIs) {
    Pair pair(target());
    pair.run();
    ASSERT_TRUE(pair.left.is_established());
    ASSERT_TRUE(pair.right.is_established());
    EXPECT_EQ(pair.left.remote().node_key, pair.bob.node.public_key());
    EXPECT_EQ(pair.left.remote().static_key, pair.bob.channel.public_key());
    EXPECT_EQ(pair.right.remote().node, pair.alice.node.id());
    EXPECT_EQ(pair.right.remote().static_key, pair.alice.channel.public_key());
    EXPECT_EQ(pair.left.remote().handshake, pair.right.remote().handshake);
    EXPECT_EQ(pair.right.remote().pattern, GetParam());
    EXPECT_EQ(pair.right.remote().context, kContext);
}

TEST_P(SessionTest, MessagesArriveHoweverTheStreamIsCut) {
    Pair pair(target());
    pair.run();
    Bytes framed;
    for (std::uint64_t n = 0; n < 100; ++n) {
        const Bytes one = protocol::encode_peer_message(Ping{n});
        framed.insert(framed.end(), one.begin(), one.end());
    }
    const Bytes sealed = pair.left.seal(framed);
    Prng prng(3);
    std::vector<protocol::PeerMessage> messages;
    for (ByteView rest(sealed); !rest.empty();) {
        const std::size_t taken = std::min<std::size_t>(1 + prng.below(40), rest.size());
        Session::Step step = pair.right.receive(rest.first(taken));
        ASSERT_FALSE(step.close);
        for (auto& message : step.messages) messages.push_back(std::move(message));
        rest = rest.subspan(taken);
    }
    ASSERT_EQ(messages.size(), 100u);
    for (std::uint64_t n = 0; n < 100; ++n) EXPECT_EQ(std::get<Ping>(messages[n]).nonce, n);
}

TEST_P(SessionTest, TheHandshakeCompletesByteByByte) {
    Pair pair(target());
    const auto trickle = [](Session& to, const Bytes& bytes) {
        Bytes answer;
        for (const std::uint8_t& byte : bytes) {
            const Session::Step step = to.receive({&byte, 1});
            EXPECT_FALSE(step.close);
            answer.insert(answer.end(), step.write.begin(), step.write.end());
        }
        return answer;
    };
    const Bytes second = trickle(pair.right, pair.left.start().write);
    const Bytes third = trickle(pair.left, second);
    EXPECT_TRUE(trickle(pair.right, third).empty());
    EXPECT_TRUE(pair.left.is_established() && pair.right.is_established());
}

TEST_P(SessionTest, AnyAlteredByteOfTheHandshakeIsRefused) {
    for (int stage = 0; stage < 3; ++stage) {
        for (std::size_t at = 0;; ++at) {
            Pair pair(target());
            Bytes message = pair.left.start().write;
            Session* reader = &pair.right;
            Session* other = &pair.left;
            for (int i = 0; i < stage; ++i) {
                message = reader->receive(message).write;
                std::swap(reader, other);
            }
            if (at >= message.size()) break;
            message[at] ^= 0x01;
            const Session::Step step = reader->receive(message);
            // What can still pass (a first message of XX, a longer length) fails one step later.
            if (!step.close && !step.write.empty()) {
                EXPECT_TRUE(other->receive(step.write).close) << stage << ' ' << at;
            }
            EXPECT_FALSE(reader->is_established()) << stage << ' ' << at;
        }
    }
}

TEST(Session, AContextThatIsNotServedIsClosedWithoutAnAnswer) {
    Pair pair(first_contact(), {Context::of(ChainId::copy_of(Bytes(32, 0xdd)))});
    EXPECT_EQ(pair.run().second, CloseReason::unknown_context);
    EXPECT_FALSE(pair.left.is_established());
}

TEST(Session, AChainAndAnOrganizationOfTheSameBytesAreTwoContexts) {
    Id id;
    id[0] = 0xcc;
    ChainId chain;
    chain[0] = 0xcc;
    Target target;
    target.context = Context::of(id);
    Pair pair(target, {Context::of(chain)});
    EXPECT_EQ(pair.run().second, CloseReason::unknown_context);
}

TEST(Session, AnotherStaticKeyThanTheDialedOneCannotAnswer) {
    Target target = first_contact();
    target.static_key = identity_of(3).channel.public_key();
    Pair pair(target);
    EXPECT_EQ(pair.run().second, CloseReason::bad_handshake);
    EXPECT_FALSE(pair.left.is_established());
}

TEST(Session, AnAuthenticNodeThatIsNotTheDialedOneIsRefused) {
    Target target = first_contact();
    target.node = identity_of(3).node.id();
    Pair pair(target);
    EXPECT_EQ(pair.run().first, CloseReason::wrong_node);
    EXPECT_FALSE(pair.left.is_established());
    EXPECT_FALSE(pair.right.is_established());
}

TEST(Session, WhatIsNotOurProtocolIsClosedAtThePreamble) {
    Bytes good = Pair(first_contact()).left.start().write;
    good.resize(kPreambleBytes);
    for (std::size_t at = 0; at < 7; ++at) {
        Pair pair(first_contact());
        Bytes bad = good;
        bad[at] = 0x7f;
        EXPECT_EQ(pair.right.receive(bad).close, CloseReason::bad_preamble) << at;
    }
    // Nobody waits for more of a web browser.
    Pair pair(first_contact());
    const std::string_view request = "GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n\r\n\r\n";
    EXPECT_EQ(pair.right.receive(as_bytes(request)).close, CloseReason::bad_preamble);
}

TEST(Session, AHandshakeMessageAboveItsMaximumIsRefusedByItsLength) {
    for (const std::size_t length : {kHandshakeMessageMax, kHandshakeMessageMax + 1}) {
        Pair pair(first_contact());
        Bytes bytes = pair.left.start().write;
        bytes.resize(kPreambleBytes);
        bytes.push_back(static_cast<std::uint8_t>(length >> 8));
        bytes.push_back(static_cast<std::uint8_t>(length & 0xff));
        const auto close = pair.right.receive(bytes).close;
        EXPECT_EQ(close.has_value(), length > kHandshakeMessageMax);
        pair.right.check_invariants();
    }
}

// Plays the dialer by hand, with a proof of identity of its own making.
struct Forger {
    explicit Forger(const Identity& who)
        : handshake({.pattern = noise::kXX,
                     .role = noise::Role::initiator,
                     .prologue = preamble,
                     .static_key = who.channel,
                     .remote_static = std::nullopt,
                     .psks = {}},
                    entropy) {}

    // Sends `payload(hash)` in the third message; what the responder says to it.
    std::optional<CloseReason> run(Session& responder, auto payload) {
        Bytes first(preamble.begin(), preamble.end());
        append(first, handshake.write({}).value());
        const Bytes second = responder.receive(first).write;
        EXPECT_TRUE(handshake.read(ByteView(second).subspan(2)).has_value());
        Bytes third;
        append(third, handshake.write(payload(handshake.hash())).value());
        return responder.receive(third).close;
    }
    static void append(Bytes& out, const Bytes& message) {
        out.push_back(static_cast<std::uint8_t>(message.size() >> 8));
        out.push_back(static_cast<std::uint8_t>(message.size() & 0xff));
        out.insert(out.end(), message.begin(), message.end());
    }

    std::array<std::uint8_t, kPreambleBytes> preamble = Preamble{Pattern::xx, kContext}.encode();
    Prng entropy{30};
    noise::Handshake handshake;
};

Bytes proof(const Identity& signer, const crypto::WideHash& hash, const StaticKey& static_key,
            std::uint8_t role, const ChainId& chain) {
    Bytes body(hash.view().begin(), hash.view().end());
    body.insert(body.end(), static_key.view().begin(), static_key.view().end());
    body.push_back(role);
    const Bytes message = crypto::tagged_message(protocol::tags::kNoiseIdentity, chain, body);
    const Signature signature = signer.node.sign(message);
    Bytes out(signer.node.public_key().view().begin(), signer.node.public_key().view().end());
    out.insert(out.end(), signature.view().begin(), signature.view().end());
    return out;
}

TEST(SessionIdentity, OnlyAProofForThisHandshakeKeyRoleAndChainIsTaken) {
    const Identity mallory = identity_of(4);
    const StaticKey& own = mallory.channel.public_key();
    const ChainId chain = kContext.chain();
    const crypto::WideHash other_hash = crypto::blake2b_512(Bytes{1});
    const StaticKey& bobs = Pair::of_bob().channel.public_key();
    struct Case {
        const char* what;
        std::function<Bytes(const crypto::WideHash&)> payload;
        std::optional<CloseReason> close;
    };
    const Case cases[] = {
        {"honest", [&](auto& hash) { return proof(mallory, hash, own, 0, chain); }, std::nullopt},
        {"of another handshake", [&](auto&) { return proof(mallory, other_hash, own, 0, chain); },
         CloseReason::bad_identity},
        {"for another static key", [&](auto& hash) { return proof(mallory, hash, bobs, 0, chain); },
         CloseReason::bad_identity},
        {"of a responder", [&](auto& hash) { return proof(mallory, hash, own, 1, chain); },
         CloseReason::bad_identity},
        {"for another chain", [&](auto& hash) { return proof(mallory, hash, own, 0, ChainId{}); },
         CloseReason::bad_identity},
        {"under another's name",
         [&](auto& hash) {
             Bytes bytes = proof(mallory, hash, own, 0, chain);
             const auto& alice = Pair::of_alice().node.public_key();
             std::copy_n(alice.data(), 32, bytes.begin());
             return bytes;
         },
         CloseReason::bad_identity},
        {"too short",
         [&](auto& hash) {
             auto p = proof(mallory, hash, own, 0, chain);
             p.pop_back();
             return p;
         },
         CloseReason::bad_identity},
        {"too long",
         [&](auto& hash) {
             auto p = proof(mallory, hash, own, 0, chain);
             p.push_back(0);
             return p;
         },
         CloseReason::bad_identity},
        {"missing", [](auto&) { return Bytes(); }, CloseReason::bad_identity},
    };
    for (const Case& one : cases) {
        Pair pair(first_contact());
        Forger forger(mallory);
        EXPECT_EQ(forger.run(pair.right, one.payload), one.close) << one.what;
        EXPECT_EQ(pair.right.is_established(), !one.close) << one.what;
    }
}

TEST(SessionIdentity, ARecordedHandshakeCannotBePlayedAgain) {
    Pair pair(first_contact());
    const Bytes first = pair.left.start().write;
    const Bytes second = pair.right.receive(first).write;
    const Bytes third = pair.left.receive(second).write;
    EXPECT_FALSE(pair.right.receive(third).close);
    // The same node, but another connection: its ephemeral key is new.
    Prng fresh(21);
    Session again = Session::accept(pair.bob, {kContext}, fresh);
    EXPECT_FALSE(again.receive(first).close);
    EXPECT_EQ(again.receive(third).close, CloseReason::bad_handshake);
    EXPECT_FALSE(again.is_established());
}

TEST(Session, AProbeLearnsWhoListensAndStopsThere) {
    Target target = known_bob();
    target.node = Pair::of_bob().node.id();
    target.purpose = Target::Purpose::probe;
    Pair pair(target);
    pair.run();
    EXPECT_TRUE(pair.left.is_established());
    EXPECT_FALSE(pair.right.is_established());
    EXPECT_EQ(pair.left.remote().node, pair.bob.node.id());
    EXPECT_FALSE(pair.left.receive(Bytes(100, 1)).close);
}

// ---- After the handshake

struct Bad {
    const char* what;
    Bytes framed;
    CloseReason reason;
};

TEST(SessionMessages, WhatIsNoMessageEndsTheSessionButNotWhatCameBefore) {
    const Bad cases[] = {
        {"unknown kind", {200, 0, 0, 0, 0}, CloseReason::unknown_message},
        {"one byte too long", {2, 9, 0, 0, 0}, CloseReason::oversized},
        {"four gigabytes", {2, 0xff, 0xff, 0xff, 0xff}, CloseReason::oversized},
        {"a body cut short", {2, 1, 0, 0, 0, 7}, CloseReason::bad_message},
        {"an enum out of range", {4, 1, 0, 0, 0, 99}, CloseReason::bad_message},
    };
    for (const Bad& bad : cases) {
        Pair pair(first_contact());
        pair.run();
        Bytes framed = protocol::encode_peer_message(Ping{1});
        framed.insert(framed.end(), bad.framed.begin(), bad.framed.end());
        const Session::Step step = pair.right.receive(pair.left.seal(framed));
        EXPECT_EQ(step.close, bad.reason) << bad.what;
        EXPECT_EQ(step.messages.size(), 1u) << bad.what;
        const Session::Step after = pair.right.receive(pair.left.seal(framed));
        EXPECT_TRUE(after.messages.empty() && after.write.empty() && !after.close) << bad.what;
    }
}

// Found by session_fuzz.
TEST(SessionMessages, NothingIsKeptOfWhatFollowsARefusedMessage) {
    Pair pair(first_contact());
    pair.run();
    Bytes framed = {200, 0, 0, 0, 0};
    framed.resize(60'000);
    EXPECT_EQ(pair.right.receive(pair.left.seal(framed)).close, CloseReason::unknown_message);
    pair.right.check_invariants();
}

TEST(SessionMessages, AFrameThatDoesNotOpenEndsTheSession) {
    Pair pair(first_contact());
    pair.run();
    Bytes sealed = pair.left.seal(protocol::encode_peer_message(Ping{1}));
    sealed.back() ^= 1;
    EXPECT_EQ(pair.right.receive(sealed).close, CloseReason::bad_frame);
}

TEST(SessionMessages, AFramePlayedTwiceEndsTheSession) {
    Pair pair(first_contact());
    pair.run();
    const Bytes sealed = pair.left.seal(protocol::encode_peer_message(Ping{1}));
    EXPECT_EQ(pair.right.receive(sealed).messages.size(), 1u);
    const Session::Step again = pair.right.receive(sealed);
    EXPECT_EQ(again.close, CloseReason::bad_frame);
    EXPECT_TRUE(again.messages.empty());
}

TEST(Preamble, HasOneFormForEachContext) {
    Id id;
    id[0] = 7;
    for (const Context& context : {kContext, Context::of(id)}) {
        const Preamble preamble{Pattern::xk, context};
        EXPECT_EQ(Preamble::decode(preamble.encode()), preamble);
    }
    auto padded = Preamble{Pattern::xk, Context::of(id)}.encode();
    padded.back() = 1;
    EXPECT_FALSE(Preamble::decode(padded).has_value());
}

}  // namespace
}  // namespace leither::peer
