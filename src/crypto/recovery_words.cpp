#include "leither/crypto/recovery_words.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <vector>

#include <sodium.h>

#include "leither/base/check.h"

#include "bip39_english.h"

namespace leither::crypto {

namespace {

constexpr std::size_t kWordBits = 11;
constexpr std::size_t kSecretBits = 8 * RecoverySecret::kSize;
constexpr std::size_t kChecksumBits = kRecoveryWords * kWordBits - kSecretBits;
constexpr std::size_t kPrefixLetters = 4;  // tell all words of the list apart
static_assert(kChecksumBits == 4);
static_assert(std::ranges::is_sorted(kBip39English));

std::uint8_t checksum(const RecoverySecret& secret) {
    std::array<std::uint8_t, crypto_hash_sha256_BYTES> hash{};
    crypto_hash_sha256(hash.data(), secret.data(), RecoverySecret::kSize);
    return static_cast<std::uint8_t>(hash[0] >> (8 - kChecksumBits));
}

// Bit `index` of the secret and its checksum behind it, the highest of each byte first.
bool bit_at(const RecoverySecret& secret, std::uint8_t sum, std::size_t index) {
    if (index < kSecretBits) return (secret.view()[index / 8] >> (7 - index % 8) & 1) != 0;
    return (sum >> (kSecretBits + kChecksumBits - 1 - index) & 1) != 0;
}

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> words;
    bool within = false;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isspace(byte) != 0) {
            within = false;
            continue;
        }
        if (!within) words.emplace_back();
        within = true;
        words.back().push_back(static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte));
    }
    return words;
}

std::optional<std::size_t> index_of(std::string_view word) {
    const auto found = std::ranges::lower_bound(kBip39English, word);
    if (found == kBip39English.end()) return std::nullopt;
    const bool is_whole = *found == word;
    const bool is_enough = word.size() >= kPrefixLetters && found->starts_with(word);
    if (!is_whole && !is_enough) return std::nullopt;
    return static_cast<std::size_t>(found - kBip39English.begin());
}

}  // namespace

std::string recovery_words(const RecoverySecret& secret) {
    const std::uint8_t sum = checksum(secret);
    std::string text;
    for (std::size_t word = 0; word < kRecoveryWords; ++word) {
        std::size_t index = 0;
        for (std::size_t bit = 0; bit < kWordBits; ++bit) {
            index = index << 1 | (bit_at(secret, sum, word * kWordBits + bit) ? 1 : 0);
        }
        if (word > 0) text += ' ';
        text += kBip39English[index];
    }
    return text;
}

const char* to_string(WordsError error) {
    switch (error) {
        case WordsError::wrong_count: return "wrong_count";
        case WordsError::unknown_word: return "unknown_word";
        case WordsError::bad_checksum: return "bad_checksum";
    }
    UNREACHABLE();
}

Result<RecoverySecret, WordsError> read_recovery_words(std::string_view text) {
    const auto words = split(text);
    if (words.size() != kRecoveryWords) return fail(WordsError::wrong_count);
    RecoverySecret secret;
    std::uint8_t sum = 0;
    std::size_t at = 0;
    for (const std::string& word : words) {
        const auto index = index_of(word);
        if (!index) return fail(WordsError::unknown_word);
        for (std::size_t bit = kWordBits; bit-- > 0; ++at) {
            const auto value = static_cast<std::uint8_t>(*index >> bit & 1);
            if (at < kSecretBits) {
                auto& byte = secret.span()[at / 8];
                byte = static_cast<std::uint8_t>(byte | value << (7 - at % 8));
            } else {
                sum = static_cast<std::uint8_t>(sum << 1 | value);
            }
        }
    }
    if (sum != checksum(secret)) return fail(WordsError::bad_checksum);
    return secret;
}

std::size_t unknown_recovery_word(std::string_view text) {
    const auto words = split(text);
    const auto unknown =
        std::ranges::find_if(words, [](const std::string& word) { return !index_of(word); });
    return unknown == words.end() ? 0 : static_cast<std::size_t>(unknown - words.begin()) + 1;
}

}  // namespace leither::crypto
