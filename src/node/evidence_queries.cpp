// What this node holds against bookkeepers, and what the ledger would still take for it.
#include "leither/ledger/evidence_store.h"
#include "leither/node/queries.h"

#include "node_impl.h"
#include "queries_detail.h"

namespace leither::node {

namespace {

// What is still to be taken from the first of the guilty.
Answer<std::optional<Amount>> stake_of(const LedgerView& view,
                                       const protocol::ElectionRecord& election,
                                       const ledger::Judgement& judgement) {
    const std::uint64_t cycle = judgement.name.cycle;
    const bool is_in_reach = cycle == election.cycle || cycle + 1 == election.cycle;
    if (judgement.guilty.empty() || !is_in_reach) return std::nullopt;
    const Id& accused = judgement.guilty.front().who.member;
    const auto leaf = TRY(view.read(view.organization->tree().read(accused)));
    if (!leaf) return std::nullopt;
    const auto record = TRY(view.decode(*leaf));
    const auto* member = std::get_if<protocol::MemberRecord>(&record);
    return member == nullptr ? std::nullopt : ledger::pledge_at_stake(*member, cycle);
}

}  // namespace

Answer<std::vector<EvidenceItem>> Queries::evidence() const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    const auto election =
        TRY(view.system<protocol::ElectionRecord>(view.organization->organization().election));
    std::vector<EvidenceItem> items;
    for (const EvidenceKeeper::Item& kept : view.organization->evidence().items()) {
        if (!kept.is_durable) continue;
        auto stored = TRY(view.read(ledger::read_evidence_at(node_->store(), kept.index)));
        const auto record = TRY(view.present(std::move(stored), "evidence_missing"));
        EvidenceItem item{kept.id, kept.name, ledger::judge(record, {}), std::nullopt};
        if (item.judgement) item.at_stake = TRY(stake_of(view, election, *item.judgement));
        items.push_back(std::move(item));
    }
    return items;
}

Answer<std::optional<ledger::EvidenceRecord>> Queries::evidence(const Hash& id) const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    const EvidenceKeeper::Item* kept = view.organization->evidence().find(id);
    if (kept == nullptr || !kept->is_durable) return std::nullopt;
    return view.read(ledger::read_evidence_at(node_->store(), kept->index));
}

}  // namespace leither::node
