// Binary Canonical Serialization: the one encoding for hashing, signing, storage and peers.
// Specification: docs/protocol/encoding.md (after diem/bcs).
//
// A value has exactly one encoding and `decode` refuses every other: non-minimal lengths, bytes
// left over, enum values out of range, text that is not UTF-8, unsorted or repeated elements where
// a type declares an order. Lengths are checked against the type's maximum before anything is
// allocated.
//
// A struct takes part by naming its fields once, in order:
//
//     struct Transfer {
//         Id payer; Amount amount;
//         static void fields(auto& self, auto&& visit) { visit(self.payer, self.amount); }
//         bool is_canonical() const;   // optional: rules beyond the fields' own
//     };
//
// An enum takes part by `constexpr E last_of(E)` (its values are 0..last, contiguous).
#pragma once

#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "leither/base/amount.h"
#include "leither/base/bounded.h"
#include "leither/base/bytes.h"
#include "leither/base/fixed_bytes.h"
#include "leither/base/number.h"
#include "leither/base/result.h"

namespace leither::bcs {

enum class DecodeError : std::uint8_t {
    truncated,      // the input ends inside a value
    trailing,       // bytes are left after the value
    not_canonical,  // a second encoding of a value: long length, unsorted set, bad boolean
    too_long,       // a length above the type's maximum
    out_of_range,   // an enum, variant or amount outside its range
    bad_text,       // not UTF-8
};
const char* to_string(DecodeError error);

// Strict UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(ByteView bytes);

class Writer {
 public:
    void raw(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
    void byte(std::uint8_t value) { out_.push_back(value); }
    template <class U>
    void little_endian(U value) {
        for (std::size_t i = 0; i < sizeof(U); ++i)
            byte(static_cast<std::uint8_t>(value >> (8 * i)));
    }
    void length(std::size_t value) {
        for (; value >= 0x80; value >>= 7) byte(static_cast<std::uint8_t>(value | 0x80));
        byte(static_cast<std::uint8_t>(value));
    }
    void reserve(std::size_t bytes) { out_.reserve(bytes); }
    std::size_t size() const { return out_.size(); }
    Bytes take() { return std::move(out_); }
    ByteView view() const { return out_; }

 private:
    Bytes out_;
};

// Reads forward; the first error sticks and every later read yields zero.
class Reader {
 public:
    explicit Reader(ByteView in) : in_(in) {}

    ByteView raw(std::size_t count) {
        if (count > in_.size()) {
            fail(DecodeError::truncated);
            return {};
        }
        const ByteView taken = in_.first(count);
        in_ = in_.subspan(count);
        return taken;
    }
    std::uint8_t byte() {
        const ByteView one = raw(1);
        return one.empty() ? std::uint8_t{0} : one[0];
    }
    template <class U>
    U little_endian() {
        const ByteView bytes = raw(sizeof(U));
        U value = 0;
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            value = static_cast<U>(value | static_cast<U>(static_cast<U>(bytes[i]) << (8 * i)));
        }
        return value;
    }
    // A ULEB128 length of at most 32 bits, in its shortest form.
    std::size_t length();

    void fail(DecodeError error) {
        if (!error_) error_ = error;
        in_ = {};
    }
    bool ok() const { return !error_; }
    std::optional<DecodeError> error() const { return error_; }
    std::size_t left() const { return in_.size(); }

