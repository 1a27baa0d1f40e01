// Proofs and pieces from untrusted peers: any bytes are decoded, verified and survive re-encoding.
#include "leither/codec/bcs.h"
#include "leither/crypto/sign.h"
#include "leither/tree/range.h"

namespace {

using namespace leither;

std::optional<Amount> sum_of(ByteView record) {
    std::uint64_t sum = 0;
    for (const std::uint8_t byte : record.first(std::min(record.size(), sizeof sum))) {
        sum = sum << 8 | byte;
    }
    return Amount::from(sum);
}

// One value has one encoding: what decodes must encode to the same bytes.
template <class T>
std::optional<T> decode(ByteView bytes) {
    auto value = bcs::decode<T>(bytes);
    if (!value) return std::nullopt;
    const Bytes again = bcs::encode(*value);
    CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
    return std::move(*value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const bool initialised = [] {
        crypto::initialise();
        return true;
    }();
    CHECK(initialised);
    const ByteView bytes(data, size);
    // Nobody finds a path to a root drawn beforehand; the walk up to the mismatch is what is
    // tested.
    const tree::Synopsis root{Hash{}, Amount::of(1'000'000)};
    const Amount supply = Amount::of(2'000'000);
    if (const auto proof = decode<tree::AccountProof>(bytes)) {
        CHECK(!tree::verify(*proof, root, supply, sum_of));
        (void)tree::verify(*proof, tree::empty_synopsis(), supply, sum_of);
    }
    if (const auto proof = decode<tree::PrefixProof>(bytes)) {
        CHECK(!tree::verify(*proof, root, supply));
    }
    if (const auto piece = decode<tree::Piece>(bytes)) {
        CHECK(!tree::verify_piece(*piece, root, supply, sum_of));
    }
    return 0;
}
