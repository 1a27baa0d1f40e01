#include "leither/noise/cipher.h"

#include <gtest/gtest.h>

namespace leither::noise {
namespace {

constexpr std::uint64_t kLast = ~std::uint64_t{0};

crypto::AeadKey key_of(std::uint8_t fill) {
    return crypto::AeadKey::copy_of(Bytes(32, fill));
}

Bytes encrypt(Cipher& cipher, std::string_view text) {
    Bytes sealed(text.size() + kTagSize);
    EXPECT_TRUE(cipher.encrypt({}, as_bytes(text), sealed));
    return sealed;
}

std::string decrypt(Cipher& cipher, ByteView sealed) {
    Bytes plain(sealed.size() - kTagSize);
    const auto done = cipher.decrypt({}, sealed, plain);
    return done ? std::string(as_text(plain)) : to_string(done.error());
}

TEST(Cipher, WhatOneEncryptsTheOtherReadsInOrder) {
    Cipher sender(key_of(1));
    Cipher receiver(key_of(1));
    const Bytes first = encrypt(sender, "one");
    const Bytes second = encrypt(sender, "one");
    EXPECT_NE(first, second);
    EXPECT_EQ(decrypt(receiver, second), "not_authentic");
    EXPECT_EQ(decrypt(receiver, first), "one");
    EXPECT_EQ(decrypt(receiver, first), "not_authentic");
    EXPECT_EQ(decrypt(receiver, second), "one");
    EXPECT_EQ(receiver.nonce(), 2u);
}

TEST(Cipher, AssociatedBytesAreAuthenticated) {
    Cipher sender(key_of(1));
    Cipher receiver(key_of(1));
    Bytes sealed(kTagSize);
    ASSERT_TRUE(sender.encrypt(as_bytes("a"), {}, sealed));
    EXPECT_EQ(receiver.decrypt(as_bytes("b"), sealed, {}).error(), CipherError::not_authentic);
    EXPECT_TRUE(receiver.decrypt(as_bytes("a"), sealed, {}));
}

TEST(Cipher, LastNonceButOneIsUsedAndTheLastNever) {
    Cipher sender(key_of(1), kLast - 1);
    Cipher receiver(key_of(1), kLast - 1);
    EXPECT_EQ(decrypt(receiver, encrypt(sender, "end")), "end");
    Bytes sealed(3 + kTagSize);
    EXPECT_EQ(sender.encrypt({}, as_bytes("one"), sealed).error(), CipherError::exhausted);
    EXPECT_EQ(decrypt(receiver, sealed), "exhausted");
}

// Rev 34, 4.2: the new key is the start of 32 zeros encrypted under the last nonce.
TEST(Cipher, RekeyIsTheOneOfTheFramework) {
    Bytes sealed(32 + kTagSize);
    crypto::aead_encrypt(key_of(1), {crypto::aead_nonce(kLast), {}}, Bytes(32), sealed);
    Cipher expected(crypto::AeadKey::copy_of(ByteView(sealed).first(32)), 1);
    Cipher cipher(key_of(1));
    encrypt(cipher, "before");
    cipher.rekey();
    EXPECT_EQ(cipher.nonce(), 1u);
    EXPECT_EQ(encrypt(cipher, "after"), encrypt(expected, "after"));
}

TEST(Cipher, RekeyOfOneSideAloneBreaksTheConnection) {
    Cipher sender(key_of(1));
    Cipher receiver(key_of(1));
    sender.rekey();
    const Bytes sealed = encrypt(sender, "x");
    EXPECT_EQ(decrypt(receiver, sealed), "not_authentic");
    receiver.rekey();
    EXPECT_EQ(decrypt(receiver, sealed), "x");
}

}  // namespace
}  // namespace leither::noise
