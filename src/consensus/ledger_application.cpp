#include "leither/consensus/ledger_application.h"

#include <algorithm>
#include <map>
#include <set>

#include "leither/codec/bcs.h"
#include "leither/consensus/agreement.h"
#include "leither/crypto/hash.h"
#include "leither/ledger/committees.h"
#include "leither/ledger/cycle.h"
#include "leither/protocol/peer_message.h"

namespace leither::consensus {

namespace {

using ledger::Seal;
using store::Fault;

// Executed blocks kept of one height; beyond, one is executed again if it is asked for again.
constexpr std::size_t kExecutedMax = 4;
// No block for so long, with something waiting: no quorum is there.
constexpr std::uint64_t kStuckPulses = 10;
// Old transactions that are looked at when a block omits them.
constexpr std::size_t kOmittedMax = 16;

struct Candidates {
    std::vector<const protocol::Transaction*> transactions;
    std::vector<Hash> ids;
};

// What fits a proposal to others; a lone bookkeeper sends none.
constexpr std::size_t kProposedBytesMax =
    protocol::kBlockMessageBytesMax - protocol::Proposal::kOverheadBytesMax;

// The first of them that weigh no more than `bytes_max`.
Candidates candidates_of(const std::deque<Mempool::Entry>& entries, std::size_t bytes_max) {
    Candidates candidates;
    candidates.transactions.reserve(entries.size());
    candidates.ids.reserve(entries.size());
    for (const Mempool::Entry& entry : entries) {
        if (entry.bytes > bytes_max) break;
        bytes_max -= entry.bytes;
        candidates.transactions.push_back(&entry.transaction);
        candidates.ids.push_back(entry.id);
    }
    return candidates;
}

// The ids of the block's transactions: of the candidates looked at, those not skipped.
std::vector<Hash> included(const Candidates& candidates, const ledger::Built& built) {
    std::vector<Hash> ids;
    ids.reserve(built.transactions.size());
    auto skip = built.skipped.begin();
    for (std::size_t i = 0; i < built.considered; ++i) {
        if (skip != built.skipped.end() && skip->index == i) {
            ++skip;
        } else {
            ids.push_back(candidates.ids[i]);
        }
    }
    CHECK(ids.size() == built.transactions.size());
    return ids;
}

std::vector<Hash> ids_of(const ChainId& chain, const protocol::Transactions& transactions) {
    std::vector<Hash> ids;
    ids.reserve(transactions.size());
    for (const protocol::Transaction& transaction : transactions) {
        ids.push_back(protocol::transaction_id(chain, transaction.body));
    }
    return ids;
}

using PendingRewards = std::vector<protocol::PendingReward>;

// What the head says of the block after it.
struct Outlook {
    PendingRewards rewards;                 // by due pulse
    std::vector<protocol::OpenVote> votes;  // by closing pulse
    Pulse due;                              // the protocol itself has work
    ledger::NodeActs node_acts;
    Term term;
};

// Of the cycles behind the running one, as far as votes have settled it.
std::uint32_t shortest_cycle(const protocol::BookkeepingRecord& book) {
    std::uint32_t shortest = book.params.cycle_pulses;
    for (const auto& [cycle, change] : book.changes) {
        if (protocol::kParamTable[change.param].member != &protocol::Params::cycle_pulses) continue;
        shortest = std::min(shortest, change.value);
    }
    return shortest;
}

// When it began, when it ends and who was before it is the caller's to say.
Term seated(std::uint64_t cycle, const protocol::Seats& seats, const ledger::State& state,
            const LedgerApplication::VoteKeys& key_of) {
    Term term;
    term.cycle = cycle;
    term.committee = vote_keys(seats);
    term.cycle_pulses = shortest_cycle(state.bookkeeping());
    for (std::uint16_t seat = 0; seat < seats.size(); ++seat) {
        term.nodes.push_back(crypto::id_of(seats[seat].node_key));
        auto key = key_of(seats[seat]);
        if (!key) continue;
        term.seat = seat;
        term.key = std::move(key);
    }
    return term;
}

Term term_after(const ledger::State& state, const LedgerApplication::VoteKeys& key_of) {
    const protocol::ElectionRecord& record = state.election();
    const auto [cycle, seats] = ledger::next_authority(state);
    Term term = seated(cycle, seats, state, key_of);
    term.previous = vote_keys(record.former);
    term.first_height = record.first_sequence.next();
    term.end = record.end_pulse;
    return term;
}

// ---- Takeovers

// A takeover that stands on the head.
struct Adopted {
    protocol::Transaction act;
    Hash id;
    Pulse from;  // the first pulse at which it was found to hold
    Term term;   // of the seats it puts in place
};

protocol::Seats seats_of(const protocol::Action& act, const protocol::ElectionRecord& record) {
    const auto* hand_over = std::get_if<protocol::HandOver>(&act);
    if (hand_over == nullptr) return record.next.seats;
    return {hand_over->seats.begin(), hand_over->seats.end()};
}

// Of acts that hold on the same block.
bool are_of_the_same_seats(const protocol::Action& one, const protocol::Action& other) {
    const auto* first = std::get_if<protocol::HandOver>(&one);
    const auto* second = std::get_if<protocol::HandOver>(&other);
    if (first == nullptr || second == nullptr) return first == second;
    return first->seats == second->seats;
}

bool begins_with_takeover(const protocol::Transactions& transactions) {
    return !transactions.empty() && protocol::is_takeover(transactions.front().body.action);
}

Result<Outlook, Fault> outlook_of(const ledger::Organization& organization, tree::Tree& tree,
                                  const LedgerApplication::VoteKeys& key_of) {
    ledger::State state(organization, tree);
    TRY(state.load_system());
    const auto& pending = state.treasury().pending;
    const auto& votes = state.bookkeeping().votes;
    return Outlook{PendingRewards(pending.begin(), pending.end()),
                   {votes.begin(), votes.end()},
                   ledger::next_due(state),
                   ledger::node_acts(state),
                   term_after(state, key_of)};
}

// Whom the votes that were open `before`, and were counted at that pulse, have paid at once. What
// has its publicity to come is paid by another block.
Result<std::vector<Id>, Fault> paid_by_votes(const ledger::Organization& organization,
                                             tree::Tree& tree,
                                             const std::vector<protocol::OpenVote>& before,
                                             Pulse at) {
    std::vector<Id> members;
    ledger::State state(organization, tree);
    for (const protocol::OpenVote& open : before) {
        if (open.closes > at) break;
        TRY(state.load_system());
        TRY(state.load(open.vote));
        const protocol::VoteRecord& vote = *state.vote(open.vote);
        const auto* grant = std::get_if<protocol::Grant>(&vote.subject);
        if (grant == nullptr || vote.outcome != protocol::Outcome::passed) continue;
        const auto& pending = state.treasury().pending;
        const bool is_announced =
            std::ranges::count(pending, vote.proposal, &protocol::PendingReward::transaction) > 0;
        if (!is_announced) members.push_back(grant->member);
    }
    return members;
}

// A block that has been executed on the head.
struct Made {
    ledger::Executed executed;
    std::vector<Hash> ids;
};

}  // namespace

protocol::Certificate certify_founding(const ledger::Organization& organization,
                                       const protocol::BlockHeader& header,
                                       const crypto::KeyPair& key) {
    protocol::Certificate certificate;
    certificate.slot.height = header.sequence;
    certificate.block = protocol::block_hash(organization.chain, header);
    const Bytes message =
        protocol::precommit_message(organization.chain, certificate.slot, certificate.block);
    certificate.signatures.push_back({0, key.sign(message)});
    return certificate;
}

ledger::Parent parent_of(const ledger::Organization& organization, const Seal& seal) {
    return {seal.header, protocol::hash_as_parent(organization.chain, seal.header)};
}

Result<std::uint32_t, Fault> author_run(const store::Reader& store, const Seal& head,
                                        Sequence first_height) {
    std::uint32_t run = 0;
    for (Sequence at = head.header.sequence; at >= first_height && run < kAuthorRunMax;
         at = Sequence(at.value() - 1)) {
        const auto seal = TRY(ledger::read_seal(store, at));
        if (!seal || seal->header.author != head.header.author) break;
        ++run;
    }
    return run;
}

struct LedgerApplication::Impl {
    // A block whose batch is out.
    struct Open {
        Seal seal;
        tree::Tree::Update update;
        protocol::Transactions transactions;
        std::vector<Hash> ids;
    };

