#include "leither/ledger/rules.h"

#include <algorithm>

#include "leither/codec/bcs.h"

#include "rules/kinds.h"
#include "rules/leaf.h"

namespace leither::ledger {

namespace {

using protocol::MemberRecord;
using protocol::Params;
using protocol::Refusal;
using protocol::Role;
using protocol::Transaction;
using protocol::TransactionBody;
using rules::Case;
using rules::refuse;
using rules::Verdict;

// Whether it is signed with the node key of a candidate: what only nodes do, and evidence in their
// lane.
bool is_by_node(const TransactionBody& body) {
    const bool is_report = std::holds_alternative<protocol::Evidence>(body.action) &&
                           body.nonce.lane == protocol::kNodeLane;
    return is_report || protocol::is_node_act(body.action);
}

// By which a node that stands for nobody reports for the signer.
const protocol::SignedDelegation* delegation_of(const TransactionBody& body) {
    const auto* evidence = std::get_if<protocol::Evidence>(&body.action);
    return evidence != nullptr && evidence->delegation ? &*evidence->delegation : nullptr;
}

// The node's key in whose name it may act for the signer. REQUIRES: is_by_node.
std::optional<PublicKey> node_key_for(const MemberRecord& signer, const TransactionBody& body) {
    if (const auto* delegation = delegation_of(body)) {
        const protocol::Delegation& given = delegation->delegation;
        return given.account == signer.key ? std::optional(given.node) : std::nullopt;
    }
    return signer.candidacy ? std::optional(signer.candidacy->node_key) : std::nullopt;
}

// ---- What all kinds have in common, in the order of protocol::Refusal --------------------------

Verdict check_form(const Transaction& transaction) {
    if (!transaction.body.is_canonical()) return refuse(Refusal::malformed);
    const std::size_t needed = protocol::signatures_needed(transaction.body);
    if (transaction.signatures.size() != needed) {
        return refuse(Refusal::signature_count, transaction.signatures.size(), needed);
    }
    return {};
}

Verdict check_time(const Case& in, std::uint32_t expiry_pulses_max) {
    const std::uint64_t now = in.place.pulse.value();
    const std::uint64_t expiry = in.body.expiry.value();
    const std::uint64_t latest = now + expiry_pulses_max;
    if (now > expiry) return refuse(Refusal::expired, now, expiry);
    if (expiry > latest) return refuse(Refusal::expiry_too_far, expiry, latest);

    const auto half =
        std::visit([](const auto& kind) { return rules::half_expiry(kind); }, in.body.action);
    if (half && now > half->value()) return refuse(Refusal::request_expired, now, half->value());
    return {};
}

// Judged by the pulse of the block, as everything is.
Verdict check_delegation(const State& state, const Case& in) {
    const auto* delegation = delegation_of(in.body);
    if (delegation == nullptr) return {};
    const protocol::Charter& charter = state.organization().charter;
    const std::uint64_t expires = delegation->delegation.validity.expires_ms;
    const std::uint64_t lasts = expires - std::min(expires, charter.time_ms);
    const std::uint64_t pulses = lasts / charter.params.pulse_ms;
    if (in.place.pulse.value() < pulses) return {};
    return refuse(Refusal::request_expired, in.place.pulse.value(), pulses);
}

Verdict check_signers_known(const State& state, const TransactionBody& body) {
    if (state.member(body.signer) == nullptr) return refuse(Refusal::signer_unknown);
    for (const Id& cosigner : body.cosigners) {
        if (state.member(cosigner) == nullptr) return refuse(Refusal::cosigner_unknown);
    }
    return {};
}

// Cosigners are supervisors whatever the kind: nobody else has a say in another's act.
Verdict check_supervisors(const State& state, const TransactionBody& body) {
    const auto is_supervisor = [&state](const Id& id) {
        return state.member(id)->role == Role::supervisor;
    };
    const bool is_act = std::visit(
        []<class Kind>(const Kind&) { return rules::is_act_of_supervisors<Kind>; }, body.action);
    const bool is_of_one = std::visit(
        []<class Kind>(const Kind&) { return rules::is_of_one_supervisor<Kind>; }, body.action);
    if ((is_act || is_of_one) && !is_supervisor(body.signer)) {
        return refuse(Refusal::not_supervisor);
    }
    if (!std::ranges::all_of(body.cosigners, is_supervisor)) return refuse(Refusal::not_supervisor);
    if (!is_act) return {};

    // Fewer than required cannot sign; until there are enough, all of them must.
    const auto& bookkeeping = state.bookkeeping();
    const std::size_t needed = std::min<std::size_t>(bookkeeping.params.supervisors_required,
                                                     bookkeeping.supervisors.size());
    const std::size_t have = 1 + body.cosigners.size();
    if (have < needed) return refuse(Refusal::too_few_supervisors, have, needed);
    return {};
}

Verdict check_parties(const State& state, const protocol::Action& action) {
    return std::visit([&state](const auto& kind) { return rules::check_parties(state, kind); },
                      action);
}

Verdict check_candidacy(const MemberRecord& signer, const TransactionBody& body) {
    if (is_by_node(body) && !node_key_for(signer, body)) return refuse(Refusal::not_candidate);
    return {};
}

Verdict check_lane(const TransactionBody& body) {
    const bool is_lane_of_nodes = body.nonce.lane == protocol::kNodeLane;
    const bool is_delegated_by_hand = !is_by_node(body) && delegation_of(body) != nullptr;
    if (is_by_node(body) == is_lane_of_nodes && !is_delegated_by_hand) return {};
    return refuse(Refusal::reserved_lane, body.nonce.lane, protocol::kNodeLane);
}

Verdict check_nonce(const MemberRecord& signer, const protocol::Nonce& nonce) {
    const std::uint64_t expected = signer.next_counter(nonce.lane);
    if (nonce.counter != expected) return refuse(Refusal::bad_nonce, nonce.counter, expected);

    // The node's lane has a place of its own.
    if (nonce.lane == protocol::kNodeLane) return {};
    std::size_t others = 0;
    for (const protocol::Lane& lane : signer.lanes) {
        if (lane.lane == nonce.lane) return {};
        others += lane.lane != protocol::kNodeLane;
    }
    if (others >= protocol::kLanesMax) {
        return refuse(Refusal::too_many_lanes, others, protocol::kLanesMax);
    }
    return {};
}

std::uint32_t cycle_at(const Params& params, Pulse pulse) {
    return static_cast<std::uint32_t>(pulse.value() / params.cycle_pulses);
}

Verdict check_cycle_limit(const MemberRecord& signer, const Params& params, Pulse pulse) {
    const std::uint32_t limit = params.member_transactions_per_cycle;
    if (signer.cycle != cycle_at(params, pulse) || signer.cycle_transactions < limit) return {};
    return refuse(Refusal::too_many_this_cycle, signer.cycle_transactions, limit);
}

Verdict check_pulse_limit(const State& state, const Id& signer) {
    const std::uint32_t count = state.signed_this_pulse(signer);
    const std::uint32_t limit = state.bookkeeping().params.member_transactions_per_pulse;
    if (count >= limit) return refuse(Refusal::too_many_this_pulse, count, limit);
    return {};
}

// ---- What every transaction does ---------------------------------------------------------------

void use_nonce(MemberRecord& signer, const protocol::Nonce& nonce) {
    const auto at = std::ranges::lower_bound(signer.lanes, nonce.lane, {}, &protocol::Lane::lane);
    if (at != signer.lanes.end() && at->lane == nonce.lane) {
        at->next = nonce.counter + 1;
    } else {
        signer.lanes.insert(at, {nonce.lane, nonce.counter + 1});
    }
}

void count_transaction(MemberRecord& signer, std::uint32_t cycle) {
    if (signer.cycle != cycle) {
        signer.cycle = cycle;
        signer.cycle_transactions = 0;
    }
    ++signer.cycle_transactions;
}

// ---- Signatures --------------------------------------------------------------------------------

// Whose key must have made the counterparty's signature, and over which bytes.
struct CounterpartyHalf {
    const State& state;
    const Bytes& message;  // of the whole transaction
    using Half = Result<std::optional<std::pair<PublicKey, Bytes>>, Refused>;

