// The members' votes: a supervisor proposes, each member casts one ballot, the ledger counts.
#include <algorithm>

#include "kinds.h"
#include "leaf.h"
#include "treasury.h"

namespace leither::ledger::rules {

namespace {

using protocol::BookkeepingRecord;
using protocol::Cast;
using protocol::Grant;
using protocol::OpenVote;
using protocol::Outcome;
using protocol::ParamProposal;
using protocol::Propose;
using protocol::Refusal;
using protocol::VoteRecord;

// A passed change waits so many cycles: for the cycle after next.
constexpr std::uint64_t kChangeAhead = 2;
// A passed reward waits so long for a day whose share is not used up.
constexpr std::uint64_t kWaitMs = std::uint64_t{8} * 86'400'000;

Id vote_of(const State& state, const Case& in) {
    const auto& [lane, counter] = in.body.nonce;
    return protocol::vote_id(state.organization().chain, in.body.signer, lane, counter);
}

struct SubjectCheck {
    const State& state;
    const Case& in;

    Verdict operator()(const ParamProposal& proposal) const {
        const protocol::ParamChange& change = proposal.change;
        const protocol::ParamInfo& info = protocol::kParamTable[change.param];
        if (change.param == protocol::kFixedParam) return refuse(Refusal::fixed_parameter);
        if (change.value < info.min) {
            return refuse(Refusal::parameter_out_of_bounds, change.value, info.min);
        }
        if (change.value > info.max) {
            return refuse(Refusal::parameter_out_of_bounds, change.value, info.max);
        }
        if (proposal.reason.empty()) return refuse(Refusal::missing_reason);
        return {};
    }
    Verdict operator()(const Grant& grant) const {
        if (grant.amount.is_zero()) return refuse(Refusal::zero_amount);
        // Not of what is left today: it is paid on another day.
        TRY(check_payable_some_day(state, in.place.pulse, grant.amount));
        if (grant.reason.empty()) return refuse(Refusal::missing_reason);
        return {};
    }
};

bool is_open(const State& state, const Id& vote) {
    return std::ranges::count(state.bookkeeping().votes, vote, &OpenVote::vote) > 0;
}

// Carries out what has passed: passed or unpaid, or open if it waits for another day.
struct Execution {
    State& state;
    Pulse pulse;
    const VoteRecord& vote;

    Outcome operator()(const ParamProposal& proposal) const {
        auto& changes = state.bookkeeping_for_change().changes;
        const protocol::ComingChange coming{state.election().cycle + kChangeAhead, proposal.change};
        // Of two for one cycle the later vote holds.
        std::erase_if(changes, [&coming](const protocol::ComingChange& other) {
            return other.cycle == coming.cycle && other.change.param == coming.change.param;
        });
        CHECK(!changes.full());
        changes.push_back(coming);
        return Outcome::passed;
    }
    Outcome operator()(const Grant& grant) const {
        if (state.member(grant.member) == nullptr || state.treasury().pending.full()) {
            return Outcome::unpaid;
        }
        if (const auto verdict = check_payable(state, pulse, grant.amount); !verdict) {
            return may_wait(grant.amount) ? Outcome::open : Outcome::unpaid;
        }
        take_from_treasury(state, pulse, grant.amount);
        give(state, pulse, {vote.proposal, grant.member, grant.amount, Pulse(0)});
        return Outcome::passed;
    }

