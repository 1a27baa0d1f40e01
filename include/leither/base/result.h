// Result<T, E>: a value or a named error. Errors cross room borders as values (docs/style.md).
#pragma once

#include <utility>

#include <tl/expected.hpp>

namespace leither {

template <class T, class E>
using Result = tl::expected<T, E>;

template <class E>
tl::unexpected<std::decay_t<E>> fail(E&& error) {
    return tl::unexpected<std::decay_t<E>>(std::forward<E>(error));
}

namespace detail {
template <class T, class E>
T unwrap(tl::expected<T, E>&& result) {
    return std::move(*result);
}
template <class E>
void unwrap(tl::expected<void, E>&&) {}
}  // namespace detail

}  // namespace leither

// TRY(expr): the value of `expr`, or return its error from the enclosing function. Never after
// another member of a braced list: g++ forgets the members already built when TRY returns.
#define TRY(...)                                                                  \
    __extension__({                                                               \
        auto try_result_ = (__VA_ARGS__);                                         \
        if (!try_result_) return ::leither::fail(std::move(try_result_).error()); \
        ::leither::detail::unwrap(std::move(try_result_));                        \
    })
