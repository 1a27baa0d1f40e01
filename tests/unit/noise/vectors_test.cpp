// Every published vector of 25519_ChaChaPoly_BLAKE2b, byte for byte, through the code that runs XX
// and XK.
#include <map>
#include <memory>
#include <sstream>

#include <gtest/gtest.h>

#include "leither/noise/handshake.h"

#include "support/fixed_entropy.h"
#include "support/shared_data.h"

namespace leither::noise {
namespace {

using leither::testing::FixedEntropy;
using Json = nlohmann::json;

struct Row {
    const char* name;
    const char* known;  // whose static key the other side knows: i, r
    const char* messages;
};
// Rev 34, 7.4 and 7.5, and the deferred patterns of its appendix.
constexpr Row kRows[] = {
    {"N", "r", "e es"},
    {"K", "ir", "e es ss"},
    {"X", "r", "e es s ss"},
    {"NN", "", "e | e ee"},
    {"NK", "r", "e es | e ee"},
    {"NX", "", "e | e ee s es"},
    {"XN", "", "e | e ee | s se"},
    {"XK", "r", "e es | e ee | s se"},
    {"XX", "", "e | e ee s es | s se"},
    {"KN", "i", "e | e ee se"},
    {"KK", "ir", "e es ss | e ee se"},
    {"KX", "i", "e | e ee se s es"},
    {"IN", "", "e s | e ee se"},
    {"IK", "r", "e es s ss | e ee se"},
    {"IX", "", "e s | e ee se s es"},
    {"NK1", "r", "e | e ee es"},
    {"NX1", "", "e | e ee s | es"},
    {"X1N", "", "e | e ee | s | se"},
    {"X1K", "r", "e es | e ee | s | se"},
    {"XK1", "r", "e | e ee es | s se"},
    {"X1K1", "r", "e | e ee es | s | se"},
    {"X1X", "", "e | e ee s es | s | se"},
    {"XX1", "", "e | e ee s | es s se"},
    {"X1X1", "", "e | e ee s | es s | se"},
    {"K1N", "i", "e | e ee | se"},
    {"K1K", "ir", "e es | e ee | se"},
    {"KK1", "ir", "e | e ee se es"},
    {"K1K1", "ir", "e | e ee es | se"},
    {"K1X", "i", "e | e ee s es | se"},
    {"KX1", "i", "e | e ee se s | es"},
    {"K1X1", "i", "e | e ee s | se es"},
    {"I1N", "", "e s | e ee | se"},
    {"I1K", "r", "e es s | e ee | se"},
    {"IK1", "r", "e s | e ee se es"},
    {"I1K1", "r", "e s | e ee es | se"},
    {"I1X", "", "e s | e ee s es | se"},
    {"IX1", "", "e s | e ee se s | es"},
    {"I1X1", "", "e s | e ee s | se es"},
};

const std::map<std::string, Token> kTokens = {{"e", Token::e},   {"s", Token::s},
                                              {"ee", Token::ee}, {"es", Token::es},
                                              {"se", Token::se}, {"ss", Token::ss}};

Pattern parse(const Row& row) {
    Pattern pattern;
    const std::string known = row.known;
    if (known.find('i') != std::string::npos) pattern.known_of_initiator = {Token::s};
    if (known.find('r') != std::string::npos) pattern.known_of_responder = {Token::s};
    std::istringstream words(row.messages);
    std::size_t message = 0;
    for (std::string word; words >> word;) {
        if (word == "|") {
            ++message;
        } else {
            pattern.messages[message].push_back(kTokens.at(word));
        }
    }
    return pattern;
}

void add_psk(Pattern& pattern, unsigned place) {
    if (place > 0) return pattern.messages[place - 1].push_back(Token::psk);
    TokenList first = {Token::psk};
    for (const Token token : pattern.messages[0]) first.push_back(token);
    pattern.messages[0] = first;
}

// `name` as in XKpsk0+psk3; outlives the pattern.
Pattern pattern_named(const std::string& name) {
    const std::string base = name.substr(0, name.find("psk"));
    const auto row =
        std::find_if(std::begin(kRows), std::end(kRows), [&](auto& r) { return r.name == base; });
    CHECK(row != std::end(kRows), name);
    Pattern pattern = parse(*row);
    pattern.name = name;
    for (auto at = name.find("psk"); at != std::string::npos; at = name.find("psk", at + 1)) {
        add_psk(pattern, static_cast<unsigned>(name[at + 3] - '0'));
    }
    return pattern;
}

Bytes hex_field(const Json& vector, const std::string& name) {
    return from_hex(vector.at(name).get<std::string>()).value();
}

X25519KeyPair pair_field(const Json& vector, const std::string& name) {
    return X25519KeyPair::from_secret(X25519KeyPair::Secret::copy_of(hex_field(vector, name)));
}

const char* prefix_of(Role role) {
    return role == Role::initiator ? "init_" : "resp_";
}

// The other side's static key if it is known beforehand. Some vectors leave it to the reader.
std::optional<X25519PublicKey> known_static(const Json& vector, const Pattern& pattern, Role role) {
    const bool initiator = role == Role::initiator;
    if ((initiator ? pattern.known_of_responder : pattern.known_of_initiator).empty()) return {};
    const std::string others = prefix_of(other(role));
    const X25519PublicKey key = pair_field(vector, others + "static").public_key();
    const std::string stated = std::string(prefix_of(role)) + "remote_static";
    EXPECT_EQ(key.hex(), vector.value(stated, key.hex()));
    return key;
}

struct Side {
    Side(const Json& vector, const Pattern& pattern, Role role)
        : entropy(vector.contains(prefix_of(role) + std::string("ephemeral"))
                      ? hex_field(vector, prefix_of(role) + std::string("ephemeral"))
                      : Bytes()) {
        const std::string prefix = prefix_of(role);
        const Bytes prologue = hex_field(vector, prefix + "prologue");
        HandshakeSetup setup{.pattern = pattern, .role = role, .prologue = prologue};
        if (vector.contains(prefix + "static")) {
            setup.static_key = pair_field(vector, prefix + "static");
        }
        setup.remote_static = known_static(vector, pattern, role);
        for (const Json& psk : vector.value(prefix + "psks", Json::array())) {
            setup.psks.push_back(Psk::copy_of(from_hex(psk.get<std::string>()).value()));
        }
        handshake = std::make_unique<Handshake>(std::move(setup), entropy);
    }
    void finish() { ciphers.emplace(std::move(*handshake).split()); }

