// Where a machine of this room keeps things of one kind in the network store: keys are the room's
// prefix, the kind and a name. Values are BCS.
#pragma once

#include <functional>

#include "leither/codec/bcs.h"
#include "leither/store/gathered_writes.h"

namespace leither::org {

enum class ShelfKind : std::uint8_t {
    // On disk; never change these values.
    manifest = 'm',
    sequence = 's',
    delegation = 'd',
    pass = 'p',
    record = 'r',
    outgoing = 'o',
    held = 'h',
    incoming = 'i',
    settled = 't',
    chat_line = 'c',
    read_secret = 'k',
    served = 'a',
    entry = 'e',
    held_pack = 'w',
    piece = 'b',
    piece_size = 'x',
    guest_held = 'g',
    guest_incoming = 'j',
};

using store::GatheredWrites;

class Shelf {
 public:
    // `prefix` keeps organizations apart in one store.
    Shelf(ByteView prefix, ShelfKind kind);

    Bytes key(ByteView name) const;
    template <class T>
    void put(GatheredWrites& writes, ByteView name, const T& value) const {
        writes.put(key(name), bcs::encode(value));
    }
    void erase(GatheredWrites& writes, ByteView name) const { writes.erase(key(name)); }

    // Calls `each(name, value)` for all in order of names. What does not decode is passed over:
    // a damaged entry costs itself, and the network has most of them again.
    template <class T>
    Result<void, store::Fault> load(const store::Reader& reader,
                                    const std::function<void(ByteView, T&&)>& each) const {
        return walk(reader, [&each](ByteView name, ByteView value) {
            auto decoded = bcs::decode<T>(value);
            if (decoded) each(name, *std::move(decoded));
        });
    }

 private:
    Result<void, store::Fault> walk(const store::Reader& reader,
                                    const std::function<void(ByteView, ByteView)>& each) const;

    Bytes start_;
};

}  // namespace leither::org
