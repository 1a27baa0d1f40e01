// One call on its way: what a handler is given and what it gives back.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "leither/rpc/dispatcher.h"
#include "leither/rpc/json.h"
#include "leither/rpc/places.h"
#include "leither/rpc/wallet_port.h"

#include "args.h"
#include "subscriptions.h"

namespace leither::rpc {

// JSON-RPC's own codes, and ours (docs/rpc.md).
enum class ErrorCode : int {
    parse_error = -32700,
    invalid_request = -32600,
    unknown_method = -32601,
    invalid_params = -32602,
    internal = -32603,
    refusal = 1,
    no_organization = 2,
    no_version = 3,
    not_found = 4,
    fault = 5,
    founding = 6,
    busy = 7,
    network = 8,
    wallet = 9,
    // 10: the local API's, that a session has ended
    place = 11,
};

struct CallError {
    ErrorCode code = ErrorCode::internal;
    std::string message;
    Json data;  // null: none
};
// With {"name": name} as data.
CallError named_error(ErrorCode code, std::string_view name, std::string message);
CallError refusal_error(const protocol::Refused& refused);
CallError founding_error(const node::FoundReply& reply);
CallError query_error(node::QueryError error);
CallError network_error(const node::NetworkFailure& failure);

// Whether an error is worth an operator's eye, for the metrics.
CallOutcome outcome_of(ErrorCode code);

// The node will reply under the call's token; how that reply becomes a result.
enum class Deferred : std::uint8_t {
    founding,
    one_transaction,
    many_transactions,
    network,
    wallet
};

// A question to the DHT, which says how its outcome becomes a result.
struct DhtQuestion {
    enum class Kind : std::uint8_t { get, put, lookup, announce, peers };
    Kind kind = Kind::lookup;
    Id target;
};

using Outcome = std::variant<Json, CallError, Deferred, DhtQuestion>;

struct Call {
    Args args;
    Host& host;
    Subscriptions& subscriptions;
    std::optional<ConnectionId> connection;
    node::Token token = 0;  // for inputs to the node
    std::string_view method;
    WalletPort* wallet = nullptr;  // null: the program holds none
    Front* front = nullptr;
    Places* places = nullptr;     // null: the program serves one organization
    std::string_view place = {};  // this dispatcher's among them
};
using Handler = Outcome (*)(Call& call);

enum class Timing : std::uint8_t { at_once, deferred };
// `program`: also answered where no node runs.
enum class Needs : std::uint8_t { node, program };

struct Method {
    MethodInfo info;
    Handler handler = nullptr;
    Timing timing = Timing::at_once;  // deferred: may give a Deferred
    Needs needs = Needs::node;
};
// Null if there is no such method.
const Method* find_method(std::string_view name);

}  // namespace leither::rpc
