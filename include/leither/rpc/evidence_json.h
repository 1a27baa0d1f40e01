// Who is guilty, as JSON: in the daemon's answers and in evidence files alike.
#pragma once

#include <vector>

#include "leither/ledger/evidence_record.h"
#include "leither/rpc/json.h"

namespace leither::rpc {

// [{seat, member, node_key, vote_key}]
Json to_json(const std::vector<ledger::Accused>& accused);

}  // namespace leither::rpc
