#include "leither/sync/fetch.h"

#include <algorithm>

#include "leither/base/check.h"
#include "leither/codec/bcs.h"

namespace leither::sync {

namespace {

enum class Side : std::uint8_t { left, right };

Prefix half_of(const Prefix& prefix, Side side) {
    Prefix half{prefix.id, static_cast<std::uint8_t>(prefix.bits + 1)};
    if (side == Side::right) {
        std::uint8_t& byte = half.id[prefix.bits / 8];
        byte = static_cast<std::uint8_t>(byte | (0x80U >> (prefix.bits % 8)));
    }
    return half;
}

Prefix parent_of(const Prefix& prefix) {
    const unsigned bits = prefix.bits - 1U;
    return {prefix_of(prefix.id, bits), static_cast<std::uint8_t>(bits)};
}

Prefix sibling_of(const Prefix& prefix) {
    const Prefix parent = parent_of(prefix);
    const Prefix left = half_of(parent, Side::left);
    return left == prefix ? half_of(parent, Side::right) : left;
}

std::size_t length_bytes(std::size_t length) {
    std::size_t bytes = 1;
    for (; length >= 0x80; length >>= 7) ++bytes;
    return bytes;
}

}  // namespace

Bytes PieceKeys::key(const Prefix& prefix) const {
    Bytes key = start_;
    key.insert(key.end(), prefix.id.view().begin(), prefix.id.view().end());
    key.push_back(prefix.bits);
    return key;
}

std::optional<Prefix> PieceKeys::parse(ByteView key) const {
    if (key.size() != start_.size() + Id::kSize + 1) return std::nullopt;
    if (!std::ranges::equal(key.first(start_.size()), start_)) return std::nullopt;
    const Prefix prefix{Id::copy_of(key.subspan(start_.size(), Id::kSize)), key.back()};
    if (!prefix.is_canonical()) return std::nullopt;
    return prefix;
}

bool Weight::fits_one_piece() const {
    return leaves <= tree::kPieceLeavesMax && bytes <= protocol::kPieceLeafBytesMax;
}

Weight weight_of(std::span<const tree::PieceLeaf> leaves) {
    Weight weight{leaves.size(), 0};
    for (const tree::PieceLeaf& leaf : leaves) {
        weight.bytes += Id::kSize + length_bytes(leaf.record.size()) + leaf.record.size();
    }
    return weight;
}

Fetch::Fetch(Target target, PieceKeys keys)
    : target_(std::move(target)), keys_(std::move(keys)), waiting_{Prefix{}} {}

Result<Fetch, store::Fault> Fetch::resume(Target target, PieceKeys keys,
                                          const store::Reader& store) {
    Fetch fetch(std::move(target), std::move(keys));
    const auto cursor = store.cursor();
    for (cursor->seek(fetch.keys_.start()); cursor->valid(); cursor->next()) {
        const auto prefix = fetch.keys_.parse(cursor->key());
        if (!prefix) break;
        // Cuts ranges down to the piece. What overlaps another is no piece of ours.
        const auto over = std::ranges::find_if(fetch.waiting_, [&](const Prefix& range) {
            return range.bits <= prefix->bits && range.covers(prefix->id);
        });
        if (over == fetch.waiting_.end()) continue;
        Prefix range = *over;
        fetch.waiting_.erase(over);
        while (range.bits < prefix->bits) {
            const Prefix left = half_of(range, Side::left);
            const Prefix right = half_of(range, Side::right);
            const bool goes_right = right.covers(prefix->id);
            fetch.waiting_.insert(goes_right ? left : right);
            range = goes_right ? right : left;
        }
        fetch.taken_.insert(range);
    }
    if (auto fault = cursor->fault()) return fail(*std::move(fault));
    return fetch;
}

std::optional<Prefix> Fetch::next() {
    if (waiting_.empty()) return std::nullopt;
    return *asked_.insert(waiting_.extract(waiting_.begin())).position;
}

void Fetch::give_back(const Prefix& prefix) {
    auto node = asked_.extract(prefix);
    if (!node.empty()) waiting_.insert(std::move(node));
}

bool Fetch::split(const Prefix& prefix, const Id& by) {
    if (prefix.bits >= kIdBits || taken_.size() + missing() >= kRangesMax) return false;
    // Somebody else has cut or brought it in the meantime.
    if (asked_.erase(prefix) + waiting_.erase(prefix) == 0) return true;
    waiting_.insert(half_of(prefix, Side::left));
    waiting_.insert(half_of(prefix, Side::right));
    split_by_.emplace(prefix, by);
    return true;
}

Result<Fetch::Taken, tree::PieceError> Fetch::take(const tree::Piece& piece,
                                                   store::GatheredWrites& writes) {
    Taken taken;
    const Prefix& prefix = piece.proof.prefix;
    if (!asked_.contains(prefix) && !waiting_.contains(prefix)) return taken;
    TRY(tree::verify_piece(piece, target_.root, target_.supply, target_.sum_of));
    writes.put(keys_.key(prefix), bcs::encode(piece.leaves));
    asked_.erase(prefix);
    waiting_.erase(prefix);
    taken_.insert(prefix);
    taken.leaves = piece.leaves.size();
    weigh(prefix, weight_of(piece.leaves), taken.liars);
    return taken;
}

// Joins the range with its sibling as long as both are whole.
void Fetch::weigh(Prefix prefix, Weight weight, std::vector<Id>& liars) {
    while (prefix.bits > 0) {
        const auto sibling = whole_.find(sibling_of(prefix));
        if (sibling == whole_.end()) break;
        weight.leaves += sibling->second.leaves;
        weight.bytes += sibling->second.bytes;
        whole_.erase(sibling);
        prefix = parent_of(prefix);
        const auto by = split_by_.find(prefix);
        if (by == split_by_.end()) continue;
        if (weight.fits_one_piece() && !std::ranges::count(liars, by->second)) {
            liars.push_back(by->second);
        }
        split_by_.erase(by);
    }
    whole_.emplace(prefix, weight);
}

void Fetch::discard(store::GatheredWrites& writes) {
    for (const Prefix& prefix : taken_) writes.erase(keys_.key(prefix));
    *this = Fetch(std::move(target_), std::move(keys_));
}

std::uint32_t Fetch::share() const {
    std::uint64_t share = 0;
    for (const Prefix& prefix : taken_) {
        if (prefix.bits < 48) share += std::uint64_t{1} << (48 - prefix.bits);
    }
    return static_cast<std::uint32_t>(share >> 32);
}

void Fetch::check_invariants() const {
    CHECK(taken_.size() + missing() <= kRangesMax + kIdBits);
    // In order of ids, each range begins where the one before ends.
    std::set<Prefix> ranges = waiting_;
    ranges.insert(asked_.begin(), asked_.end());
    ranges.insert(taken_.begin(), taken_.end());
    CHECK(ranges.size() == taken_.size() + missing());
    const Prefix* before = nullptr;
    for (const Prefix& range : ranges) {
        CHECK(range.is_canonical());
        CHECK(before == nullptr || !before->covers(range.id));
        before = &range;
    }
}

}  // namespace leither::sync
