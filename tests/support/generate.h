// A random value of any type the codec knows, from a seed: for golden digests and round trips.
#pragma once

#include <algorithm>
#include <string>

#include "leither/base/prefix.h"
#include "leither/base/prng.h"
#include "leither/codec/bcs.h"

namespace leither::testing {

// Lists and texts stay this short, so that thousands of values are made in no time.
inline constexpr std::size_t kGeneratedLengthMax = 3;

template <class T>
T generate(Prng& prng);

namespace detail {

template <class T, std::size_t I = 0>
T generate_alternative(Prng& prng, std::size_t index) {
    if constexpr (I + 1 < std::variant_size_v<T>) {
        if (index != I) return generate_alternative<T, I + 1>(prng, index);
    }
    return T(std::in_place_index<I>, generate<std::variant_alternative_t<I, T>>(prng));
}

template <class T>
T generate_struct(Prng& prng) {
    T value{};
    T::fields(value, [&prng](auto&... field) {
        ((field = generate<std::remove_reference_t<decltype(field)>>(prng)), ...);
    });
    return value;
}

template <class T>
std::size_t generate_length(Prng& prng) {
    return prng.below(std::min(T::kMax, kGeneratedLengthMax) + 1);
}

}  // namespace detail

template <class T>
T generate(Prng& prng) {
    namespace kinds = bcs::detail;
    if constexpr (std::is_same_v<T, Prefix>) {
        const auto bits = static_cast<std::uint8_t>(prng.below(kIdBits + 1));
        return {prefix_of(generate<Id>(prng), bits), bits};
    } else if constexpr (kinds::Struct<T>) {
        T value = detail::generate_struct<T>(prng);
        if constexpr (requires { value.is_canonical(); }) {
            while (!value.is_canonical()) value = detail::generate_struct<T>(prng);
        }
        return value;
    } else if constexpr (std::is_unsigned_v<T>) {
        return static_cast<T>(prng.next());
    } else if constexpr (kinds::Enum<T>) {
        return static_cast<T>(prng.below(static_cast<std::uint64_t>(last_of(T{})) + 1));
    } else if constexpr (std::is_same_v<T, Amount>) {
        return Amount::of(prng.next() >> 1);
    } else if constexpr (kinds::is_number<T>) {
        return T(static_cast<typename T::rep>(prng.next()));
    } else if constexpr (kinds::is_fixed_bytes<T>) {
        T value;
        prng.fill(value.span());
        return value;
    } else if constexpr (kinds::is_text<T>) {
        T value;
        for (std::size_t n = detail::generate_length<T>(prng); n > 0; --n) {
            value.push_back(static_cast<char>('a' + prng.below(26)));
        }
        return value;
    } else if constexpr (kinds::is_bounded<T>) {
        T items;
        for (std::size_t n = detail::generate_length<T>(prng); n > 0; --n) {
            items.push_back(generate<typename T::value_type>(prng));
        }
        return items;
    } else if constexpr (kinds::is_optional<T>) {
        if (prng.chance(1, 2)) return std::nullopt;
        return generate<typename T::value_type>(prng);
    } else {
        return detail::generate_alternative<T>(prng, prng.below(std::variant_size_v<T>));
    }
}

}  // namespace leither::testing
