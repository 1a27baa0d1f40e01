// How nodes come to have the same catalogue of packs, tags and contributions, and how pieces of
// packs travel:
// alternatives of PeerMessage, each with the maximum of its encoded body. Only to whoever has
// kFeatureCatalogue (peer_message.h).
#pragma once

#include <optional>
#include <variant>

#include "leither/protocol/contribution.h"
#include "leither/protocol/delegation.h"
#include "leither/protocol/pack.h"
#include "leither/protocol/tag.h"

namespace leither::protocol {

// What the catalogue is made of; only ever append.
using CatalogueEntry = std::variant<SignedPack, SignedTag, SignedContribution, SignedWithdrawal>;

Hash entry_id(const ChainId& chain, const CatalogueEntry& entry);
// Who has signed it.
const PublicKey& author_of(const CatalogueEntry& entry);
// Of two entries about the same thing the later one counts.
std::uint64_t issued_ms_of(const CatalogueEntry& entry);
// The first moment at which it no longer holds, in Unix ms; nothing for what does not expire.
std::optional<std::uint64_t> expires_ms_of(const CatalogueEntry& entry);
Result<void, RecordError> check(const CatalogueEntry& entry, const ChainId& chain, Instant now);

// So many entries, whose ids have this hash together. Whoever has others offers its own.
struct CatalogueHave {
    std::uint32_t entries = 0;
    Hash digest;  // BLAKE2b-256 of all ids, rising
    static constexpr std::uint32_t kBytesMax = 4 + 32;
    static void fields(auto& self, auto&& visit) { visit(self.entries, self.digest); }
    friend bool operator==(const CatalogueHave&, const CatalogueHave&) = default;
};

inline constexpr std::size_t kCatalogueIdsMax = 32;
struct CatalogueOffer {
    Bounded<Hash, kCatalogueIdsMax> ids;  // rising
    static constexpr std::uint32_t kBytesMax = 1 + kCatalogueIdsMax * 32;
    static void fields(auto& self, auto&& visit) { visit(self.ids); }
    bool is_canonical() const;
    friend bool operator==(const CatalogueOffer&, const CatalogueOffer&) = default;
};
struct CatalogueAsk {
    Bounded<Hash, kCatalogueIdsMax> ids;  // rising
    static constexpr std::uint32_t kBytesMax = 1 + kCatalogueIdsMax * 32;
    static void fields(auto& self, auto&& visit) { visit(self.ids); }
    bool is_canonical() const;
    friend bool operator==(const CatalogueAsk&, const CatalogueAsk&) = default;
};

struct ListedEntry {
    CatalogueEntry entry;
    std::optional<SignedPass> pass;  // of who has signed it
    static void fields(auto& self, auto&& visit) { visit(self.entry, self.pass); }
    friend bool operator==(const ListedEntry&, const ListedEntry&) = default;
};
inline constexpr std::size_t kEntriesPerReply = 8;
struct CatalogueEntries {
    Bounded<ListedEntry, kEntriesPerReply> entries;
    static constexpr std::uint32_t kBytesMax =
        1 + kEntriesPerReply * (1 + kSignedPackBytesMax + 1 + kSignedPassBytes);
    static void fields(auto& self, auto&& visit) { visit(self.entries); }
    friend bool operator==(const CatalogueEntries&, const CatalogueEntries&) = default;
};

struct ContentAsk {
    Hash piece;
    static constexpr std::uint32_t kBytesMax = 32;
    static void fields(auto& self, auto&& visit) { visit(self.piece); }
    friend bool operator==(const ContentAsk&, const ContentAsk&) = default;
};
enum class ContentOutcome : std::uint8_t {  // encoded; never change these values
    here,
    absent,  // the sender does not have it
    busy,    // it has it perhaps, but has sent enough for now
};
constexpr ContentOutcome last_of(ContentOutcome) {
    return ContentOutcome::busy;
}
const char* to_string(ContentOutcome outcome);
struct ContentReply {
    Hash piece;  // as asked for
    ContentOutcome outcome = ContentOutcome::absent;
    Bounded<std::uint8_t, kContentPieceMax> bytes;
    static constexpr std::uint32_t kBytesMax = 32 + 1 + 3 + kContentPieceMax;
    static void fields(auto& self, auto&& visit) { visit(self.piece, self.outcome, self.bytes); }
    // Bytes if it is here, and only then: no piece is empty.
    bool is_canonical() const { return (outcome == ContentOutcome::here) != bytes.empty(); }
    friend bool operator==(const ContentReply&, const ContentReply&) = default;
};

}  // namespace leither::protocol
