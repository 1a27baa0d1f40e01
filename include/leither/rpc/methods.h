// The one table of methods: dispatch, parameter checks and `rpc.discover` all come from it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace leither::rpc {

enum class ParamType : std::uint8_t {
    id,          // 40 hex digits
    hash,        // 64 hex digits
    number,      // 0 .. max
    text,        // one of the words in `words`
    bytes,       // hex
    bytes_list,  // array of hex, at most max of them
    endpoint,    // "192.0.2.1:7400", "[2001:db8::1]:7400"
    string,      // UTF-8, 1 .. max bytes
    objects,     // array of at most max objects of strings and numbers; the method checks them
};
enum class Presence : std::uint8_t { required, optional };

struct ParamInfo {
    std::string_view name;
    ParamType type = ParamType::id;
    Presence presence = Presence::required;
    std::string_view doc;
    std::uint64_t max = UINT64_MAX;                // of a number or of a list's length
    std::span<const std::string_view> words = {};  // of a text
};

struct MethodInfo {
    std::string_view name;
    std::string_view doc;
    std::span<const ParamInfo> params;
};

// Every method, in the order of docs/rpc.md.
std::span<const MethodInfo> methods();

}  // namespace leither::rpc
