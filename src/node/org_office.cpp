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

Result<void, Fault> OrgInstance::open_office(const Options& options, crypto::KeyPair&& node_key) {
    takes_part_ = options.office_seed.has_value();
    vote_keys::Opened opened;
    if (takes_part_) opened = TRY(vote_keys::open(store_, options.vote_keys));
    keys_found_ = opened.found;
    if (keys_found_ != VoteKeysFound::fitting) {
        log_.warn(
            "vote_keys_unfit",
            "found={} remedy=\"it signs nothing until the next cycle and has no seat until it "
            "is elected anew; put vote.keys back only with the ledger it stopped with\"",
            to_string(keys_found_));
    }
    office_.emplace(Office::Setup{organization_.chain, std::move(node_key),
                                  options.office_seed.value_or(Office::Secret{}),
                                  std::move(opened.keys)});
    return {};
}

// In two writes, one behind the other: what is signed later is told when both are durable.
void OrgInstance::stamp_office() {
    Office::Stamping stamping = office_->stamp();
    Out& first = writes_.emplace_back();
    first.keys = std::move(stamping.offered);
    first.batch = std::move(stamping.store);
    // The log vouches for nothing any more, whatever a crash leaves.
    if (!office_cycle_ && keys_found_ != VoteKeysFound::fitting) {
        consensus::vote_log::erase_vouch(first.batch);
    }
    writes_.emplace_back().keys = std::move(stamping.settled);
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
    const std::uint64_t cycle = law_->term().cycle;
    const bool begins = office_cycle_ != cycle;
    if (!takes_part_) {
        office_cycle_ = cycle;
        return {};
    }
    ledger::State state(organization_, tree_);
    TRY(state.load_system());
    TRY(state.load(organization_.candidates));
    const protocol::Params& params = state.bookkeeping().params;
    Office::Head head{state.election(), windows_of(state.election(), params.cycle_pulses),
                      params.expiry_pulses_max, TRY(standings_of(state, office_->node_key()))};
    if (auto file = office_->follow(std::move(head))) next_batch().keys = *std::move(file);
    const bool is_unfit = !office_cycle_ && keys_found_ != VoteKeysFound::fitting;
    if (is_unfit || (begins && office_->may_vote())) stamp_office();
    office_cycle_ = cycle;
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
    if (turn.keys) {
        Out& out = next_batch();
        out.keys = *std::move(turn.keys);
        out.is_office = true;
    }
    remind_voters(std::move(turn.reminds));
    if (turn.acts.empty()) return {};
    Submit submit;
    submit.token = kNobody;
    for (const protocol::Transaction& act : turn.acts) {
        log_.debug("office_act", "kind={} cycle={}", protocol::kind_name(act.body.action),
                   law_->term().cycle);
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
    if (may_fill_receipts()) return Instant{};
    auto next = agreement_->next_deadline();
    for (const auto& at : {countersigning_->next_deadline(), endorsing_->next_deadline()}) {
        if (at) next = next ? std::min(*next, *at) : at;
    }
    if (!outgoing_.admitted.empty()) {
        next = next ? std::min(*next, outgoing_.not_before) : outgoing_.not_before;
    }
    const protocol::Charter& charter = charter_.charter;
    const auto report = agreement_->is_sealing() ? std::nullopt : evidence_->due();
    for (const auto& due : {office_->due(), report}) {
        if (!due) continue;
        const Instant start =
            instant_from_unix_ms(charter.time_ms + due->value() * charter.params.pulse_ms);
        next = next ? std::min(*next, start) : start;
    }
    return next;
}

}  // namespace leither::node
