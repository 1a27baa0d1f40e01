#include "json_text.h"

#include <array>
#include <charconv>

#include "leither/base/check.h"
#include "leither/codec/bcs.h"

namespace leither::rpc {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::optional<unsigned> hex_unit(std::string_view four) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(four.data(), four.data() + four.size(), value, 16);
    if (four.size() != 4 || error != std::errc{} || end != four.data() + 4) return std::nullopt;
    return value;
}

bool is_high_surrogate(unsigned unit) {
    return unit >= 0xd800 && unit < 0xdc00;
}
bool is_low_surrogate(unsigned unit) {
    return unit >= 0xdc00 && unit < 0xe000;
}

void append_utf8(std::string& out, unsigned code) {
    const auto tail = [&out](unsigned bits) { out += static_cast<char>(0x80 | (bits & 0x3f)); };
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xc0 | (code >> 6));
        tail(code);
    } else if (code < 0x10000) {
        out += static_cast<char>(0xe0 | (code >> 12));
        tail(code >> 6);
        tail(code);
    } else {
        out += static_cast<char>(0xf0 | (code >> 18));
        tail(code >> 12);
        tail(code >> 6);
        tail(code);
    }
}

// What a one-letter escape stands for; nothing if there is no such escape.
std::optional<char> simple_escape(char letter) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const auto at = kLetters.find(letter);
    if (at == std::string_view::npos) return std::nullopt;
    return kMeanings[at];
}

// REQUIRES: `raw` was accepted by the parser.
std::string unescape(std::string_view raw) {
    std::string out;
    for (std::size_t at = 0; at < raw.size();) {
        if (raw[at] != '\\') {
            out += raw[at++];
        } else if (raw[at + 1] != 'u') {
            out += *simple_escape(raw[at + 1]);
            at += 2;
        } else {
            unsigned code = *hex_unit(raw.substr(at + 2, 4));
            at += 6;
            if (is_high_surrogate(code)) {
                code =
                    0x10000 + ((code - 0xd800) << 10) + (*hex_unit(raw.substr(at + 2, 4)) - 0xdc00);
                at += 6;
            }
            append_utf8(out, code);
        }
    }
    return out;
}

// Characters that stand for themselves in a string and need no further look.
constexpr std::array<bool, 256> kPlain = [] {
    std::array<bool, 256> plain{};
    for (unsigned c = 0x20; c < 0x80; ++c) plain[c] = c != '"' && c != '\\';
    return plain;
}();

class Parser {
 public:
    Parser(std::string_view in, std::vector<JsonItem>& items) : in_(in), items_(items) {}

    std::optional<JsonError> run() {
        skip_space();
        while (begin_value() && !complete_) {
        }
        return error_;
    }

 private:
    bool fail(const char* what) {
        if (!error_) error_ = JsonError{at_, what};
        return false;
    }
    char peek() const { return at_ < in_.size() ? in_[at_] : '\0'; }
    bool take(char c) {
        if (at_ >= in_.size() || in_[at_] != c) return false;
        ++at_;
        return true;
    }
    void skip_space() {
        while (at_ < in_.size() &&
               (in_[at_] == ' ' || in_[at_] == '\n' || in_[at_] == '\r' || in_[at_] == '\t')) {
            ++at_;
        }
    }

    bool add(JsonKind kind, std::string_view raw) {
        if (items_.size() >= JsonText::kValuesMax) return fail("too many values");
        const auto behind = static_cast<std::uint32_t>(items_.size() + 1);
        items_.push_back({.kind = kind, .behind = behind, .raw = raw});
        return true;
    }
    JsonItem& container() { return items_[open_[depth_ - 1]]; }

    // Reads a scalar, or enters a container up to where its first value is expected.
    bool begin_value() {
        switch (peek()) {
            case '{': return open(JsonKind::object, '}');
            case '[': return open(JsonKind::array, ']');
            case '"': return string() && end_value();
            case 't': return word("true", JsonKind::boolean) && end_value();
            case 'f': return word("false", JsonKind::boolean) && end_value();
            case 'n': return word("null", JsonKind::null) && end_value();
            default: return number() && end_value();
        }
    }

    bool open(JsonKind kind, char closing) {
        if (depth_ == JsonText::kDepthMax) return fail("nested deeper than 64");
        if (!add(kind, in_.substr(at_, 1))) return false;
        open_[depth_++] = static_cast<std::uint32_t>(items_.size() - 1);
        ++at_;
        skip_space();
        if (take(closing)) {
            close();
            return end_value();
        }
        return begin_member();
    }
    void close() {
        container().behind = static_cast<std::uint32_t>(items_.size());
        --depth_;
    }
    // Counts one more element or field, and reads the key of a field.
    bool begin_member() {
        ++container().count;
        return container().kind == JsonKind::array || key();
    }

    // After a value: goes on to where the next one is expected, leaving containers that end here.
    bool end_value() {
        for (;;) {
            skip_space();
            if (depth_ == 0) {
                complete_ = true;
                return at_ == in_.size() || fail("text behind the value");
            }
            if (take(',')) {
                skip_space();
                return begin_member();
            }
            if (!take(container().kind == JsonKind::array ? ']' : '}')) {
                return fail("expected ',' or the end of the array or object");
            }
            close();
        }
    }

