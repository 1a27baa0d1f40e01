// X25519, ChaCha20-Poly1305 and HKDF: the published vectors, and what our wrappers add.
#include <gtest/gtest.h>

#include "leither/base/prng.h"
#include "leither/crypto/aead.h"
#include "leither/crypto/hash.h"
#include "leither/crypto/hkdf.h"
#include "leither/crypto/x25519.h"

#include "support/shared_data.h"

namespace leither::crypto {
namespace {

using leither::testing::load_json;
using Json = nlohmann::json;

Bytes hex_field(const Json& vector, const char* name) {
    return from_hex(vector.at(name).get<std::string>()).value();
}

X25519KeyPair pair_of(ByteView secret) {
    return X25519KeyPair::from_secret(X25519KeyPair::Secret::copy_of(secret));
}

TEST(X25519Vectors, WycheproofAndZeroSecretsAreRefused) {
    REQUIRE_SHARED_DATA();
    const Json file = load_json("vectors/x25519/wycheproof_x25519_test.json");
    std::size_t checked = 0;
    for (const Json& group : file["testGroups"]) {
        for (const Json& test : group["tests"]) {
            const X25519KeyPair pair = pair_of(hex_field(test, "private"));
            const auto shared =
                pair.shared_secret(X25519PublicKey::copy_of(hex_field(test, "public")));
            const std::string expected = test["shared"];
            const bool zero = expected == std::string(64, '0');
            EXPECT_EQ(shared.has_value(), !zero) << test["tcId"];
            EXPECT_EQ(shared ? to_hex(shared->view()) : std::string(64, '0'), expected)
                << test["tcId"];
            ++checked;
        }
    }
    EXPECT_EQ(checked, file["numberOfTests"]);
}

TEST(X25519, BothSidesReachTheSameSecret) {
    Prng prng(1);
    const X25519KeyPair a = X25519KeyPair::generate(prng);
    const X25519KeyPair b = X25519KeyPair::generate(prng);
    EXPECT_NE(a.public_key(), b.public_key());
    EXPECT_EQ(to_hex(a.shared_secret(b.public_key())->view()),
              to_hex(b.shared_secret(a.public_key())->view()));
}

TEST(X25519, DerivedKeysRepeatAndDifferByTagAndSeed) {
    const KeyPair::Seed seed = {1, 2, 3};
    const auto derived = X25519KeyPair::derive(seed, "leither/example");
    EXPECT_EQ(to_hex(derived.secret().view()),
              tagged_hash("leither/example", ChainId{}, seed).hex());
    EXPECT_NE(derived.public_key(), X25519KeyPair::derive(seed, "leither/other").public_key());
    EXPECT_NE(derived.public_key(), X25519KeyPair::derive({4}, "leither/example").public_key());
}

TEST(SecretBytes, AreErased) {
    Bytes bytes = {1, 2, 3};
    erase(bytes);
    EXPECT_EQ(bytes, Bytes(3, 0));
}

TEST(AeadVectors, Wycheproof) {
    REQUIRE_SHARED_DATA();
    const Json file = load_json("vectors/chacha20poly1305/wycheproof_chacha20_poly1305_test.json");
    std::size_t checked = 0;
    for (const Json& group : file["testGroups"]) {
        for (const Json& test : group["tests"]) {
            const Bytes nonce = hex_field(test, "iv");
            ++checked;
            if (nonce.size() != sizeof(AeadNonce)) {
                EXPECT_EQ(test["result"], "invalid");  // our type admits no other length
                continue;
            }
            const AeadKey key = AeadKey::copy_of(hex_field(test, "key"));
            const Bytes associated = hex_field(test, "aad");
            AeadContext context{{}, associated};
            std::ranges::copy(nonce, context.nonce.begin());
            const Bytes plain = hex_field(test, "msg");
            Bytes sealed = hex_field(test, "ct");
            const Bytes tag = hex_field(test, "tag");
            sealed.insert(sealed.end(), tag.begin(), tag.end());
            const bool valid = test["result"] == "valid";
            Bytes encrypted(sealed.size());
            aead_encrypt(key, context, plain, encrypted);
            EXPECT_EQ(encrypted == sealed, valid) << test["tcId"];
            Bytes opened(plain.size());
            EXPECT_EQ(aead_decrypt(key, context, sealed, opened), valid) << test["tcId"];
            EXPECT_EQ(opened == plain, valid || plain.empty()) << test["tcId"];
        }
    }
    EXPECT_EQ(checked, file["numberOfTests"]);
}

TEST(Aead, NonceIsZeroBitsThenTheCountLittleEndian) {
    EXPECT_EQ(to_hex(aead_nonce(0x0102030405060708)), "000000000807060504030201");
}

TEST(Aead, WorksInPlaceAndRefusesEveryAlteredBit) {
    const AeadKey key = AeadKey::copy_of(Bytes(32, 7));
    const AeadContext context{aead_nonce(5), as_bytes("header")};
    Bytes text = {'h', 'i'};
    text.resize(2 + kAeadTagSize);
    aead_encrypt(key, context, ByteView(text).first(2), text);
    const Bytes sealed = text;
    EXPECT_TRUE(aead_decrypt(key, context, text, std::span(text).first(2)));
    EXPECT_EQ(as_text(ByteView(text).first(2)), "hi");
    for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
        Bytes altered = sealed;
        altered[bit / 8] = static_cast<std::uint8_t>(altered[bit / 8] ^ (1U << (bit % 8)));
        Bytes plain(2);
        EXPECT_FALSE(aead_decrypt(key, context, altered, plain)) << bit;
        EXPECT_EQ(plain, Bytes(2, 0)) << bit;
    }
    Bytes plain(2);
    EXPECT_FALSE(aead_decrypt(key, {aead_nonce(6), as_bytes("header")}, sealed, plain));
    EXPECT_FALSE(aead_decrypt(key, {aead_nonce(5), as_bytes("reader")}, sealed, plain));
}

// Computed by Python's hmac module over hashlib.blake2b.
TEST(Hkdf, HmacGivesTheAnswerOfAnotherProgram) {
    Bytes key(64);
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
    const HmacKey digest = hmac_blake2b_512(HmacKey::copy_of(key), as_bytes("abc"));
    EXPECT_EQ(to_hex(digest.view()),
              "cfb7fadba5986a2320ddff615fe9386cf3927144d40c77320914b152bb06ab8e"
              "04e835035bab5ff0f4518528fe5ce4a190d75b7b4cc03337b78f8c9d8a0761e5");
    EXPECT_EQ(to_hex(hmac_blake2b_512(HmacKey::copy_of(key), as_bytes("a"), as_bytes("bc")).view()),
              to_hex(digest.view()));
}

// The third output was computed in the same way.
TEST(Hkdf, TwoOutputsAreTheFirstOfThree) {
    const HmacKey chain = HmacKey::copy_of(Bytes(64, 0x42));
    const auto two = hkdf2(chain, as_bytes("input"));
    const auto three = hkdf3(chain, as_bytes("input"));
    EXPECT_EQ(to_hex(two[0].view()), to_hex(three[0].view()));
    EXPECT_EQ(to_hex(two[1].view()), to_hex(three[1].view()));
    EXPECT_EQ(to_hex(three[2].view()),
              "c0c3c5e9135a41ccf4403e59b008d75a6d055388a6b6362db83e835b8185730b"
              "4038bb3ebb3764922d18c68c0d8208da0bb735b7d9fc687af6d10aad576c07ae");
}

}  // namespace
}  // namespace leither::crypto
