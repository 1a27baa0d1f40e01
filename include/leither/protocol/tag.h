// Tags (docs/protocol/tags.md): members' signed words about packs, accounts or anything else, as a
// public index of the organization.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "leither/base/bounded.h"
#include "leither/base/fixed_bytes.h"
#include "leither/crypto/sign.h"
#include "leither/protocol/validity.h"

namespace leither::protocol {

inline constexpr std::size_t kTagBytesMax = 32;
inline constexpr Duration kTagLifetimeMax = std::chrono::hours(90 * 24);

// Lower case, without blanks: one spelling for one tag. Of ASCII only letters, digits and "-_.",
// of other scripts whatever is UTF-8.
bool is_tag(std::string_view text);

struct PackTarget {
    Hash pack;
    static void fields(auto& self, auto&& visit) { visit(self.pack); }
    friend auto operator<=>(const PackTarget&, const PackTarget&) = default;
};
struct AccountTarget {
    Id account;
    static void fields(auto& self, auto&& visit) { visit(self.account); }
    friend auto operator<=>(const AccountTarget&, const AccountTarget&) = default;
};
// Anything else, for people: an address, a place, a sentence.
struct TextTarget {
    BoundedText<200> text;
    static void fields(auto& self, auto&& visit) { visit(self.text); }
    // Neither empty nor with control characters.
    bool is_canonical() const;
    friend bool operator==(const TextTarget&, const TextTarget&) = default;
};
using TagTarget = std::variant<PackTarget, AccountTarget, TextTarget>;  // only ever append

struct TagEntry {
    PublicKey author;  // an account's
    BoundedText<kTagBytesMax> tag;
    TagTarget target;
    Validity validity;  // of one author, tag and target the latest issued counts
    static void fields(auto& self, auto&& visit) {
        visit(self.author, self.tag, self.target, self.validity);
    }
    bool is_canonical() const { return is_tag(tag); }
    friend bool operator==(const TagEntry&, const TagEntry&) = default;
};
struct SignedTag {
    TagEntry entry;
    Signature signature;  // by the author
    static void fields(auto& self, auto&& visit) { visit(self.entry, self.signature); }
    friend bool operator==(const SignedTag&, const SignedTag&) = default;
};
inline constexpr std::uint32_t kSignedTagBytesMax =
    32 + (1 + kTagBytesMax) + 1 + (2 + 200) + 16 + 64;

// The author no longer says so. It counts as a later entry of the same tag and target, and outlives
// all that were issued before it, so that none of them comes back.
struct TagWithdrawal {
    PublicKey author;
    BoundedText<kTagBytesMax> tag;
    TagTarget target;
    std::uint64_t issued_ms = 0;
    static void fields(auto& self, auto&& visit) {
        visit(self.author, self.tag, self.target, self.issued_ms);
    }
    bool is_canonical() const { return is_tag(tag); }
    Validity validity() const;
    friend bool operator==(const TagWithdrawal&, const TagWithdrawal&) = default;
};
struct SignedWithdrawal {
    TagWithdrawal withdrawal;
    Signature signature;  // by the author
    static void fields(auto& self, auto&& visit) { visit(self.withdrawal, self.signature); }
    friend bool operator==(const SignedWithdrawal&, const SignedWithdrawal&) = default;
};

Hash tag_entry_id(const ChainId& chain, const TagEntry& entry);
// Where whoever keeps entries under a tag announces itself in the DHT.
Id tag_id(const ChainId& chain, std::string_view tag);
Bytes signing_message(const ChainId& chain, const TagEntry& entry);
// REQUIRES: `author` is the entry's.
SignedTag sign(const ChainId& chain, const TagEntry& entry, const crypto::KeyPair& author);
// `too_long_lived`, `from_the_future`, `expired` or `bad_signature`.
Result<void, RecordError> check(const SignedTag& signed_, const ChainId& chain, Instant now);

Hash withdrawal_id(const ChainId& chain, const TagWithdrawal& withdrawal);
Bytes signing_message(const ChainId& chain, const TagWithdrawal& withdrawal);
// REQUIRES: `author` is the withdrawal's.
SignedWithdrawal sign(const ChainId& chain, const TagWithdrawal& withdrawal,
                      const crypto::KeyPair& author);
// `from_the_future`, `expired` or `bad_signature`.
Result<void, RecordError> check(const SignedWithdrawal& signed_, const ChainId& chain, Instant now);

}  // namespace leither::protocol