    bool key() {
        if (peek() != '"') return fail("expected a key in double quotes");
        if (container().count > JsonText::kFieldsMax) return fail("too many fields in one object");
        if (!string()) return false;
        if (is_duplicate_key()) return fail("duplicate key");
        skip_space();
        if (!take(':')) return fail("expected ':'");
        skip_space();
        return true;
    }
    // Whether the key read last stands in its object already.
    bool is_duplicate_key() {
        const auto last = static_cast<std::uint32_t>(items_.size() - 1);
        const auto same = [this, last](std::uint32_t at) {
            if (!items_[at].escaped && !items_[last].escaped)
                return items_[at].raw == items_[last].raw;
            return JsonValue(items_, at).text() == JsonValue(items_, last).text();
        };
        for (auto at = open_[depth_ - 1] + 1; at < last; at = items_[at + 1].behind) {
            if (same(at)) return true;
        }
        return false;
    }

    bool string() {
        const std::size_t begin = ++at_;
        bool escaped = false;
        bool ascii = true;
        for (;;) {
            while (at_ < in_.size() && kPlain[static_cast<unsigned char>(in_[at_])]) ++at_;
            if (at_ >= in_.size()) return fail("the text ends within a string");
            const auto c = static_cast<unsigned char>(in_[at_]);
            if (c == '"') break;
            if (c < 0x20) return fail("control character in a string");
            if (c == '\\') {
                escaped = true;
                if (!escape()) return false;
            } else {
                ascii = false;
                ++at_;
            }
        }
        const std::string_view raw = in_.substr(begin, at_ - begin);
        if (!ascii && !bcs::is_utf8(as_bytes(raw))) return fail("not UTF-8");
        ++at_;
        if (!add(JsonKind::string, raw)) return false;
        items_.back().escaped = escaped;
        return true;
    }
    bool escape() {
        const char letter = at_ + 1 < in_.size() ? in_[at_ + 1] : '\0';
        if (letter != 'u') {
            if (!simple_escape(letter)) return fail("unknown escape");
            at_ += 2;
            return true;
        }
        const auto unit = take_unit();
        if (!unit) return fail("\\u needs four hex digits");
        if (is_low_surrogate(*unit)) return fail("unpaired surrogate");
        if (!is_high_surrogate(*unit)) return true;
        const auto low = take_unit();
        return (low && is_low_surrogate(*low)) || fail("unpaired surrogate");
    }
    // Reads "\uXXXX".
    std::optional<unsigned> take_unit() {
        if (in_.substr(at_, 2) != "\\u") return std::nullopt;
        const auto unit = hex_unit(in_.substr(at_ + 2, 4));
        if (unit) at_ += 6;
        return unit;
    }

    bool word(std::string_view expected, JsonKind kind) {
        if (in_.substr(at_, expected.size()) != expected) return fail("unknown word");
        at_ += expected.size();
        return add(kind, expected);
    }
    bool digits() {
        if (!is_digit(peek())) return fail("expected a value");
        while (is_digit(peek())) ++at_;
        return true;
    }
    bool number() {
        const std::size_t begin = at_;
        take('-');
        if (!take('0') && !digits()) return false;
        if (take('.') && !digits()) return false;
        if (take('e') || take('E')) {
            if (!take('+')) take('-');
            if (!digits()) return false;
        }
        return add(JsonKind::number, in_.substr(begin, at_ - begin));
    }

    std::string_view in_;
    std::vector<JsonItem>& items_;
    std::size_t at_ = 0;
    std::array<std::uint32_t, JsonText::kDepthMax> open_{};  // indexes of the open containers
    std::size_t depth_ = 0;
    bool complete_ = false;
    std::optional<JsonError> error_;
};

}  // namespace

std::string JsonValue::text() const {
    CHECK(is(JsonKind::string));
    return item().escaped ? unescape(raw()) : std::string(raw());
}

std::optional<std::string_view> JsonValue::plain_text() const {
    if (!is(JsonKind::string) || item().escaped) return std::nullopt;
    return raw();
}

std::optional<std::uint64_t> JsonValue::integer() const {
    if (!is(JsonKind::number)) return std::nullopt;
    std::uint64_t value = 0;
    const char* end = raw().data() + raw().size();
    const auto [stopped, error] = std::from_chars(raw().data(), end, value);
    if (error != std::errc{} || stopped != end) return std::nullopt;
    return value;
}

std::optional<JsonValue> JsonValue::field(std::string_view key) const {
    CHECK(is(JsonKind::object));
    std::optional<JsonValue> found;
    each_field([&](JsonValue name, JsonValue value) {
        const auto plain = name.plain_text();
        if (plain ? *plain == key : name.text() == key) found = value;
    });
    return found;
}

Result<JsonText, JsonError> JsonText::parse(std::string_view text) {
    JsonText parsed;
    if (auto error = Parser(text, parsed.items_).run()) return fail(*error);
    return parsed;
}

}  // namespace leither::rpc