 private:
    // Else one supervisor's rewards of service, announced just before the count, would undo what
    // the members have decided.
    bool may_wait(Amount amount) const {
        const std::uint64_t pulses = kWaitMs / state.bookkeeping().params.pulse_ms;
        return check_payable_some_day(state, pulse, amount).has_value() &&
               next_day(state, pulse).value() <= vote.closes.value() + pulses;
    }
};

void enlist(BookkeepingRecord& book, const OpenVote& open) {
    const auto later = std::ranges::upper_bound(book.votes, open.closes, {}, &OpenVote::closes);
    book.votes.insert(later, open);
}

Result<void, store::Fault> load_for_counting(State& state, const Id& id) {
    TRY(state.load(id));
    if (const auto* grant = std::get_if<Grant>(&state.vote(id)->subject)) {
        return state.load(grant->member);
    }
    return {};
}

void count_votes(State& state, Pulse pulse, const Id& id) {
    const VoteRecord& vote = *state.vote(id);
    const bool passed = protocol::is_passed(vote.yes, vote.no, vote.members);
    const Outcome outcome =
        passed ? std::visit(Execution{state, pulse, vote}, vote.subject) : Outcome::rejected;
    if (outcome == Outcome::open) {
        enlist(state.bookkeeping_for_change(), {id, next_day(state, pulse)});
    } else {
        state.vote_for_change(id).outcome = outcome;
    }
}

}  // namespace

// ---- Propose -----------------------------------------------------------------------------------

Verdict check_parties(const State& state, const Propose& proposal) {
    const auto* grant = std::get_if<Grant>(&proposal.subject);
    if (grant != nullptr && state.member(grant->member) == nullptr) {
        return refuse(Refusal::counterparty_unknown);
    }
    return {};
}

Verdict check_substance(const State& state, const Case& in, const Propose& proposal) {
    TRY(std::visit(SubjectCheck{state, in}, proposal.subject));
    const auto& votes = state.bookkeeping().votes;
    if (votes.full()) return refuse(Refusal::too_many_votes, votes.size(), protocol::kOpenVotesMax);
    return {};
}

void apply(State& state, const Case& in, const Hash& id, const Propose& proposal) {
    BookkeepingRecord& book = state.bookkeeping_for_change();
    const OpenVote open{vote_of(state, in),
                        Pulse(in.place.pulse.value() + book.params.vote_pulses)};
    VoteRecord vote;
    vote.proposal = id;
    vote.proposer = in.body.signer;
    vote.subject = proposal.subject;
    vote.opened = in.place.sequence;
    vote.closes = open.closes;
    // Who joins later may not vote, so their number must not raise the quorum either.
    vote.members = book.members;
    state.create_vote(open.vote, std::move(vote));
    enlist(book, open);
}

// ---- Cast --------------------------------------------------------------------------------------

Verdict check_substance(const State& state, const Case& in, const Cast& cast) {
    const VoteRecord* vote = is_open(state, cast.vote) ? state.vote(cast.vote) : nullptr;
    if (vote == nullptr || in.place.pulse >= vote->closes) return refuse(Refusal::vote_not_open);
    // Who leaves and comes back has an account without the mark that it has voted.
    const protocol::MemberRecord& voter = *state.member(in.body.signer);
    if (voter.created > vote->opened) {
        return refuse(Refusal::joined_after_vote, voter.created.value(), vote->opened.value());
    }
    if (std::ranges::binary_search(voter.voted, cast.vote)) return refuse(Refusal::already_voted);
    return {};
}

void apply(State& state, const Case& in, const Hash&, const Cast& cast) {
    auto& voted = state.member_for_change(in.body.signer)->voted;
    std::erase_if(voted, [&state](const Id& vote) { return !is_open(state, vote); });
    voted.insert(std::ranges::lower_bound(voted, cast.vote), cast.vote);

    VoteRecord& vote = state.vote_for_change(cast.vote);
    switch (cast.choice) {
        case protocol::Choice::yes: ++vote.yes; break;
        case protocol::Choice::no: ++vote.no; break;
    }
}

// ---- Count -------------------------------------------------------------------------------------

Result<void, store::Fault> close_votes(State& state, Pulse pulse) {
    const auto closes = [&] {
        const auto& votes = state.bookkeeping().votes;
        return !votes.empty() && votes.front().closes <= pulse;
    };
    while (closes()) {
        auto& votes = state.bookkeeping_for_change().votes;
        const Id vote = votes.front().vote;
        votes.erase(votes.begin());
        TRY(load_for_counting(state, vote));
        count_votes(state, pulse, vote);
    }
    return {};
}

}  // namespace leither::ledger::rules