 private:
    ByteView in_;
    std::optional<DecodeError> error_;
};

namespace detail {

struct AnyVisitor {
    void operator()(auto&...) const {}
};
template <class T>
concept Struct = requires(T& value) {
    T::fields(value, AnyVisitor{});
};
template <class T>
concept Enum = std::is_enum_v<T> && requires(T value) {
    last_of(value);
};

template <class T>
inline constexpr bool is_fixed_bytes = false;
template <class Tag, std::size_t N>
inline constexpr bool is_fixed_bytes<FixedBytes<Tag, N>> = true;
template <class T>
inline constexpr bool is_number = false;
template <class Tag, class Rep>
inline constexpr bool is_number<Number<Tag, Rep>> = true;
template <class T>
inline constexpr bool is_bounded = false;
template <class T, std::size_t Max>
inline constexpr bool is_bounded<Bounded<T, Max>> = true;
template <class T>
inline constexpr bool is_text = false;
template <std::size_t Max>
inline constexpr bool is_text<BoundedText<Max>> = true;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_variant = false;
template <class... Ts>
inline constexpr bool is_variant<std::variant<Ts...>> = true;
template <class T>
inline constexpr bool always_false = false;

}  // namespace detail

template <class T>
void write(Writer& out, const T& value) {
    if constexpr (detail::Struct<const T>) {
        T::fields(value, [&out](const auto&... field) { (write(out, field), ...); });
    } else if constexpr (std::is_same_v<T, bool>) {
        out.byte(value ? 1 : 0);
    } else if constexpr (std::is_unsigned_v<T>) {
        out.little_endian(value);
    } else if constexpr (detail::Enum<T>) {
        out.length(static_cast<std::size_t>(value));
    } else if constexpr (std::is_same_v<T, Amount>) {
        out.little_endian(value.units());
    } else if constexpr (detail::is_number<T>) {
        out.little_endian(value.value());
    } else if constexpr (detail::is_fixed_bytes<T>) {
        out.raw(value.view());
    } else if constexpr (detail::is_text<T>) {
        CHECK(value.size() <= T::kMax);
        out.length(value.size());
        out.raw(as_bytes(value));
    } else if constexpr (detail::is_bounded<T>) {
        CHECK(value.size() <= T::kMax);
        out.length(value.size());
        if constexpr (std::is_same_v<typename T::value_type, std::uint8_t>) {
            out.raw(value);
        } else {
            for (const auto& item : value) write(out, item);
        }
    } else if constexpr (detail::is_optional<T>) {
        out.byte(value ? 1 : 0);
        if (value) write(out, *value);
    } else if constexpr (detail::is_variant<T>) {
        out.length(value.index());
        std::visit([&out](const auto& held) { write(out, held); }, value);
    } else {
        static_assert(detail::always_false<T>, "this type has no canonical encoding");
    }
}

template <class T>
T read(Reader& in);

namespace detail {

template <class Variant, std::size_t I = 0>
Variant read_alternative(Reader& in, std::size_t index) {
    if constexpr (I == std::variant_size_v<Variant>) {
        in.fail(DecodeError::out_of_range);
        return {};
    } else {
        if (index != I) return read_alternative<Variant, I + 1>(in, index);
        return Variant(std::in_place_index<I>, read<std::variant_alternative_t<I, Variant>>(in));
    }
}

template <class T>
T read_bounded(Reader& in) {
    T items;
    const std::size_t count = in.length();
    if (count > T::kMax) {
        in.fail(DecodeError::too_long);
        return items;
    }
    if constexpr (std::is_same_v<typename T::value_type, std::uint8_t>) {
        const ByteView bytes = in.raw(count);
        items.assign(bytes.begin(), bytes.end());
    } else {
        // Each element takes at least one byte, so a short input cannot make us reserve much.
        items.reserve(std::min(count, in.left()));
        for (std::size_t i = 0; i < count && in.ok(); ++i) {
            items.push_back(read<typename T::value_type>(in));
        }
    }
    return items;
}

template <class T>
T read_text(Reader& in) {
    const std::size_t count = in.length();
    if (count > T::kMax) {
        in.fail(DecodeError::too_long);
        return {};
    }
    const ByteView bytes = in.raw(count);
    if (!is_utf8(bytes)) {
        in.fail(DecodeError::bad_text);
        return {};
    }
    return T(std::string(as_text(bytes)));
}

}  // namespace detail

template <class T>
T read(Reader& in) {
    if constexpr (detail::Struct<T>) {
        T value{};
        T::fields(value, [&in](auto&... field) {
            ((field = read<std::remove_reference_t<decltype(field)>>(in)), ...);
        });
        if constexpr (requires { value.is_canonical(); }) {
            if (in.ok() && !value.is_canonical()) in.fail(DecodeError::not_canonical);
        }
        return value;
    } else if constexpr (std::is_same_v<T, bool>) {
        const std::uint8_t byte = in.byte();
        if (byte > 1) in.fail(DecodeError::not_canonical);
        return byte == 1;
    } else if constexpr (std::is_unsigned_v<T>) {
        return in.little_endian<T>();
    } else if constexpr (detail::Enum<T>) {
        const std::size_t value = in.length();
        if (value > static_cast<std::size_t>(last_of(T{}))) {
            in.fail(DecodeError::out_of_range);
            return T{};
        }
        return static_cast<T>(value);
    } else if constexpr (std::is_same_v<T, Amount>) {
        const auto amount = Amount::from(in.little_endian<std::uint64_t>());
        if (!amount) in.fail(DecodeError::out_of_range);
        return amount.value_or(Amount{});
    } else if constexpr (detail::is_number<T>) {
        return T(in.little_endian<typename T::rep>());
    } else if constexpr (detail::is_fixed_bytes<T>) {
        const ByteView bytes = in.raw(T::kSize);
        return bytes.empty() ? T{} : T::copy_of(bytes);
    } else if constexpr (detail::is_text<T>) {
        return detail::read_text<T>(in);
    } else if constexpr (detail::is_bounded<T>) {
        return detail::read_bounded<T>(in);
    } else if constexpr (detail::is_optional<T>) {
        const bool present = read<bool>(in);
        if (!present) return T{};
        return T(read<typename T::value_type>(in));
    } else if constexpr (detail::is_variant<T>) {
        return detail::read_alternative<T>(in, in.length());
    } else {
        static_assert(detail::always_false<T>, "this type has no canonical encoding");
    }
}

template <class T>
Bytes encode(const T& value) {
    Writer out;
    write(out, value);
    return out.take();
}

// The value whose encoding is exactly `bytes`.
template <class T>
Result<T, DecodeError> decode(ByteView bytes) {
    Reader in(bytes);
    T value = read<T>(in);
    if (in.ok() && in.left() > 0) in.fail(DecodeError::trailing);
    if (!in.ok()) return leither::fail(*in.error());
    return value;
}

}  // namespace leither::bcs