    Half of_member(const Id& id, Refusal unknown, Bytes signed_bytes) const {
        const MemberRecord* member = state.member(id);
        if (member == nullptr) return refuse(unknown);
        return std::pair(member->key, std::move(signed_bytes));
    }
    Half operator()(const protocol::Transfer& transfer) const {
        return of_member(transfer.request.payee, Refusal::payee_not_member,
                         signing_message(state.organization().chain, transfer.request));
    }
    Half operator()(const protocol::Join& join) const {
        return std::pair(join.application.applicant,
                         signing_message(state.organization().chain, join.application));
    }
    Half operator()(const protocol::Earn& earned) const {
        return std::pair(earned.application.applicant,
                         signing_message(state.organization().chain, earned.application));
    }
    Half operator()(const protocol::Leave& leave) const {
        return of_member(leave.member, Refusal::counterparty_unknown, message);
    }
    Half operator()(const protocol::SetRole& change) const {
        return of_member(change.member, Refusal::counterparty_unknown, message);
    }
    Half operator()(const auto&) const { return std::nullopt; }
};

}  // namespace

Result<Transaction, Refused> read_transaction(ByteView bytes) {
    // Before anything is allocated for it.
    if (bytes.size() > protocol::kRecoveryBytesMax) {
        return refuse(Refusal::too_large, bytes.size(), protocol::kRecoveryBytesMax);
    }
    auto transaction = bcs::decode<Transaction>(bytes);
    const bool is_large = bytes.size() > protocol::kTransactionBytesMax;
    // Few bytes more are what they are: too many, whatever they say.
    if (is_large && !(transaction && bytes.size() <= bytes_max(transaction->body.action))) {
        return refuse(Refusal::too_large, bytes.size(), protocol::kTransactionBytesMax);
    }
    if (!transaction) return refuse(Refusal::malformed);
    return *std::move(transaction);
}

Result<std::vector<SignatureCheck>, Refused> signature_checks(const State& state,
                                                              const Transaction& transaction) {
    const TransactionBody& body = transaction.body;
    TRY(check_form(transaction));
    TRY(check_signers_known(state, body));
    const Bytes message = signing_message(state.organization().chain, body);
    auto half = TRY(std::visit(CounterpartyHalf{state, message}, body.action));

    std::vector<SignatureCheck> checks;
    checks.reserve(transaction.signatures.size());
    const auto expect = [&](const PublicKey& key, Bytes signed_bytes) {
        checks.push_back({key, std::move(signed_bytes), transaction.signatures[checks.size()]});
    };
    if (half) expect(half->first, std::move(half->second));
    const MemberRecord& signer = *state.member(body.signer);
    TRY(check_candidacy(signer, body));
    expect(is_by_node(body) ? *node_key_for(signer, body) : signer.key, message);
    for (const Id& cosigner : body.cosigners) expect(state.member(cosigner)->key, message);
    if (const auto* delegation = delegation_of(body)) {
        checks.push_back({signer.key,
                          signing_message(state.organization().chain, delegation->delegation),
                          delegation->signature});
    }
    return checks;
}

Result<void, Refused> check(const State& state, const Place& place, const Transaction& transaction,
                            PulseLimit limit) {
    const Case in{transaction.body, place};
    const Params& params = state.bookkeeping().params;
    TRY(check_form(transaction));
    TRY(check_time(in, params.expiry_pulses_max));
    TRY(check_delegation(state, in));
    TRY(check_signers_known(state, in.body));
    TRY(check_supervisors(state, in.body));
    TRY(check_parties(state, in.body.action));

    const MemberRecord& signer = *state.member(in.body.signer);
    TRY(check_candidacy(signer, in.body));
    TRY(check_lane(in.body));
    TRY(check_nonce(signer, in.body.nonce));
    if (!is_by_node(in.body)) {
        TRY(check_cycle_limit(signer, params, place.pulse));
        if (limit == PulseLimit::enforce) TRY(check_pulse_limit(state, in.body.signer));
    }
    return std::visit([&](const auto& kind) { return rules::check_substance(state, in, kind); },
                      in.body.action);
}

void apply(State& state, const Place& place, const Transaction& transaction, const Hash& id) {
    const Case in{transaction.body, place};
    MemberRecord& signer = rules::touch(state, in.body.signer, id);
    use_nonce(signer, in.body.nonce);
    // A node's acts are few by their own rules, and their owner shall not lack them.
    if (!is_by_node(in.body)) {
        count_transaction(signer, cycle_at(state.bookkeeping().params, place.pulse));
        state.count_signed(in.body.signer);
    }
    std::visit([&](const auto& kind) { rules::apply(state, in, id, kind); }, in.body.action);
}

void apply(State& state, const Place& place, const Transaction& transaction) {
    apply(state, place, transaction,
          protocol::transaction_id(state.organization().chain, transaction.body));
}

}  // namespace leither::ledger
