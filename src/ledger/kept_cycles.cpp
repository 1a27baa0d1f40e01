#include "leither/ledger/kept_cycles.h"

#include <fmt/format.h>

#include "leither/codec/bcs.h"

namespace leither::ledger {

namespace {

using store::Fault;
using store::KeyKind;
using store::version_key;

// Beside the genesis, where nothing is ever pruned. On disk; never change them.
constexpr std::uint32_t kCheckpointIndex = 2;
constexpr std::uint32_t kSpanIndex = 3;
// Of the term 0, which the charter proves.
static_assert(kCyclesIndex + kTermMax <= 0xffff'ffff);

Bytes cycle_key(std::uint64_t term) {
    CHECK(term > 0 && term <= kTermMax);
    return version_key(0, KeyKind::genesis, kCyclesIndex + static_cast<std::uint32_t>(term));
}

template <class T>
Result<T, Fault> decoded(ByteView bytes, std::string_view what) {
    auto value = bcs::decode<T>(bytes);
    if (value) return *std::move(value);
    return fail(Fault{Fault::Kind::corrupt, fmt::format("the stored {} does not decode: {}", what,
                                                        bcs::to_string(value.error()))});
}

template <class T>
Result<std::optional<T>, Fault> read_value(const store::Reader& store, ByteView key,
                                           std::string_view what) {
    const auto bytes = TRY(store.get(key));
    if (!bytes) return std::nullopt;
    return TRY(decoded<T>(as_bytes(*bytes), what));
}

// Of the entry the cursor is at; nothing behind the last.
std::optional<std::uint64_t> term_at(const store::Cursor& cursor) {
    if (!cursor.valid()) return std::nullopt;
    const auto key = store::parse_version_key(cursor.key());
    if (!key || key->sequence != 0 || key->kind != KeyKind::genesis) return std::nullopt;
    return key->index - kCyclesIndex;
}

const protocol::BlockHeader& last_header(const election::Link& link) {
    if (const auto* cycle = std::get_if<election::CycleLink>(&link)) return cycle->header;
    return std::get<election::TakeoverLink>(link).last.header;
}

}  // namespace

void put_cycle(store::WriteBatch& batch, const TermLink& cycle) {
    batch.put(cycle_key(cycle.term), bcs::encode(cycle.kept));
}

void erase_cycle(store::WriteBatch& batch, std::uint64_t term) {
    batch.erase(cycle_key(term));
}

void put_cycle_span(store::WriteBatch& batch, const CycleSpan& span) {
    batch.put(version_key(0, KeyKind::genesis, kSpanIndex), bcs::encode(span));
}

Result<std::optional<CycleSpan>, Fault> read_cycle_span(const store::Reader& store) {
    return read_value<CycleSpan>(store, version_key(0, KeyKind::genesis, kSpanIndex),
                                 "span of cycles");
}

Result<std::optional<KeptCycle>, Fault> read_cycle(const store::Reader& store, std::uint64_t term) {
    return read_value<KeptCycle>(store, cycle_key(term), "proof of a committee");
}

Result<void, Fault> visit_changes(const store::Reader& store, std::uint64_t first,
                                  const std::function<bool(TermLink&&)>& visit) {
    if (first > kTermMax) return {};
    const auto cursor = store.cursor();
    for (cursor->seek(cycle_key(std::max<std::uint64_t>(first, 1))); cursor->valid();
         cursor->next()) {
        const auto term = term_at(*cursor);
        if (!term) break;
        // The first byte tells, so what nobody needs is not decoded.
        if (cursor->value().empty() || cursor->value().front() == 0) continue;
        auto kept = TRY(decoded<KeptCycle>(cursor->value(), "proof of a committee"));
        if (!visit({*term, std::move(kept)})) break;
    }
    if (auto fault = cursor->fault()) return fail(*std::move(fault));
    return {};
}

// Terms rise with sequences, so the place is found by halves.
Result<std::optional<election::CycleLink>, Fault> kept_cycle_block(const store::Reader& store,
                                                                   Sequence sequence) {
    const auto span = TRY(read_cycle_span(store));
    if (!span) return std::nullopt;
    const auto cursor = store.cursor();
    std::uint64_t low = 1;  // no entry below it is the one
    std::uint64_t high = std::min(span->to, kTermMax) + 1;
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        cursor->seek(cycle_key(middle));
        if (auto fault = cursor->fault()) return fail(*std::move(fault));
        const auto term = term_at(*cursor);
        if (!term || *term >= high) {
            high = middle;
            continue;
        }
        auto kept = TRY(decoded<KeptCycle>(cursor->value(), "proof of a committee"));
        const Sequence found = last_header(kept.link).sequence;
        if (found == sequence) {
            if (auto* block = std::get_if<election::CycleLink>(&kept.link)) return *block;
            return std::nullopt;
        }
        if (found < sequence) {
            low = *term + 1;
        } else {
            high = middle;
        }
    }
    return std::nullopt;
}

void put_checkpoint(store::WriteBatch& batch, const KeptCheckpoint& checkpoint) {
    batch.put(version_key(0, KeyKind::genesis, kCheckpointIndex), bcs::encode(checkpoint));
}

Result<std::optional<KeptCheckpoint>, Fault> read_checkpoint(const store::Reader& store) {
    return read_value<KeptCheckpoint>(store, version_key(0, KeyKind::genesis, kCheckpointIndex),
                                      "checkpoint");
}

}  // namespace leither::ledger