    Setup setup;
    const store::Reader& store;
    tree::Tree& tree;
    Mempool& mempool;
    Outlook outlook;
    std::vector<std::pair<Hash, Made>> made = {};  // oldest first
    std::optional<Open> open = std::nullopt;
    std::optional<Sealed> sealed = std::nullopt;
    std::optional<Adopted> adopted = std::nullopt;
    std::vector<Mempool::Dropped> dropped = {};
    Pulse looked_at = {};  // for what has expired, with a height stuck
    // When the next height opens for what waits in the mempool.
    std::optional<Pulse> opens_at = std::nullopt;

    Pulse pulse(Instant now) const;
    ledger::Place place_after(const Seal& seal, Instant now) const;
    std::vector<Id> due(Pulse at) const;
    std::optional<Pulse> opening_for_waiting(Pulse next) const;
    bool has_passed(const protocol::Transaction& transaction, Pulse at) const;
    Result<void, Fault> forget_passed(const ledger::Place& place);
    ledger::Parent parent() const {
        ledger::Parent parent = parent_of(setup.organization, setup.head);
        parent.known = mempool.reads();
        return parent;
    }
    Made* find(const Hash& block);
    Made& keep(const Hash& block, Made&& executed);
    Result<ledger::Built, Fault> build(const Candidates& candidates, const Stamp& stamp);
    bool has_place_for(const protocol::Transactions& transactions) const;
    Result<Result<void, protocol::Refused>, Fault> check(const protocol::Transaction& takeover,
                                                         Pulse at);
};

Pulse LedgerApplication::Impl::pulse(Instant now) const {
    // Before 1970 there is no pulse, whatever the clock says.
    const bool is_early = now.time_since_epoch().count() < 0;
    return protocol::pulse_at(setup.organization.charter, is_early ? 0 : unix_ms(now));
}

ledger::Place LedgerApplication::Impl::place_after(const Seal& seal, Instant now) const {
    return {std::max(pulse(now), seal.header.pulse).next(), seal.header.sequence.next()};
}

std::vector<Id> LedgerApplication::Impl::due(Pulse at) const {
    std::vector<Id> members;
    for (const auto& reward : outlook.rewards) {
        if (reward.due <= at) members.push_back(reward.member);
    }
    return members;
}

// When a height opens for what waits, at pulse `next` or later.
std::optional<Pulse> LedgerApplication::Impl::opening_for_waiting(Pulse next) const {
    const auto& entries = mempool.entries();
    if (entries.empty()) return std::nullopt;
    const bool is_urgent = std::ranges::any_of(entries, [](const Mempool::Entry& entry) {
        return protocol::opens_height(entry.transaction);
    });
    return is_urgent ? next : std::max(next, outlook.node_acts.due);
}

// Whether no block at `at` or later takes it.
bool LedgerApplication::Impl::has_passed(const protocol::Transaction& transaction, Pulse at) const {
    const bool has_closed = !protocol::opens_height(transaction) && outlook.node_acts.close < at;
    return has_closed || transaction.body.expiry < at;
}

Result<void, Fault> LedgerApplication::Impl::forget_passed(const ledger::Place& place) {
    const bool any = std::ranges::any_of(mempool.entries(), [&](const Mempool::Entry& entry) {
        return has_passed(entry.transaction, place.pulse);
    });
    if (!any) return {};
    auto gone = TRY(mempool.on_block({}, place));
    std::ranges::move(gone, std::back_inserter(dropped));
    return {};
}

Made* LedgerApplication::Impl::find(const Hash& block) {
    const auto found = std::ranges::find(made, block, &std::pair<Hash, Made>::first);
    return found == made.end() ? nullptr : &found->second;
}

Made& LedgerApplication::Impl::keep(const Hash& block, Made&& executed) {
    if (made.size() >= kExecutedMax) made.erase(made.begin());
    return made.emplace_back(block, std::move(executed)).second;
}

// A block that takes the mempool as it stands need not execute it again.
Result<ledger::Built, Fault> LedgerApplication::Impl::build(const Candidates& candidates,
                                                            const Stamp& stamp) {
    const ledger::Parent on = parent();
    const bool takes_all = !adopted && candidates.transactions.size() == mempool.size();
    const auto* executed =
        takes_all ? mempool.executed_at({stamp.pulse, on.header.sequence.next()}) : nullptr;
    if (executed != nullptr) {
        auto built = TRY(ledger::build_on(*executed, tree, on, stamp, candidates.transactions));
        if (built) return *std::move(built);
    }
    return ledger::build(setup.organization, tree, on, stamp, candidates.transactions);
}

// A takeover stands alone in the block that begins its term, and that term begins with nothing
// else.
bool LedgerApplication::Impl::has_place_for(const protocol::Transactions& transactions) const {
    if (!adopted) return !begins_with_takeover(transactions);
    return transactions.size() == 1 &&
           are_of_the_same_seats(adopted->act.body.action, transactions.front().body.action);
}

// As its block would be judged, signatures included.
Result<Result<void, protocol::Refused>, Fault> LedgerApplication::Impl::check(
    const protocol::Transaction& takeover, Pulse at) {
    using Verdict = Result<void, protocol::Refused>;
    const ledger::Parent on = parent();
    const bool on_founding = on.header.sequence == Sequence(0);
    const Stamp stamp{at, 0, on_founding ? 0 : protocol::signers_of(setup.head.certificate)};
    const protocol::Transaction* const candidate[] = {&takeover};
    auto built = TRY(ledger::build(setup.organization, tree, on, stamp, candidate));
    if (!built.skipped.empty()) return Verdict(fail(built.skipped.front().refused));
    auto executed = ledger::execute(setup.organization, tree, on, built.executed.header,
                                    built.transactions, setup.signature_holds);
    if (executed) return Verdict();
    if (auto* fault = std::get_if<Fault>(&executed.error())) return fail(std::move(*fault));
    return Verdict(fail(std::get<ledger::InvalidBlock>(executed.error()).refused));
}

LedgerApplication::LedgerApplication(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LedgerApplication::LedgerApplication(LedgerApplication&&) noexcept = default;
LedgerApplication::~LedgerApplication() = default;

Result<LedgerApplication, Fault> LedgerApplication::open(Setup setup, const store::Reader& store,
                                                         tree::Tree& tree, Mempool& mempool) {
    auto outlook = TRY(outlook_of(setup.organization, tree, setup.vote_keys));
    return LedgerApplication(std::unique_ptr<Impl>(
        new Impl{std::move(setup), store, tree, mempool, std::move(outlook)}));
}

void LedgerApplication::on_admitted(Instant now) {
    const Pulse present = pulse(now);
    if (impl_->opens_at && *impl_->opens_at <= present.next()) return;
    const Pulse head = impl_->setup.head.header.pulse;
    if (present < head) {
        impl_->setup.log.warn("clock_behind_ledger", "pulse={} head_pulse={}", present.value(),
                              head.value());
    }
    impl_->opens_at = impl_->opening_for_waiting(present.next());
}

Result<void, Fault> LedgerApplication::forget_passed(Instant now) {
    const Pulse present = pulse(now);
    const bool is_stuck = present.value() > impl_->setup.head.header.pulse.value() + kStuckPulses;
    if (impl_->open || !is_stuck || present <= impl_->looked_at) return {};
    impl_->looked_at = present;
    return impl_->forget_passed({present, impl_->setup.head.header.sequence.next()});
}

Result<Result<void, protocol::Refused>, Fault> LedgerApplication::adopt(
    const protocol::Transaction& act, Pulse at) {
    using Verdict = Result<void, protocol::Refused>;
    CHECK(!impl_->open);
    if (!protocol::is_takeover(act.body.action)) {
        return Verdict(fail(protocol::Refused{protocol::Refusal::takeover_not_first}));
    }
    auto& adopted = impl_->adopted;
    if (adopted) {
        const bool replaces = adopted->act.body.expiry < at &&
                              are_of_the_same_seats(adopted->act.body.action, act.body.action);
        if (!replaces) return Verdict();
    }
    auto verdict = TRY(impl_->check(act, at));
    if (!verdict) return verdict;

    ledger::State state(impl_->setup.organization, impl_->tree);
    TRY(state.load_system());
    const protocol::ElectionRecord& record = state.election();
    const Sequence head = impl_->setup.head.header.sequence;
    Term term =
        seated(record.cycle + 1, seats_of(act.body.action, record), state, impl_->setup.vote_keys);
    term.previous = vote_keys(protocol::authority_over(record, head).seats);
    term.first_height = head.next();
    adopted = Adopted{act, protocol::transaction_id(impl_->setup.organization.chain, act.body), at,
                      std::move(term)};
    impl_->made.clear();
    return verdict;
}

const protocol::Transaction* LedgerApplication::adopted() const {
    return impl_->adopted ? &impl_->adopted->act : nullptr;
}

Sealed LedgerApplication::take_sealed() {
    CHECK(impl_->sealed);
    return *std::exchange(impl_->sealed, std::nullopt);
}

std::vector<Mempool::Dropped> LedgerApplication::take_dropped() {
    return std::exchange(impl_->dropped, {});
}

ledger::Place LedgerApplication::next_place(Instant now) const {
    return impl_->place_after(impl_->open ? impl_->open->seal : impl_->setup.head, now);
}

Pulse LedgerApplication::pulse(Instant now) const {
    return impl_->pulse(now);
}

Result<Value, Fault> LedgerApplication::build(const Stamp& stamp) {
    const bool is_sent = term().committee.size() > 1;
    const auto& adopted = impl_->adopted;
    const Candidates candidates =
        adopted ? Candidates{{&adopted->act}, {adopted->id}}
                : candidates_of(impl_->mempool.entries(), is_sent ? kProposedBytesMax : SIZE_MAX);
    auto built = TRY(impl_->build(candidates, stamp));
    auto ids = included(candidates, built);
    const protocol::BlockHeader header = built.executed.header;
    const Hash block = protocol::block_hash(impl_->setup.organization.chain, header);
    impl_->keep(block, {std::move(built.executed), std::move(ids)});
    return Value{header, std::move(built.transactions)};
}

Result<Validity, Fault> LedgerApplication::check(const Hash& block, const Value& value) {
    if (impl_->find(block) != nullptr) return Validity::valid;
    if (!impl_->has_place_for(value.transactions)) return Validity::invalid;
    auto executed = ledger::execute(impl_->setup.organization, impl_->tree, impl_->parent(),
                                    value.header, value.transactions, impl_->setup.signature_holds);
    if (executed) {
        auto ids = ids_of(impl_->setup.organization.chain, value.transactions);
        impl_->keep(block, {*std::move(executed), std::move(ids)});
        return Validity::valid;
    }
    if (auto* fault = std::get_if<Fault>(&executed.error())) return fail(std::move(*fault));
    const auto& invalid = std::get<ledger::InvalidBlock>(executed.error());
    impl_->setup.log.debug("block_invalid", "sequence={} reason={} transaction={} refusal={}",
                           value.header.sequence.value(), to_string(invalid.reason),
                           invalid.transaction, protocol::to_string(invalid.refused.code));
    return Validity::invalid;
}

Result<bool, Fault> LedgerApplication::omits(const Value& value, Pulse at) {
    if (impl_->adopted) return false;
    std::vector<const protocol::Transaction*> old;
    std::optional<std::set<Hash>> contained;
    for (const Mempool::Entry& entry : impl_->mempool.entries()) {
        if (old.size() >= kOmittedMax) break;
        if (entry.since.value() + kPatiencePulses > at.value()) continue;
        if (!contained) {
            const auto named = ids_of(impl_->setup.organization.chain, value.transactions);
            contained.emplace(named.begin(), named.end());
        }
        if (!contained->contains(entry.id)) old.push_back(&entry.transaction);
    }
    if (old.empty()) return false;
    // Nor has a proposal room for more than a message takes.
    const std::size_t bytes = bcs::encode(value.transactions).size();
    if (bytes + protocol::kTransactionBytesMax > kProposedBytesMax) return false;
    return ledger::has_room_for_any(impl_->setup.organization, impl_->tree, impl_->parent(),
                                    value.header, value.transactions, old);
}

std::optional<Pulse> LedgerApplication::opens_at() const {
    if (impl_->adopted) return impl_->adopted->from;
    const Pulse due = impl_->outlook.due;
    return impl_->opens_at ? std::min(*impl_->opens_at, due) : due;
}

Result<bool, Fault> LedgerApplication::has_work(Pulse at) {
    if (impl_->adopted) return impl_->adopted->from <= at;
    if (impl_->outlook.due <= at) return true;
    Mempool& mempool = impl_->mempool;
    const ledger::Place place{at, impl_->setup.head.header.sequence.next()};
    if (mempool.executed_at(place) != nullptr) return true;
    TRY(impl_->forget_passed(place));
    impl_->opens_at = impl_->opening_for_waiting(at);
    return impl_->opens_at == at;
}

Result<store::WriteBatch, Fault> LedgerApplication::seal(const Hash& block, Value&& value,
                                                         const protocol::Certificate& decided) {
    CHECK(!impl_->open);
    if (impl_->find(block) == nullptr) CHECK(TRY(check(block, value)) == Validity::valid);
    Made made = std::move(*impl_->find(block));
    impl_->made.clear();
    tree::Tree::Update& update = made.executed.update;
    Seal next{value.header, decided, update.version().location};

    store::WriteBatch batch = update.take_writes();
    ledger::put_seal(batch, next);
    ledger::put_block(batch, value.header.sequence, value.transactions);
    impl_->open.emplace(Impl::Open{std::move(next), std::move(update),
                                   std::move(value.transactions), std::move(made.ids)});
    impl_->opens_at = std::nullopt;
    return batch;
}

Result<void, Fault> LedgerApplication::commit(Instant now) {
    CHECK(impl_->open);
    Impl::Open block = std::move(*std::exchange(impl_->open, std::nullopt));
    impl_->tree.commit(std::move(block.update));
    impl_->setup.head = block.seal;
    impl_->adopted.reset();

    Sealed sealed{block.seal,
                  std::move(block.transactions),
                  std::move(block.ids),
                  impl_->due(block.seal.header.pulse),
                  {}};
    const auto paid = TRY(paid_by_votes(impl_->setup.organization, impl_->tree,
                                        impl_->outlook.votes, block.seal.header.pulse));
    sealed.rewarded.insert(sealed.rewarded.end(), paid.begin(), paid.end());
    impl_->outlook =
        TRY(outlook_of(impl_->setup.organization, impl_->tree, impl_->setup.vote_keys));
    sealed.dropped = TRY(impl_->mempool.on_block(sealed.ids, impl_->place_after(block.seal, now)));
    // What did not fit has waited long enough; what came meanwhile may go with it.
    impl_->opens_at = impl_->opening_for_waiting(block.seal.header.pulse.next());
    impl_->sealed = std::move(sealed);
    return {};
}

const Term& LedgerApplication::term() const {
    return impl_->adopted ? impl_->adopted->term : impl_->outlook.term;
}

const Seal& LedgerApplication::head() const {
    return impl_->setup.head;
}

Result<std::optional<protocol::Transactions>, Fault> LedgerApplication::head_transactions() {
    return ledger::read_block(impl_->store, impl_->setup.head.header.sequence);
}

Result<std::optional<DecidedHeight>, Fault> LedgerApplication::decided(Sequence height) {
    const Seal& head = impl_->setup.head;
    if (height == Sequence(0) || height > head.header.sequence) return std::nullopt;
    std::optional<Seal> seal = head;
    if (height != head.header.sequence) {
        const auto span = TRY(ledger::read_span(impl_->store));
        if (!span || height < span->oldest.header.sequence) return std::nullopt;
        seal = TRY(ledger::read_seal(impl_->store, height));
        if (!seal) return std::nullopt;
    }
    const auto seats = TRY(ledger::certified_by(impl_->setup.organization, impl_->tree, *seal));
    return DecidedHeight{seal->header, seal->certificate, vote_keys(seats)};
}

void LedgerApplication::check_invariants() const {
    const protocol::BlockHeader& head = impl_->setup.head.header;
    CHECK(impl_->tree.head().sequence == head.sequence);
    CHECK(impl_->tree.head().root == head.root);
    CHECK(std::ranges::is_sorted(impl_->outlook.rewards, {}, &protocol::PendingReward::due));
    CHECK(impl_->made.size() <= kExecutedMax);
    // Whatever waits has a height that will take it.
    CHECK(impl_->open || impl_->mempool.size() == 0 || impl_->opens_at);
}

}  // namespace leither::consensus