    FixedEntropy entropy;
    std::unique_ptr<Handshake> handshake;
    std::optional<Ciphers> ciphers;
};

void exchange_handshake(const Json& message, Side& from, Side& to) {
    const auto written = from.handshake->write(hex_field(message, "payload"));
    ASSERT_TRUE(written);
    EXPECT_EQ(to_hex(*written), message["ciphertext"]);
    const auto payload = to.handshake->read(*written);
    ASSERT_TRUE(payload) << to_string(payload.error());
    EXPECT_EQ(to_hex(*payload), message["payload"]);
    EXPECT_EQ(from.handshake->hash(), to.handshake->hash());
}

void exchange_transport(const Json& message, Side& from, Side& to) {
    Bytes text = hex_field(message, "payload");
    const std::size_t size = text.size();
    text.resize(size + kTagSize);
    ASSERT_TRUE(from.ciphers->send.encrypt({}, ByteView(text).first(size), text));
    EXPECT_EQ(to_hex(text), message["ciphertext"]);
    ASSERT_TRUE(to.ciphers->receive.decrypt({}, text, std::span(text).first(size)));
    text.resize(size);
    EXPECT_EQ(to_hex(text), message["payload"]);
}

void run(const Json& vector) {
    const std::string full_name = vector["protocol_name"];
    const std::string name = full_name.substr(6, full_name.find('_', 6) - 6);
    SCOPED_TRACE(full_name + " of " + vector["source"].get<std::string>());
    const Pattern pattern = pattern_named(name);
    Side initiator(vector, pattern, Role::initiator);
    Side responder(vector, pattern, Role::responder);
    for (const Json& message : vector["messages"]) {
        const bool from_initiator = message["sender"] == "initiator";
        Side& from = from_initiator ? initiator : responder;
        Side& to = from_initiator ? responder : initiator;
        if (!initiator.ciphers && initiator.handshake->is_complete()) {
            ASSERT_TRUE(responder.handshake->is_complete());
            const std::string hash = initiator.handshake->hash().hex();
            EXPECT_EQ(hash, vector.value("handshake_hash", hash));
            initiator.finish();
            responder.finish();
        }
        const auto exchange = initiator.ciphers ? exchange_transport : exchange_handshake;
        ASSERT_NO_FATAL_FAILURE(exchange(message, from, to));
    }
    EXPECT_TRUE(initiator.ciphers);
}

TEST(NoiseVectors, OfFirstContact) {
    REQUIRE_SHARED_DATA();
    for (const Json& vector : leither::testing::load_vectors("noise/xx.json")) run(vector);
}

TEST(NoiseVectors, OfEveryOtherPatternOfTheSuite) {
    REQUIRE_SHARED_DATA();
    std::size_t xk = 0;
    const Json vectors = leither::testing::load_vectors("noise/same_suite_other_patterns.json");
    for (const Json& vector : vectors) {
        run(vector);
        xk += vector["protocol_name"] == "Noise_XK_25519_ChaChaPoly_BLAKE2b";
    }
    EXPECT_GT(xk, 0u);
}

bool same(const TokenList& a, const TokenList& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

TEST(NoiseVectors, ProveTheVeryPatternsNodesUse) {
    for (const Pattern* pattern : {&kXX, &kXK}) {
        const std::string name(pattern->name);
        const Pattern proven = pattern_named(name);
        EXPECT_TRUE(same(pattern->known_of_initiator, proven.known_of_initiator));
        EXPECT_TRUE(same(pattern->known_of_responder, proven.known_of_responder));
        for (std::size_t i = 0; i < Pattern::kMessagesMax; ++i) {
            EXPECT_TRUE(same(pattern->messages[i], proven.messages[i])) << name << " " << i;
        }
    }
}

}  // namespace
}  // namespace leither::noise
