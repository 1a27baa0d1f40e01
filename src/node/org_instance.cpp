#include "org_instance.h"

#include <algorithm>
#include <utility>

namespace leither::node {

namespace {

using consensus::Agreement;
using consensus::LedgerApplication;
using consensus::Mempool;
using store::Fault;

// Transactions read back at most when a node opens, so that what was sent just before a crash is
// recognised when a client sends it again.
constexpr std::size_t kRememberedAtOpenMax = 16'384;

// The system accounts a kind changes beside those of members.
struct SystemAccounts {
    const ledger::Organization& organization;
    using Answer = std::vector<Id>;
    Answer operator()(const protocol::Join&) const { return {organization.bookkeeping}; }
    Answer operator()(const protocol::Leave&) const { return {organization.bookkeeping}; }
    Answer operator()(const protocol::SetRole&) const { return {organization.bookkeeping}; }
    Answer operator()(const protocol::Reward&) const { return {organization.treasury}; }
    Answer operator()(const protocol::Claim&) const { return {organization.treasury}; }
    Answer operator()(const protocol::Propose&) const { return {organization.bookkeeping}; }
    Answer operator()(const protocol::Evidence&) const { return {organization.treasury}; }
    Answer operator()(const protocol::Earn&) const {
        return {organization.bookkeeping, organization.treasury};
    }
    Answer operator()(const auto&) const { return {}; }
};

std::vector<Id> accounts_changed(const ledger::Organization& organization,
                                 const consensus::Sealed& sealed) {
    std::vector<Id> accounts = sealed.rewarded;
    if (!accounts.empty()) accounts.push_back(organization.treasury);
    for (const protocol::Transaction& transaction : sealed.transactions) {
        const auto concerned = accounts_concerned(organization, transaction.body);
        accounts.insert(accounts.end(), concerned.begin(), concerned.end());
    }
    std::ranges::sort(accounts);
    accounts.erase(std::unique(accounts.begin(), accounts.end()), accounts.end());
    return accounts;
}

// Of checks out at once and of transactions that wait there are no more in common use; beyond, a
// block's signatures are verified once more.
constexpr std::size_t kVerifiedMax = 65'536;

// Transactions for one neighbour, in as few messages as hold them.
class Posting {
 public:
    Posting(const Id& to, std::vector<ToNeighbour>& sends) : to_(to), sends_(sends) {}
    Posting(const Posting&) = delete;
    Posting& operator=(const Posting&) = delete;
    ~Posting() { flush(); }

    void add(const Mempool::Entry& entry) {
        const bool fits = bytes_ + entry.bytes <= protocol::TransactionPost::kPayloadBytesMax;
        if (!fits || post_.transactions.full()) flush();
        post_.transactions.push_back(entry.transaction);
        bytes_ += entry.bytes;
    }

 private:
    void flush() {
        if (post_.transactions.empty()) return;
        sends_.push_back({to_, std::exchange(post_, {})});
        bytes_ = 0;
    }

