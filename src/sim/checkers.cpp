#include "leither/sim/checkers.h"

#include <fmt/format.h>

#include "leither/base/check.h"
#include "leither/codec/bcs.h"

namespace leither::sim {

namespace {

// Enough to tell two apart.
std::string brief(const Hash& hash) {
    return hash.hex().substr(0, 12);
}

constexpr std::array kAllCheckers = {
    Checkers::Checker::agreement, Checkers::Checker::conservation,
    Checkers::Checker::committed, Checkers::Checker::no_double_spend,
    Checkers::Checker::receipts,  Checkers::Checker::confiscation,
    Checkers::Checker::progress,
};
static_assert(kAllCheckers.size() == Checkers::kCheckers);

}  // namespace

const char* to_string(Checkers::Checker checker) {
    switch (checker) {
        case Checkers::Checker::agreement: return "agreement";
        case Checkers::Checker::conservation: return "conservation";
        case Checkers::Checker::committed: return "committed";
        case Checkers::Checker::no_double_spend: return "no_double_spend";
        case Checkers::Checker::receipts: return "receipts";
        case Checkers::Checker::confiscation: return "confiscation";
        case Checkers::Checker::progress: return "progress";
    }
    UNREACHABLE();
}

std::string Checkers::Failure::text() const {
    std::string out = fmt::format("+{}.{:06} {}", at.count() / 1'000'000, at.count() % 1'000'000,
                                  to_string(checker));
    if (sequence) out += fmt::format(" at sequence {}", sequence->value());
    if (!nodes.empty()) out += fmt::format(", {}", fmt::join(nodes, " and "));
    return out + ": " + what;
}

void Checkers::fail(Checker checker, const std::vector<HostId>& nodes,
                    std::optional<Sequence> sequence, std::string what) {
    ++counts_[static_cast<std::size_t>(checker)];
    if (failures_.size() >= kFailuresMax) return;
    Failure failure{checker, world_.elapsed(), {}, sequence, std::move(what)};
    for (const HostId node : nodes) failure.nodes.push_back(nodes_[node].name);
    world_.note("FAILED " + failure.text());
    if (failures_.empty()) trace_ = world_.last_lines();
    failures_.push_back(std::move(failure));
}

// ---- Nodes

Hash Checkers::hash_of(const protocol::BlockHeader& header) const {
    return protocol::block_hash(organization_.chain, header);
}

Checkers::Block Checkers::block_of(const protocol::BlockHeader& header,
                                   const protocol::Transactions& transactions) const {
    Block block{header.sequence, hash_of(header), header.root.sum, {}};
    for (const protocol::Transaction& each : transactions) {
        block.transactions.push_back({protocol::transaction_id(organization_.chain, each.body),
                                      each.body.signer, each.body.nonce});
    }
    return block;
}

void Checkers::on_durable(HostId node, const store::WriteBatch& batch) {
    std::optional<protocol::BlockHeader> header;
    protocol::Transactions transactions;
    for (const auto& put : batch.puts()) {
        const auto key = store::parse_version_key(put.key);
        if (!key) continue;
        if (key->kind == store::KeyKind::seal) {
            const auto seal = bcs::decode<ledger::Seal>(put.value);
            CHECK(seal.has_value(), "a node stores a seal that does not decode");
            header = seal->header;
        } else if (key->kind == store::KeyKind::block) {
            auto block = bcs::decode<protocol::Transactions>(put.value);
            CHECK(block.has_value(), "a node stores a block that does not decode");
            transactions = *std::move(block);
        }
    }
    if (header) on_block(node, block_of(*header, transactions));
}

void Checkers::on_block(HostId node, const Block& block) {
    const auto [held, is_new] = nodes_[node].held.emplace(block.sequence, block.hash);
    if (!is_new && held->second != block.hash) {
        fail(Checker::committed, {node}, block.sequence,
             fmt::format("it held {} and now {}", brief(held->second), brief(block.hash)));
        held->second = block.hash;
    }
    const auto decided = chain_.find(block.sequence);
    if (decided == chain_.end()) return decide(node, block);
    if (decided->second.hash != block.hash) {
        fail(Checker::agreement, {decided->second.first, node}, block.sequence,
             fmt::format("{} against {}", brief(decided->second.hash), brief(block.hash)));
    }
}

void Checkers::decide(HostId node, const Block& block) {
    chain_[block.sequence] = {block.hash, node};
    if (block.sum != organization_.charter.supply) {
        fail(Checker::conservation, {node}, block.sequence,
             fmt::format("the root's sum is {}, the supply {}", block.sum.units(),
                         organization_.charter.supply.units()));
    }
    for (const Block::Spent& each : block.transactions) {
        const auto [again, is_first] = committed_.emplace(each.transaction, block.sequence);
        if (!is_first) {
            fail(Checker::no_double_spend, {node}, block.sequence,
                 fmt::format("transaction {} is at sequence {} already", brief(each.transaction),
                             again->second.value()));
        }
        const auto [other, is_fresh] =
            spent_.emplace(std::pair(each.signer, each.nonce), each.transaction);
        if (!is_fresh && other->second != each.transaction) {
            fail(Checker::no_double_spend, {node}, block.sequence,
                 fmt::format("transactions {} and {} spend one nonce", brief(other->second),
                             brief(each.transaction)));
        }
        if (over_.contains(each.transaction)) {
            fail(Checker::committed, {node}, block.sequence,
                 fmt::format("transaction {} was told to be over", brief(each.transaction)));
        }
    }
}

void Checkers::on_opened(HostId node, const store::Reader& ledger) {
    Node& it = nodes_[node];
    if (it.held.empty()) return;
    const auto& [sequence, hash] = *it.held.rbegin();
    const auto span = ledger::read_span(ledger);
    if (!span || !*span || (*span)->newest.header.sequence < sequence) {
        return fail(Checker::committed, {node}, sequence, "it has lost what it held durably");
    }
    const auto seal = ledger::read_seal(ledger, sequence);
    if (!seal || !*seal || hash_of((*seal)->header) != hash) {
        fail(Checker::committed, {node}, sequence, "it holds another block than before");
    }
}

void Checkers::on_restored(HostId node, const store::Reader& ledger) {
    auto& held = nodes_[node].held;
    const auto span = ledger::read_span(ledger);
    if (!span || !*span) return held.clear();
    held.erase(held.upper_bound((*span)->newest.header.sequence), held.end());
}

void Checkers::on_contradiction(HostId node, Sequence sequence, const std::string& what) {
    fail(Checker::agreement, {node}, sequence, what);
}

void Checkers::check_store(HostId node, const store::Reader& ledger) {
    const auto span = ledger::read_span(ledger);
    if (!span || !*span) return;
    const Sequence last = (*span)->newest.header.sequence;
    for (Sequence at = (*span)->oldest.header.sequence; at <= last; at = at.next()) {
        const auto seal = ledger::read_seal(ledger, at);
        const auto block = ledger::read_block(ledger, at);
        // Where a state was taken, its block did not come with it.
        const bool is_state = at == (*span)->oldest.header.sequence && at > Sequence(0);
        const bool has_block = block && (block->has_value() || is_state);
        if (!seal || !*seal || !has_block) {
            fail(Checker::committed, {node}, at, "it has lost a block that it should retain");
            continue;
        }
        on_block(node, block_of((*seal)->header, block->value_or(protocol::Transactions())));
    }
}

// ---- Clients

void Checkers::on_told_committed(HostId node, const Hash& transaction, Sequence sequence) {
    const auto found = committed_.find(transaction);
    if (found != committed_.end() && found->second == sequence) return;
    fail(Checker::committed, {node}, sequence,
         fmt::format("a client was told that {} is there; the chain {}", brief(transaction),
                     found == committed_.end()
                         ? "does not hold it"
                         : fmt::format("holds it at {}", found->second.value())));
}

void Checkers::on_told_over(HostId node, const Hash& transaction) {
    over_.insert(transaction);
    const auto found = committed_.find(transaction);
    if (found == committed_.end()) return;
    fail(Checker::committed, {node}, found->second,
         fmt::format("a client was told that {} is over", brief(transaction)));
}

void Checkers::on_receipt(HostId node, const Id& account, const ledger::Receipt& receipt) {
    const Sequence sequence = receipt.header.sequence;
    // As a file, read by somebody who knows nothing but the organization.
    const auto read = bcs::decode<ledger::Receipt>(bcs::encode(receipt));
    if (!read) return fail(Checker::receipts, {node}, sequence, "it does not decode");
    const auto proven = ledger::verify(*read, organization_.treasury);
    if (!proven) {
        return fail(Checker::receipts, {node}, sequence, ledger::to_string(proven.error()));
    }
    if (proven->account != account || proven->sequence != sequence) {
        return fail(Checker::receipts, {node}, sequence, "it proves something else");
    }
    if (hash_at(sequence) != hash_of(receipt.header)) {
        fail(Checker::receipts, {node}, sequence, "its block is not the chain's");
    }
}

// ---- Pledges

void Checkers::on_confiscated(HostId owner, Sequence sequence) {
    if (nodes_[owner].is_honest) {
        fail(Checker::confiscation, {owner}, sequence, "an honest pledge is confiscated");
    }
}

// ---- Progress

void Checkers::expect_block_within(Duration time, const std::string& why) {
    const auto before = highest();
    world_.after(time, [this, before, why, time, expectation = ++expectation_] {
        if (expectation != expectation_ || highest() > before) return;
        fail(Checker::progress, {}, before,
             fmt::format("no block for {} s {}", time.count() / 1'000'000, why));
    });
}

// ---- What came of it

std::optional<Sequence> Checkers::highest() const {
    if (chain_.empty()) return std::nullopt;
    return chain_.rbegin()->first;
}

std::optional<Hash> Checkers::hash_at(Sequence sequence) const {
    const auto found = chain_.find(sequence);
    if (found == chain_.end()) return std::nullopt;
    return found->second.hash;
}

void Checkers::report(Report& report) const {
    for (const Checker each : kAllCheckers) {
        report.at_most(fmt::format("failures: {}", to_string(each)), 0,
                       static_cast<std::int64_t>(counts_[static_cast<std::size_t>(each)]));
    }
    for (const Failure& failure : failures_) report.failures.push_back(failure.text());
    report.trace = trace_;
}

}  // namespace leither::sim
