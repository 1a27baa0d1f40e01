#include "support/bcs_sample.h"

#include <array>

namespace leither::testing {

namespace {

Colour random_colour(Prng& prng) {
    return static_cast<Colour>(prng.below(3));
}

Point random_point(Prng& prng) {
    return {.x = static_cast<std::uint16_t>(prng.next()), .y = prng.next()};
}

std::string random_text(Prng& prng) {
    static constexpr std::array<const char*, 4> kLetters = {"a", "ß", "€", "𝄞"};
    return std::string(kLetters[prng.below(kLetters.size())]) + kLetters[prng.below(4)];
}

}  // namespace

Sample random_sample(Prng& prng) {
    Sample sample;
    sample.flag = prng.chance(1, 2);
    sample.small = static_cast<std::uint8_t>(prng.next());
    sample.large = static_cast<std::uint32_t>(prng.next());
    sample.colour = random_colour(prng);
    sample.amount = Amount::of(prng.next() >> 1);
    sample.sequence = Sequence(prng.next());
    prng.fill(sample.id.span());
    sample.text = BoundedText<8>(prng.chance(1, 4) ? "" : random_text(prng));
    sample.blob.resize(prng.below(5));
    prng.fill(sample.blob);
    for (std::uint64_t n = prng.below(4), last = 0; n > 0; --n) {
        last += 1 + prng.below(1000);
        sample.rising.push_back(static_cast<std::uint32_t>(last));
    }
    if (prng.chance(1, 2)) sample.point = random_point(prng);
    if (prng.chance(1, 3)) sample.choice = random_point(prng);
    if (prng.chance(1, 3)) sample.choice = Bounded<Colour, 2>{random_colour(prng), Colour::blue};
    return sample;
}

}  // namespace leither::testing
