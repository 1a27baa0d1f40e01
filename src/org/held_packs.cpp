#include "held_packs.h"

#include <algorithm>

#include "leither/base/check.h"
#include "leither/crypto/hash.h"

namespace leither::org {

using protocol::PackFile;
using protocol::SignedPack;

std::uint64_t bytes_of(const protocol::Pack& pack) {
    return pack.bytes + pack.contents_bytes;
}

HeldPacks::HeldPacks(const ChainId& chain, const Bytes& prefix)
    : chain_(chain),
      pack_shelf_(prefix, ShelfKind::held_pack),
      piece_shelf_(prefix, ShelfKind::piece),
      size_shelf_(prefix, ShelfKind::piece_size) {}

Result<void, store::Fault> HeldPacks::load(const store::Reader& reader) {
    TRY(size_shelf_.load<std::uint32_t>(reader, [this](ByteView name, std::uint32_t&& size) {
        if (const auto piece = Hash::from(name)) sizes_.emplace(*piece, size);
    }));
    TRY(pack_shelf_.load<Entry>(reader, [this](ByteView name, Entry&& entry) {
        const Hash id = pack_id(chain_, entry.pack.pack);
        if (Hash::from(name) != id) return;  // of the chain before one founded anew
        packs_.emplace(id, HeldPack{std::move(entry.pack), entry.origin, std::nullopt, {}});
    }));
    for (auto& [id, held] : packs_) {
        const Hash list = held.pack.pack.contents;
        held.missing.insert(list);
        if (!has(list)) continue;
        const auto bytes = TRY(reader.get(key_of_piece(list)));
        const bool opens = bytes && open_contents(held, as_bytes(*bytes));
        if (!opens) sizes_.erase(list);  // damaged: it is fetched again
    }
    return {};
}

void HeldPacks::hold(const Hash& id, const SignedPack& pack, Origin origin,
                     GatheredWrites& writes) {
    const auto held = packs_.find(id);
    if (held == packs_.end()) {
        packs_.emplace(id, HeldPack{pack, origin, std::nullopt, {pack.pack.contents}});
    } else if (held->second.origin == Origin::fetched) {
        held->second.origin = origin;
    }
    const HeldPack& now = packs_.at(id);
    pack_shelf_.put(writes, id.view(), Entry{now.pack, now.origin});
}

bool HeldPacks::open_contents(HeldPack& held, ByteView encoded) {
    auto contents = read_contents(held.pack.pack, encoded);
    if (!contents) return false;
    held.contents = *std::move(contents);
    find_missing(held);
    return true;
}

void HeldPacks::find_missing(HeldPack& held) const {
    held.missing.clear();
    for (const PackFile& file : held.contents->files) {
        for (const Hash& piece : file.pieces) {
            if (!has(piece)) held.missing.insert(piece);
        }
    }
}

std::vector<Hash> HeldPacks::put(const Hash& name, ByteView bytes, GatheredWrites& writes) {
    CHECK(!bytes.empty() && bytes.size() <= protocol::kContentPieceMax);
    std::vector<Hash> unusable;
    bool is_useful = false;
    for (auto& [id, held] : packs_) {
        const bool is_list = !held.contents && held.pack.pack.contents == name;
        if (is_list && !open_contents(held, bytes)) {
            unusable.push_back(id);
            continue;
        }
        const bool is_piece = held.missing.erase(name) > 0;
        is_useful = is_useful || is_list || is_piece;
        if ((is_list || is_piece) && held.is_complete()) completed_.push_back(id);
    }
    if (!is_useful) return unusable;
    sizes_.insert_or_assign(name, static_cast<std::uint32_t>(bytes.size()));
    writes.put(piece_shelf_.key(name.view()), Bytes(bytes.begin(), bytes.end()));
    size_shelf_.put(writes, name.view(), static_cast<std::uint32_t>(bytes.size()));
    return unusable;
}

std::set<Hash> HeldPacks::needed_by_others(const Hash& id) const {
    std::set<Hash> needed;
    for (const auto& [other, held] : packs_) {
        if (other == id) continue;
        needed.insert(held.pack.pack.contents);
        if (!held.contents) continue;
        for (const PackFile& file : held.contents->files) {
            needed.insert(file.pieces.begin(), file.pieces.end());
        }
    }
    return needed;
}

void HeldPacks::drop(const Hash& id, GatheredWrites& writes) {
    const HeldPack held = packs_.at(id);
    const std::set<Hash> needed = needed_by_others(id);
    const auto drop_piece = [&](const Hash& piece) {
        if (needed.contains(piece) || sizes_.erase(piece) == 0) return;
        writes.erase(piece_shelf_.key(piece.view()));
        writes.erase(size_shelf_.key(piece.view()));
    };
    drop_piece(held.pack.pack.contents);
    if (held.contents) {
        for (const PackFile& file : held.contents->files) {
            for (const Hash& piece : file.pieces) drop_piece(piece);
        }
    }
    pack_shelf_.erase(writes, id.view());
    packs_.erase(id);
    std::erase(completed_, id);
}

const HeldPack* HeldPacks::find(const Hash& id) const {
    const auto held = packs_.find(id);
    return held == packs_.end() ? nullptr : &held->second;
}

std::optional<std::uint32_t> HeldPacks::size_of(const Hash& pack, const Hash& piece) const {
    const HeldPack* held = find(pack);
    if (held == nullptr || !held->missing.contains(piece)) return std::nullopt;
    if (!held->contents) return held->pack.pack.contents_bytes;
    for (const PackFile& file : held->contents->files) {
        for (std::size_t i = 0; i < file.pieces.size(); ++i) {
            if (file.pieces[i] == piece) return protocol::piece_bytes(file.bytes, i);
        }
    }
    UNREACHABLE();
}

std::vector<Hash> HeldPacks::take_completed() {
    return std::exchange(completed_, {});
}

std::vector<Hash> HeldPacks::older_than(const Hash& id) const {
    const protocol::Pack& pack = packs_.at(id).pack.pack;
    std::vector<Hash> older;
    for (const auto& [other, held] : packs_) {
        const protocol::Pack& one = held.pack.pack;
        const bool same = one.publisher == pack.publisher && one.name == pack.name;
        if (same && one.published_ms < pack.published_ms) older.push_back(other);
    }
    return older;
}

std::uint64_t HeldPacks::bytes_reserved() const {
    std::uint64_t sum = 0;
    for (const auto& [id, held] : packs_) sum += bytes_of(held.pack.pack);
    return sum;
}

std::uint64_t HeldPacks::bytes_done(const HeldPack& held) const {
    if (!held.contents) return 0;
    std::uint64_t done = held.pack.pack.contents_bytes;
    for (const PackFile& file : held.contents->files) {
        for (std::size_t i = 0; i < file.pieces.size(); ++i) {
            if (has(file.pieces[i])) done += protocol::piece_bytes(file.bytes, i);
        }
    }
    return done;
}

void HeldPacks::check_invariants() const {
    for (const auto& [id, held] : packs_) {
        CHECK(held.contents.has_value() || !held.is_complete());
        for (const Hash& piece : held.missing) CHECK(!held.contents || !has(piece));
        if (held.contents) CHECK(has(held.pack.pack.contents));
        CHECK((bytes_done(held) == bytes_of(held.pack.pack)) == held.is_complete());
    }
}

}  // namespace leither::org
