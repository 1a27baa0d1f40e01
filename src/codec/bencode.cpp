#include "leither/codec/bencode.h"

#include <algorithm>
#include <charconv>

#include "leither/base/check.h"

namespace leither::bencode {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

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

class Decoder {
 public:
    Decoder(std::string_view input, unsigned depth_max) : in_(input), depth_left_(depth_max) {}

    Result<Value, DecodeError> value();
    bool at_end() const { return in_.empty(); }

 private:
    // Takes `wanted` if it comes next.
    Result<bool, DecodeError> take(char wanted);
    Result<void, DecodeError> expect(char wanted);
    // Digits in their shortest form, as they stand.
    Result<std::string_view, DecodeError> digits();
    Result<std::int64_t, DecodeError> integer();
    Result<std::string, DecodeError> bytes();
    Result<List, DecodeError> list();
    Result<Dict, DecodeError> dict();

    std::string_view in_;
    unsigned depth_left_;
};

Result<bool, DecodeError> Decoder::take(char wanted) {
    if (in_.empty()) return fail(DecodeError::truncated);
    if (in_.front() != wanted) return false;
    in_.remove_prefix(1);
    return true;
}

Result<void, DecodeError> Decoder::expect(char wanted) {
    if (!TRY(take(wanted))) return fail(DecodeError::bad_syntax);
    return {};
}

Result<std::string_view, DecodeError> Decoder::digits() {
    const auto end = std::find_if_not(in_.begin(), in_.end(), is_digit);
    const std::string_view taken = in_.substr(0, static_cast<std::size_t>(end - in_.begin()));
    in_.remove_prefix(taken.size());
    if (taken.empty()) return fail(in_.empty() ? DecodeError::truncated : DecodeError::bad_syntax);
    if (taken.size() > 1 && taken.front() == '0') return fail(DecodeError::not_canonical);
    return taken;
}

Result<std::int64_t, DecodeError> Decoder::integer() {
    const char* begin = in_.data();
    const bool negative = TRY(take('-'));
    const std::string_view number = TRY(digits());
    TRY(expect('e'));
    if (negative && number == "0") return fail(DecodeError::not_canonical);
    std::int64_t value = 0;
    const auto parsed = std::from_chars(begin, number.data() + number.size(), value);
    if (parsed.ec != std::errc{}) return fail(DecodeError::out_of_range);
    return value;
}

Result<std::string, DecodeError> Decoder::bytes() {
    const std::string_view number = TRY(digits());
    TRY(expect(':'));
    std::uint64_t length = 0;
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), length);
    if (parsed.ec != std::errc{}) return fail(DecodeError::out_of_range);
    if (length > in_.size()) return fail(DecodeError::truncated);
    std::string taken(in_.substr(0, length));
    in_.remove_prefix(length);
    return taken;
}

Result<List, DecodeError> Decoder::list() {
    List items;
    while (!TRY(take('e'))) items.push_back(TRY(value()));
    return items;
}

Result<Dict, DecodeError> Decoder::dict() {
    Dict dict;
    while (!TRY(take('e'))) {
        std::string key = TRY(bytes());
        const bool rises = dict.entries().empty() || dict.entries().back().first < key;
        if (!rises) return fail(DecodeError::not_canonical);
        dict.set(std::move(key), TRY(value()));
    }
    return dict;
}

Result<Value, DecodeError> Decoder::value() {
    if (TRY(take('i'))) return Value(TRY(integer()));
    const bool is_list = TRY(take('l'));
    const bool is_dict = !is_list && TRY(take('d'));
    if (!is_list && !is_dict) return Value(TRY(bytes()));
    if (depth_left_ == 0) return fail(DecodeError::too_deep);
    --depth_left_;
    Value nested = is_list ? Value(TRY(list())) : Value(TRY(dict()));
    ++depth_left_;
    return nested;
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
    Decoder decoder(input, limits.depth_max);
    Value value = TRY(decoder.value());
    if (!decoder.at_end()) return fail(DecodeError::trailing);
    return value;
}

}  // namespace leither::bencode
