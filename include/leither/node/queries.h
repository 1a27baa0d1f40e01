// Read-only answers about the node and its ledger. Who may ask is the caller's matter.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <variant>
#include <vector>

#include "leither/base/time.h"
#include "leither/ledger/block_store.h"
#include "leither/ledger/evidence_record.h"
#include "leither/ledger/mining.h"
#include "leither/ledger/receipt.h"
#include "leither/ledger/state.h"
#include "leither/node/finality.h"
#include "leither/node/network.h"
#include "leither/protocol/refusal.h"
#include "leither/tree/range.h"

namespace leither::node {

enum class QueryError : std::uint8_t {
    no_organization,   // this node keeps no ledger yet
    unknown_sequence,  // in the future
    pruned,            // behind the history window
    uncertified,       // the founding, until several bookkeepers have decided a block
    fault,             // the store failed; the log has the detail
};
const char* to_string(QueryError error);
template <class T>
using Answer = Result<T, QueryError>;

struct AccountAnswer {
    Sequence sequence;  // the version read
    std::optional<protocol::Record> record;
};
// One transaction that touched an account, newest first.
struct HistoryItem {
    Sequence sequence;
    Pulse pulse;
    Hash id;
    protocol::TransactionBody body;
    // The payment of a reward that this vote of the members gave; `body` proposed it.
    std::optional<Id> vote;
};
// The items of one block are never parted, so there may be more of them than asked for.
struct History {
    std::vector<HistoryItem> items;
    std::optional<Sequence> next;  // ask on with before = next; nothing at the end
    bool pruned = false;           // older items lie behind the history window
};
struct Pending {};
struct Committed {
    Sequence sequence;
};
struct Dropped {
    protocol::Refused refused;
};
struct Unknown {};  // never seen, or longer ago than this node remembers
using Fate = std::variant<Unknown, Pending, Committed, Dropped>;

struct BlockAnswer {
    ledger::Seal seal;
    Hash hash;
    protocol::Transactions transactions;
    // That certified it, by seat: the header names its author, the certificate its signers by their
    // seats. None of the founding, which the charter's signature stands for.
    protocol::Seats committee = {};
};
// A receipt that this node has kept (docs/protocol/receipts.md).
struct KeptReceiptItem {
    Id account;
    Sequence sequence;
    Pulse pulse;
    std::size_t bytes = 0;
    std::vector<HistoryItem> transactions;
};
struct KeptReceipts {
    std::vector<KeptReceiptItem> items;  // newest first
    std::optional<Sequence> next;        // ask on with before = next; nothing at the end
    std::size_t count = 0;               // of all, of every account
    std::size_t bytes = 0;
    // Whose are kept, and between which sequences some may be missing.
    struct Account {
        Id account;
        std::optional<std::pair<Sequence, Sequence>> gap;
    };
    std::vector<Account> accounts;
};
struct MemberItem {
    Id id;
    protocol::MemberRecord record;
};

// What this node has recorded against bookkeepers.
struct EvidenceItem {
    Hash id;
    ledger::OffenceName name;
    // As anybody would judge the record; an error if it convinces only who trusts a later
    // committee.
    Result<ledger::Judgement, ledger::EvidenceError> judgement;
    // What the ledger would still take from the first of the guilty; nothing: no pledge answers, or
    // it is too late.
    std::optional<Amount> at_stake;
};
struct EvidenceCounts {
    std::size_t conflicts = 0;
    std::vector<Sequence> forks;  // heights at which two blocks were decided
};

// A vote of the members as the head has it.
struct VoteItem {
    Id id;
    protocol::VoteRecord record;
    // While it is open: of the first block that counts it, or tries again to pay what has passed.
    std::optional<Pulse> counted_from;
    std::optional<Sequence> counted;  // by this block, as far as history tells
};
// Newest first. The votes that one block has counted are never parted.
struct ClosedVotes {
    std::vector<VoteItem> items;
    std::optional<Sequence> next;  // ask on with before = next; nothing at the end
    bool pruned = false;           // older ones lie behind the history window
};
// A member and a vote.
enum class Suffrage : std::uint8_t {
    may_cast,
    has_cast,
    not_open,    // too late, or too early to tell
    not_member,  // no account at the head
    joined_after,
};
const char* to_string(Suffrage standing);
// A ballot in a block. Nothing on either: none found in the history that is kept.
struct Ballot {
    protocol::Choice choice = protocol::Choice::no;
    Sequence sequence;
    Hash transaction;
};

// A cycle block, and how much of the pledge has signed it.
struct CheckpointItem {
    std::uint64_t cycle = 0;  // that it begins
    protocol::BlockName block;
    Pulse pulse;
    std::size_t signatures = 0;
    Amount signed_pledge;
    Amount pledge;  // of all candidates; zero: its certificate stands alone
};
struct CheckpointStatus {
    std::optional<CheckpointItem> newest;
    std::optional<CheckpointItem> gathering;  // a later cycle block that lacks signatures
    // The terms whose committees this node can prove to a newcomer.
    std::uint64_t from_cycle = 0;
    std::uint64_t to_cycle = 0;
};

struct LedgerStatus {
    ledger::Organization organization;
    protocol::BlockHeader head;
    Sequence oldest;
    protocol::BookkeepingRecord bookkeeping;
    protocol::TreasuryRecord treasury;
    std::size_t mempool_transactions = 0;
    std::size_t mempool_bytes = 0;
    tree::Tree::Stats tree;
    EvidenceCounts evidence;
    CheckpointStatus checkpoint;
    Sequence final_sequence;  // this block and all before it are final
};

// What an owner signs to have its account endorsed now, and who answers.
struct EndorsementTerms {
    std::uint64_t cycle = 0;
    Sequence sequence;
    std::size_t seats = 0;
    std::size_t needed = 0;  // of them
};

// Of the ledger beside what neighbours claim to have.
struct CatchingUp {
    const char* stage = "";  // docs/protocol/sync.md; "idle": nothing to do
    std::uint64_t behind = 0;
    std::uint32_t state_permille = 0;  // of the state that is being taken
    const char* trouble = "";          // why it is not taken; "none": nothing is wrong
};

// Terms and committees, and this node's part in them.
struct OfficeStatus {
    Pulse pulse;
    protocol::ElectionRecord election;
    protocol::Windows windows;
    protocol::CandidateTable candidates;
    // The member for whom this node stands.
    struct Candidate {
        Id member;
        Amount pledge;
        bool has_revealed = false;  // in the running cycle
    };
    std::optional<Candidate> candidate;
    std::optional<std::size_t> seat;  // among those in office
    std::string_view silence;         // why it does not vote; "none" if it does
    std::string_view vote_keys;       // how their file was found at the start
    // Of the head, with its seat in the committee that decided it; nothing of the founding.
    struct Author {
        Sequence sequence;
        Pulse pulse;
        std::uint16_t number = 0;
        protocol::Seat seat;
    };
    std::optional<Author> author;
    struct Due {
        std::string_view act;
        Pulse pulse;
    };
    std::optional<Due> due;  // what the node will do next
};

// What would put others in the place of a silent committee, and how far this node has gone.
struct TakeoverStatus {
    Pulse pulse;
    protocol::LastBlock last;
    Pulse last_pulse;
    std::size_t seats = 0;  // in office
    std::size_t candidates = 0;
    Amount pledge;                      // of all candidates
    std::size_t countersignatures = 0;  // that a hand-over needs
    Pulse hand_over_from;               // the first pulse at which it would hold
    Pulse recovery_from;
    protocol::Seats next;                          // whom a recovery seats
    std::optional<std::uint16_t> row;              // of this node among the candidates
    bool has_yielded = false;                      // it votes no more on this block
    std::optional<protocol::Transaction> adopted;  // the act that stands on it here
};

// A node's ledger ends in a cycle that is over by the clock: what it would say of the present one
// is wrong.
struct LedgerBehind {
    Sequence head;
    std::uint64_t pulses = 0;  // since that cycle's end
    std::uint64_t blocks = 0;  // that a neighbour has and it has not
};

// A pack as this node knows it: from the catalogue, from its own store, or both.
struct PackItem {
    Hash id;
    protocol::SignedPack pack;
    std::optional<org::ContentProgress> progress;  // of what is held here
};

class NodeImpl;

class Queries {
 public:
    Answer<LedgerStatus> status() const;
    Answer<TakeoverStatus> takeover(Instant now) const;
    Answer<protocol::Genesis> genesis() const;
    // `at`: nothing for the head.
    Answer<AccountAnswer> account(const Id& id, std::optional<Sequence> at) const;
    // The counter to sign next in a lane, counting what waits in the mempool; nothing: no account.
    Answer<std::optional<std::uint64_t>> next_counter(const Id& id, std::uint8_t lane) const;
    Answer<History> history(const Id& id, std::optional<Sequence> before, std::size_t limit) const;
    Answer<ledger::Receipt> receipt(const Id& id, std::optional<Sequence> at) const;
    // Of what is kept, also when the ledger's history is pruned.
    Answer<KeptReceipts> kept_receipts(const std::optional<Id>& account,
                                       std::optional<Sequence> before, std::size_t limit) const;
    // Of the version that the transaction has left, of `account` or of the first account it
    // concerns that this node keeps receipts for. Nothing: not known here.
    Answer<std::optional<ledger::Receipt>> receipt_for(const Hash& transaction,
                                                       const std::optional<Id>& account) const;
    Answer<EndorsementTerms> endorsement_terms() const;
    Answer<ledger::ChildReceipt> child(const Prefix& prefix, std::optional<Sequence> at) const;
    Answer<std::optional<BlockAnswer>> block(Sequence sequence) const;
    Answer<std::vector<MemberItem>> members(const Id& from, std::size_t limit) const;
    // Of recent transactions; `signer` widens the search to that account's history.
    Answer<Fate> fate(const Hash& id, std::optional<Id> signer) const;
    Pulse pulse(Instant now) const;
    // Of the block `of`, up to the head; nothing: of the head.
    Answer<Finality> finality(std::optional<Sequence> of, Instant now) const;
    // How far it is from what neighbours have; nothing while it follows no organization.
    std::optional<CatchingUp> catching_up() const;
    // Recorded against bookkeepers, oldest first.
    Answer<std::vector<EvidenceItem>> evidence() const;
    // Nothing if there is none under this id.
    Answer<std::optional<ledger::EvidenceRecord>> evidence(const Hash& id) const;

