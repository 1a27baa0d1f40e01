// The organization's catalogue as this node has it: the packs that members publish, the tags that
// they give, and what they have contributed (docs/protocol/packs.md, tags.md, contributions.md).
//
// Specification
//   * Entries are signed by members. Of one publisher and pack name, or of one author, tag and
//     target, the latest counts, which may withdraw the tag; of two of one moment the one with the
//     smaller id. Each contribution counts for itself. Every node judges that alike, so all come to
//     have the same.
//   * The catalogue is public: whoever is connected and understands it is shown all of it, in
//     bounds for each node. Entries are taken only from whom they were asked, one asked at a time.
//   * Two nodes compare digests when they meet, then with one of them every compare_interval; whose
//     digest differs offers all its ids. A new entry is offered to everybody at once.
//   * Tags and withdrawals leave when they expire; packs and contributions do not expire.
//   * Bounded: packs, tags and contributions in all and of each member; the oldest goes first, and
//     one older than all that are kept is not taken.
// Rationale
//   * A digest costs 36 bytes where nothing has changed, and a node without entries says nothing.
//
// Not thread-safe. Same inputs and entropy, same effects.
#pragma once

#include <memory>
#include <vector>

#include "leither/base/entropy.h"
#include "leither/base/log.h"
#include "leither/org/members.h"
#include "leither/protocol/catalogue_messages.h"

namespace leither::org {

struct CatalogueOptions {
    std::size_t packs_max = 256;
    std::size_t packs_per_publisher_max = 16;
    std::size_t tags_max = 1024;
    std::size_t tags_per_author_max = 64;  // withdrawals are among them
    std::size_t contributions_max = 2048;
    std::size_t contributions_per_author_max = 128;
    Duration compare_interval = std::chrono::minutes(10);
    // How often one node is shown all, or told the digest, because it differs.
    Duration show_interval = std::chrono::seconds(30);
    std::size_t asks_per_minute_max = 64;  // of one node, answered
};

// Why an entry is not taken. In order of precedence.
enum class CatalogueRefusal : std::uint8_t {
    known,      // we have it
    stranger,   // whoever signed it is no member
    older,      // a later one about the same is known
    full,       // older than all that are kept, and there is no room
    bad_entry,  // from the future, expired or too long-lived, or badly signed
};
const char* to_string(CatalogueRefusal refusal);

class Catalogue {
 public:
    struct Tick {};
    // A node is connected that understands these messages.
    struct NodeUp {
        Id node;
    };
    struct NodeDown {
        Id node;
    };
    // By whoever has signed it.
    struct Add {
        protocol::CatalogueEntry entry;
    };
    struct Compared {
        Id from;
        protocol::CatalogueHave have;
    };
    struct Offered {
        Id from;
        protocol::CatalogueOffer offer;
    };
    struct Asked {
        Id from;
        protocol::CatalogueAsk ask;
    };
    struct Told {
        Id from;
        protocol::CatalogueEntries entries;
    };
    using Input = std::variant<Tick, NodeUp, NodeDown, Add, Compared, Offered, Asked, Told>;

    struct Send {
        Id to;
        std::variant<protocol::CatalogueHave, protocol::CatalogueOffer, protocol::CatalogueAsk,
                     protocol::CatalogueEntries>
            message;
    };
    struct Effects {
        store::WriteBatch writes;
        std::vector<Send> sends;                              // once the writes are durable
        std::optional<Result<Hash, CatalogueRefusal>> added;  // of an Add
        bool changed = false;                                 // an entry has come or gone
        bool forged = false;                                  // some entry bore no good signature
    };

    struct Setup {
        ChainId chain;
        Bytes prefix;  // of the store's keys
    };
    // `members` and `entropy` outlive the catalogue.
    Catalogue(CatalogueOptions options, Setup setup, const Members& members, Entropy& entropy,
              Log log);
    Catalogue(Catalogue&&) noexcept;
    Catalogue& operator=(Catalogue&&) noexcept;
    ~Catalogue();
    Result<void, store::Fault> load(const store::Reader& reader, Instant now);

    Effects step(Input&& input, Instant now);
    std::optional<Instant> next_deadline() const;

    // Whether an Add would be taken.
    Result<void, CatalogueRefusal> would_take(const protocol::CatalogueEntry& entry,
                                              Instant now) const;
    // Whether this node has been asked for it and has not answered yet.
    bool awaits(const Id& node, const protocol::CatalogueEntry& entry) const;
    // Newest first.
    std::vector<protocol::SignedPack> packs() const;
    std::vector<protocol::SignedTag> tags() const;
    std::vector<protocol::SignedContribution> contributions() const;
    const protocol::SignedPack* pack(const Hash& id) const;
    const protocol::SignedContribution* contribution(const Hash& id) const;
    std::size_t size() const;
    void check_invariants() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::org
