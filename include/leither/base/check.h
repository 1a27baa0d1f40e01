// CHECK guards invariants of our own code, also in release builds. Input from users, peers or disk
// never reaches one: that is refused with a Result. DCHECK is for checks too dear for production
// (compiled into debug and sanitizer builds, tests and fuzzers).
#pragma once

#include <string_view>

namespace leither {

// Prints `expression`, its place and `detail` to standard error, then aborts.
[[noreturn]] void check_failed(const char* expression, const char* file, int line,
                               std::string_view detail = {});

}  // namespace leither

#define CHECK(condition, ...)     \
    (static_cast<bool>(condition) \
         ? static_cast<void>(0)   \
         : ::leither::check_failed(#condition, __FILE__, __LINE__ __VA_OPT__(, ) __VA_ARGS__))

#ifdef LEITHER_DCHECK
#define DCHECK(...) CHECK(__VA_ARGS__)
#else
#define DCHECK(condition, ...) static_cast<void>(sizeof(static_cast<bool>(condition)))
#endif

#define UNREACHABLE() ::leither::check_failed("unreachable", __FILE__, __LINE__)