    const Id& to_;
    std::vector<ToNeighbour>& sends_;
    protocol::TransactionPost post_;
    std::size_t bytes_ = 0;
};

}  // namespace

std::vector<Id> members_concerned(const protocol::TransactionBody& body) {
    std::vector<Id> members{body.signer};
    if (const auto id = protocol::counterparty(body.action)) members.push_back(*id);
    if (const auto* reward = std::get_if<protocol::Reward>(&body.action)) {
        members.push_back(reward->member);
    }
    if (const auto* evidence = std::get_if<protocol::Evidence>(&body.action)) {
        members.push_back(evidence->accused);
    }
    return members;
}

std::vector<Id> accounts_concerned(const ledger::Organization& organization,
                                   const protocol::TransactionBody& body) {
    std::vector<Id> accounts = members_concerned(body);
    const auto further = std::visit(SystemAccounts{organization}, body.action);
    accounts.insert(accounts.end(), further.begin(), further.end());
    return accounts;
}

OrgInstance::OrgInstance(const Options& options, const store::Reader& store, Log log, Parts parts)
    : store_(store),
      log_(std::move(log)),
      charter_(std::move(parts.charter)),
      organization_(ledger::organization_of(charter_.charter)),
      tree_(std::move(parts.tree)),
      mempool_(options.mempool, organization_, tree_),
      recent_(options.recent_transactions),
      admission_(organization_, options.signature_checks_max, mempool_, recent_, parts.first_job),
      window_(options.history_pulses, charter_.charter.params, parts.oldest, log_) {}

Result<std::unique_ptr<OrgInstance>, Fault> OrgInstance::make(const Options& options,
                                                              const store::Reader& store,
                                                              crypto::KeyPair node_key, Log log,
                                                              Parts parts) {
    ledger::Seal head = parts.head;
    auto known = std::move(parts.acknowledged);
    std::unique_ptr<OrgInstance> made(new OrgInstance(options, store, log, std::move(parts)));
    TRY(made->open(std::move(head), options, crypto::KeyPair(node_key)));
    TRY(made->open_countersigning(std::move(node_key), std::move(known)));
    TRY(made->follow_office());
    TRY(made->follow_cycle());
    TRY(made->remember_recent(std::min(options.recent_transactions, kRememberedAtOpenMax)));
    return made;
}

Result<void, Fault> OrgInstance::open(ledger::Seal&& head, const Options& options,
                                      crypto::KeyPair&& node_key) {
    const Sequence head_sequence = head.header.sequence;
    const Sequence next = head_sequence.next();
    LedgerApplication::Setup law;
    law.organization = organization_;
    law.head = std::move(head);
    evidence_.emplace(
        TRY(EvidenceKeeper::open(store_, organization_.chain, node_key, log_.with_room("node"))));
    checkpoints_.emplace(TRY(CheckpointKeeper::open(store_, organization_.chain, node_key)));
    cycles_ = TRY(ledger::read_cycle_span(store_));
    receipts_.emplace(TRY(ReceiptKeeper::open(options.receipts, store_, organization_.chain,
                                              head_sequence, log_.with_room("node"))));
    TRY(open_office(options, std::move(node_key)));
    law.vote_keys = [this](const protocol::Seat& seat) { return office_->vote_key(seat); };
    law.signature_holds = [this,
                           holds = options.signature_holds](const ledger::SignatureCheck& check) {
        return admission_.verified().contains(check) ||
               holds(check.key, check.message, check.signature);
    };
    law.log = log_.with_room("consensus");
    holds_ = options.signature_holds;
    endorsing_.emplace(organization_.chain);
    Agreement::Setup agreement = agreement_setup();
    agreement.listens = true;
    // Without its keys the log may be a copy of earlier.
    if (keys_found_ == VoteKeysFound::fitting) {
        agreement.vouch = TRY(consensus::vote_log::read_vouch(store_));
    }
    agreement.replay = TRY(consensus::vote_log::read(store_, next));
    yielded_ = TRY(consensus::vote_log::read_yield(store_));
    const Hash head_hash = protocol::hash_as_parent(organization_.chain, law.head.header);
    if (yielded_ && yielded_->last.hash != head_hash) yielded_.reset();
    law_.emplace(TRY(LedgerApplication::open(std::move(law), store_, tree_, mempool_)));
    const bool is_adopted =
        yielded_ && yielded_->act && TRY(law_->adopt(*yielded_->act, yielded_->from)).has_value();
    agreement.has_yielded = yielded_ && !is_adopted;
    agreement.author_run =
        TRY(consensus::author_run(store_, law_->head(), law_->term().first_height));
    agreement_.emplace(consensus::AgreementOptions{}, std::move(agreement), *law_);
    return {};
}

Result<void, Fault> OrgInstance::remember_recent(std::size_t limit) {
    // Newest blocks first, until enough is found; remembered oldest first, to be forgotten so.
    std::vector<std::pair<Hash, Sequence>> found;
    for (Sequence at = head().header.sequence; at > Sequence(0) && found.size() < limit;
         at = Sequence(at.value() - 1)) {
        const auto block = TRY(ledger::read_block(store_, at));
        if (!block) break;
        for (auto it = block->rbegin(); it != block->rend() && found.size() < limit; ++it) {
            found.emplace_back(protocol::transaction_id(organization_.chain, it->body), at);
        }
    }
    for (auto it = found.rbegin(); it != found.rend(); ++it) recent_.commit(it->first, it->second);
    return {};
}

Result<void, Fault> OrgInstance::on_tick(Instant now, Effects& fx) {
    TRY(serve_office(now, fx));
    TRY(law_->forget_passed(now));
    drop(law_->take_dropped(), fx);
    if (may_post(now)) post_outgoing(now);
    TRY(fill_receipts());
    TRY(agree(Agreement::Tick{}, now, fx));
    TRY(endorse(Endorsing::Tick{}, now, fx));
    return countersign(Countersigning::Tick{}, now, fx);
}

Result<void, Fault> OrgInstance::begin(Instant now, Effects& fx) {
    if (std::exchange(has_begun_, true)) return {};
    return carry_out(TRY(agreement_->start(now)), fx);
}

Result<void, Fault> OrgInstance::agree(Agreement::Input&& input, Instant now, Effects& fx) {
    TRY(begin(now, fx));
    return carry_out(TRY(agreement_->step(std::move(input), now)), fx);
}

Result<void, Fault> OrgInstance::carry_out(Agreement::Effects&& agreed, Effects& fx) {
    // Log and block of one step go together, in this order.
    if (agreed.log) {
        Out& out = next_batch();
        out.batch.append(std::move(agreed.log->batch));
        out.log = agreed.log->number;
    }
    if (agreed.durable) {
        Out& out = next_batch();
        out.batch.append(*std::move(agreed.durable));
        out.is_block = true;
    }
    for (auto& send : agreed.sends) {
        sends_.push_back({send.to, peer_message(std::move(send.message))});
    }
    for (const auto& blamed : agreed.blamed) blamed_.push_back(blamed.node);
    for (const protocol::Conflict& conflict : agreed.evidence) {
        log_.warn("conflict_met", "seat={} cycle={} height={} round={} kind={}", conflict.seat,
                  conflict.slot.cycle, conflict.slot.height.value(), conflict.slot.round,
                  protocol::to_string(conflict.kind));
        TRY(record(conflict));
    }
    if (agreed.fork) {
        TRY(record(*agreed.fork));
        show_fork(*agreed.fork);
    }
    if (agreed.behind) behind_.push_back({agreed.behind->node, agreed.behind->height});
    if (agreed.committed) TRY(tell_sealed(fx));
    drop(law_->take_dropped(), fx);
    return {};
}

Result<void, Fault> OrgInstance::record(const ledger::Offence& offence) {
    const ledger::EvidenceSource source{charter_, organization_, store_, tree_, oldest()};
    store::WriteBatch batch;
    const std::size_t records = TRY(evidence_->note(source, offence, batch));
    if (batch.empty()) return {};
    Out& out = next_batch();
    out.batch.append(std::move(batch));
    out.evidence += records;
    return {};
}

Result<void, Fault> OrgInstance::report_evidence(const protocol::Delegations& served, Instant now,
                                                 Effects& fx) {
    if (!has_begun_ || agreement_->is_sealing()) return {};
    const EvidenceKeeper::Desk desk{organization_, tree_, mempool_, served};
    const auto report = TRY(evidence_->take_report(desk, law_->next_place(now)));
    if (!report) return {};
    Submit submit;
    submit.token = kNobody;
    submit.transactions.push_back(bcs::encode(*report));
    return on_submit(std::move(submit), now, fx);
}

OrgInstance::Out& OrgInstance::next_batch() {
    if (writes_.size() == (is_out_ ? 1 : 0)) writes_.emplace_back();
    return writes_.back();
}

std::optional<OrgInstance::Handed> OrgInstance::take_batch() {
    if (is_out_ || writes_.empty()) return std::nullopt;
    is_out_ = true;
    Out& out = writes_.front();
    return Handed{std::exchange(out.keys, std::nullopt), std::move(out.batch)};
}

Result<void, Fault> OrgInstance::on_submit(Submit&& submit, Instant now, Effects& fx) {
    TRY(admission_.submit(std::move(submit), law_->next_place(now), fx));
    return note_admitted(now, fx);
}

Result<void, Fault> OrgInstance::on_checked(const SignaturesChecked& checked, Instant now,
                                            Effects& fx) {
    TRY(admission_.on_checked(checked, law_->next_place(now), fx));
    for (const Id& node : admission_.take_forgers()) blamed_.push_back(node);
    return note_admitted(now, fx);
}

// What was admitted here opens a height, and goes to those who vote and have not sent it.
Result<void, Fault> OrgInstance::note_admitted(Instant now, Effects& fx) {
    const auto from = admission_.take_admitted_from();
    if (from.empty()) return {};
    law_->on_admitted(now);
    if (neighbours_.empty()) return agree(Agreement::Tick{}, now, fx);
    const auto& entries = mempool_.entries();
    CHECK(entries.size() >= from.size());
    const std::size_t first = entries.size() - from.size();
    for (std::size_t i = 0; i < from.size(); ++i) {
        outgoing_.admitted.push_back({entries[first + i], from[i]});
    }
    if (may_post(now)) post_outgoing(now);
    return agree(Agreement::Tick{}, now, fx);
}

bool OrgInstance::may_post(Instant now) const {
    const bool has_stepped_back = outgoing_.not_before - now > kPostEvery;
    return now >= outgoing_.not_before || has_stepped_back;
}

// Many that come one by one go on together: as a message each they would be more than neighbours
// bear from one peer.
void OrgInstance::post_outgoing(Instant now) {
    if (outgoing_.admitted.empty()) return;
    const bool any_votes = has_voting_neighbour();
    for (const auto& [node, neighbour] : neighbours_) {
        if (any_votes && !neighbour.may_vote()) continue;
        Posting posting(node, sends_);
        for (const auto& [entry, sender] : outgoing_.admitted) {
            if (sender != node) posting.add(entry);
        }
    }
    outgoing_ = {{}, now + kPostEvery};
}

// Else those who do not vote are given what is admitted here: they may know somebody who does.
bool OrgInstance::has_voting_neighbour() const {
    return std::ranges::any_of(neighbours_,
                               [](const auto& entry) { return entry.second.may_vote(); });
}

void OrgInstance::post_waiting(const Id& to) {
    Posting posting(to, sends_);
    for (const Mempool::Entry& entry : mempool_.entries()) posting.add(entry);
}

Result<void, Fault> OrgInstance::on(const NeighbourUp& input, Instant now, Effects& fx) {
    neighbours_.insert_or_assign(input.node, Neighbour{});
    take(checkpoints_->on_neighbour(input.node));
    admission_.verified().set_limit(kVerifiedMax);
    TRY(agree(Agreement::NodeUp{input.node}, now, fx));
    post_adopted(input.node);
    const bool endorses = (input.features & protocol::kFeatureEndorsements) != 0;
    TRY(endorse(Endorsing::NodeUp{input.node, endorses}, now, fx));
    return countersign(Countersigning::NodeUp{input.node}, now, fx);
}

Result<void, Fault> OrgInstance::on(const NeighbourDown& input, Instant now, Effects& fx) {
    neighbours_.erase(input.node);
    checkpoints_->on_neighbour_gone(input.node);
    // Alone, a node builds all blocks itself.
    if (neighbours_.empty()) admission_.verified().set_limit(0);
    TRY(agree(Agreement::NodeDown{input.node}, now, fx));
    TRY(endorse(Endorsing::NodeDown{input.node}, now, fx));
    return countersign(Countersigning::NodeDown{input.node}, now, fx);
}

void OrgInstance::on(const PostLost& input) {
    const auto neighbour = neighbours_.find(input.node);
    if (neighbour != neighbours_.end()) neighbour->second.has_lost_post = true;
}

// With the next block, when there is less to send.
void OrgInstance::post_again() {
    for (auto& [node, neighbour] : neighbours_) {
        neighbour.was_posted_all = std::exchange(neighbour.has_lost_post, false);
        neighbour.takeovers = 0;
        if (neighbour.was_posted_all) post_waiting(node);
    }
}

Result<void, Fault> OrgInstance::on_message(const Id& from, protocol::AgreementMessage&& message,
                                            Instant now, Effects& fx) {
    const auto neighbour = neighbours_.find(from);
    if (neighbour == neighbours_.end()) return {};
    if (const auto* status = std::get_if<protocol::Status>(&message)) {
        const auto known = std::exchange(neighbour->second.interest, status->interest);
        const bool votes = status->interest == protocol::Interest::votes;
        // All that waits goes out once a block at most, however often it changes its mind.
        const bool is_way_out = !known && !has_voting_neighbour();
        if ((votes && known != status->interest) || is_way_out) {
            if (!std::exchange(neighbour->second.was_posted_all, true)) {
                post_waiting(from);
            } else {
                neighbour->second.has_lost_post = true;
            }
        }
        if (!known) TRY(countersign(Countersigning::Greeted{from}, now, fx));
        tell_of_takeover(from, *status, now);
    }
    if (const auto* decision = std::get_if<protocol::Decision>(&message)) {
        TRY(adopt_decided(*decision, now, fx));
    }
    return agree(Agreement::Received{from, std::move(message)}, now, fx);
}

// As if a client had submitted them; nobody waits for the verdicts.
Result<void, Fault> OrgInstance::on_message(const Id& from, protocol::TransactionPost&& post,
                                            Instant now, Effects& fx) {
    if (!neighbours_.contains(from)) return {};
    if (post.transactions.size() == 1 &&
        protocol::is_takeover(post.transactions.front().body.action)) {
        return hear_takeover(from, post.transactions.front(), now, fx);
    }
    TRY(admission_.submit(from, std::move(post), law_->next_place(now), fx));
    return note_admitted(now, fx);
}

Result<bool, Fault> OrgInstance::apply(protocol::DecidedBlock&& block, Instant now, Effects& fx) {
    CHECK(!agreement_->is_sealing());
    protocol::Decision decision{block.header, std::move(block.certificate),
                                std::move(block.transactions)};
    TRY(adopt_decided(decision, now, fx));
    TRY(agree(Agreement::Fetched{std::move(decision)}, now, fx));
    return agreement_->is_sealing();
}

Result<void, Fault> OrgInstance::on_durable(Instant now, Effects& fx) {
    CHECK(is_out_);
    is_out_ = false;
    Out done = std::move(writes_.front());
    writes_.pop_front();
    evidence_->on_durable(done.evidence);
    receipts_->on_durable(done.receipts);
    std::ranges::move(done.replies, std::back_inserter(fx.replies));
    if (done.log) TRY(agree(Agreement::Logged{*done.log}, now, fx));
    if (done.is_block) {
        const std::vector<Id> deciders = law_->term().nodes;
        TRY(agree(Agreement::Persisted{}, now, fx));
        TRY(countersign_head(deciders, now, fx));
    }
    if (done.is_office) office_->on_durable();
    return fill_receipts();
}

Result<void, Fault> OrgInstance::tell_sealed(Effects& fx) {
    auto sealed = law_->take_sealed();
    const protocol::BlockHeader& header = sealed.seal.header;
    for (const Hash& id : sealed.ids) recent_.commit(id, header.sequence);
    evidence_->on_head();
    yielded_.reset();
    store::WriteBatch receipts;
    const std::size_t made =
        TRY(receipts_->on_head(receipt_source(), sealed.transactions, receipts));
    write_receipts(std::move(receipts), made);
    TRY(window_.on_sealed(store_, tree_, header));
    if (concerns_office(sealed.transactions)) TRY(follow_office());
    TRY(follow_cycle());
    fx.prune = window_.take_pruning(tree_);
    log_.debug("block_sealed", "sequence={} pulse={} transactions={}", header.sequence.value(),
               header.pulse.value(), header.transaction_count);

    auto accounts = accounts_changed(organization_, sealed);
    fx.events.emplace_back(
        BlockSealed{std::move(sealed.seal), std::move(sealed.ids), std::move(accounts)});
    drop(sealed.dropped, fx);
    if (mempool_.size() == 0) admission_.verified().clear();
    post_again();
    return {};
}

void OrgInstance::drop(const std::vector<Mempool::Dropped>& dropped, Effects& fx) {
    for (const auto& [id, refused] : dropped) {
        recent_.drop(id, refused);
        log_.debug("transaction_dropped", "id={} refusal={}", id.hex(),
                   protocol::to_string(refused.code));
        fx.events.emplace_back(TransactionDropped{id, refused});
    }
}

bool OrgInstance::is_bookkeeper(const PublicKey& node) const {
    const auto& charter = charter_.charter.bookkeepers;
    return std::ranges::find(charter, node) != charter.end() ||
           std::ranges::count(law_->term().nodes, crypto::id_of(node)) > 0;
}

void OrgInstance::check_invariants() const {
    mempool_.check_invariants();
    law_->check_invariants();
    agreement_->check_invariants();
    admission_.check_invariants();
    evidence_->check_invariants();
    checkpoints_->check_invariants();
    receipts_->check_invariants();
    countersigning_->check_invariants();
    endorsing_->check_invariants();
    office_->check_invariants();
    CHECK(window_.oldest() <= head().header.sequence);
}

}  // namespace leither::node
