#include "leither/io/os_entropy.h"

#include <cerrno>

#include <sys/random.h>

#include "leither/base/check.h"

namespace leither::io {

void OsEntropy::fill(std::span<std::uint8_t> out) {
    while (!out.empty()) {
        const ssize_t got = getrandom(out.data(), out.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        CHECK(got > 0, "the system gives no randomness");
        out = out.subspan(static_cast<std::size_t>(got));
    }
}

}  // namespace leither::io
