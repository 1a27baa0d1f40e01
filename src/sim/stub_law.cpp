#include "stub_law.h"

#include <algorithm>

#include "leither/base/check.h"
#include "leither/crypto/hash.h"

namespace leither::sim {

using consensus::DecidedHeight;
using consensus::Validity;
using consensus::Value;
using protocol::Transaction;
using protocol::Transactions;
using store::Fault;

namespace {

constexpr std::size_t kTransactionsMax = 256;  // in a block

}  // namespace

StubLaw::StubLaw(const Options& options, consensus::Term term)
    : options_(options), term_(std::move(term)) {}

store::WriteBatch StubLaw::birth(const Options& options) {
    ledger::Seal founding;
    founding.header.parent = Hash::copy_of(options.chain.view());
    founding.header.root.sum = options.supply;
    founding.header.transactions = protocol::transactions_hash(options.chain, Transactions{});
    store::WriteBatch batch;
    ledger::put_seal(batch, founding);
    ledger::put_block(batch, Sequence(0), {});
    return batch;
}

Result<void, Fault> StubLaw::open(const store::Reader& store) {
    store_ = &store;
    sealed_.reset();
    waiting_.clear();
    opens_at_.reset();
    spent_.clear();
    const auto span = TRY(ledger::read_span(store));
    CHECK(span.has_value(), "it was founded");
    head_ = span->newest;
    head_hash_ = protocol::hash_as_parent(options_.chain, head_.header);
    for (Sequence at(1); at <= head_.header.sequence; at = at.next()) {
        const auto block = TRY(ledger::read_block(store, at));
        CHECK(block.has_value(), "blocks are in a row");
        for (const Transaction& each : *block) spent_.insert(spent_by(each));
    }
    return {};
}

bool StubLaw::add(const Transaction& transaction, Instant now) {
    const Pulse since = std::max(pulse(now), head_.header.pulse.next());
    if (transaction.body.expiry < since || spent_.contains(spent_by(transaction))) return false;
    const Hash id = protocol::transaction_id(options_.chain, transaction.body);
    if (!waiting_.emplace(id, Waiting{transaction, since}).second) return false;
    opens_at_ = opens_at_ ? std::min(*opens_at_, since) : since;
    return true;
}

Result<std::vector<protocol::DecidedBlock>, Fault> StubLaw::blocks(Sequence from,
                                                                   std::size_t count) const {
    std::vector<protocol::DecidedBlock> found;
    for (Sequence at = from; at <= head_.header.sequence && found.size() < count; at = at.next()) {
        const auto seal = TRY(ledger::read_seal(*store_, at));
        auto block = TRY(ledger::read_block(*store_, at));
        CHECK(seal && block, "blocks are in a row");
        found.push_back({seal->header, seal->certificate, *std::move(block)});
    }
    return found;
}

// ---- A height

Pulse StubLaw::pulse(Instant now) const {
    return Pulse((unix_ms(now) - options_.time_ms) / options_.pulse_ms);
}

Hash StubLaw::root_after(const Hash& transactions) const {
    Bytes all(head_.header.root.hash.view().begin(), head_.header.root.hash.view().end());
    all.insert(all.end(), transactions.view().begin(), transactions.view().end());
    return crypto::blake2b_256(all);
}

Result<Value, Fault> StubLaw::build(const consensus::Stamp& stamp) {
    CHECK(stamp.pulse > head_.header.pulse);
    Value value;
    std::set<Spent> spent;
    for (const auto& [id, each] : waiting_) {
        if (value.transactions.size() >= kTransactionsMax) break;
        if (each.transaction.body.expiry < stamp.pulse) continue;
        if (spent.insert(spent_by(each.transaction)).second) {
            value.transactions.push_back(each.transaction);
        }
    }
    protocol::BlockHeader& header = value.header;
    header.sequence = head_.header.sequence.next();
    header.pulse = stamp.pulse;
    header.parent = head_hash_;
    header.transactions = protocol::transactions_hash(options_.chain, value.transactions);
    header.root.sum = options_.supply;
    header.root.hash = root_after(header.transactions);
    header.transaction_count = static_cast<std::uint32_t>(value.transactions.size());
    header.author = stamp.author;
    header.signers = stamp.signers;
    return value;
}

bool StubLaw::are_in_order(const protocol::BlockHeader& header,
                           const Transactions& transactions) const {
    std::set<Spent> spent;
    return std::ranges::all_of(transactions, [&](const Transaction& each) {
        return each.body.expiry >= header.pulse && !spent_.contains(spent_by(each)) &&
               spent.insert(spent_by(each)).second;
    });
}

Result<Validity, Fault> StubLaw::check(const Hash&, const Value& value) {
    const protocol::BlockHeader& header = value.header;
    const bool follows = header.sequence == head_.header.sequence.next() &&
                         header.pulse > head_.header.pulse && header.parent == head_hash_ &&
                         header.root.sum == options_.supply &&
                         header.root.hash == root_after(header.transactions) &&
                         are_in_order(header, value.transactions);
    return follows ? Validity::valid : Validity::invalid;
}

Result<bool, Fault> StubLaw::omits(const Value& value, Pulse at) {
    std::set<Spent> held;
    for (const Transaction& each : value.transactions) held.insert(spent_by(each));
    return std::ranges::any_of(waiting_, [&](const auto& entry) {
        const Waiting& each = entry.second;
        return each.since.value() + consensus::kPatiencePulses <= at.value() &&
               each.transaction.body.expiry >= value.header.pulse &&
               !held.contains(spent_by(each.transaction));
    });
}

// ---- From height to height

Result<bool, Fault> StubLaw::has_work(Pulse at) {
    std::erase_if(waiting_,
                  [&](const auto& entry) { return entry.second.transaction.body.expiry < at; });
    opens_at_.reset();
    for (const auto& [id, each] : waiting_) {
        opens_at_ = opens_at_ ? std::min(*opens_at_, each.since) : each.since;
    }
    return opens_at_ && *opens_at_ <= at;
}

Result<store::WriteBatch, Fault> StubLaw::seal(const Hash& block, Value&& value,
                                               const protocol::Certificate& decided) {
    CHECK(!sealed_);
    CHECK(TRY(check(block, value)) == Validity::valid);
    sealed_ = Sealed{{value.header, decided, {}}, std::move(value.transactions)};
    store::WriteBatch batch;
    ledger::put_seal(batch, sealed_->seal);
    ledger::put_block(batch, sealed_->seal.header.sequence, sealed_->transactions);
    return batch;
}

Result<void, Fault> StubLaw::commit(Instant) {
    const Sealed sealed = *std::exchange(sealed_, std::nullopt);
    head_ = sealed.seal;
    head_hash_ = protocol::hash_as_parent(options_.chain, head_.header);
    for (const Transaction& each : sealed.transactions) spent_.insert(spent_by(each));
    std::erase_if(waiting_, [&](const auto& entry) {
        return spent_.contains(spent_by(entry.second.transaction));
    });
    // What is left may go with the next.
    opens_at_.reset();
    if (!waiting_.empty()) opens_at_ = head_.header.pulse.next();
    return {};
}

Result<std::optional<Transactions>, Fault> StubLaw::head_transactions() {
    return ledger::read_block(*store_, head_.header.sequence);
}

Result<std::optional<DecidedHeight>, Fault> StubLaw::decided(Sequence height) {
    if (height == Sequence(0) || height > head_.header.sequence) return std::nullopt;
    const auto seal = TRY(ledger::read_seal(*store_, height));
    if (!seal) return std::nullopt;
    return DecidedHeight{seal->header, seal->certificate, term_.committee};
}

}  // namespace leither::sim
