// What an organization's node keeps to lead others, and its part in checkpoints
// (docs/protocol/checkpoints.md).
#include <algorithm>

#include "org_instance.h"

namespace leither::node {

namespace {

using ledger::CycleSpan;
using store::Fault;

// Terms whose cycle block is kept as a place to begin at.
std::uint64_t anchors_kept(const protocol::Params& params) {
    const std::uint64_t cycles = params.pledge_release_pulses / params.cycle_pulses + 2;
    return std::min<std::uint64_t>(cycles, ledger::kAnchorsMax);
}

}  // namespace

Result<void, Fault> OrgInstance::follow_cycle() {
    if (cycle_followed_ == law_->term().cycle) return {};
    cycle_followed_ = law_->term().cycle;
    const ledger::ChainEnds ends{law_->head(), window_.oldest(), cycles_ ? cycles_->to : 0};
    const auto found = TRY(ledger::cycles_behind(organization_, store_, tree_, ends));
    if (!found.cycles.empty() || (!cycles_ && found.from > 0)) TRY(keep_cycles(found));
    if (!cycles_) cycles_ = ledger::CycleSpan{};
    auto block = TRY(ledger::newest_cycle_block(organization_, store_, tree_, ends));
    if (!block) return {};
    take(checkpoints_->begin(*block));
    return {};
}

Result<void, Fault> OrgInstance::keep_cycles(const ledger::FoundCycles& found) {
    const bool goes_on = cycles_ && found.from <= cycles_->to;
    CycleSpan span{goes_on ? cycles_->from : found.from, found.from};
    if (!found.cycles.empty()) span.to = found.cycles.back().term;
    store::WriteBatch batch;
    const std::uint64_t anchors = anchors_kept(charter_.charter.params);
    const auto is_anchor = [&](std::uint64_t term) { return term + anchors > span.to; };
    for (const ledger::TermLink& cycle : found.cycles) {
        if (cycle.term > ledger::kTermMax) break;
        if (cycle.kept.changes || is_anchor(cycle.term)) put_cycle(batch, cycle);
    }
    const std::uint64_t before = cycles_ ? std::min(cycles_->to, ledger::kTermMax) : 0;
    for (std::uint64_t term = before > anchors ? before - anchors + 1 : 1;
         term <= before && !is_anchor(term); ++term) {
        const auto kept = TRY(ledger::read_cycle(store_, term));
        if (kept && !kept->changes) ledger::erase_cycle(batch, term);
    }
    put_cycle_span(batch, span);
    cycles_ = span;
    next_batch().batch.append(std::move(batch));
    return {};
}

Result<protocol::CandidateTable, Fault> OrgInstance::candidates() {
    ledger::State state(organization_, tree_);
    TRY(state.load(organization_.candidates));
    return protocol::CandidateTable(state.candidates());
}

Result<void, Fault> OrgInstance::on_message(const Id& from,
                                            const protocol::CheckpointVotes& votes) {
    take(checkpoints_->on_message(from, votes));
    return {};
}

void OrgInstance::take(CheckpointKeeper::Effects&& effects) {
    for (auto& send : effects.sends) sends_.push_back(std::move(send));
    if (effects.blamed) blamed_.push_back(*effects.blamed);
    if (effects.durable) next_batch().batch.append(*std::move(effects.durable));
}

}  // namespace leither::node
