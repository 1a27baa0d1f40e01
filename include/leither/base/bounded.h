// Containers with a declared maximum, so that no length from outside decides how much we allocate.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace leither {

// A vector of at most Max elements. The codec refuses more before it allocates; code of our own
// that builds one checks `full()`.
template <class T, std::size_t Max>
class Bounded : public std::vector<T> {
 public:
    static constexpr std::size_t kMax = Max;
    using std::vector<T>::vector;
    bool full() const { return this->size() >= Max; }
};

// UTF-8 text of at most Max bytes.
template <std::size_t Max>
class BoundedText : public std::string {
 public:
    static constexpr std::size_t kMax = Max;
    using std::string::string;
    BoundedText() = default;
    explicit BoundedText(std::string text) : std::string(std::move(text)) {}
};

}  // namespace leither
