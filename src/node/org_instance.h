// The machines of one organization and what they share: tree, mempool, agreement, admission,
// history.
#pragma once

#include <deque>
#include <map>
#include <memory>

#include "leither/consensus/agreement.h"
#include "leither/consensus/ledger_application.h"
#include "leither/node/node.h"
#include "leither/node/office.h"

#include "admission.h"
#include "checkpoint_keeper.h"
#include "countersigning.h"
#include "endorsing.h"
#include "evidence_keeper.h"
#include "history_window.h"
#include "ledger_link.h"
#include "receipt_keeper.h"
#include "recent.h"

namespace leither::node {

// Between two posts of what was admitted; the first one goes at once.
inline constexpr Duration kPostEvery = std::chrono::milliseconds(20);

class OrgInstance {
 public:
    // What it is made of; every part has been checked against the others.
    struct Parts {
        protocol::SignedCharter charter;
        ledger::Seal head;
        Sequence oldest;
        tree::Tree tree;
        std::uint64_t first_job = 0;                               // of admission
        std::vector<protocol::Acknowledgement> acknowledged = {};  // of an earlier instance
    };
    static Result<std::unique_ptr<OrgInstance>, store::Fault> make(const Options& options,
                                                                   const store::Reader& store,
                                                                   crypto::KeyPair node_key,
                                                                   Log log, Parts parts);
    // Members refer to each other, so it stays where it was made.
    OrgInstance(const OrgInstance&) = delete;
    OrgInstance& operator=(const OrgInstance&) = delete;

    // Once, with the first input, or before.
    Result<void, store::Fault> begin(Instant now, Effects& fx);
    Result<void, store::Fault> on_tick(Instant now, Effects& fx);
    Result<void, store::Fault> on_submit(Submit&& submit, Instant now, Effects& fx);
    Result<void, store::Fault> on_checked(const SignaturesChecked& checked, Instant now,
                                          Effects& fx);
    // What is to be written next, if nothing of it is out; then on_durable().
    struct Handed {
        std::optional<SecretFile> keys;  // first
        store::WriteBatch batch;
    };
    std::optional<Handed> take_batch();
    // The batch that is out is durable.
    Result<void, store::Fault> on_durable(Instant now, Effects& fx);

    // ---- Among other nodes that keep this ledger
    Result<void, store::Fault> on(const NeighbourUp& input, Instant now, Effects& fx);
    Result<void, store::Fault> on(const NeighbourDown& input, Instant now, Effects& fx);
    void on(const PostLost& input);
    // From a neighbour.
    Result<void, store::Fault> on_message(const Id& from, protocol::AgreementMessage&& message,
                                          Instant now, Effects& fx);
    Result<void, store::Fault> on_message(const Id& from, protocol::TransactionPost&& post,
                                          Instant now, Effects& fx);
    Result<void, store::Fault> on_message(const Id& from, const protocol::CheckpointVotes& votes);
    // REQUIRES: each is of a member's node, as far as the network knows.
    Result<void, store::Fault> on_message(const Id& from, protocol::Acknowledgements&& message,
                                          Instant now, Effects& fx);
    // Decided by the committee in office, as the caller has verified; to be executed behind the
    // head. False: it does not hold here. REQUIRES: !is_sealing().
    Result<bool, store::Fault> apply(protocol::DecidedBlock&& block, Instant now, Effects& fx);
    // Whether a decided block is on its way to the disk.
    bool is_sealing() const { return agreement_->is_sealing(); }
    // Of the charter, or of the committee in office.
    bool is_bookkeeper(const PublicKey& node) const;
    // What to tell neighbours, in order.
    std::vector<ToNeighbour> take_sends() { return std::exchange(sends_, {}); }
    // Neighbours that have shown what no honest node does.
    std::vector<Id> take_blamed() { return std::exchange(blamed_, {}); }
    std::vector<Behind> take_behind() { return std::exchange(behind_, {}); }
    // All that callers wait for.
    void refuse_all(protocol::Refusal why, Effects& fx);
    std::uint64_t next_job() const { return admission_.next_job(); }
    // Whether nothing is on its way to the disk.
    bool is_at_rest() const { return writes_.empty() && !is_sealing(); }
    // Submits what convicts a bookkeeper, if there is something and this node may, for its
    // candidate or for one of those it serves.
    Result<void, store::Fault> report_evidence(const protocol::Delegations& served, Instant now,
                                               Effects& fx);
    const EvidenceKeeper& evidence() const { return *evidence_; }
    // The candidates at the head.
    Result<protocol::CandidateTable, store::Fault> candidates();
    // The terms whose committees it can prove to others.
    const std::optional<ledger::CycleSpan>& cycles() const { return cycles_; }
    const CheckpointKeeper& checkpoints() const { return *checkpoints_; }

