#include "leither/codec/bencode_cursor.h"

#include <limits>

#include "leither/base/check.h"

namespace leither::bencode {

namespace {

constexpr auto kUint64Max = std::numeric_limits<std::uint64_t>::max();
constexpr auto kInt64Max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

}  // namespace

Cursor::Cursor(std::string_view input, unsigned depth_max) : in_(input), depth_max_(depth_max) {
    CHECK(depth_max <= kDepthMax);
}

Cursor::Kind Cursor::peek() const {
    if (in_.empty()) return Kind::none;
    const char next = in_.front();
    if (is_digit(next)) return Kind::bytes;
    switch (next) {
        case 'i': return Kind::integer;
        case 'l': return Kind::list;
        case 'd': return Kind::dict;
        case 'e': return depth_ > 0 ? Kind::end : Kind::none;
        default: return Kind::none;
    }
}

void Cursor::fail(DecodeError error) {
    if (!error_) error_ = error;
    if (error == DecodeError::not_canonical || error == DecodeError::out_of_range) return;
    broken_ = true;
    in_ = {};
}

bool Cursor::take(char wanted) {
    if (in_.empty() || in_.front() != wanted) return false;
    in_.remove_prefix(1);
    return true;
}

std::optional<std::uint64_t> Cursor::number(char end) {
    std::uint64_t value = 0;
    bool fits = true;
    std::size_t length = 0;
    for (; length < in_.size() && is_digit(in_[length]); ++length) {
        const auto digit = static_cast<std::uint64_t>(in_[length] - '0');
        fits = fits && value <= (kUint64Max - digit) / 10;
        if (fits) value = value * 10 + digit;
    }
    const bool leading_zero = length > 1 && in_.front() == '0';
    if (length == in_.size()) {
        fail(DecodeError::truncated);
    } else if (length == 0 || in_[length] != end) {
        fail(DecodeError::bad_syntax);
    } else {
        in_.remove_prefix(length + 1);
        if (leading_zero) fail(DecodeError::not_canonical);
    }
    return fits ? std::optional(value) : std::nullopt;
}

std::int64_t Cursor::integer() {
    if (!take('i')) fail(in_.empty() ? DecodeError::truncated : DecodeError::bad_syntax);
    const bool negative = take('-');
    const auto magnitude = number('e');
    if (broken_) return 0;
    if (!magnitude || *magnitude > kInt64Max + (negative ? 1 : 0)) {
        fail(DecodeError::out_of_range);
        return 0;
    }
    if (negative && *magnitude == 0) fail(DecodeError::not_canonical);
    return static_cast<std::int64_t>(negative ? 0 - *magnitude : *magnitude);
}

std::string_view Cursor::bytes() {
    const auto length = number(':');
    if (broken_) return {};
    if (!length) {
        fail(DecodeError::out_of_range);
        fail(DecodeError::truncated);
        return {};
    }
    if (*length > in_.size()) {
        fail(DecodeError::truncated);
        return {};
    }
    const std::string_view taken = in_.substr(0, *length);
    in_.remove_prefix(taken.size());
    return taken;
}

void Cursor::enter() {
    const bool is_dict = take('d');
    if (!is_dict && !take('l')) {
        fail(in_.empty() ? DecodeError::truncated : DecodeError::bad_syntax);
    } else if (depth_ == depth_max_) {
        fail(DecodeError::too_deep);
    } else {
        levels_[depth_++] = Level{is_dict, {}};
    }
}

bool Cursor::more() {
    if (broken_) return false;
    if (in_.empty()) fail(DecodeError::truncated);
    if (broken_ || depth_ == 0) return false;
    if (!take('e')) return true;
    --depth_;
    return false;
}

std::string_view Cursor::key() {
    const std::string_view taken = bytes();
    if (broken_ || depth_ == 0) return taken;
    std::string_view& last = levels_[depth_ - 1].last_key;
    if (last.data() != nullptr && taken <= last) fail(DecodeError::not_canonical);
    last = taken;
    return taken;
}

std::string_view Cursor::raw() {
    const std::string_view before = in_;
    const unsigned outside = depth_;
    do {
        if (depth_ > outside) {
            if (!more()) continue;
            if (levels_[depth_ - 1].is_dict) key();
        }
        switch (peek()) {
            case Kind::integer: integer(); break;
            case Kind::list:
            case Kind::dict: enter(); break;
            case Kind::bytes:
            case Kind::end:
            case Kind::none: bytes(); break;
        }
    } while (!broken_ && depth_ > outside);
    return broken_ ? std::string_view{} : before.substr(0, before.size() - in_.size());
}

bool is_canonical(std::string_view input, unsigned depth_max) {
    Cursor cursor(input, depth_max);
    cursor.raw();
    return cursor.ok() && cursor.at_end();
}

}  // namespace leither::bencode
