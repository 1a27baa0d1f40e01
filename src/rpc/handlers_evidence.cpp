// evidence.*: what this node has recorded against bookkeepers.
#include "leither/codec/bcs.h"
#include "leither/rpc/evidence_json.h"

#include "handlers.h"

namespace leither::rpc {

Json to_json(const std::vector<ledger::Accused>& accused) {
    Json out = Json::array();
    for (const auto& [seat, who] : accused) {
        out.push_back({{"seat", seat},
                       {"member", who.member.hex()},
                       {"node_key", who.node_key.hex()},
                       {"vote_key", who.vote_key.hex()}});
    }
    return out;
}

namespace {

Json item_json(const node::EvidenceItem& item) {
    Json out = {{"id", item.id.hex()},
                {"kind", ledger::to_string(item.name.kind)},
                {"cycle", item.name.cycle},
                {"height", item.name.height.value()},
                {"at_stake", item.at_stake ? Json(amount_text(*item.at_stake)) : Json(nullptr)}};
    if (item.name.kind != ledger::OffenceKind::fork) {
        out["round"] = item.name.round;
        out["seat"] = item.name.seat;
    }
    if (item.judgement) {
        out["guilty"] = to_json(item.judgement->guilty);
        out["answerable"] = to_json(item.judgement->answerable);
    } else {
        out["problem"] = ledger::to_string(item.judgement.error());
    }
    return out;
}

}  // namespace

Outcome evidence_list(Call& call) {
    const auto items = call.host.queries().evidence();
    if (!items) return query_error(items.error());
    Json out = Json::array();
    for (const auto& item : *items) out.push_back(item_json(item));
    return out;
}

Outcome evidence_get(Call& call) {
    const Hash id = call.args.get<Hash>("id");
    const auto record = call.host.queries().evidence(id);
    if (!record) return query_error(record.error());
    if (!*record) {
        return named_error(ErrorCode::not_found, "not_found",
                           "this node has no evidence under that id: see evidence.list");
    }
    return Json{{"id", id.hex()}, {"evidence", to_hex(bcs::encode(**record))}};
}

}  // namespace leither::rpc
