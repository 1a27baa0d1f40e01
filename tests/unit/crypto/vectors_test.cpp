// Published vectors: our functions agree with everybody else's, and a signature is valid exactly
// when the rule in sign.h says so.
#include <gtest/gtest.h>
#include <sodium.h>

#include "leither/base/bytes.h"
#include "leither/crypto/hash.h"
#include "leither/crypto/sign.h"

#include "support/shared_data.h"

namespace leither::crypto {
namespace {

using leither::testing::load_json;
using leither::testing::load_vectors;
using Json = nlohmann::json;

class Ed25519Vectors : public ::testing::Test {
 protected:
    static void SetUpTestSuite() { initialise(); }
};
class Blake2bVectors : public ::testing::Test {};

Bytes hex_field(const Json& vector, const char* name) {
    return from_hex(vector.at(name).get<std::string>()).value();
}

// A key or signature of the wrong length is refused before libsodium sees it.
bool accepts(ByteView key, ByteView message, ByteView signature) {
    const auto parsed_key = PublicKey::from(key);
    const auto parsed_signature = Signature::from(signature);
    return parsed_key && parsed_signature && verify(*parsed_key, message, *parsed_signature);
}

bool accepts(const Json& vector) {
    return accepts(hex_field(vector, "public_key"), hex_field(vector, "message"),
                   hex_field(vector, "signature"));
}

TEST_F(Ed25519Vectors, Wycheproof) {
    REQUIRE_SHARED_DATA();
    std::size_t checked = 0;
    const Json file = load_json("vectors/ed25519/wycheproof_ed25519_test.json");
    for (const Json& group : file["testGroups"]) {
        const Bytes key = hex_field(group["publicKey"], "pk");
        for (const Json& test : group["tests"]) {
            EXPECT_EQ(accepts(key, hex_field(test, "msg"), hex_field(test, "sig")),
                      test["result"] == "valid")
                << "tcId " << test["tcId"] << " " << test["comment"];
            ++checked;
        }
    }
    EXPECT_EQ(checked, file["numberOfTests"]);
}

TEST_F(Ed25519Vectors, SigningIsDeterministicAndVerifies) {
    REQUIRE_SHARED_DATA();
    for (const Json& vector : load_vectors("ed25519/sign_1024.json")) {
        KeyPair::Seed seed{};
        ASSERT_TRUE(from_hex(vector["seed"].get<std::string>(), seed));
        const KeyPair pair = KeyPair::from_seed(seed);
        EXPECT_EQ(pair.public_key().hex(), vector["public_key"]);
        EXPECT_EQ(pair.sign(hex_field(vector, "message")).hex(), vector["signature"]);
        EXPECT_TRUE(accepts(vector));
    }
}

TEST_F(Ed25519Vectors, EdgeCasesOfKeysAndPoints) {
    REQUIRE_SHARED_DATA();
    for (const Json& vector : load_vectors("ed25519/cctv_edge_cases.json")) {
        const std::string message = vector["message_utf8"];
        EXPECT_EQ(accepts(hex_field(vector, "public_key"), as_bytes(message),
                          hex_field(vector, "signature")),
                  vector["libsodium_accepts"].get<bool>())
            << vector["number"] << " " << vector["flags"];
    }
}

TEST_F(Ed25519Vectors, TamingTheManyEdDsasAsLibsodiumIsListed) {
    REQUIRE_SHARED_DATA();
    for (const Json& vector : load_vectors("ed25519/speccheck.json")) {
        const auto& friends = vector["accepted_by"];
        const bool listed = std::find(friends.begin(), friends.end(), "LibSodium") != friends.end();
        EXPECT_EQ(accepts(vector), listed) << "case " << vector["case"];
        EXPECT_EQ(listed, vector["libsodium_accepts"].get<bool>()) << "case " << vector["case"];
    }
}

TEST_F(Ed25519Vectors, SignaturesMadeOnLiveNetworks) {
    REQUIRE_SHARED_DATA();
    for (const char* file :
         {"ed25519/duniter_block_signatures.json", "ed25519/stellar_transaction_signatures.json"}) {
        for (const Json& vector : load_vectors(file)) {
            EXPECT_TRUE(accepts(vector)) << file << " " << vector["public_key"];
            Bytes changed = hex_field(vector, "message");
            changed.push_back(0);
            EXPECT_FALSE(
                accepts(hex_field(vector, "public_key"), changed, hex_field(vector, "signature")));
        }
    }
}

TEST_F(Ed25519Vectors, CardanoWitnessesSignTheBlake2b256OfTheBody) {
    REQUIRE_SHARED_DATA();
    for (const Json& vector : load_vectors("ed25519/cardano_transactions.json")) {
        const Hash hash = blake2b_256(hex_field(vector, "body"));
        EXPECT_EQ(hash.hex(), vector["blake2b_256_of_body"]);
        for (const Json& witness : vector["witnesses"]) {
            EXPECT_TRUE(accepts(hex_field(witness, "public_key"), hash.view(),
                                hex_field(witness, "signature")));
        }
    }
}

// `id_of` takes 32-byte keys only; the others (asset names, secp256k1 keys) test the same primitive
// at the same length, which libsodium provides.
TEST_F(Blake2bVectors, TwentyBytesAsThreeNetworksPublishThem) {
    REQUIRE_SHARED_DATA();
    std::size_t keys = 0;
    for (const Json& vector : load_vectors("blake2b/out20.json")) {
        const Bytes input = hex_field(vector, "in");
        Id digest;
        crypto_generichash_blake2b(digest.data(), Id::kSize, input.data(), input.size(), nullptr,
                                   0);
        EXPECT_EQ(digest.hex(), vector["out"]) << vector["as_published"];
        if (const auto key = PublicKey::from(input)) {
            EXPECT_EQ(id_of(*key), digest);
            ++keys;
        }
    }
    EXPECT_GT(keys, 0u);
}

Bytes blake2b(std::size_t length, ByteView input, ByteView key) {
    Bytes digest(length);
    crypto_generichash_blake2b(digest.data(), length, input.data(), input.size(), key.data(),
                               key.size());
    return digest;
}

// The room exposes no keyed hashing; this and the next test prove the library it stands on, in the
// version that is linked.
TEST_F(Blake2bVectors, LibraryGivesTheReferenceAnswers) {
    REQUIRE_SHARED_DATA();
    for (const Json& vector : load_vectors("blake2b/kat_64.json")) {
        const Bytes input = hex_field(vector, "in");
        const Bytes key = hex_field(vector, "key");
        EXPECT_EQ(to_hex(blake2b(64, input, key)), vector["out"]);
        if (!key.empty()) continue;
        const ByteView first = ByteView(input).first(input.size() / 3);
        EXPECT_EQ(blake2b_512(first, ByteView(input).subspan(first.size())).hex(), vector["out"]);
    }
}

// RFC 7693, Appendix E.
Bytes selftest_sequence(std::size_t length, std::uint32_t seed) {
    std::uint32_t a = 0xDEAD4BADU * seed;
    std::uint32_t b = 1;
    Bytes out(length);
    for (auto& byte : out) {
        const std::uint32_t t = a + b;
        a = b;
        b = t;
        byte = static_cast<std::uint8_t>(t >> 24);
    }
    return out;
}

TEST_F(Blake2bVectors, LibraryPassesTheSelfTestOfRfc7693) {
    Bytes digests;
    for (const std::uint32_t digest_size : {20U, 32U, 48U, 64U}) {
        for (const std::uint32_t input_size : {0U, 3U, 128U, 129U, 255U, 1024U}) {
            const Bytes input = selftest_sequence(input_size, input_size);
            const Bytes key = selftest_sequence(digest_size, digest_size);
            for (const Bytes& digest :
                 {blake2b(digest_size, input, {}), blake2b(digest_size, input, key)}) {
                digests.insert(digests.end(), digest.begin(), digest.end());
            }
        }
    }
    EXPECT_EQ(blake2b_256(digests).hex(),
              "c23a7800d98123bd10f506c61e29da5603d763b8bbad2e737f5e765a7bccd475");
}

}  // namespace
}  // namespace leither::crypto
