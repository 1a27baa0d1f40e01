// Bencode (BEP 3), strictly: the encoding of the DHT's messages.
//
// A value has exactly one encoding and `decode` refuses every other, as BCS does: dictionary keys
// out of order or twice, leading zeros and -0 are errors. Integers are 64 bits, signed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "leither/base/bytes.h"
#include "leither/base/result.h"

namespace leither::bencode {

enum class DecodeError : std::uint8_t {
    truncated,      // the input ends inside a value
    trailing,       // bytes are left after the value
    bad_syntax,     // not bencode
    not_canonical,  // a second encoding: leading zero, -0, keys unsorted or repeated
    out_of_range,   // an integer or a length beyond 64 bits
    too_deep,       // lists and dictionaries nested deeper than the limit
    too_long,       // more input than the limit
};
const char* to_string(DecodeError error);

struct Limits {
    // A value takes up to 60 times its input in memory (a list of empty strings), so this bounds
    // both.
    std::size_t input_bytes_max = std::size_t{64} << 10;
    // Decoding and freeing recurse this deep, 32 at most. A scalar alone has depth 0.
    unsigned depth_max = 16;
};

class Value;
using List = std::vector<Value>;

// Sorted by key, each key once.
class Dict {
 public:
    using Entry = std::pair<std::string, Value>;

    // Null if absent. The pointer lives until the dictionary changes.
    const Value* find(std::string_view key) const;
    // Replaces the value of a key already there.
    void set(std::string key, Value value);
    const std::vector<Entry>& entries() const { return entries_; }

 private:
    std::vector<Entry> entries_;
};

class Value {
 public:
    Value(std::int64_t integer) : held_(integer) {}
    Value(std::string bytes) : held_(std::move(bytes)) {}
    Value(List list) : held_(std::move(list)) {}
    Value(Dict dict) : held_(std::move(dict)) {}

    // Null if the value is of another kind.
    const std::int64_t* integer() const { return std::get_if<std::int64_t>(&held_); }
    const std::string* bytes() const { return std::get_if<std::string>(&held_); }
    const List* list() const { return std::get_if<List>(&held_); }
    const Dict* dict() const { return std::get_if<Dict>(&held_); }

 private:
    std::variant<std::int64_t, std::string, List, Dict> held_;
};

std::string encode(const Value& value);

// The value whose encoding is exactly `input`.
Result<Value, DecodeError> decode(std::string_view input, const Limits& limits = {});

}  // namespace leither::bencode
