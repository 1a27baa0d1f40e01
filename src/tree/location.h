// Where a node's stored form begins: version, page and offset in one word (decision 0002).
#pragma once

#include <cstdint>

#include "leither/base/check.h"

namespace leither::tree {

class Location {
 public:
    static constexpr unsigned kOffsetBits = 14;
    static constexpr unsigned kPageBits = 18;
    static constexpr std::uint64_t kOffsetsMax = std::uint64_t{1} << kOffsetBits;
    static constexpr std::uint64_t kPagesMax = std::uint64_t{1} << kPageBits;
    static constexpr std::uint64_t kSequencesMax = std::uint64_t{1} << 31;

    constexpr Location() = default;
    static constexpr Location unpack(std::uint64_t packed) { return Location(packed); }
    // REQUIRES: sequence < kSequencesMax, page < kPagesMax, offset < kOffsetsMax.
    static Location at(std::uint64_t sequence, std::uint64_t page, std::uint64_t offset) {
        CHECK(sequence < kSequencesMax && page < kPagesMax && offset < kOffsetsMax);
        return Location(sequence << (kPageBits + kOffsetBits) | page << kOffsetBits | offset);
    }
    // A node of a version in the making: it has no place yet. `tag` finds it again.
    static constexpr Location unplaced(std::uint32_t tag) { return Location(kUnplaced | tag); }

    constexpr bool is_placed() const { return (packed_ & kUnplaced) == 0; }
    constexpr std::uint32_t tag() const { return static_cast<std::uint32_t>(packed_); }
    constexpr std::uint64_t packed() const { return packed_; }
    constexpr std::uint64_t sequence() const { return packed_ >> (kPageBits + kOffsetBits); }
    constexpr std::uint32_t page() const {
        return static_cast<std::uint32_t>(packed_ >> kOffsetBits & (kPagesMax - 1));
    }
    constexpr std::uint32_t offset() const {
        return static_cast<std::uint32_t>(packed_ & (kOffsetsMax - 1));
    }
    // Page and offset: what a reference within a version needs.
    constexpr std::uint64_t position() const {
        return packed_ & ((std::uint64_t{1} << (kPageBits + kOffsetBits)) - 1);
    }
    friend constexpr bool operator==(Location, Location) = default;

 private:
    static constexpr std::uint64_t kUnplaced = std::uint64_t{1} << 63;
    explicit constexpr Location(std::uint64_t packed) : packed_(packed) {}
    std::uint64_t packed_ = ~std::uint64_t{0};
};

}  // namespace leither::tree
