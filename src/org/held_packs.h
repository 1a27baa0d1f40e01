// The packs that are held here, and which of their pieces: in memory all but the pieces' bytes, in
// the store all of it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "leither/org/shelf.h"
#include "leither/protocol/pack.h"

namespace leither::org {

enum class Origin : std::uint8_t {  // on disk; never change these values
    published,                      // here, by its owner
    fetched,
};
constexpr Origin last_of(Origin) {
    return Origin::fetched;
}

struct HeldPack {
    protocol::SignedPack pack;
    Origin origin = Origin::fetched;
    std::optional<protocol::PackContents> contents;  // once its list of files is here
    std::set<Hash> missing;                          // pieces, or the list itself

    bool is_complete() const { return missing.empty(); }
};

// Of its files and their list.
std::uint64_t bytes_of(const protocol::Pack& pack);

class HeldPacks {
 public:
    HeldPacks(const ChainId& chain, const Bytes& prefix);
    Result<void, store::Fault> load(const store::Reader& reader);

    // Nothing changes if it is held already, but that what was fetched may be published.
    void hold(const Hash& id, const protocol::SignedPack& pack, Origin origin,
              GatheredWrites& writes);
    // Whatever no other pack needs goes with it. REQUIRES: it is held.
    void drop(const Hash& id, GatheredWrites& writes);
    // Gives the packs whose list of files this is but that do not allow it: they can never be
    // complete. Bytes that are of no use to any pack are not kept. REQUIRES: `name` is the hash of
    // `bytes`, of which there are some.
    std::vector<Hash> put(const Hash& name, ByteView bytes, GatheredWrites& writes);

    const HeldPack* find(const Hash& id) const;
    const std::map<Hash, HeldPack>& all() const { return packs_; }
    bool has(const Hash& piece) const { return sizes_.contains(piece); }
    // Of a piece that this pack lacks; nothing if it does not lack it.
    std::optional<std::uint32_t> size_of(const Hash& pack, const Hash& piece) const;
    Bytes key_of_piece(const Hash& piece) const { return piece_shelf_.key(piece.view()); }
    // Complete since this was asked last.
    std::vector<Hash> take_completed();
    // Of the same publisher and name, published before it.
    std::vector<Hash> older_than(const Hash& id) const;
    // Of all packs, as if they were complete.
    std::uint64_t bytes_reserved() const;
    std::uint64_t bytes_done(const HeldPack& held) const;
    void check_invariants() const;

 private:
    // What the store keeps of a pack.
    struct Entry {
        protocol::SignedPack pack;
        Origin origin = Origin::fetched;
        static void fields(auto& self, auto&& visit) { visit(self.pack, self.origin); }
    };
    // Whether the pack allows it.
    bool open_contents(HeldPack& held, ByteView encoded);
    void find_missing(HeldPack& held) const;
    std::set<Hash> needed_by_others(const Hash& id) const;

    ChainId chain_;
    Shelf pack_shelf_;
    Shelf piece_shelf_;
    Shelf size_shelf_;  // so that a start reads no piece
    std::map<Hash, HeldPack> packs_;
    std::map<Hash, std::uint32_t> sizes_;  // of the pieces that are here
    std::vector<Hash> completed_;
};

}  // namespace leither::org
