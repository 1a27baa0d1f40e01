#include "leither/wallet/backup.h"

#include <algorithm>

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/aead.h"
#include "leither/crypto/hkdf.h"

namespace leither::wallet {

namespace {

constexpr std::string_view kMagic = "leither-backup-1\n";
constexpr std::string_view kKeyTag = "leither/backup-key/1";
constexpr std::size_t kSaltSize = 32;
constexpr std::size_t kHeaderSize = kMagic.size() + kSaltSize;

// Twelve words are 128 random bits: nobody guesses them, so no slow hash is needed.
crypto::AeadKey key_of(const crypto::RecoverySecret& words, ByteView salt) {
    crypto::HmacKey salted;
    std::ranges::copy(salt, salted.span().begin());
    const auto derived = crypto::hmac_blake2b_512(salted, as_bytes(kKeyTag), words.view());
    return crypto::AeadKey::copy_of(derived.view().first(crypto::AeadKey::kSize));
}

}  // namespace

bool BackupFile::is_canonical() const {
    return !name.empty() && name.front() != '.' && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '.' || c == '-';
    });
}

bool Backup::is_canonical() const {
    return std::ranges::adjacent_find(files, std::ranges::greater_equal{}, &BackupFile::name) ==
           files.end();
}

Bytes seal_backup(const Backup& backup, const crypto::RecoverySecret& words, Entropy& entropy) {
    CHECK(backup.is_canonical());
    Bytes plain = bcs::encode(backup);
    const ByteView magic = as_bytes(kMagic);
    Bytes file(magic.begin(), magic.end());
    file.resize(kHeaderSize + plain.size() + crypto::kAeadTagSize);
    CHECK(file.size() <= kBackupBytesMax);
    const std::span<std::uint8_t> whole(file);
    const auto salt = whole.subspan(kMagic.size(), kSaltSize);
    entropy.fill(salt);
    // The salt makes the key one of its own, so that the nonce may always be the same.
    crypto::aead_encrypt(key_of(words, salt),
                         {crypto::aead_nonce(0), ByteView(file).first(kHeaderSize)}, plain,
                         whole.subspan(kHeaderSize));
    crypto::erase(plain);
    return file;
}

const char* to_string(BackupError error) {
    switch (error) {
        case BackupError::not_a_backup: return "not_a_backup";
        case BackupError::does_not_open: return "does_not_open";
        case BackupError::bad_content: return "bad_content";
    }
    UNREACHABLE();
}

Result<Backup, BackupError> open_backup(ByteView file, const crypto::RecoverySecret& words) {
    const bool is_one = file.size() >= kHeaderSize + crypto::kAeadTagSize &&
                        file.size() <= kBackupBytesMax &&
                        as_text(file.first(kMagic.size())) == kMagic;
    if (!is_one) return fail(BackupError::not_a_backup);
    const ByteView header = file.first(kHeaderSize);
    const ByteView sealed = file.subspan(kHeaderSize);
    Bytes plain(sealed.size() - crypto::kAeadTagSize);
    const bool opens = crypto::aead_decrypt(key_of(words, header.subspan(kMagic.size())),
                                            {crypto::aead_nonce(0), header}, sealed, plain);
    if (!opens) return fail(BackupError::does_not_open);
    auto backup = bcs::decode<Backup>(plain);
    crypto::erase(plain);
    if (!backup) return fail(BackupError::bad_content);
    return *std::move(backup);
}

}  // namespace leither::wallet
