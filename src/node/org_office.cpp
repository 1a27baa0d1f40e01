// An organization's node in its elections: the ledger as Office wants it, and what Office wants
// done.
#include <algorithm>

#include "leither/codec/bcs.h"
#include "leither/ledger/mining.h"

#include "org_instance.h"

namespace leither::node {

namespace {

using store::Fault;

bool changes_candidates(const protocol::Action& action) {
    return std::holds_alternative<protocol::Pledge>(action) ||
           std::holds_alternative<protocol::Release>(action) ||
           std::holds_alternative<protocol::Evidence>(action);
}

Result<std::vector<Standing>, Fault> standings_of(ledger::State& state, const PublicKey& node_key) {
    std::vector<Standing> standings;
    for (const protocol::CandidateRow& row : state.candidates().rows) {
        if (row.node_key == node_key) standings.push_back({row.member, row.pledge, 0, {}});
    }
    for (Standing& standing : standings) {
        TRY(state.load(standing.member));
        const protocol::MemberRecord& member = *state.member(standing.member);
        const auto lock = std::ranges::find(member.locks, protocol::LockPurpose::pledge,
                                            &protocol::Lock::purpose);
        CHECK(member.candidacy && lock != member.locks.end());
        standing.pledged_in = lock->since;
        standing.candidacy = *member.candidacy;
    }
    return standings;
}

}  // namespace

Result<void, Fault> OrgInstance::open_office(const std::optional<Office::Secret>& seed,
                                             crypto::KeyPair&& node_key) {
    takes_part_ = seed.has_value();
    office_.emplace(Office::Setup{organization_.chain, std::move(node_key),
                                  seed.value_or(Office::Secret{}), TRY(Office::read(store_))});
    return {};
}

bool OrgInstance::concerns_office(const protocol::Transactions& transactions) const {
    if (law_->term().cycle != office_cycle_) return true;
    const auto& standing = office_->standing();
    return std::ranges::any_of(transactions, [&](const protocol::Transaction& one) {
        const protocol::Action& action = one.body.action;
        if (changes_candidates(action)) return true;
        return standing && one.body.signer == standing->member && protocol::is_node_act(action);
    });
}

Result<void, Fault> OrgInstance::follow_office() {
    office_cycle_ = law_->term().cycle;
    if (!takes_part_) return {};
    ledger::State state(organization_, tree_);
    TRY(state.load_system());
    TRY(state.load(organization_.candidates));
    const protocol::Params& params = state.bookkeeping().params;
    Office::Head head{state.election(), windows_of(state.election(), params.cycle_pulses),
                      params.expiry_pulses_max, TRY(standings_of(state, office_->node_key()))};
    if (auto batch = office_->follow(std::move(head))) next_batch().batch.append(*std::move(batch));
    const auto& standing = office_->standing();
    office_->set_claims(standing ? TRY(claims_of(standing->member, state.election().rewards))
                                 : std::vector<protocol::Claim>{});
    return {};
}

// What is still to be claimed for the member. Terms whose history is pruned are left out.
Result<std::vector<protocol::Claim>, Fault> OrgInstance::claims_of(
    const Id& member, std::span<const protocol::RewardRoot> roots) const {
    std::vector<protocol::Claim> claims;
    for (const protocol::RewardRoot& root : roots) {
        const auto rewards = TRY(ledger::mining_rewards(
            organization_, store_, tree_, {root.cycle, law_->head(), window_.oldest()}));
        if (!rewards) continue;
        const auto line = rewards->line_of(member);
        if (!line || rewards->is_claimed(*line) || rewards->lines[*line].amount.is_zero()) continue;
        claims.push_back(ledger::claim_of(organization_.chain, *rewards, *line));
    }
    return claims;
}

Result<void, Fault> OrgInstance::serve_office(Instant now, Effects& fx) {
    const Pulse pulse = law_->pulse(now);
    const auto due = office_->due();
    if (!due || pulse < *due) return {};
    const auto member = TRY(mempool_.member(office_->standing()->member));
    const Office::Lane lane{member ? member->next_counter(protocol::kNodeLane) : 0,
                            [this](const Hash& id) { return mempool_.contains(id); }};
    Office::Turn turn = office_->turn(pulse, lane);
    if (turn.durable) {
        Out& out = next_batch();
        out.batch.append(*std::move(turn.durable));
        out.is_office = true;
    }
    remind_voters(std::move(turn.reminds));
    if (turn.acts.empty()) return {};
    Submit submit;
    submit.token = kNobody;
    for (const protocol::Transaction& act : turn.acts) {
        log_.debug("office_act", "kind={} cycle={}", protocol::kind_name(act.body.action),
                   office_cycle_);
        submit.transactions.push_back(bcs::encode(act));
    }
    return on_submit(std::move(submit), now, fx);
}

// A neighbour may have refused them by a clock that is behind ours, or had no room.
void OrgInstance::remind_voters(std::vector<protocol::Transaction>&& waiting) {
    if (waiting.empty()) return;
    protocol::TransactionPost post;
    for (protocol::Transaction& one : waiting) post.transactions.push_back(std::move(one));
    for (const auto& [node, neighbour] : neighbours_) {
        if (neighbour.interest != protocol::Interest::decisions) sends_.push_back({node, post});
    }
}

std::optional<Instant> OrgInstance::next_deadline() const {
    auto next = agreement_->next_deadline();
    if (!outgoing_.post.transactions.empty()) {
        next = next ? std::min(*next, outgoing_.not_before) : outgoing_.not_before;
    }
    const auto due = office_->due();
    if (!due) return next;
    const protocol::Charter& charter = charter_.charter;
    const Instant start =
        instant_from_unix_ms(charter.time_ms + due->value() * charter.params.pulse_ms);
    return next ? std::min(*next, start) : start;
}

}  // namespace leither::node
