// Twelve words for 128 secret bits, to be written down by hand: the scheme and English list of
// BIP-39, whose checksum (4 bits of SHA-256) finds most slips of the pen. What the words open is
// the caller's; they are not the seed of any key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "leither/base/result.h"
#include "leither/crypto/secret.h"

namespace leither::crypto {

inline constexpr std::size_t kRecoveryWords = 12;
using RecoverySecret = SecretBytes<16>;

// Separated by single blanks.
std::string recovery_words(const RecoverySecret& secret);

// In order of precedence.
enum class WordsError : std::uint8_t {
    wrong_count,   // not twelve
    unknown_word,  // one is not of the list
    bad_checksum,  // all are, but they do not belong together
};
const char* to_string(WordsError error);

// Whatever blanks and line breaks stand between them, and in whatever case: of each word the first
// four letters are enough.
Result<RecoverySecret, WordsError> read_recovery_words(std::string_view text);
// The number, from 1, of the first word that is not of the list; 0 if all are.
std::size_t unknown_recovery_word(std::string_view text);

}  // namespace leither::crypto
