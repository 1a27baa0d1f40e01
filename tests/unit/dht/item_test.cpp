#include "leither/dht/item.h"

#include <gtest/gtest.h>

#include "leither/base/prng.h"
#include "leither/dht/krpc.h"

#include "support/shared_data.h"
#include "support/worked_bytes.h"

namespace leither::dht {
namespace {

using leither::testing::load_vectors;
using Json = nlohmann::json;

crypto::KeyPair key_of(std::uint8_t seed) {
    crypto::initialise();
    crypto::KeyPair::Seed bytes{};
    bytes[0] = seed;
    return crypto::KeyPair::from_seed(bytes);
}
ItemSalt salt_of(std::string_view text) {
    return ItemSalt::copy_of(as_bytes(text));
}
Bytes bytes_of(std::string_view text) {
    const ByteView view = as_bytes(text);
    return Bytes(view.begin(), view.end());
}
std::optional<ItemError> error_of(const Item& item) {
    const auto checked = check(item);
    if (checked) return std::nullopt;
    return checked.error();
}

TEST(ItemVectors, TargetsBuffersAndSignaturesOfBep44) {
    REQUIRE_SHARED_DATA();
    crypto::initialise();
    for (const Json& vector : load_vectors("bep44/bep_text.json")) {
        Item item{bytes_of(vector["value_bencoded"].get<std::string>()), std::nullopt};
        if (vector.contains("public_key")) {
            Authorship author;
            author.key = PublicKey::parse(vector["public_key"].get<std::string>()).value();
            author.signature = Signature::parse(vector["signature"].get<std::string>()).value();
            author.salt = salt_of(vector["salt"].get<std::string>());
            author.sequence = vector["seq"];
            item.author = author;
            EXPECT_EQ(as_text(signed_bytes(author.salt, author.sequence, item.value)),
                      vector["buffer_signed"].get<std::string>());
        }
        const Id target = Id::parse(vector["target"].get<std::string>()).value();
        EXPECT_EQ(target_of(item), target);
        EXPECT_TRUE(check(item, target));
    }
}

TEST(Item, WorkedExampleOfTheSpecification) {
    crypto::initialise();
    const Bytes datagram = leither::testing::worked_bytes("protocol/dht.md", "put");
    const auto message = parse(datagram);
    ASSERT_TRUE(message) << to_string(message.error().error);
    const auto& put = std::get<Query>(*message);
    EXPECT_EQ(put.version, kPrivateNetworkTag);
    EXPECT_EQ(write(put), datagram);
    EXPECT_TRUE(check(put.item, Id::parse("411eba73b6f087ca51a3795d9c8c938d365e32c1").value()));
}

TEST(Item, WhatIsSignedIsValidAndNothingElseIs) {
    const auto key = key_of(1);
    const Item item = sign_item(key, salt_of("addr"), 42, bytes_of("3:abc"));
    EXPECT_TRUE(check(item, mutable_target(key.public_key(), salt_of("addr"))));
    const auto altered = [&](auto&& alter) {
        Item other = item;
        alter(other);
        return error_of(other);
    };
    EXPECT_EQ(altered([](Item& i) { i.value[2] ^= 1; }), ItemError::bad_signature);
    EXPECT_EQ(altered([](Item& i) { i.author->sequence = 43; }), ItemError::bad_signature);
    EXPECT_EQ(altered([](Item& i) { i.author->salt = {}; }), ItemError::bad_signature);
    EXPECT_EQ(altered([](Item& i) { i.author->signature[0] ^= 1; }), ItemError::bad_signature);
    EXPECT_EQ(altered([](Item& i) { i.author->key = key_of(2).public_key(); }),
              ItemError::bad_signature);
    EXPECT_EQ(altered([](Item& i) { i.author->key = PublicKey{}; }), ItemError::bad_signature)
        << "a key of small order";
}

TEST(Item, ErrorsComeInOrderOfPrecedence) {
    const auto key = key_of(1);
    Item item = sign_item(key, {}, 0, bytes_of("1:a"));
    item.author->sequence = -1;
    item.value = bytes_of("i-0e");
    EXPECT_EQ(error_of(item), ItemError::value_not_canonical);
    item.value = bytes_of("1:b");
    EXPECT_EQ(error_of(item), ItemError::sequence_out_of_range);
    item.author->sequence = 1;
    EXPECT_EQ(error_of(item), ItemError::bad_signature);
    item.value.resize(kValueBytesMax + 1);
    EXPECT_EQ(error_of(item), ItemError::value_too_big);
    const Item good = sign_item(key, {}, 0, bytes_of("1:a"));
    EXPECT_EQ(check(good, Id{}).error(), ItemError::wrong_target);
}

TEST(Item, AValueIsOneCanonicalValueOfAtMost1000Bytes) {
    for (const char* value : {"1:a", "0:", "i0e", "le", "d1:ai1ee"}) {
        EXPECT_EQ(error_of({bytes_of(value), std::nullopt}), std::nullopt) << value;
    }
    for (const char* value :
         {"", "1:ab", "1:", "i-0e", "i00e", "d1:bi1e1:ai1ee", "abc", "i1ei2e"}) {
        EXPECT_EQ(error_of({bytes_of(value), std::nullopt}), ItemError::value_not_canonical)
            << value;
    }
    const std::string longest = "996:" + std::string(996, 'v');
    EXPECT_EQ(longest.size(), kValueBytesMax);
    EXPECT_EQ(error_of({bytes_of(longest), std::nullopt}), std::nullopt);
    EXPECT_EQ(error_of({bytes_of("997:" + std::string(997, 'v')), std::nullopt}),
              ItemError::value_too_big);
}

TEST(Item, NestsAsDeepAsADatagramLets) {
    const auto nested = [](std::size_t depth) {
        return Item{bytes_of(std::string(depth, 'l') + std::string(depth, 'e')), std::nullopt};
    };
    EXPECT_EQ(error_of(nested(kValueDepthMax)), std::nullopt);
    EXPECT_EQ(error_of(nested(kValueDepthMax + 1)), ItemError::value_not_canonical);
    Query put;
    put.method = Method::put;
    put.token = Token::copy_of(as_bytes("x"));
    put.item = nested(kValueDepthMax);
    EXPECT_TRUE(parse(write(put)));
    put.item = nested(kValueDepthMax + 1);
    EXPECT_FALSE(parse(write(put)));
}

TEST(Item, AnEmptySaltIsNoSalt) {
    const auto key = key_of(1);
    EXPECT_EQ(mutable_target(key.public_key(), {}), immutable_target(key.public_key().view()));
    EXPECT_EQ(as_text(signed_bytes({}, 1, bytes_of("1:a"))), "3:seqi1e1:v1:a");
}

TEST(Item, ASaltHasAtMost64Bytes) {
    const std::string longest(kSaltBytesMax, 's');
    EXPECT_TRUE(ItemSalt::from(as_bytes(longest)));
    EXPECT_FALSE(ItemSalt::from(as_bytes(longest + "s")));
    const Item item = sign_item(key_of(3), salt_of(longest), kSequenceMax, bytes_of("1:a"));
    EXPECT_EQ(error_of(item), std::nullopt);
}

TEST(Item, AByteStringIsWrappedAndUnwrapped) {
    const Bytes content(kContentBytesMax, 'c');
    const Bytes value = value_of(content);
    EXPECT_LE(value.size(), kValueBytesMax);
    const auto back = content_of(value);
    ASSERT_TRUE(back);
    EXPECT_TRUE(std::equal(back->begin(), back->end(), content.begin(), content.end()));
    for (const char* other : {"", "i1e", "le", "1:", "1:ab", "01:a"}) {
        EXPECT_FALSE(content_of(bytes_of(other))) << other;
    }
}

}  // namespace
}  // namespace leither::dht
