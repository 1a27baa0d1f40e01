#include "page.h"

#include <algorithm>

#include <fmt/format.h>

#include "leither/codec/bcs.h"

#include "bits.h"

namespace leither::tree {
namespace {

constexpr unsigned kSkipInTag = 31;
constexpr unsigned kKindMask = 0x03;
constexpr unsigned kFlagMask = 0x04;
constexpr unsigned kSkipShift = 3;

// The longest run: 160 inner nodes and a leaf. With a page nearly full in front of it, the offset
// of the last node, the leaf, must still fit into a location; how long the leaf is does not matter,
// as it ends the run and with it the page.
constexpr std::size_t kReferenceBytesMax = 5 + 5;
constexpr std::size_t kInnerBytesMax = 2 + 2 * kReferenceBytesMax;
constexpr std::size_t kSynopsisBytesMax = Hash::kSize + 10;
constexpr std::size_t kBeforeLeafMax =
    kIdBits * (kInnerBytesMax + 1) + (kIdBits / kGroupLevels + 1) * kSynopsisBytesMax;
static_assert(PageWriter::kPageBytes + kBeforeLeafMax < Location::kOffsetsMax);

std::uint64_t read_varint(bcs::Reader& in) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const std::uint8_t next = in.byte();
        value |= std::uint64_t{next & 0x7fU} << shift;
        if ((next & 0x80) == 0) return value;
    }
    in.fail(bcs::DecodeError::out_of_range);
    return 0;
}

Amount read_amount(bcs::Reader& in) {
    const auto amount = Amount::from(read_varint(in));
    if (!amount) in.fail(bcs::DecodeError::out_of_range);
    return amount.value_or(Amount{});
}

// `from` less a stored distance, which never reaches below zero.
std::uint64_t read_earlier(bcs::Reader& in, std::uint64_t from) {
    const std::uint64_t distance = read_varint(in);
    if (distance > from) in.fail(bcs::DecodeError::out_of_range);
    return distance > from ? 0 : from - distance;
}

Location read_reference(bcs::Reader& in, Location reader) {
    const std::uint64_t sequence = read_earlier(in, reader.sequence());
    const std::uint64_t position = read_varint(in);
    // Referenced children are written before their parents, and versions only look back.
    const bool is_behind = sequence < reader.sequence() || position < reader.position();
    if (!is_behind || position >> (Location::kPageBits + Location::kOffsetBits) != 0) {
        in.fail(bcs::DecodeError::out_of_range);
        return Location::at(0, 0, 0);
    }
    return Location::at(sequence, position >> Location::kOffsetBits,
                        position & (Location::kOffsetsMax - 1));
}

StoredLeaf read_leaf(bcs::Reader& in, Location location, bool moved) {
    StoredLeaf leaf;
    const ByteView id = in.raw(Id::kSize);
    if (!id.empty()) leaf.id = Id::copy_of(id);
    leaf.sum = read_amount(in);
    const std::uint64_t previous = read_earlier(in, location.sequence());
    if (previous != location.sequence()) leaf.previous = previous;
    leaf.written = moved ? read_earlier(in, location.sequence()) : location.sequence();
    const std::uint64_t size = read_varint(in);
    if (size > kRecordBytesMax) {
        in.fail(bcs::DecodeError::too_long);
        return leaf;
    }
    leaf.record = in.raw(static_cast<std::size_t>(size));
    return leaf;
}

void read_inner(bcs::Reader& in, StoredNode& node, bool has_own) {
    if (node.skip == kSkipInTag) node.skip += in.byte();
    node.skipped_bits = in.raw((node.skip + 7) / 8);
    if (has_own) {
        const ByteView hash = in.raw(Hash::kSize);
        node.own = Synopsis{hash.empty() ? Hash{} : Hash::copy_of(hash), read_amount(in)};
    }
    if (node.kind != NodeKind::left_follows) node.child[0] = read_reference(in, node.location);
    if (node.kind != NodeKind::right_follows) node.child[1] = read_reference(in, node.location);
}

}  // namespace

store::Fault corrupt(Location location, const char* what) {
    return {store::Fault::Kind::corrupt,
            fmt::format("tree page {} of version {}, offset {}: {}", location.page(),
                        location.sequence(), location.offset(), what)};
}

