// What a wallet remembers of its organizations, to ask and to pay where no node can be reached, and
// what may be signed with that. Pure; the file belongs to app.
//
// Specification
//   * What is signed without a node has lanes of its own (kOfflineLanes): it never meets what is
//     signed at a node, and one such payment never waits for another.
//   * A lane is taken by what the journal says was signed in it, until what is remembered proves
//     that it is in a block, that another has its place, or that it has expired in no block. So
//     after a crash the same is handed over again, and nothing else with its number.
//   * Counters are read after the head that is remembered with them: what a lane lacks then, and
//     the head is behind, is in no block and never will be.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leither/base/result.h"
#include "leither/protocol/block.h"
#include "leither/wallet/journal.h"

namespace leither::wallet {

// Of 16 that an account has: 0 is for what is signed at a node, 1 for offers to cosigners.
inline constexpr std::uint8_t kOfflineLanes[] = {2, 3, 4, 5};
inline constexpr std::size_t kOfflineLaneCount = std::size(kOfflineLanes);
bool is_offline_lane(std::uint8_t lane);

inline constexpr std::size_t kKnownAccountsMax = 64;
inline constexpr std::size_t kKnownMembersMax = 1'000;
inline constexpr std::size_t kKnownOrganizationsMax = 16;
// Rules, membership and counters may be others by then; and the journal remembers longer.
inline constexpr std::uint64_t kKnownForMs = 30 * kDayMs;

// One of this wallet's.
struct KnownAccount {
    Id id;
    Amount balance;
    // The next counter of each offline lane, in their order; none: no member.
    Bounded<std::uint64_t, kOfflineLaneCount> counters;
    static void fields(auto& self, auto&& visit) { visit(self.id, self.balance, self.counters); }
    friend bool operator==(const KnownAccount&, const KnownAccount&) = default;
    bool is_member() const { return !counters.empty(); }
    bool is_canonical() const { return counters.empty() || counters.full(); }
};

struct KnownOrganization {
    protocol::Charter charter;  // names chain, unit, time of the founding, length of a pulse
    std::uint64_t learned_ms = 0;
    Pulse head;  // of the newest block then
    std::uint32_t expiry_pulses_max = 0;
    std::uint64_t members = 0;
    std::uint64_t bookkeepers = 0;
    Bounded<KnownAccount, kKnownAccountsMax> accounts;     // by id, rising
    Bounded<PublicKey, kKnownMembersMax> keys_of_members;  // rising; not all of a larger one
    static void fields(auto& self, auto&& visit) {
        visit(self.charter, self.learned_ms, self.head, self.expiry_pulses_max, self.members,
              self.bookkeepers, self.accounts, self.keys_of_members);
    }
    friend bool operator==(const KnownOrganization&, const KnownOrganization&) = default;
    bool is_canonical() const;

    ChainId chain() const { return protocol::chain_id(charter); }
    std::uint64_t time_ms_of(Pulse pulse) const {
        return charter.time_ms + pulse.value() * charter.params.pulse_ms;
    }
    // Null: not of this wallet then.
    const KnownAccount* account(const Id& id) const;
    std::optional<PublicKey> key_of_member(const Id& id) const;
};

class Known {
 public:
    // Nothing: damaged, or of another version.
    static std::optional<Known> parse(ByteView file);
    Bytes encode() const;

    // Null: none, or not that one.
    const KnownOrganization* find(const ChainId& chain) const;
    // In the place of what was known of it; the longest unheard of goes when there are too many.
    void learn(KnownOrganization organization);
    const std::vector<KnownOrganization>& organizations() const { return organizations_; }

 private:
    Bounded<KnownOrganization, kKnownOrganizationsMax> organizations_;
};
inline constexpr std::size_t kKnownBytesMax = std::size_t{1} << 20;

// ---- Signing without a node
// ----------------------------------------------------------------------

enum class OfflineRefusal : std::uint8_t {
    known_too_old,         // actual: learned, limit: until when that was enough, Unix ms
    clock_behind,          // actual: the clock now, limit: when something was learned
    not_a_member,          // of those of this wallet that were asked for
    insufficient_balance,  // actual: amount, with what is signed already; limit: balance then
    lanes_taken,           // limit: the pulse at which the first may be free
};
const char* to_string(OfflineRefusal refusal);
struct OfflineRefused {
    OfflineRefusal code = OfflineRefusal::known_too_old;
    std::uint64_t actual = 0;
    std::uint64_t limit = 0;
};

// Of `payer`, signed without a node: perhaps in a block, perhaps not, as far as is known.
std::vector<const Paying*> open_payments(const KnownOrganization& known, const Journal& journal,
                                         const Id& payer);
// Whether what is remembered proves that it is in no block and never will be.
bool is_dead(const KnownOrganization& known, const Paying& paying);
// Where, and until when, a payment of that request may be signed at `now_ms`; checked in the order
// of OfflineRefusal.
Result<Draft, OfflineRefused> offline_draft(const KnownOrganization& known, const Journal& journal,
                                            const Id& payer, Amount amount, std::uint64_t now_ms);
// What concerns asking as well: too old, or the clock.
Result<void, OfflineRefused> check_age(const KnownOrganization& known, std::uint64_t now_ms);

}  // namespace leither::wallet
