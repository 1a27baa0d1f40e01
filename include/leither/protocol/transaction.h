// What members sign (docs/protocol/transactions.md).
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "leither/base/amount.h"
#include "leither/base/bounded.h"
#include "leither/base/fixed_bytes.h"
#include "leither/base/number.h"
#include "leither/protocol/delegation.h"
#include "leither/protocol/evidence.h"
#include "leither/protocol/record.h"
#include "leither/protocol/takeover.h"

namespace leither::protocol {

// Whether the payee insists that the amount is backed by the bookkeepers' pledges (protocol §7).
enum class Cover : std::uint8_t { waived, required };  // encoded; never change these values
constexpr Cover last_of(Cover) {
    return Cover::required;
}

using Text = BoundedText<140>;

// The payee's half of a transfer, signed first: "pay me this".
struct PaymentRequest {
    Id payee;
    Amount amount;
    Text reference;
    Pulse expiry;
    Cover cover = Cover::waived;
    static void fields(auto& self, auto&& visit) {
        visit(self.payee, self.amount, self.reference, self.expiry, self.cover);
    }
    friend bool operator==(const PaymentRequest&, const PaymentRequest&) = default;
};

// Signer = payer, who signs last and submits. Counterparty = payee, who signs the request.
struct Transfer {
    PaymentRequest request;
    static void fields(auto& self, auto&& visit) { visit(self.request); }
    friend bool operator==(const Transfer&, const Transfer&) = default;
};
// The applicant's half of a join, signed first: "let me in".
struct Application {
    PublicKey applicant;
    std::optional<Id> sponsor;  // the member who carries it
    Text note;
    Pulse expiry;
    static void fields(auto& self, auto&& visit) {
        visit(self.applicant, self.sponsor, self.note, self.expiry);
    }
    friend bool operator==(const Application&, const Application&) = default;
};
// Signer = supervisor, counterparty = applicant, who signs the application.
struct Join {
    Application application;
    static void fields(auto& self, auto&& visit) { visit(self.application); }
    friend bool operator==(const Join&, const Join&) = default;
};
// Signer = supervisor, counterparty = the member who leaves.
struct Leave {
    Id member;
    static void fields(auto& self, auto&& visit) { visit(self.member); }
    friend bool operator==(const Leave&, const Leave&) = default;
};
// Signer = supervisor, counterparty = the member concerned.
struct SetRole {
    Id member;
    Role role = Role::member;
    static void fields(auto& self, auto&& visit) { visit(self.member, self.role); }
    friend bool operator==(const SetRole&, const SetRole&) = default;
};
// Signer = supervisor. Reason and proof are public to the organization.
struct Reward {
    RewardKind kind = RewardKind::service;
    Id member;
    Amount amount;
    LongText reason;
    LongText proof;  // where the evidence is
    static void fields(auto& self, auto&& visit) {
        visit(self.kind, self.member, self.amount, self.reason, self.proof);
    }
    friend bool operator==(const Reward&, const Reward&) = default;
};
// Signer = owner. Freezes credit and registers as a candidate.
struct Pledge {
    Amount amount;
    Registration registration;
    static void fields(auto& self, auto&& visit) { visit(self.amount, self.registration); }
    friend bool operator==(const Pledge&, const Pledge&) = default;
};
// Signer = owner. The first announces the release and ends the candidacy; one sent after the delay
// returns the credit.
struct Release {
    static void fields(auto&, auto&& visit) { visit(); }
    friend bool operator==(const Release&, const Release&) = default;
};
// Signer = owner. Does nothing but use up its nonce, so that another transaction with it cannot
// land.
struct Cancel {
    static void fields(auto&, auto&& visit) { visit(); }
    friend bool operator==(const Cancel&, const Cancel&) = default;
};

// ---- Acts of a candidate's node: signed with the node key, in lane kNodeLane -------------------

// Competes for the term kElectedAhead cycles ahead.
struct Reveal {
    Hash link;
    PublicKey vote_key;  // signs in that term
    static void fields(auto& self, auto&& visit) { visit(self.link, self.vote_key); }
    friend bool operator==(const Reveal&, const Reveal&) = default;
};
// The node of a seat or spare of the next committee is there.
struct Ready {
    std::uint64_t cycle = 0;  // the term it is ready for
    static void fields(auto& self, auto&& visit) { visit(self.cycle); }
    friend bool operator==(const Ready&, const Ready&) = default;
};
// A line of a cycle's mining rewards: where it stands, and the hashes beside the way to the root.
struct RewardProof {
    std::uint8_t line = 0;
    Bounded<Hash, 5> path;  // from the line upwards
    static void fields(auto& self, auto&& visit) { visit(self.line, self.path); }
    friend bool operator==(const RewardProof&, const RewardProof&) = default;
};
struct Claim {
    std::uint64_t cycle = 0;
    Amount amount;
    RewardProof proof;
    static void fields(auto& self, auto&& visit) { visit(self.cycle, self.amount, self.proof); }
    friend bool operator==(const Claim&, const Claim&) = default;
};

// ---- Votes of the members ----------------------------------------------------------------------

// Signer = a supervisor.
struct Propose {
    Subject subject;
    static void fields(auto& self, auto&& visit) { visit(self.subject); }
    friend bool operator==(const Propose&, const Propose&) = default;
};
enum class Choice : std::uint8_t { no, yes };  // encoded; never change these values
constexpr Choice last_of(Choice) {
    return Choice::yes;
}
// Signer = the voter.
struct Cast {
    Id vote;
    Choice choice = Choice::no;
    static void fields(auto& self, auto&& visit) { visit(self.vote, self.choice); }
    friend bool operator==(const Cast&, const Cast&) = default;
};

// Signer = who reports. The accused loses its pledge.
struct Evidence {
    Id accused;
    Conflict conflict;
    // By the signer to the node that reports for it, if that stands for nobody: the ledger knows
    // no other key of a member's node.
    std::optional<SignedDelegation> delegation = {};
    static void fields(auto& self, auto&& visit) {
        visit(self.accused, self.conflict, self.delegation);
    }
    friend bool operator==(const Evidence&, const Evidence&) = default;
};

// Signer = supervisor, counterparty = applicant, who signs the application. A task done earns both
// the membership and what was promised for it: all or nothing.
struct Earn {
    Application application;
    Hash task;  // the promise that is kept (docs/protocol/tasks.md)
    Amount amount;
    LongText reason;
    LongText proof;  // where the evidence is
    static void fields(auto& self, auto&& visit) {
        visit(self.application, self.task, self.amount, self.reason, self.proof);
    }
    friend bool operator==(const Earn&, const Earn&) = default;
};

// The alternatives' order is encoded; only ever append.
using Action = std::variant<Transfer, Join, Leave, SetRole, Reward, Pledge, Release, Cancel, Reveal,
                            Ready, Claim, Propose, Cast, Evidence, HandOver, Recovery, Earn>;
// "transfer", "join", ... as in logs, RPC and docs.
const char* kind_name(const Action& action);

struct Nonce {
    std::uint8_t lane = 0;
    std::uint64_t counter = 0;
    static void fields(auto& self, auto&& visit) { visit(self.lane, self.counter); }
    friend auto operator<=>(const Nonce&, const Nonce&) = default;
};

inline constexpr std::size_t kCosignersMax = 15;

struct TransactionBody {
    Id signer;
    Nonce nonce;                           // of the signer
    Pulse expiry;                          // valid in blocks up to and including this pulse
    Bounded<Id, kCosignersMax> cosigners;  // further supervisors, rising
    Action action;
    static void fields(auto& self, auto&& visit) {
        visit(self.signer, self.nonce, self.expiry, self.cosigners, self.action);
    }
    bool is_canonical() const;
    friend bool operator==(const TransactionBody&, const TransactionBody&) = default;
};

struct Transaction {
    TransactionBody body;
    // In this order: the counterparty (if the kind has one), the signer (or its node), the
    // cosigners.
    Bounded<Signature, kCosignersMax + 2> signatures;
    static void fields(auto& self, auto&& visit) { visit(self.body, self.signatures); }
    friend bool operator==(const Transaction&, const Transaction&) = default;
};
inline constexpr std::size_t kTransactionBytesMax = 4096;
// A recovery carries the signatures of most candidates.
inline constexpr std::size_t kRecoveryBytesMax = 72 << 10;
std::size_t bytes_max(const Action& action);

// Whether it is signed with the node key of a candidate.
bool is_node_act(const Action& action);
// Whether it begins a term of its own, so that it can only be a block's first transaction.
bool is_takeover(const Action& action);
// Whether a height opens for its sake. Reveals and `ready` wait for a height that opens anyway, or
// for the last pulse at which they are taken.
bool opens_height(const Transaction& transaction);
// Signatures a transaction with that body carries.
std::size_t signatures_needed(const TransactionBody& body);

// Excludes signatures, so nobody can give one transaction two ids.
Hash transaction_id(const ChainId& chain, const TransactionBody& body);
// What signer and cosigners sign, and the counterparty of a leave or a role.
Bytes signing_message(const ChainId& chain, const TransactionBody& body);
// What the payee of a transfer signs.
Bytes signing_message(const ChainId& chain, const PaymentRequest& request);
// What the applicant of a join, or of one earned, signs.
Bytes signing_message(const ChainId& chain, const Application& application);
// A transaction encoded once, for everything that is made of its bytes.
class EncodedTransaction {
 public:
    explicit EncodedTransaction(const Transaction& transaction);

    ByteView bytes() const { return bytes_; }
    std::size_t size() const { return bytes_.size(); }
    // As transaction_id() and signing_message() of the body.
    Hash id(const ChainId& chain) const;
    Bytes signing_message(const ChainId& chain) const;
    // What a block commits to: the hash of all bytes, signatures included.
    Hash commitment() const;

 private:
    // The body's encoding is the transaction's beginning.
    ByteView body() const { return ByteView(bytes_).first(body_size_); }

    Bytes bytes_;
    std::size_t body_size_ = 0;
};
// The counterparty's account: payee, applicant, member concerned; nothing for the other kinds.
std::optional<Id> counterparty(const Action& action);

}  // namespace leither::protocol
