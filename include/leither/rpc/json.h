// Our types as JSON (docs/rpc.md): ids, keys and hashes lower-case hex; amounts decimal strings of
// smallest units; sequences, pulses and counters numbers. Fields keep the order they are written
// in.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "leither/base/synopsis.h"
#include "leither/node/finality.h"
#include "leither/protocol/block.h"
#include "leither/protocol/record.h"
#include "leither/protocol/refusal.h"

namespace leither::rpc {

using Json = nlohmann::ordered_json;

std::string amount_text(Amount amount);
// What a vote is about, as its record has it.
Json subject_json(const protocol::Subject& subject);
Json to_json(const Synopsis& synopsis);
Json to_json(const protocol::Refused& refused);
Json to_json(const node::Finality& finality);
Json to_json(const protocol::Params& params);
// {"kind": "member" | "treasury" | "bookkeeping", ...fields, "sum": amount}
Json to_json(const protocol::Record& record);

// Compact text. Bytes that are not UTF-8 are replaced, so this never throws.
std::string to_text(const Json& json);

}  // namespace leither::rpc
