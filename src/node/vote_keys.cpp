#include "leither/node/vote_keys.h"

#include <algorithm>

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"

namespace leither::node {

namespace {

using store::Fault;

// Beside the vouch of the vote log, at sequence 0, where nothing is ever pruned.
constexpr std::uint32_t kStampIndex = 1;

Bytes stamp_key() {
    return store::version_key(0, store::KeyKind::vote, kStampIndex);
}

std::optional<VoteKeys> decode(const SecretFile& file) {
    if (file.view().size() > VoteKeys::kFileBytesMax) return std::nullopt;
    auto keys = bcs::decode<VoteKeys>(file.view());
    return keys ? std::optional(*std::move(keys)) : std::nullopt;
}

}  // namespace

const char* to_string(VoteKeysFound found) {
    switch (found) {
        case VoteKeysFound::fitting: return "fitting";
        case VoteKeysFound::missing: return "missing";
        case VoteKeysFound::unreadable: return "unreadable";
        case VoteKeysFound::foreign: return "foreign";
    }
    UNREACHABLE();
}

bool VoteKeys::is_canonical() const {
    return version == kVersion &&
           std::ranges::adjacent_find(keys, std::greater_equal<>{}, &Kept::cycle) == keys.end();
}

namespace vote_keys {

Result<Opened, Fault> open(const store::Reader& store, const std::optional<SecretFile>& file) {
    if (!file) return Opened{VoteKeysFound::missing, {}};
    auto keys = decode(*file);
    if (!keys) return Opened{VoteKeysFound::unreadable, {}};
    const auto stamp = TRY(store.get(stamp_key()));
    const auto is_stored = [&stamp](const Hash& own) {
        return stamp && std::ranges::equal(as_bytes(*stamp), own.view());
    };
    // A change that a crash has cut off between file and store begins anew from the store's stamp:
    // the next one may be cut off as well.
    if (keys->former && is_stored(*keys->former)) keys->stamp = *keys->former;
    keys->former.reset();
    if (is_stored(keys->stamp)) return Opened{VoteKeysFound::fitting, *std::move(keys)};
    for (VoteKeys::Kept& kept : keys->keys) crypto::erase({kept.seed.data(), Hash::kSize});
    return Opened{VoteKeysFound::foreign, {}};
}

SecretFile encode(const VoteKeys& keys) {
    CHECK(keys.is_canonical());
    return SecretFile(bcs::encode(keys));
}

void put_stamp(store::WriteBatch& batch, const Hash& stamp) {
    const ByteView view = stamp.view();
    batch.put(stamp_key(), Bytes(view.begin(), view.end()));
}

SecretFile begin(const crypto::SecretBytes<32>& seed, store::WriteBatch& batch) {
    VoteKeys keys;
    keys.stamp = crypto::blake2b_256(seed.view());
    put_stamp(batch, keys.stamp);
    return encode(keys);
}

}  // namespace vote_keys

}  // namespace leither::node
