#include "leither/consensus/vote_log.h"

#include <fmt/format.h>

#include "leither/codec/bcs.h"

namespace leither::consensus::vote_log {

namespace {

using store::Fault;
using store::KeyKind;
using store::version_key;

// These lie beside the genesis, where nothing is ever pruned; 1 is the stamp of the vote keys
// (docs/protocol/storage.md).
constexpr std::uint32_t kVouchIndex = 0;
constexpr std::uint32_t kYieldIndex = 2;
// Index of a record: round * 8 + kind.
constexpr std::uint32_t kKindsMax = 8;
static_assert(kRoundMax <= (UINT32_MAX - (kKindsMax - 1)) / kKindsMax);

enum class Kind : std::uint32_t { proposal, prevote, precommit, lock };  // on disk

Bytes key(Sequence height, std::uint32_t round, Kind kind) {
    return version_key(height.value(), KeyKind::vote,
                       round * kKindsMax + static_cast<std::uint32_t>(kind));
}

struct Place {
    std::uint32_t operator()(const protocol::ProposalClaim& claim) { return at(claim.slot.round); }
    std::uint32_t operator()(const protocol::Vote& vote) {
        kind = vote.kind == protocol::VoteKind::prevote ? Kind::prevote : Kind::precommit;
        return at(vote.slot.round);
    }
    std::uint32_t operator()(const Lock& lock) {
        kind = Kind::lock;
        return at(lock.round);
    }
    static std::uint32_t at(std::uint32_t round) {
        CHECK(round <= kRoundMax);
        return round;
    }
    Kind kind = Kind::proposal;
};

struct Take {
    Replay& replay;
    void operator()(const protocol::ProposalClaim& claim) const {
        replay.proposals.emplace(claim.slot.round, claim);
    }
    void operator()(const protocol::Vote& vote) const {
        replay.votes.emplace(SignedSlot{vote.slot.round, protocol::statement_kind(vote.kind)},
                             vote);
    }
    void operator()(Lock& lock) const {
        if (!replay.lock || replay.lock->round < lock.round) replay.lock = std::move(lock);
    }
};

template <class T>
Result<T, Fault> decoded(ByteView bytes) {
    auto value = bcs::decode<T>(bytes);
    if (value) return *std::move(value);
    return fail(Fault{Fault::Kind::corrupt, fmt::format("the vote log does not decode: {}",
                                                        bcs::to_string(value.error()))});
}

}  // namespace

void put(store::WriteBatch& batch, Sequence height, const LogRecord& record) {
    Place place;
    const std::uint32_t round = std::visit(place, record);
    batch.put(key(height, round, place.kind), bcs::encode(record));
}

std::uint32_t round_of(const LogRecord& record) {
    Place place;
    return std::visit(place, record);
}

void erase(store::WriteBatch& batch, Sequence height, std::uint32_t round) {
    for (const Kind kind : {Kind::proposal, Kind::prevote, Kind::precommit, Kind::lock}) {
        batch.erase(key(height, round, kind));
    }
}

void put(store::WriteBatch& batch, const Vouch& vouch) {
    batch.put(version_key(0, KeyKind::vote, kVouchIndex), bcs::encode(vouch));
}

void erase_vouch(store::WriteBatch& batch) {
    batch.erase(version_key(0, KeyKind::vote, kVouchIndex));
}

void put(store::WriteBatch& batch, const Yield& yield) {
    batch.put(version_key(0, KeyKind::vote, kYieldIndex), bcs::encode(yield));
}

Result<std::optional<Yield>, Fault> read_yield(const store::Reader& store) {
    const auto bytes = TRY(store.get(version_key(0, KeyKind::vote, kYieldIndex)));
    if (!bytes) return std::nullopt;
    return TRY(decoded<Yield>(as_bytes(*bytes)));
}

Result<std::optional<Vouch>, Fault> read_vouch(const store::Reader& store) {
    const auto bytes = TRY(store.get(version_key(0, KeyKind::vote, kVouchIndex)));
    if (!bytes) return std::nullopt;
    return TRY(decoded<Vouch>(as_bytes(*bytes)));
}

Result<Replay, Fault> read(const store::Reader& store, Sequence height) {
    Replay replay;
    const auto cursor = store.cursor();
    cursor->seek(version_key(height.value(), KeyKind::vote));
    for (; cursor->valid(); cursor->next()) {
        const auto at = store::parse_version_key(cursor->key());
        if (!at || at->sequence != height.value() || at->kind != KeyKind::vote) break;
        auto record = TRY(decoded<LogRecord>(cursor->value()));
        std::visit(Take{replay}, record);
    }
    if (auto fault = cursor->fault()) return fail(*std::move(fault));
    return replay;
}

}  // namespace leither::consensus::vote_log
