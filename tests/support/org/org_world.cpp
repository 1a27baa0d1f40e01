#include "support/org/org_world.h"

#include "leither/base/check.h"
#include "leither/crypto/hash.h"

namespace leither::testing {

Id PlainItemFormat::target(ByteView content) const {
    return Id::copy_of(crypto::blake2b_256(content).view().first(Id::kSize));
}

Bytes PlainItemFormat::signed_bytes(std::string_view salt, std::uint64_t sequence,
                                    ByteView content) const {
    bcs::Writer out;
    out.raw(as_bytes(salt));
    out.little_endian(sequence);
    out.raw(content);
    return out.take();
}

void write(store::MemoryStore& store, const store::WriteBatch& batch) {
    for (const auto& put : batch.puts()) {
        for (const auto& erase : batch.erases()) CHECK(put.key != erase.key);
    }
    CHECK(store.write(batch).has_value());
}

}  // namespace leither::testing
