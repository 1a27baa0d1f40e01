// An organization's node when its committee is silent (docs/protocol/election.md): what it signs,
// and how it comes to decide or follow the block that begins another term.
#include <algorithm>

#include <fmt/format.h>

#include "leither/codec/bcs.h"
#include "leither/protocol/takeover.h"

#include "org_instance.h"

namespace leither::node {

namespace {

using consensus::Agreement;
using protocol::Refusal;
using protocol::Refused;
using store::Fault;

// Each costs the checks of its signatures.
constexpr std::size_t kHeardOnHeadMax = 4;
// Between two times that one neighbour is told of the same act.
constexpr Duration kTellAgainAfter = std::chrono::seconds(20);

NetworkReply refused(Token token, const Refused& why) {
    return {token, fail(NetworkFailure{NetworkError::refused, protocol::explain(why),
                                       protocol::to_string(why.code)})};
}

std::optional<std::uint16_t> row_of(const protocol::CandidateTable& table,
                                    const PublicKey& node_key) {
    const auto row = std::ranges::find(table.rows, node_key, &protocol::CandidateRow::node_key);
    if (row == table.rows.end()) return std::nullopt;
    return static_cast<std::uint16_t>(row - table.rows.begin());
}

}  // namespace

Agreement::Setup OrgInstance::agreement_setup() const {
    Agreement::Setup setup;
    setup.chain = organization_.chain;
    setup.time_ms = charter_.charter.time_ms;
    setup.pulse_ms = charter_.charter.params.pulse_ms;
    setup.holds = holds_;
    setup.log = log_.with_room("consensus");
    return setup;
}

Result<protocol::ElectionRecord, Fault> OrgInstance::election() {
    ledger::State state(organization_, tree_);
    TRY(state.load_system());
    return protocol::ElectionRecord(state.election());
}

// ---- Signing ------------------------------------------------------------------------------------

// What the ledger's rules would hold against the act, as far as a signer can tell.
Result<std::optional<Refused>, Fault> OrgInstance::why_not_silent(
    const protocol::ElectionRecord& record, const SignTakeover& wish, Instant now) {
    using Why = std::optional<Refused>;
    const bool is_hand_over = !wish.seats.empty();
    const std::size_t seats = record.present.size();
    if (is_hand_over && seats > protocol::kTinyCommitteeMax) {
        return Why(Refused{Refusal::committee_not_tiny, seats, protocol::kTinyCommitteeMax});
    }
    if (!is_hand_over && record.next.seats.empty()) return Why(Refused{Refusal::no_next_committee});
    const Pulse since = is_hand_over ? head().header.pulse : record.end_pulse;
    const Pulse from(since.value() + protocol::kSilentPulses);
    const Pulse present = pulse(now);
    if (present < from) return Why(Refused{Refusal::not_silent, present.value(), from.value()});
    return Why();
}

Result<void, Fault> OrgInstance::sign_takeover(const SignTakeover& wish, Instant now, Effects& fx) {
    TRY(begin(now, fx));
    const protocol::ElectionRecord record = TRY(election());
    if (agreement_->is_sealing()) {
        const std::uint64_t present = pulse(now).value();
        fx.replies.push_back(refused(wish.token, {Refusal::not_silent, present, present}));
        return {};
    }
    if (const auto why = TRY(why_not_silent(record, wish, now))) {
        fx.replies.push_back(refused(wish.token, *why));
        return {};
    }
    const auto table = TRY(candidates());
    const auto row = row_of(table, office_->node_key());
    if (!row) {
        fx.replies.emplace_back(NetworkReply{
            wish.token, fail(NetworkFailure{NetworkError::refused,
                                            "this node stands for no candidate, so its word weighs "
                                            "nothing: sign at the node of a member who has pledged",
                                            "no_candidate"})});
        return {};
    }
    const protocol::LastBlock last{record.cycle, head().header.sequence,
                                   protocol::hash_as_parent(organization_.chain, head().header)};
    const protocol::Seats seats(wish.seats.begin(), wish.seats.end());
    const Bytes message = seats.empty() ? protocol::signing_message(organization_.chain, last)
                                        : countersigning_message(organization_.chain, last, seats);
    protocol::TakeoverSignature signed_{last, wish.seats, {*row, office_->sign(message)}};
    if (!yielded_) yielded_ = consensus::Yield{last, std::nullopt, {}};
    store::WriteBatch batch;
    consensus::vote_log::put(batch, *yielded_);
    next_batch().batch.append(std::move(batch));
    next_batch().replies.push_back({wish.token, NetworkAnswer(std::move(signed_))});
    log_.warn("takeover_signed", "sequence={} seats={}", last.sequence.value(), seats.size());
    if (adopted() != nullptr) return {};
    return agree(Agreement::Yielded{}, now, fx);
}

// ---- The act ------------------------------------------------------------------------------------

Result<OrgInstance::Verdict, Fault> OrgInstance::adopt(const protocol::Transaction& act,
                                                       Instant now, Effects& fx) {
    TRY(begin(now, fx));
    if (agreement_->is_sealing()) {
        const std::uint64_t present = pulse(now).value();
        return Verdict(fail(Refused{Refusal::not_silent, present, present}));
    }
    // It goes from neighbour to neighbour in one message.
    const std::size_t bytes = bcs::encode(act).size();
    if (bytes + 1 > protocol::TransactionPost::kPayloadBytesMax) {
        return Verdict(
            fail(Refused{Refusal::too_large, bytes, protocol::TransactionPost::kPayloadBytesMax}));
    }
    const std::uint64_t cycle = law_->term().cycle;
    const protocol::Transaction* before = law_->adopted();
    const Bytes known = before == nullptr ? Bytes{} : bcs::encode(*before);
    const Pulse at = law_->next_place(now).pulse;
    auto verdict = TRY(law_->adopt(act, at));
    if (!verdict) return verdict;
    if (bcs::encode(*law_->adopted()) == known) return verdict;

    const protocol::LastBlock last{before == nullptr ? cycle : cycle - 1, head().header.sequence,
                                   protocol::hash_as_parent(organization_.chain, head().header)};
    yielded_ = consensus::Yield{last, *law_->adopted(), at};
    store::WriteBatch batch;
    consensus::vote_log::put(batch, *yielded_);
    next_batch().batch.append(std::move(batch));
    log_.warn("takeover_adopted", "sequence={} kind={} cycle={}", last.sequence.value(),
              protocol::kind_name(act.body.action), law_->term().cycle);
    if (before == nullptr) TRY(enter_term(now, fx));
    for (const auto& [node, neighbour] : neighbours_) post_adopted(node);
    return verdict;
}

// The agreement of the term that has ended leaves, with what it has signed at the open height; its
// batches are on their way, but nothing waits for them any more.
Result<void, Fault> OrgInstance::enter_term(Instant now, Effects& fx) {
    store::WriteBatch batch;
    Agreement::Setup setup = agreement_setup();
    setup.vouch = agreement_->retire(batch);
    if (!batch.empty()) next_batch().batch.append(std::move(batch));
    for (Out& out : writes_) out.log.reset();
    agreement_.emplace(consensus::AgreementOptions{}, std::move(setup), *law_);
    auto begun = TRY(agreement_->start(now));
    TRY(carry_out(std::move(begun), fx));
    for (const auto& [node, neighbour] : neighbours_) {
        TRY(agree(Agreement::NodeUp{node}, now, fx));
    }
    return {};
}

Result<void, Fault> OrgInstance::take_over(const TakeOver& input, Instant now, Effects& fx) {
    if (const auto verdict = TRY(adopt(input.act, now, fx)); !verdict) {
        fx.replies.push_back(refused(input.token, verdict.error()));
        return {};
    }
    const Hash id = protocol::transaction_id(organization_.chain, input.act.body);
    const Hash adopted_id = protocol::transaction_id(organization_.chain, adopted()->body);
    if (id != adopted_id) {
        fx.replies.emplace_back(NetworkReply{
            input.token,
            fail(NetworkFailure{NetworkError::refused,
                                fmt::format("another takeover, {}, stands on this block already; "
                                            "wait until its seats have decided, or it has expired",
                                            adopted_id.hex()),
                                "taken_over_already"})});
        return {};
    }
    next_batch().replies.push_back({input.token, NetworkAnswer(id)});
    return {};
}

// From a neighbour. What stands on another block than ours is of no use here: whoever is behind is
// told again.
Result<void, Fault> OrgInstance::hear_takeover(const Id& from, const protocol::Transaction& act,
                                               Instant now, Effects& fx) {
    Neighbour& neighbour = neighbours_.at(from);
    if (adopted() != nullptr && bcs::encode(act) == bcs::encode(*adopted())) return {};
    if (neighbour.takeovers >= kHeardOnHeadMax) return {};
    ++neighbour.takeovers;
    const auto verdict = TRY(adopt(act, now, fx));
    if (!verdict && verdict.error().code == Refusal::bad_signature) blamed_.push_back(from);
    return {};
}

// A block that others have decided in a term that it begins itself.
Result<void, Fault> OrgInstance::adopt_decided(const protocol::Decision& decision, Instant now,
                                               Effects& fx) {
    const bool is_next = decision.header.sequence == head().header.sequence.next() &&
                         decision.certificate.slot.cycle == law_->term().cycle + 1;
    if (!is_next || agreement_->is_sealing()) return {};
    const auto& transactions = decision.transactions;
    if (!transactions || transactions->empty()) return {};
    const protocol::Transaction& first = transactions->front();
    if (!protocol::is_takeover(first.body.action)) return {};
    TRY(adopt(first, now, fx));
    return {};
}

void OrgInstance::post_adopted(const Id& to) {
    if (adopted() == nullptr) return;
    protocol::TransactionPost post;
    post.transactions.push_back(*adopted());
    sends_.push_back({to, std::move(post)});
}

// Who stands on the same block in the term that has ended.
void OrgInstance::tell_of_takeover(const Id& to, const protocol::Status& theirs, Instant now) {
    if (adopted() == nullptr || theirs.cycle == law_->term().cycle) return;
    if (theirs.height != head().header.sequence.next()) return;
    Neighbour& neighbour = neighbours_.at(to);
    if (now - neighbour.knows_takeover < kTellAgainAfter) return;
    neighbour.knows_takeover = now;
    post_adopted(to);
}

}  // namespace leither::node
