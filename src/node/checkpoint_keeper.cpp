#include "checkpoint_keeper.h"

#include <algorithm>

namespace leither::node {

using protocol::CheckpointVotes;
using store::Fault;

Result<CheckpointKeeper, Fault> CheckpointKeeper::open(const store::Reader& store,
                                                       const ChainId& chain,
                                                       crypto::KeyPair node_key) {
    CheckpointKeeper keeper(chain, std::move(node_key));
    keeper.newest_ = TRY(ledger::read_checkpoint(store));
    return keeper;
}

CheckpointKeeper::Effects CheckpointKeeper::begin(const ledger::CycleBlock& block) {
    Effects effects;
    if (gathering_ && gathering_->name == block.name) return effects;
    gathering_ = Gathering{};
    gathering_->block = block.link;
    gathering_->name = block.name;
    gathering_->message = election::checkpoint_message(chain_, block.name);
    gathering_->pledges = election::pledge_by_node(block.table);
    gathering_->pledge = total_pledge(block.table);
    for (auto& [node, neighbour] : neighbours_) neighbour = {};

    recall();
    const bool is_due = gathering_->pledges.contains(node_key_.public_key()) &&
                        !gathering_->signatures.contains(node_key_.public_key());
    if (is_due) {
        add(node_key_.public_key(), node_key_.sign(gathering_->message));
    }
    review(effects);
    for (auto& [node, neighbour] : neighbours_) tell(node, Greets::yes, effects);
    return effects;
}

CheckpointKeeper::Effects CheckpointKeeper::on_neighbour(const Id& node) {
    Effects effects;
    neighbours_.insert_or_assign(node, Neighbour{});
    if (gathering_) tell(node, Greets::yes, effects);
    return effects;
}

CheckpointKeeper::Effects CheckpointKeeper::on_message(const Id& from,
                                                       const CheckpointVotes& votes) {
    Effects effects;
    const auto at = neighbours_.find(from);
    if (!gathering_ || at == neighbours_.end() || votes.block != gathering_->name) return effects;
    Neighbour& neighbour = at->second;
    const bool is_first = !std::exchange(neighbour.has_spoken, true);
    if (is_first) neighbour.known.clear();
    bool is_news = false;
    for (const auto& [node_key, signature] : votes.signatures) {
        if (!gathering_->signatures.contains(node_key)) {
            // Under the same block everybody has the same table.
            if (!gathering_->pledges.contains(node_key) ||
                !crypto::verify(node_key, gathering_->message, signature)) {
                effects.blamed = from;
                break;
            }
            add(node_key, signature);
            is_news = true;
        }
        neighbour.known.insert(node_key);
    }
    if (is_news) review(effects);
    for (auto& [node, other] : neighbours_) {
        if (is_news || (is_first && node == from)) tell(node, Greets::no, effects);
    }
    return effects;
}

// After a start: what was written of this very block was checked before.
void CheckpointKeeper::recall() {
    if (!newest_) return;
    const election::Checkpoint& written = newest_->checkpoint;
    if (hash_as_parent(chain_, written.block.header) != gathering_->name.hash) return;
    gathering_->is_complete = true;
    for (const auto& [node_key, signature] : written.signatures) {
        const bool is_new = !gathering_->signatures.contains(node_key);
        if (is_new && gathering_->pledges.contains(node_key)) add(node_key, signature);
    }
}

void CheckpointKeeper::add(const PublicKey& node_key, const Signature& signature) {
    Gathering& now = *gathering_;
    now.signatures.emplace(node_key, signature);
    const Amount more = now.pledges.at(node_key);
    now.signed_pledge = Amount::of(now.signed_pledge.units() + more.units());
}

void CheckpointKeeper::review(Effects& effects) {
    Gathering& now = *gathering_;
    const bool has_no_pledge = now.pledge.is_zero();
    if (!has_no_pledge && !election::is_two_thirds(now.signed_pledge.units(), now.pledge.units())) {
        return;
    }
    newest_.emplace();
    newest_->checkpoint.block = now.block;
    newest_->signed_pledge = now.signed_pledge;
    newest_->pledge = now.pledge;
    for (const auto& [node_key, signature] : now.signatures) {
        newest_->checkpoint.signatures.push_back({node_key, signature});
    }
    // What comes later is kept in memory, and asked of neighbours again after a start.
    if (std::exchange(now.is_complete, true)) return;
    effects.durable.emplace();
    ledger::put_checkpoint(*effects.durable, *newest_);
}

void CheckpointKeeper::tell(const Id& to, Greets greets, Effects& effects) {
    const Gathering& now = *gathering_;
    // Without pledges there is nothing to gather.
    if (now.pledge.is_zero()) return;
    Neighbour& neighbour = neighbours_.at(to);
    CheckpointVotes votes{now.name, {}};
    bool is_due = greets == Greets::yes;
    for (const auto& [node_key, signature] : now.signatures) {
        if (!neighbour.known.insert(node_key).second) continue;
        if (votes.signatures.full()) {
            effects.sends.push_back({to, std::exchange(votes, {now.name, {}})});
        }
        votes.signatures.push_back({node_key, signature});
        is_due = true;
    }
    if (is_due) effects.sends.push_back({to, std::move(votes)});
}

std::optional<CheckpointKeeper::Progress> CheckpointKeeper::progress() const {
    if (!gathering_) return std::nullopt;
    return Progress{.block = gathering_->name,
                    .pulse = gathering_->block.header.pulse,
                    .signed_pledge = gathering_->signed_pledge,
                    .pledge = gathering_->pledge,
                    .signatures = gathering_->signatures.size(),
                    .is_complete = gathering_->is_complete};
}

void CheckpointKeeper::check_invariants() const {
    if (!gathering_) return;
    CHECK(gathering_->signatures.size() <= gathering_->pledges.size());
    CHECK(gathering_->signed_pledge <= gathering_->pledge);
    for (const auto& [node, neighbour] : neighbours_) {
        CHECK(neighbour.known.size() <= gathering_->pledges.size());
    }
}

}  // namespace leither::node
