#include "args.h"

#include <algorithm>

#include <fmt/format.h>

namespace leither::rpc {
namespace {

std::string quoted_names(std::span<const ParamInfo> params) {
    std::string out;
    for (const auto& param : params) {
        if (!out.empty()) out += ", ";
        out += fmt::format("\"{}\"", param.name);
    }
    return out.empty() ? "none" : out;
}

std::string expectation(const ParamInfo& param) {
    switch (param.type) {
        case ParamType::id: return "a string of 40 hex digits";
        case ParamType::hash: return "a string of 64 hex digits";
        case ParamType::number:
            if (param.max == UINT64_MAX) return "an integer, 0 or more";
            return fmt::format("an integer from 0 to {}", param.max);
        case ParamType::text: return fmt::format("one of \"{}\"", fmt::join(param.words, "\", \""));
        case ParamType::bytes: return "a string of hex digits, two a byte";
        case ParamType::bytes_list:
            return fmt::format("an array of at most {} strings of hex digits", param.max);
        case ParamType::endpoint: return "an address and port, as \"192.0.2.1:7400\"";
        case ParamType::string: return fmt::format("a string of 1 to {} bytes", param.max);
        case ParamType::objects:
            return fmt::format("an array of at most {} objects of texts and numbers", param.max);
    }
    UNREACHABLE();
}

std::string ill_typed(const ParamInfo& param) {
    return fmt::format("\"{}\" must be {}: {}", param.name, expectation(param), param.doc);
}

template <class T>
std::optional<T> parse_fixed(const JsonValue& value) {
    const auto text = value.plain_text();
    return text ? T::parse(*text) : std::nullopt;
}

std::optional<std::uint64_t> parse_number(const JsonValue& value, std::uint64_t max) {
    const auto number = value.integer();
    return number && *number <= max ? number : std::nullopt;
}

std::optional<std::string_view> parse_word(const JsonValue& value,
                                           std::span<const std::string_view> words) {
    const auto text = value.plain_text();
    const auto found = text ? std::find(words.begin(), words.end(), *text) : words.end();
    return found == words.end() ? std::nullopt : std::optional(*found);
}

std::optional<Bytes> parse_bytes(const JsonValue& value) {
    const auto text = value.plain_text();
    return text ? from_hex(*text) : std::nullopt;
}

std::optional<std::string> parse_string(const JsonValue& value, std::uint64_t max) {
    if (!value.is(JsonKind::string)) return std::nullopt;
    auto text = value.text();
    return text.empty() || text.size() > max ? std::nullopt : std::optional(std::move(text));
}

std::optional<JsonValue> parse_objects(const JsonValue& value, std::uint64_t max) {
    if (!value.is(JsonKind::array) || value.size() > max) return std::nullopt;
    bool are_flat = true;
    value.each_element([&are_flat](const JsonValue& one) {
        are_flat = are_flat && one.is(JsonKind::object);
        if (!are_flat) return;
        one.each_field([&are_flat](const JsonValue&, const JsonValue& field) {
            are_flat = are_flat && (field.is(JsonKind::string) || field.integer().has_value());
        });
    });
    return are_flat ? std::optional(value) : std::nullopt;
}

std::optional<Endpoint> parse_endpoint(const JsonValue& value) {
    const auto text = value.plain_text();
    const auto endpoint = text ? Endpoint::parse(*text) : std::nullopt;
    return endpoint && endpoint->port != 0 ? endpoint : std::nullopt;
}

}  // namespace

Result<Args::Value, std::string> Args::convert(const ParamInfo& param, const JsonValue& value) {
    const auto converted = [&param](auto&& parsed) -> Result<Value, std::string> {
        if (!parsed) return fail(ill_typed(param));
        return Value(std::move(*parsed));
    };
    switch (param.type) {
        case ParamType::id: return converted(parse_fixed<Id>(value));
        case ParamType::hash: return converted(parse_fixed<Hash>(value));
        case ParamType::number: return converted(parse_number(value, param.max));
        case ParamType::text: return converted(parse_word(value, param.words));
        case ParamType::bytes: return converted(parse_bytes(value));
        case ParamType::endpoint: return converted(parse_endpoint(value));
        case ParamType::string: return converted(parse_string(value, param.max));
        case ParamType::objects: return converted(parse_objects(value, param.max));
        case ParamType::bytes_list: break;
    }
    if (!value.is(JsonKind::array) || value.size() > param.max) return fail(ill_typed(param));
    std::vector<Bytes> list;
    list.reserve(value.size());
    std::optional<std::size_t> bad;
    value.each_element([&](const JsonValue& element) {
        auto bytes = parse_bytes(element);
        if (!bytes && !bad) bad = list.size();
        list.push_back(std::move(bytes).value_or(Bytes{}));
    });
    if (bad) return fail(fmt::format("element {} of {}", *bad, ill_typed(param)));
    return Value(std::move(list));
}

Result<Args, std::string> Args::read(const MethodInfo& method,
                                     const std::optional<JsonValue>& params) {
    Args args(method.params);
    std::string error;
    const auto take = [&](const JsonValue& key, const JsonValue& value) {
        const std::string name = key.text();
        const auto at = args.position(name);
        if (at == method.params.size()) {
            error = fmt::format("unknown field \"{}\"; {} takes: {}", name, method.name,
                                quoted_names(method.params));
            return;
        }
        auto converted = convert(method.params[at], value);
        if (!converted) {
            error = std::move(converted).error();
        } else {
            args.values_[at] = std::move(*converted);
        }
    };
    const bool none = !params || (params->is(JsonKind::array) && params->size() == 0);
    if (!none && !params->is(JsonKind::object)) {
        return fail(fmt::format("\"params\" must be an object with named fields; {} takes: {}",
                                method.name, quoted_names(method.params)));
    }
    if (!none) {
        params->each_field([&](const JsonValue& key, const JsonValue& value) {
            if (error.empty()) take(key, value);
        });
    }
    if (!error.empty()) return fail(std::move(error));
    for (const auto& param : method.params) {
        if (param.presence == Presence::required && !args.has(param.name)) {
            return fail(fmt::format("missing field \"{}\": send {}, {}", param.name,
                                    expectation(param), param.doc));
        }
    }
    return args;
}

namespace {

Json json_of(std::monostate) {
    return nullptr;
}
template <class Tag, std::size_t N>
Json json_of(const FixedBytes<Tag, N>& bytes) {
    return bytes.hex();
}
Json json_of(std::uint64_t number) {
    return number;
}
Json json_of(std::string_view word) {
    return word;
}
Json json_of(const std::string& text) {
    return text;
}
Json json_of(const Bytes& bytes) {
    return to_hex(bytes);
}
Json json_of(const std::vector<Bytes>& list) {
    Json out = Json::array();
    for (const Bytes& bytes : list) out.push_back(to_hex(bytes));
    return out;
}
Json json_of(const Endpoint& endpoint) {
    return endpoint.text();
}
// REQUIRES: as parse_objects takes it.
Json json_of(const JsonValue& array) {
    Json out = Json::array();
    array.each_element([&out](const JsonValue& object) {
        Json fields = Json::object();
        object.each_field([&fields](const JsonValue& key, const JsonValue& value) {
            if (value.is(JsonKind::string)) {
                fields[key.text()] = value.text();
            } else {
                fields[key.text()] = value.integer().value();
            }
        });
        out.push_back(std::move(fields));
    });
    return out;
}

}  // namespace

Json Args::to_json() const {
    Json out = Json::object();
    for (std::size_t at = 0; at < params_.size(); ++at) {
        if (values_[at].index() == 0) continue;
        out[std::string(params_[at].name)] =
            std::visit([](const auto& held) { return json_of(held); }, values_[at]);
    }
    return out;
}

std::size_t Args::position(std::string_view name) const {
    const auto found = std::find_if(params_.begin(), params_.end(),
                                    [name](const ParamInfo& param) { return param.name == name; });
    return static_cast<std::size_t>(found - params_.begin());
}

}  // namespace leither::rpc