    const Countersigning& countersigning() const { return *countersigning_; }

    // ---- Takeovers (org_takeover.cpp). Answered by a NetworkReply.
    // REQUIRES: this node is not behind others.
    Result<void, store::Fault> sign_takeover(const SignTakeover& wish, Instant now, Effects& fx);
    Result<void, store::Fault> take_over(const TakeOver& input, Instant now, Effects& fx);
    // What this node has promised about the head, if it has.
    const std::optional<consensus::Yield>& yielded() const { return yielded_; }
    const protocol::Transaction* adopted() const { return law_->adopted(); }

    // ---- Receipts for this node's users (org_receipts.cpp)
    // Answered by a NetworkReply; with kNobody's token by nothing.
    void keep_receipts(const KeepReceipts& wish, Effects& fx);
    const ReceiptKeeper& receipts() const { return *receipts_; }

    // ---- Endorsements (org_endorsing.cpp)
    // `Wanted` is answered by a NetworkReply.
    Result<void, store::Fault> endorse(Endorsing::Input&& input, Instant now, Effects& fx);
    // The term whose committee endorses, and which of its seats is this node's.
    const consensus::Term& term() const { return law_->term(); }

    std::optional<Instant> next_deadline() const;
    void check_invariants() const;

    const ledger::Organization& organization() const { return organization_; }
    const protocol::SignedCharter& charter() const { return charter_; }
    const store::Reader& store() const { return store_; }
    const ledger::Seal& head() const { return law_->head(); }
    Sequence oldest() const { return window_.oldest(); }
    tree::Tree& tree() { return tree_; }
    consensus::Mempool& mempool() { return mempool_; }
    const RecentTransactions& recent() const { return recent_; }
    Pulse pulse(Instant now) const { return law_->pulse(now); }
    const Office& office() const { return *office_; }
    // As they were found at the start.
    VoteKeysFound vote_keys() const { return keys_found_; }
    // Why this node does not vote, if it does not.
    consensus::Silence silence() const { return agreement_->silence(); }

 private:
    // A batch, and what the agreement waits for until it is durable.
    struct Out {
        std::optional<SecretFile> keys;
        store::WriteBatch batch;
        std::optional<std::uint64_t> log;
        bool is_block = false;
        std::size_t evidence = 0;  // records
        std::size_t receipts = 0;
        std::vector<NetworkReply> replies;
        bool is_office = false;
    };

    OrgInstance(const Options& options, const store::Reader& store, Log log, Parts parts);
    Result<void, store::Fault> open(ledger::Seal&& head, const Options& options,
                                    crypto::KeyPair&& node_key);
    Result<void, store::Fault> remember_recent(std::size_t limit);
    // ---- Takeovers (org_takeover.cpp)
    using Verdict = Result<void, protocol::Refused>;
    consensus::Agreement::Setup agreement_setup() const;
    Result<protocol::ElectionRecord, store::Fault> election();
    Result<std::optional<protocol::Refused>, store::Fault> why_not_silent(
        const protocol::ElectionRecord& record, const SignTakeover& wish, Instant now);
    Result<Verdict, store::Fault> adopt(const protocol::Transaction& act, Instant now, Effects& fx);
    Result<void, store::Fault> enter_term(Instant now, Effects& fx);
    Result<void, store::Fault> adopt_decided(const protocol::Decision& decision, Instant now,
                                             Effects& fx);
    Result<void, store::Fault> hear_takeover(const Id& from, const protocol::Transaction& act,
                                             Instant now, Effects& fx);
    void post_adopted(const Id& to);
    void tell_of_takeover(const Id& to, const protocol::Status& theirs, Instant now);

    Result<void, store::Fault> agree(consensus::Agreement::Input&& input, Instant now, Effects& fx);
    Result<void, store::Fault> carry_out(consensus::Agreement::Effects&& agreed, Effects& fx);
    Out& next_batch();
    Result<void, store::Fault> record(const ledger::Offence& offence);
    Result<void, store::Fault> tell_sealed(Effects& fx);
    Result<void, store::Fault> note_admitted(Instant now, Effects& fx);
    void post_waiting(const Id& to);
    bool may_post(Instant now) const;
    void post_outgoing(Instant now);
    bool has_voting_neighbour() const;
    void post_again();
    void drop(const std::vector<consensus::Mempool::Dropped>& dropped, Effects& fx);

    // ---- Which blocks are final (org_final.cpp)
    Result<Countersigning::Head, store::Fault> countersigned_head(const std::vector<Id>& deciders);
    Result<void, store::Fault> open_countersigning(crypto::KeyPair&& node_key,
                                                   std::vector<protocol::Acknowledgement>&& known);
    Result<void, store::Fault> countersign(Countersigning::Input&& input, Instant now, Effects& fx);
    Result<void, store::Fault> countersign_head(const std::vector<Id>& deciders, Instant now,
                                                Effects& fx);
    Result<void, store::Fault> show_ours(const Countersigning::Doubt& doubt);
    void show_fork(const protocol::Fork& fork);