Result<StoredNode, store::Fault> parse_node(ByteView page, Location location) {
    if (location.offset() >= page.size()) return fail(corrupt(location, "behind the page's end"));
    bcs::Reader in(page.subspan(location.offset()));
    const unsigned tag = in.byte();
    StoredNode node;
    node.location = location;
    node.kind = static_cast<NodeKind>(tag & kKindMask);
    node.skip = tag >> kSkipShift;
    const bool flag = (tag & kFlagMask) != 0;
    if (node.is_leaf()) {
        node.leaf = read_leaf(in, location, flag);
    } else {
        read_inner(in, node, flag);
    }
    if (!in.ok()) return fail(corrupt(location, bcs::to_string(*in.error())));
    node.next_offset = static_cast<std::uint32_t>(page.size() - in.left());
    if (node.kind == NodeKind::left_follows || node.kind == NodeKind::right_follows) {
        if (in.left() == 0 || node.next_offset >= Location::kOffsetsMax) {
            return fail(corrupt(location, "the run breaks off"));
        }
        node.child[node.kind == NodeKind::left_follows ? 0 : 1] =
            Location::at(location.sequence(), location.page(), node.next_offset);
    }
    return node;
}

Result<Place, store::Fault> place_of(const StoredNode& node, int parent_depth, const Id& above) {
    Place place{parent_depth + 1 + static_cast<int>(node.skip), above};
    if (place.depth >= static_cast<int>(kIdBits)) {
        return fail(corrupt(node.location, "deeper than an id"));
    }
    const auto first = static_cast<unsigned>(parent_depth + 1);
    for (unsigned i = 0; i < node.skip; ++i) {
        const bool bit = (node.skipped_bits[i / 8] >> (7 - i % 8) & 1) != 0;
        if (bit) place.prefix = with_bit(place.prefix, first + i, Side::right);
    }
    return place;
}

PageWriter::PageWriter(Sequence sequence) : sequence_(sequence.value()) {
    buffer_.reserve(Location::kOffsetsMax);
}

Location PageWriter::next() const {
    return Location::at(sequence_, page_, buffer_.size());
}

void PageWriter::raw(ByteView bytes) {
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

void PageWriter::varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) buffer_.push_back(static_cast<std::uint8_t>(value | 0x80));
    buffer_.push_back(static_cast<std::uint8_t>(value));
}

void PageWriter::tag(NodeKind kind, bool flag, unsigned skip) {
    const unsigned in_tag = std::min(skip, kSkipInTag);
    buffer_.push_back(static_cast<std::uint8_t>(static_cast<unsigned>(kind) |
                                                (flag ? kFlagMask : 0) | in_tag << kSkipShift));
}

void PageWriter::inner(const Inner& node) {
    const auto skip = static_cast<unsigned>(node.depth - node.parent_depth - 1);
    tag(node.kind, node.own != nullptr, skip);
    if (skip >= kSkipInTag) buffer_.push_back(static_cast<std::uint8_t>(skip - kSkipInTag));
    const auto first = static_cast<unsigned>(node.parent_depth + 1);
    for (unsigned i = 0; i < skip; i += 8) {
        std::uint8_t byte = 0;
        for (unsigned k = i; k < std::min(i + 8, skip); ++k) {
            if (bit_of(node.prefix, first + k)) byte |= static_cast<std::uint8_t>(0x80U >> (k - i));
        }
        buffer_.push_back(byte);
    }
    if (node.own == nullptr) return;
    raw(node.own->hash.view());
    varint(node.own->sum.units());
}

void PageWriter::reference(Location child) {
    CHECK(child.is_placed() && child.sequence() <= sequence_);
    varint(sequence_ - child.sequence());
    varint(child.position());
}

void PageWriter::leaf(const StoredLeaf& leaf) {
    const bool moved = leaf.written != sequence_;
    tag(NodeKind::leaf, moved, 0);
    raw(leaf.id.view());
    varint(leaf.sum.units());
    varint(leaf.previous ? sequence_ - *leaf.previous : 0);
    if (moved) varint(sequence_ - leaf.written);
    varint(leaf.record.size());
    raw(leaf.record);
}

void PageWriter::end_run() {
    if (buffer_.size() >= kPageBytes) close_page();
}

void PageWriter::close_page() {
    // An exact copy: the batch holds hundreds of pages until it is written.
    batch_.put(store::version_key(sequence_, store::KeyKind::page, page_), Bytes(buffer_));
    buffer_.clear();
    ++page_;
}

store::WriteBatch PageWriter::finish() {
    if (!buffer_.empty()) close_page();
    return std::move(batch_);
}

}  // namespace leither::tree