    // ---- Votes of the members
    // By closing pulse.
    Answer<std::vector<VoteItem>> open_votes() const;
    // Those counted in blocks below `before`.
    Answer<ClosedVotes> closed_votes(std::optional<Sequence> before, std::size_t limit) const;
    // Nothing: no vote has that id.
    Answer<std::optional<VoteItem>> vote(const Id& id) const;
    Answer<Suffrage> standing(const VoteItem& vote, const Id& account, Instant now) const;
    // What `account` has cast, out of its history.
    Answer<std::optional<Ballot>> ballot(const VoteItem& vote, const Id& account) const;

    // ---- Rewards by rule
    Answer<protocol::ElectionRecord> election() const;
    Answer<Result<ledger::MiningRewards, ledger::MiningError>> mining(std::uint64_t cycle) const;

    // ---- Elections
    Answer<OfficeStatus> office(Instant now) const;
    // What a pledge of that member registers, for this node to stand for it.
    Answer<Result<protocol::Registration, LedgerBehind>> registration(const Id& member,
                                                                      Instant now) const;

    // ---- The network. Nothing, or empty, without one or before a manifest is known.
    std::optional<NetworkStatus> network(Instant now) const;
    std::vector<peer::PeerStatus> peers(Instant now) const;
    std::vector<peer::BanStatus> bans(Instant now) const;
    std::optional<protocol::ManifestItem> manifest() const;
    // What the organization's manifest should say today: all but read key and validity, which its
    // writer fills in. Only where the ledger is kept.
    std::optional<protocol::Manifest> manifest_draft() const;
    // How a newcomer's node may begin: at this node, and at the manifest's keepers. Only where the
    // ledger is kept.
    std::optional<protocol::Introduction> introduction() const;
    // From the ledger, else from what its node has shown.
    std::optional<PublicKey> account_key(const Id& account) const;
    // Delivered here for an account that this node serves, oldest first.
    std::vector<org::Mailbox::Incoming> letters(const Id& account) const;
    std::vector<org::Mailbox::Outgoing> outgoing_letters() const;
    // Of the followed organization; what is signed for it carries it.
    std::optional<ChainId> chain() const;
    // The newest `max` lines, oldest first.
    std::vector<protocol::SignedLine> chat(std::size_t max) const;
    std::optional<org::ChatLog::Next> next_line(const Id& author) const;
    // Newest first.
    std::vector<PackItem> packs() const;
    std::optional<PackItem> pack(const Hash& id) const;
    // Of a held pack; nothing until the list of its files has come.
    std::optional<protocol::PackContents> pack_contents(const Hash& id) const;
    // Nothing if it is not here.
    std::optional<Bytes> piece(const Hash& piece) const;
    // Newest first.
    std::vector<protocol::SignedTag> tags() const;
    std::vector<protocol::SignedContribution> contributions() const;
    std::optional<protocol::SignedContribution> contribution(const Hash& id) const;

 private:
    friend class Node;
    explicit Queries(NodeImpl& node) : node_(&node) {}
    NodeImpl* node_;
};

}  // namespace leither::node
