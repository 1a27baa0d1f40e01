// What waits for its owner's word: requests of others, out of the letters that have arrived and
// what the journal knows, and what became of requests of one's own. Pure: what the ledger says is
// given.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "leither/wallet/journal.h"
#include "leither/wallet/payment_state.h"
#include "leither/wallet/policy.h"

namespace leither::wallet {

// A letter that has been opened: signed by `sender`, sealed to `account`.
struct OpenedLetter {
    Hash message;
    Id account;
    PublicKey sender;
    std::uint64_t sent_ms = 0;
    std::string text;
};

// The organization's time, twice: by the clock, and as far as blocks have been decided. What has
// expired by the clock may still be in a block that is being decided; once a decided block's pulse
// is behind the expiry, it never will be.
struct LedgerTime {
    ChainId chain;
    Pulse now;
    Pulse head;
};

// What the ledger says of a transaction.
struct TransactionFate {
    enum class State : std::uint8_t { unknown, pending, committed, refused };
    State state = State::unknown;
    PaymentState standing = PaymentState::committed;  // of what is committed: that, or more
    std::string refusal;                              // its name
};

// ---- Requests of others: the payer's side -------------------------------------------------------

enum class ItemState : std::uint8_t {
    waiting,   // for the owner's word, or for a rule of the policy
    accepted,  // signed; not committed yet
    paid,      // committed
    declined,
    expired,
};
const char* to_string(ItemState state);
const char* to_string(TokenKind kind);  // "request", "application", ..., "letter"

struct InboxItem {
    Hash id;  // a request's own; of anything else the letter's
    Hash letter;
    Hash name;  // what a decline calls it
    TokenKind kind = TokenKind::other;
    Id account;
    PublicKey sender;
    std::uint64_t sent_ms = 0;
    ItemState state = ItemState::waiting;
    std::string text;   // the token
    std::string words;  // what the letter says besides
    std::optional<SignedApplication> application;
    // Of requests.
    std::optional<SignedRequest> request;
    std::optional<Hash> transaction;  // that was signed for it
    std::optional<PolicyAnswer> why_waiting;
    std::string refusal;  // why what was signed is not taken, if it is not
};

// Facts that the pure part cannot know.
struct InboxFacts {
    LedgerTime time;
    std::uint64_t now_ms = 0;
    std::function<TransactionFate(const Hash& id, const Id& signer)> fate;
    std::function<bool(const Id& account)> is_member;
};
// One item a request, by the time of its first letter. Left out: letters without a token and those
// of an account to itself, tokens of other organizations, declines, applications that the applicant
// has not signed, and requests that the payee has not, as far as the letter's sender tells.
std::vector<InboxItem> inbox(std::span<const OpenedLetter> letters, const Journal& journal,
                             const Policy& policy, const InboxFacts& facts);

// What the policy says of a request now. REQUIRES: the item is one.
PolicyAnswer judge_item(const InboxItem& item, const Journal& journal, const Policy& policy,
                        std::uint64_t now_ms);

// What must be written down of the answers that have arrived: each refusal once.
std::vector<Refused> refusals_in(std::span<const OpenedLetter> letters, const Journal& journal,
                                 std::uint64_t now_ms);

// ---- Signing at most once -----------------------------------------------------------------------

enum class NextStep : std::uint8_t {
    sign,      // nothing is signed, or what was can never be committed
    resubmit,  // what is signed can still be taken, and may not have been told to anybody
    wait,      // it may still be committed
    none,      // it is committed
};
// What was signed for a request, and what the ledger says of it. The time and the counter are read
// before the fate, so that no block comes between them.
struct Former {
    const Paying* paying = nullptr;  // null: nothing is signed
    TransactionFate fate;
    // The payer's next one in that lane by the newest block; nothing: not known.
    std::optional<std::uint64_t> counter;
};
NextStep next_step(const Former& former, const LedgerTime& time);

// What a crash may have kept from being done, and what is still on its way.
struct Unfinished {
    std::vector<Journal::Unposted> letters;  // to be posted
    std::vector<const Paying*> payments;     // to be submitted again; of the journal
    bool is_under_way = false;               // something may still be committed
};
struct PaymentFacts {
    std::function<TransactionFate(const Hash& id, const Id& signer)> fate;
    std::function<std::optional<std::uint64_t>(const Id& account, std::uint8_t lane)> counter;
};
// What the node has refused, or the owner was told it had, is left to the owner.
Unfinished unfinished(const Journal& journal, const LedgerTime& time, const PaymentFacts& facts);

struct RequestStatus {
    PaymentState state = PaymentState::pending;
    bool is_proven = false;  // of `expired`: a decided block is behind the expiry
};
// Of what was signed here and is handed in by others: refused also if another has its place.
// REQUIRES: `former` is of `paying`.
RequestStatus status_of(const Paying& paying, const Former& former, const LedgerTime& time);

// ---- Requests of one's own: the payee's side ----------------------------------------------------

// The payment of a request as the payee's history shows it.
struct PaymentFound {
    Hash transaction;
    Sequence sequence;
    Id payer;
    PaymentState state = PaymentState::committed;  // that, secured or settled
};
// A payment outweighs a refusal: whoever declined may have paid all the same.
RequestStatus status_of(const Journal::OwnRequest& own, const std::optional<PaymentFound>& payment,
                        const LedgerTime& time);

}  // namespace leither::wallet