    // ---- Endorsements (org_endorsing.cpp)
    Result<std::optional<Endorsing::Prepared>, store::Fault> prepare_endorsement(
        const Id& account, Sequence sequence) const;
    Result<void, store::Fault> take(Endorsing::Effects&& done, Effects& fx);
    Result<ledger::EndorsedReceipt, store::Fault> endorsed_receipt(
        Endorsing::Gathered&& gathered) const;

    // ---- The node's part in elections (org_office.cpp)
    Result<void, store::Fault> open_office(const Options& options, crypto::KeyPair&& node_key);
    void stamp_office();
    bool concerns_office(const protocol::Transactions& transactions) const;
    Result<void, store::Fault> follow_office();
    Result<std::vector<protocol::Claim>, store::Fault> claims_of(
        const Id& member, std::span<const protocol::RewardRoot> roots) const;
    Result<void, store::Fault> serve_office(Instant now, Effects& fx);
    ReceiptKeeper::Source receipt_source();
    void write_receipts(store::WriteBatch&& batch, std::size_t receipts);
    Result<void, store::Fault> fill_receipts();
    bool may_fill_receipts() const { return writes_.empty() && receipts_->has_work(); }
    void remind_voters(std::vector<protocol::Transaction>&& waiting);

    // ---- What leads others here (org_cycles.cpp)
    // The ledger has come to another term, or was opened: keeps what proves its committee, and
    // begins to gather for its cycle block.
    Result<void, store::Fault> follow_cycle();
    Result<void, store::Fault> keep_cycles(const ledger::FoundCycles& found);
    void take(CheckpointKeeper::Effects&& effects);

    const store::Reader& store_;
    Log log_;
    protocol::SignedCharter charter_;
    ledger::Organization organization_;
    tree::Tree tree_;
    consensus::Mempool mempool_;
    RecentTransactions recent_;
    Admission admission_;
    HistoryWindow window_;
    // Set from make() on.
    std::optional<Office> office_;
    bool takes_part_ = false;  // in elections
    VoteKeysFound keys_found_ = VoteKeysFound::fitting;
    std::optional<std::uint64_t> office_cycle_;  // that the office has followed
    std::optional<consensus::LedgerApplication> law_;
    std::optional<consensus::Agreement> agreement_;
    std::optional<EvidenceKeeper> evidence_;
    std::optional<CheckpointKeeper> checkpoints_;
    std::optional<ledger::CycleSpan> cycles_;  // in the store, or on the way there
    std::optional<std::uint64_t> cycle_followed_;
    std::optional<ReceiptKeeper> receipts_;
    std::optional<Countersigning> countersigning_;
    std::optional<Endorsing> endorsing_;
    std::set<Id> shown_;  // neighbours that have been shown a block of ours, since the head moved
    bool has_begun_ = false;                   // the agreement, with the first input
    std::optional<consensus::Yield> yielded_;  // of the head
    protocol::SignatureVerifier holds_;
    // If one is out it is the front. The last that waits takes all that comes meanwhile; a change
    // of stamp, once a cycle, adds two.
    std::deque<Out> writes_;
    bool is_out_ = false;
    struct Neighbour {
        std::optional<protocol::Interest> interest;  // once it has said
        bool has_lost_post = false;                  // what waits goes to it again
        bool was_posted_all = false;                 // all that waited, on this head
        std::size_t takeovers = 0;                   // that it has told of, on this head
        Instant knows_takeover = {};                 // it was told of it
        // Who has not said what it wants to hear may.
        bool may_vote() const { return interest != protocol::Interest::decisions; }
    };
    std::map<Id, Neighbour> neighbours_;
    // Admitted, and not yet told to others.
    struct Outgoing {
        struct Admitted {
            consensus::Mempool::Entry entry;
            std::optional<Id> from;  // a neighbour
        };
        std::vector<Admitted> admitted;
        Instant not_before = {};
    };
    Outgoing outgoing_;
    std::vector<ToNeighbour> sends_;
    std::vector<Behind> behind_;
    std::vector<Id> blamed_;
};

// The members whose accounts a transaction concerns: signer, counterparty, who is rewarded.
std::vector<Id> members_concerned(const protocol::TransactionBody& body);
// The same and the organization's own accounts, for the kinds that change them.
std::vector<Id> accounts_concerned(const ledger::Organization& organization,
                                   const protocol::TransactionBody& body);

}  // namespace leither::node
