#include "leither/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace leither {

void check_failed(const char* expression, const char* file, int line, std::string_view detail) {
    std::fprintf(stderr, "CHECK failed: %s at %s:%d%s%.*s\n", expression, file, line,
                 detail.empty() ? "" : ": ", static_cast<int>(detail.size()), detail.data());
    std::fflush(stderr);
    std::abort();
}

}  // namespace leither
