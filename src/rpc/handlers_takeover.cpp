// takeover.*
#include "leither/codec/bcs.h"

#include "handlers.h"

namespace leither::rpc {
namespace {

using TakeoverSeats = Bounded<protocol::Seat, protocol::kTinyCommitteeMax>;

Json act_json(const std::optional<protocol::Transaction>& act, const ChainId& chain) {
    if (!act) return nullptr;
    return {{"id", protocol::transaction_id(chain, act->body).hex()},
            {"kind", protocol::kind_name(act->body.action)},
            {"expiry", act->body.expiry.value()}};
}

}  // namespace

Outcome takeover_status(Call& call) {
    const auto answer = call.host.queries().takeover(call.host.now());
    if (!answer) return query_error(answer.error());
    const node::TakeoverStatus& status = *answer;
    const auto ledger = call.host.queries().status();
    if (!ledger) return query_error(ledger.error());
    Json next = Json::array();
    for (const protocol::Seat& seat : status.next) {
        next.push_back({{"member", seat.member.hex()}, {"node_key", seat.node_key.hex()}});
    }
    return Json{{"pulse", status.pulse.value()},
                {"cycle", status.last.cycle},
                {"sequence", status.last.sequence.value()},
                {"block", status.last.hash.hex()},
                {"block_pulse", status.last_pulse.value()},
                {"seats", status.seats},
                {"candidates", status.candidates},
                {"pledge", amount_text(status.pledge)},
                {"countersignatures", status.countersignatures},
                {"hand_over_from", status.hand_over_from.value()},
                {"recovery_from", status.recovery_from.value()},
                {"next", std::move(next)},
                {"row", status.row ? Json(*status.row) : Json(nullptr)},
                {"yielded", status.has_yielded},
                {"adopted", act_json(status.adopted, ledger->organization.chain)}};
}

Outcome takeover_sign(Call& call) {
    node::SignTakeover wish{call.token, {}};
    if (const auto bytes = call.args.find<Bytes>("seats")) {
        auto seats = bcs::decode<TakeoverSeats>(*bytes);
        if (!seats) {
            return CallError{ErrorCode::invalid_params,
                             "\"seats\" is no BCS list of at most three seats", nullptr};
        }
        wish.seats = *std::move(seats);
    }
    call.host.enqueue(std::move(wish));
    return Deferred::network;
}

Outcome takeover_submit(Call& call) {
    auto act = ledger::read_transaction(call.args.get<Bytes>("transaction"));
    if (!act) return refusal_error(act.error());
    call.host.enqueue(node::TakeOver{call.token, *std::move(act)});
    return Deferred::network;
}

}  // namespace leither::rpc
