#include "leither/ledger/state.h"

#include <algorithm>
#include <utility>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"

namespace leither::ledger {

namespace {

using protocol::BookkeepingRecord;
using protocol::MemberRecord;
using protocol::Record;
using protocol::TreasuryRecord;
using store::Fault;

// Accounts a kind touches beside its signers and counterparty.
struct FurtherAccount {
    using Answer = std::optional<Id>;
    Answer operator()(const protocol::Join& join) const { return join.application.sponsor; }
    Answer operator()(const protocol::Earn& earned) const { return earned.application.sponsor; }
    Answer operator()(const protocol::Reward& reward) const { return reward.member; }
    Answer operator()(const protocol::Cast& cast) const { return cast.vote; }
    Answer operator()(const protocol::Evidence& evidence) const { return evidence.accused; }
    Answer operator()(const protocol::Propose& proposal) const {
        const auto* grant = std::get_if<protocol::Grant>(&proposal.subject);
        return grant != nullptr ? Answer(grant->member) : std::nullopt;
    }
    Answer operator()(const auto&) const { return std::nullopt; }
};

struct NeedsCandidates {
    bool operator()(const protocol::Pledge&) const { return true; }
    bool operator()(const protocol::Release&) const { return true; }
    bool operator()(const protocol::Evidence&) const { return true; }
    bool operator()(const protocol::HandOver&) const { return true; }
    bool operator()(const protocol::Recovery&) const { return true; }
    bool operator()(const auto&) const { return false; }
};

tree::RecordBytes encode(const Record& record) {
    const Bytes bytes = bcs::encode(record);
    CHECK(bytes.size() <= tree::kRecordBytesMax);
    return tree::RecordBytes(bytes.begin(), bytes.end());
}

tree::Change::Value value_of(const Record& record) {
    const auto sum = protocol::sum_of(record);
    CHECK(sum.has_value());
    return {encode(record), *sum};
}

}  // namespace

Organization organization_of(const protocol::Charter& charter) {
    const ChainId chain = protocol::chain_id(charter);
    return {charter,
            chain,
            crypto::id_of(charter.organization),
            protocol::bookkeeping_id(chain),
            protocol::election_id(chain),
            protocol::candidates_id(chain),
            protocol::tally_id(chain)};
}

State::State(const Organization& organization, tree::Tree& tree, const State* known)
    : organization_(organization), tree_(tree), known_(known) {}

std::optional<State::Entry> State::as_read(const Id& id) const {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return std::nullopt;
    const Entry& entry = found->second;
    return Entry{entry.changed ? entry.before : entry.record, std::nullopt, entry.original, false};
}

Result<void, Fault> State::load(const Id& id) {
    if (entries_.contains(id)) return {};
    if (known_ != nullptr) {
        if (auto read = known_->as_read(id)) {
            entries_.emplace(id, *std::move(read));
            return {};
        }
    }
    auto leaf = TRY(tree_.read(id));
    Entry entry;
    if (leaf) {
        auto record = bcs::decode<Record>(leaf->record);
        if (!record) {
            return fail(Fault{Fault::Kind::corrupt,
                              "the record of account " + id.hex() + " does not decode"});
        }
        entry.record = *std::move(record);
        entry.original = leaf->hash;
    }
    entries_.emplace(id, std::move(entry));
    return {};
}

Result<void, Fault> State::load_system() {
    if (bookkeeping_ != nullptr) return {};
    TRY(load(organization_.treasury));
    TRY(load(organization_.bookkeeping));
    TRY(load(organization_.election));
    TRY(load(organization_.tally));
    treasury_ = &entry(organization_.treasury);
    bookkeeping_ = &entry(organization_.bookkeeping);
    return {};
}

Result<void, Fault> State::load(const protocol::Transaction& transaction) {
    const protocol::TransactionBody& body = transaction.body;
    TRY(load_system());
    TRY(load(body.signer));
    for (const Id& cosigner : body.cosigners) TRY(load(cosigner));
    if (const auto id = protocol::counterparty(body.action)) TRY(load(*id));
    if (const auto id = std::visit(FurtherAccount{}, body.action)) TRY(load(*id));
    if (std::visit(NeedsCandidates{}, body.action)) TRY(load(organization_.candidates));
    if (std::holds_alternative<protocol::Propose>(body.action)) {
        const auto& [lane, counter] = body.nonce;
        TRY(load(protocol::vote_id(organization_.chain, body.signer, lane, counter)));
    }
    return {};
}

void State::expect(std::span<const protocol::Transaction* const> transactions) const {
    std::vector<Id> ids;
    ids.reserve(2 * transactions.size());
    for (const protocol::Transaction* transaction : transactions) {
        ids.push_back(transaction->body.signer);
        if (const auto id = protocol::counterparty(transaction->body.action)) ids.push_back(*id);
    }
    tree_.expect(ids);
}

const State::Entry& State::entry(const Id& id) const {
    const auto found = entries_.find(id);
    CHECK(found != entries_.end(), "account not loaded: " + id.hex());
    return found->second;
}

State::Entry& State::entry(const Id& id) {
    return const_cast<Entry&>(std::as_const(*this).entry(id));
}

void State::mark_changed(const Id& id, Entry& entry) {
    if (entry.changed) return;
    entry.changed = true;
    entry.before = entry.record;
    changed_.push_back({id, &entry});
}

const MemberRecord* State::member(const Id& id) const {
    const Entry& found = entry(id);
    return found.record ? std::get_if<MemberRecord>(&*found.record) : nullptr;
}

MemberRecord* State::member_for_change(const Id& id) {
    Entry& found = entry(id);
    if (!found.record || !std::holds_alternative<MemberRecord>(*found.record)) return nullptr;
    mark_changed(id, found);
    return &std::get<MemberRecord>(*found.record);
}

const TreasuryRecord& State::treasury() const {
    CHECK(treasury_ != nullptr);
    return std::get<TreasuryRecord>(*treasury_->record);
}

TreasuryRecord& State::treasury_for_change() {
    CHECK(treasury_ != nullptr);
    mark_changed(organization_.treasury, *treasury_);
    return std::get<TreasuryRecord>(*treasury_->record);
}

const BookkeepingRecord& State::bookkeeping() const {
    CHECK(bookkeeping_ != nullptr);
    return std::get<BookkeepingRecord>(*bookkeeping_->record);
}

BookkeepingRecord& State::bookkeeping_for_change() {
    CHECK(bookkeeping_ != nullptr);
    mark_changed(organization_.bookkeeping, *bookkeeping_);
    return std::get<BookkeepingRecord>(*bookkeeping_->record);
}

template <class Kind>
const Kind& State::system(const Id& id) const {
    return std::get<Kind>(*entry(id).record);
}

template <class Kind>
Kind& State::system_for_change(const Id& id) {
    Entry& found = entry(id);
    mark_changed(id, found);
    return std::get<Kind>(*found.record);
}

const protocol::ElectionRecord& State::election() const {
    return system<protocol::ElectionRecord>(organization_.election);
}

protocol::ElectionRecord& State::election_for_change() {
    return system_for_change<protocol::ElectionRecord>(organization_.election);
}

const protocol::TallyRecord& State::tally() const {
    return system<protocol::TallyRecord>(organization_.tally);
}

protocol::TallyRecord& State::tally_for_change() {
    return system_for_change<protocol::TallyRecord>(organization_.tally);
}

const protocol::CandidateTable& State::candidates() const {
    return system<protocol::CandidateTable>(organization_.candidates);
}

protocol::CandidateTable& State::candidates_for_change() {
    return system_for_change<protocol::CandidateTable>(organization_.candidates);
}

const protocol::VoteRecord* State::vote(const Id& id) const {
    const Entry& found = entry(id);
    return found.record ? std::get_if<protocol::VoteRecord>(&*found.record) : nullptr;
}

protocol::VoteRecord& State::vote_for_change(const Id& id) {
    CHECK(vote(id) != nullptr);
    return system_for_change<protocol::VoteRecord>(id);
}

void State::create_vote(const Id& id, protocol::VoteRecord record) {
    create(id, std::move(record));
}

bool State::exists(const Id& id) const {
    return entry(id).record.has_value();
}

bool State::was_removed(const Id& id) const {
    const Entry& found = entry(id);
    return found.changed && !found.record;
}

void State::create(const Id& id, Record record) {
    CHECK(!exists(id) && !was_removed(id));
    Entry& created = entry(id);
    mark_changed(id, created);
    created.record = std::move(record);
}

void State::create_member(const Id& id, MemberRecord record) {
    create(id, std::move(record));
}

void State::remove_member(const Id& id) {
    CHECK(member(id) != nullptr);
    Entry& removed = entry(id);
    mark_changed(id, removed);
    removed.record.reset();
}

void State::create_system(System system) {
    create(organization_.treasury, std::move(system.treasury));
    create(organization_.bookkeeping, std::move(system.bookkeeping));
    create(organization_.election, std::move(system.election));
    create(organization_.candidates, protocol::CandidateTable{});
    create(organization_.tally, protocol::TallyRecord{});
}

std::uint32_t State::signed_this_pulse(const Id& id) const {
    const auto found = signed_this_pulse_.find(id);
    return found == signed_this_pulse_.end() ? 0 : found->second;
}

void State::count_signed(const Id& id) {
    ++signed_this_pulse_[id];
}

std::vector<State::Changed> State::changed_by_id() const {
    std::vector<Changed> sorted = changed_;
    std::ranges::sort(sorted, {}, &Changed::id);
    return sorted;
}

std::vector<Transition> State::transitions() const {
    std::vector<Transition> transitions;
    transitions.reserve(changed_.size());
    for (const auto& [id, changed] : changed_by_id()) {
        transitions.push_back({id, changed->before ? &*changed->before : nullptr,
                               changed->record ? &*changed->record : nullptr});
    }
    return transitions;
}

std::vector<tree::Change> State::changes() const {
    std::vector<tree::Change> changes;
    changes.reserve(changed_.size());
    for (const auto& [id, changed] : changed_by_id()) {
        // Came and went within the block: the tree never hears of it.
        if (!changed->original && !changed->record) continue;
        tree::Change change{id, std::nullopt, changed->original};
        if (changed->record) change.value = value_of(*changed->record);
        changes.push_back(std::move(change));
    }
    return changes;
}

std::vector<tree::Change> State::changes(const protocol::TallyRecord& tally) const {
    const Entry& before = entry(organization_.tally);
    CHECK(!before.changed);
    std::vector<tree::Change> all = changes();
    const auto at = std::ranges::lower_bound(all, organization_.tally, {}, &tree::Change::id);
    all.insert(at, {organization_.tally, value_of(tally), before.original});
    return all;
}

}  // namespace leither::ledger
