// A strict JSON reader (RFC 8259) for what clients send: one pass, no copies, no recursion.
//
// Requests are hostile until read, and a transaction.submit_many is 2 MB of hex: so this reader
// checks everything, allocates one flat list of values that are views into the text, and leaves
// conversion to who knows the expected type. What we write ourselves goes through nlohmann::json.
//
// Stricter than RFC 8259 where it leaves room: no duplicate keys, no unpaired surrogates, UTF-8
// only, nesting, fields and values bounded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leither/base/result.h"

namespace leither::rpc {

enum class JsonKind : std::uint8_t { null, boolean, number, string, array, object };

struct JsonError {
    std::size_t offset = 0;  // into the text
    const char* what = "";
};

// One value or key. Values lie in document order: a container is followed by its content.
struct JsonItem {
    JsonKind kind = JsonKind::null;
    bool escaped = false;      // a string with backslashes
    std::uint32_t count = 0;   // elements, or fields
    std::uint32_t behind = 0;  // index of the first item after this one and its content
    std::string_view raw;      // as written; a string without its quotes
};

class JsonValue {
 public:
    JsonValue(const std::vector<JsonItem>& items, std::uint32_t index)
        : items_(&items), index_(index) {}

    JsonKind kind() const { return item().kind; }
    bool is(JsonKind kind) const { return item().kind == kind; }
    std::string_view raw() const { return item().raw; }
    std::size_t size() const { return item().count; }

    // The characters of a string. REQUIRES: kind is string.
    std::string text() const;
    // The same without a copy; nothing if the string was written with escapes.
    std::optional<std::string_view> plain_text() const;
    // A number written as a non-negative integer without fraction or exponent.
    std::optional<std::uint64_t> integer() const;

    // The field's value. REQUIRES: kind is object.
    std::optional<JsonValue> field(std::string_view key) const;
    // Calls visit(JsonValue key, JsonValue value). REQUIRES: kind is object.
    template <class Visit>
    void each_field(Visit&& visit) const {
        for (std::uint32_t at = index_ + 1; at < item().behind; at = behind(at + 1)) {
            visit(JsonValue(*items_, at), JsonValue(*items_, at + 1));
        }
    }
    // Calls visit(JsonValue). REQUIRES: kind is array.
    template <class Visit>
    void each_element(Visit&& visit) const {
        for (std::uint32_t at = index_ + 1; at < item().behind; at = behind(at)) {
            visit(JsonValue(*items_, at));
        }
    }

 private:
    const JsonItem& item() const { return (*items_)[index_]; }
    std::uint32_t behind(std::uint32_t at) const { return (*items_)[at].behind; }

    const std::vector<JsonItem>* items_;
    std::uint32_t index_;
};

class JsonText {
 public:
    static constexpr std::size_t kDepthMax = 64;
    static constexpr std::size_t kFieldsMax = 64;  // of one object
    static constexpr std::size_t kValuesMax = 1 << 18;

    // `text` outlives the result.
    static Result<JsonText, JsonError> parse(std::string_view text);
    JsonValue root() const { return JsonValue(items_, 0); }

 private:
    std::vector<JsonItem> items_;
};

}  // namespace leither::rpc
