// The frame of JSON-RPC 2.0 around calls and replies.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "call.h"
#include "json_text.h"

namespace leither::rpc {

// One request object, its form checked.
struct RequestObject {
    std::string id;  // as the client wrote it; empty: a notification, which is never answered
    std::string method;
    std::optional<JsonValue> params;
};
struct BadRequest {
    std::string id;  // the client's if it could be read, else "null"
    CallError error;
};
Result<RequestObject, BadRequest> read_request(const JsonValue& value);

// `id` and `result` are JSON texts.
std::string result_text(std::string_view id, std::string_view result);
std::string error_text(std::string_view id, const CallError& error);
// The result of transaction.submit_many: [{"id"} or {"error"}], in order.
std::string verdicts_text(const std::vector<node::Verdict>& verdicts);

}  // namespace leither::rpc
