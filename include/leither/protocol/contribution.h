// Contributions (docs/protocol/contributions.md): a member's signed word of what it has done for
// the organization, in which of the five parts of a business, and on what earlier work it builds.
//
// A reward names the contributions it is for in its proof, which the ledger keeps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leither/base/bounded.h"
#include "leither/base/fixed_bytes.h"
#include "leither/crypto/sign.h"
#include "leither/protocol/record.h"
#include "leither/protocol/validity.h"

namespace leither::protocol {

enum class ContributionKind : std::uint8_t {  // encoded; never change these values
    development,                              // of applications
    production,                               // of content or a service
    support,                                  // devices: storage, bandwidth, access
    promotion,                                // brings it to people: tags, links, channels
    appreciation,                             // value that others paid for, or used
};
constexpr ContributionKind last_of(ContributionKind) {
    return ContributionKind::appreciation;
}
const char* to_string(ContributionKind kind);
// The reverse; nothing for another word.
std::optional<ContributionKind> contribution_kind(std::string_view name);

inline constexpr std::size_t kBasesMax = 4;  // of one contribution

struct Contribution {
    PublicKey author;  // an account's
    ContributionKind kind = ContributionKind::development;
    LongText text;                       // what was done: fits the reason of a reward
    BoundedText<200> evidence;           // where to see it; perhaps empty
    Bounded<Hash, kBasesMax> builds_on;  // ids of earlier ones, rising
    std::uint64_t issued_ms = 0;
    static void fields(auto& self, auto&& visit) {
        visit(self.author, self.kind, self.text, self.evidence, self.builds_on, self.issued_ms);
    }
    // Says something, in plain text.
    bool is_canonical() const;
    friend bool operator==(const Contribution&, const Contribution&) = default;
};
struct SignedContribution {
    Contribution contribution;
    Signature signature;  // by the author
    static void fields(auto& self, auto&& visit) { visit(self.contribution, self.signature); }
    friend bool operator==(const SignedContribution&, const SignedContribution&) = default;
};
inline constexpr std::uint32_t kSignedContributionBytesMax =
    32 + 1 + (2 + 280) + (2 + 200) + (1 + kBasesMax * 32) + 8 + 64;

// Binds the chain, so a contribution to one organization is none to another.
Hash contribution_id(const ChainId& chain, const Contribution& contribution);
Bytes signing_message(const ChainId& chain, const Contribution& contribution);
// REQUIRES: `author` is the contribution's, which is canonical.
SignedContribution sign(const ChainId& chain, const Contribution& contribution,
                        const crypto::KeyPair& author);
// `from_the_future` or `bad_signature`; contributions do not expire.
Result<void, RecordError> check(const SignedContribution& signed_, const ChainId& chain,
                                Instant now);

// ---- In the proof of a reward -------------------------------------------------------------------

// As many as fit beside each other into a proof.
inline constexpr std::size_t kRewardedMax = 3;
// "contribution:HEX" for each, then `rest`, parted by blanks.
std::string proof_text(const std::vector<Hash>& contributions, std::string_view rest);
// Those that a proof names so, each once; whatever else it says is for people.
std::vector<Hash> contributions_in(std::string_view proof);

}  // namespace leither::protocol
