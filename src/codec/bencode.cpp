#include "leither/codec/bencode.h"

#include <algorithm>

#include "leither/base/check.h"
#include "leither/codec/bencode_cursor.h"

namespace leither::bencode {

namespace {

bool key_is_less(const Dict::Entry& entry, std::string_view key) {
    return entry.first < key;
}

void encode_bytes(std::string_view bytes, std::string& out) {
    out += std::to_string(bytes.size());
    out += ':';
    out += bytes;
}

// As deep as the value, which our own code or a Decoder with its limit has built.
void encode_to(const Value& value, std::string& out) {
    if (const auto* integer = value.integer()) {
        out += 'i' + std::to_string(*integer) + 'e';
    } else if (const auto* bytes = value.bytes()) {
        encode_bytes(*bytes, out);
    } else if (const auto* list = value.list()) {
        out += 'l';
        for (const Value& item : *list) encode_to(item, out);
        out += 'e';
    } else {
        out += 'd';
        for (const auto& [key, held] : value.dict()->entries()) {
            encode_bytes(key, out);
            encode_to(held, out);
        }
        out += 'e';
    }
}

// As deep as the cursor lets it. Once the cursor is broken, what comes back means nothing.
Value read_value(Cursor& in);

List read_list(Cursor& in) {
    List items;
    in.enter();
    while (in.more()) items.push_back(read_value(in));
    return items;
}

Dict read_dict(Cursor& in) {
    Dict dict;
    in.enter();
    while (in.more()) {
        std::string key(in.key());
        dict.set(std::move(key), read_value(in));
    }
    return dict;
}

Value read_value(Cursor& in) {
    switch (in.peek()) {
        case Cursor::Kind::integer: return Value(in.integer());
        case Cursor::Kind::list: return Value(read_list(in));
        case Cursor::Kind::dict: return Value(read_dict(in));
        case Cursor::Kind::bytes:
        case Cursor::Kind::end:
        case Cursor::Kind::none: return Value(std::string(in.bytes()));
    }
    UNREACHABLE();
}

}  // namespace

const char* to_string(DecodeError error) {
    switch (error) {
        case DecodeError::truncated: return "truncated";
        case DecodeError::trailing: return "trailing";
        case DecodeError::bad_syntax: return "bad_syntax";
        case DecodeError::not_canonical: return "not_canonical";
        case DecodeError::out_of_range: return "out_of_range";
        case DecodeError::too_deep: return "too_deep";
        case DecodeError::too_long: return "too_long";
    }
    UNREACHABLE();
}

const Value* Dict::find(std::string_view key) const {
    const auto at = std::lower_bound(entries_.begin(), entries_.end(), key, key_is_less);
    return at != entries_.end() && at->first == key ? &at->second : nullptr;
}

void Dict::set(std::string key, Value value) {
    const auto at = std::lower_bound(entries_.begin(), entries_.end(), key, key_is_less);
    if (at != entries_.end() && at->first == key) {
        at->second = std::move(value);
    } else {
        entries_.emplace(at, std::move(key), std::move(value));
    }
}

std::string encode(const Value& value) {
    std::string out;
    encode_to(value, out);
    return out;
}

Result<Value, DecodeError> decode(std::string_view input, const Limits& limits) {
    if (input.size() > limits.input_bytes_max) return fail(DecodeError::too_long);
    Cursor in(input, limits.depth_max);
    Value value = read_value(in);
    if (!in.ok()) return fail(*in.error());
    if (!in.at_end()) return fail(DecodeError::trailing);
    return value;
}

}  // namespace leither::bencode
