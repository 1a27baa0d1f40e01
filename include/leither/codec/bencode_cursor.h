// Reads bencode piece by piece where it lies, without allocating: for datagrams, of which a node
// reads thousands a second.
//
// Strings are views into the input. The first error sticks. Behind a second encoding
// (`not_canonical`, or an integer beyond 64 bits) reading goes on, so that a reader may still learn
// whom to answer; behind any other error the input is `broken` and every read yields nothing.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "leither/codec/bencode.h"

namespace leither::bencode {

class Cursor {
 public:
    static constexpr unsigned kDepthMax = 32;

    // What comes next. `end` closes the list or dictionary that was entered last; `none` is no
    // bencode, or nothing left.
    enum class Kind : std::uint8_t { integer, bytes, list, dict, end, none };

    // REQUIRES: depth_max <= kDepthMax.
    explicit Cursor(std::string_view input, unsigned depth_max = 16);

    Kind peek() const;

    // Each takes one value of that kind; any other kind is bad_syntax.
    std::int64_t integer();
    std::string_view bytes();
    // Steps into a list or dictionary. Then, until `more` is false, take one value after another;
    // in a dictionary, each behind its `key`.
    void enter();
    // Whether another value or key comes; if not, steps out again. False once broken.
    bool more();
    std::string_view key();
    // Takes one value of any kind, checked to its end, as it stands.
    std::string_view raw();

    bool ok() const { return !error_; }
    bool broken() const { return broken_; }
    std::optional<DecodeError> error() const { return error_; }
    bool at_end() const { return in_.empty(); }

 private:
    struct Level {
        bool is_dict = false;
        std::string_view last_key;  // data() is null before the first
    };

    void fail(DecodeError error);
    bool take(char wanted);
    // Digits in front of `end`, which is taken too; nothing if above 64 bits.
    std::optional<std::uint64_t> number(char end);

    std::string_view in_;
    unsigned depth_max_;
    unsigned depth_ = 0;
    bool broken_ = false;
    std::optional<DecodeError> error_;
    std::array<Level, kDepthMax> levels_;
};

// Whether `input` is one value in its only encoding.
bool is_canonical(std::string_view input, unsigned depth_max = 16);

}  // namespace leither::bencode
