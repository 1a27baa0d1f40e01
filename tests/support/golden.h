// Encodings frozen by hash: one digest over many generated values a type, kept in tests/golden. A
// digest that changes means that every ledger in the world changes; it is edited by hand, on
// purpose.
#pragma once

#include <fstream>
#include <map>
#include <string>

#include "leither/crypto/hash.h"

#include "support/generate.h"
#include "support/shared_data.h"

namespace leither::testing {

inline constexpr std::size_t kGoldenValues = 500;

template <class T>
std::string golden_digest() {
    Prng prng(20'260'101);
    bcs::Writer all;
    for (std::size_t i = 0; i < kGoldenValues; ++i) bcs::write(all, generate<T>(prng));
    return crypto::blake2b_256(all.view()).hex();
}

// "name digest" lines of tests/golden/<file>, '#' starts a comment.
inline std::map<std::string, std::string> golden_file(const std::string& file) {
    const auto path = source_dir() / "tests/golden" / file;
    std::map<std::string, std::string> digests;
    std::ifstream in(path);
    for (std::string name; in >> name;) {
        if (name.starts_with('#')) {
            std::getline(in, name);
        } else {
            in >> digests[name];
        }
    }
    return digests;
}

}  // namespace leither::testing
