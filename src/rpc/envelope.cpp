#include "envelope.h"

#include <fmt/format.h>

namespace leither::rpc {
namespace {

constexpr std::size_t kIdBytesMax = 256;

bool is_request_field(std::string_view key) {
    return key == "jsonrpc" || key == "method" || key == "params" || key == "id";
}

// The id as JSON text; nothing if it is none that JSON-RPC allows.
std::optional<std::string> id_text(const JsonValue& id) {
    if (id.raw().size() > kIdBytesMax) return std::nullopt;
    switch (id.kind()) {
        case JsonKind::string: return fmt::format("\"{}\"", id.raw());
        case JsonKind::number:
        case JsonKind::null: return std::string(id.raw());
        case JsonKind::boolean:
        case JsonKind::array:
        case JsonKind::object: return std::nullopt;
    }
    UNREACHABLE();
}

bool is_text(const std::optional<JsonValue>& value, std::string_view expected) {
    return value && value->is(JsonKind::string) && value->text() == expected;
}

}  // namespace

Result<RequestObject, BadRequest> read_request(const JsonValue& value) {
    std::string id = "null";
    const auto bad = [&id](std::string message) {
        return fail(BadRequest{id, {ErrorCode::invalid_request, std::move(message), nullptr}});
    };
    if (!value.is(JsonKind::object)) return bad("a request is an object");
    const auto sent_id = value.field("id");
    if (sent_id) {
        auto text = id_text(*sent_id);
        if (!text) return bad("\"id\" must be a string, a number or null, at most 256 bytes");
        id = std::move(*text);
    }
    std::string unknown;
    value.each_field([&unknown](const JsonValue& key, const JsonValue&) {
        if (std::string name = key.text(); !is_request_field(name)) unknown = std::move(name);
    });
    if (!unknown.empty()) return bad(fmt::format("unknown field \"{}\" in the request", unknown));
    if (!is_text(value.field("jsonrpc"), "2.0")) return bad("\"jsonrpc\" must be \"2.0\"");
    const auto method = value.field("method");
    if (!method || !method->is(JsonKind::string)) return bad("\"method\" must be a string");
    return RequestObject{sent_id ? id : std::string(), method->text(), value.field("params")};
}

std::string result_text(std::string_view id, std::string_view result) {
    std::string out;
    out.reserve(id.size() + result.size() + 40);
    out += R"({"jsonrpc":"2.0","result":)";
    out += result;
    out += R"(,"id":)";
    out += id;
    out += '}';
    return out;
}

std::string error_text(std::string_view id, const CallError& error) {
    Json object = {{"code", static_cast<int>(error.code)}, {"message", error.message}};
    if (!error.data.is_null()) object["data"] = error.data;
    return fmt::format(R"({{"jsonrpc":"2.0","error":{},"id":{}}})", to_text(object), id);
}

std::string verdicts_text(const std::vector<node::Verdict>& verdicts) {
    constexpr std::size_t kAdmittedBytes = 2 * Hash::kSize + 10;
    std::string out;
    out.reserve(2 + verdicts.size() * kAdmittedBytes);
    out += '[';
    for (const auto& verdict : verdicts) {
        if (out.size() > 1) out += ',';
        if (verdict) {
            out += R"({"id":")";
            out += verdict->hex();
            out += "\"}";
        } else {
            out += to_text(Json{{"error", to_json(verdict.error())}});
        }
    }
    out += ']';
    return out;
}

}  // namespace leither::rpc
