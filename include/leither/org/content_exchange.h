// Files of packs as this node has them, serves them and fetches them (docs/protocol/packs.md).
//
// Specification
//   * A pack is held from the moment its owner publishes it here or a user wants it, until it is
//     dropped or a later one of the same publisher and name is complete. Its pieces are kept one by
//     one under their hashes, so that a crash costs what had not yet arrived.
//   * What held packs amount to when complete is at most bytes_max: one that does not fit is
//     refused before a byte of it is taken.
//   * Pieces are asked of several connected nodes at once, each piece of one at a time; whoever
//     lacks a pack, is busy or silent rests for a while. Bytes with another hash than asked for
//     prove a liar: it is blamed, and asked for nothing more while it stays connected.
//   * Pieces are given to whoever asks, within bounds each second for each node and for all.
//   * While nothing comes, and when a fetch begins, the DHT is to be asked who has the pack.
// Rationale
//   * A piece is checked by its hash alone, so it does not matter whom it comes from.
//
// Not thread-safe. Same inputs, same effects.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "leither/base/log.h"
#include "leither/org/shelf.h"
#include "leither/protocol/catalogue_messages.h"

namespace leither::org {

struct ContentOptions {
    std::uint64_t bytes_max = std::uint64_t{256} << 20;  // of all packs held
    std::size_t packs_max = 64;                          // held
    std::size_t questions_max = 16;                      // asked at once
    std::size_t questions_per_node_max = 4;
    std::size_t pieces_per_second_max = 64;  // given to all
    std::size_t pieces_per_node_max = 32;    // given to one, each second
    Duration answer_timeout = std::chrono::seconds(20);
    Duration absent_rest = std::chrono::seconds(30);
    Duration busy_rest = std::chrono::seconds(1);
    Duration seek_interval = std::chrono::seconds(60);
};

// Why content is not taken. In order of precedence.
enum class ContentRefusal : std::uint8_t {
    not_held,       // no such pack is published or fetched here
    bad_contents,   // not what the pack names
    unknown_piece,  // no piece of the pack
    too_many,       // packs are held
    no_room,        // it would exceed bytes_max
};
const char* to_string(ContentRefusal refusal);

enum class HoldState : std::uint8_t {
    publishing,  // its owner is handing it over
    fetching,
    complete,
};
const char* to_string(HoldState state);

struct ContentProgress {
    HoldState state = HoldState::fetching;
    std::uint64_t done_bytes = 0;
    std::uint64_t total_bytes = 0;  // of the files and their list
    std::size_t asked_nodes = 0;    // at the moment
};

class ContentExchange {
 public:
    struct Tick {};
    struct NodeUp {
        Id node;
    };
    struct NodeDown {
        Id node;
    };
    // By its owner, with the encoded list of its files. REQUIRES: the signature has been checked.
    struct Publish {
        protocol::SignedPack pack;
        Bytes contents;
    };
    // A piece of a pack that is being published.
    struct Put {
        Hash pack;
        Bytes bytes;
    };
    // REQUIRES: the signature has been checked.
    struct Fetch {
        protocol::SignedPack pack;
    };
    struct Drop {
        Hash pack;
    };
    struct Asked {
        Id from;
        protocol::ContentAsk ask;
    };
    struct Answered {
        Id from;
        protocol::ContentReply reply;
    };
    using Input = std::variant<Tick, NodeUp, NodeDown, Publish, Put, Fetch, Drop, Asked, Answered>;

    struct Send {
        Id to;
        std::variant<protocol::ContentAsk, protocol::ContentReply> message;
    };
    struct Effects {
        store::WriteBatch writes;
        std::vector<Send> sends;
        // Of Publish, Put, Fetch and Drop: the pack's id.
        std::optional<Result<Hash, ContentRefusal>> done;
        std::vector<protocol::SignedPack> published;  // complete now, by their owner
        std::vector<Id> seek;                         // who announces these has what we want
        std::vector<Id> liars;
        bool changed = false;  // packs that are complete
    };

    struct Setup {
        ChainId chain;
        Bytes prefix;  // of the store's keys
        // Where pieces are read from; outlives the exchange. Null: none can be.
        const store::Reader* store = nullptr;
    };
    ContentExchange(ContentOptions options, Setup setup, Log log);
    ContentExchange(ContentExchange&&) noexcept;
    ContentExchange& operator=(ContentExchange&&) noexcept;
    ~ContentExchange();
    Result<void, store::Fault> load(const store::Reader& reader);

    Effects step(Input&& input, Instant now);
    std::optional<Instant> next_deadline() const;

    // Nothing if it is not held.
    std::optional<ContentProgress> progress(const Hash& pack) const;
    const protocol::SignedPack* pack(const Hash& pack) const;
    // Null until the list of files has come.
    const protocol::PackContents* contents(const Hash& pack) const;
    // Nothing if it is not here, or not durable yet.
    std::optional<Bytes> piece(const Hash& piece) const;
    std::vector<Hash> held() const;
    // Complete, the latest published first.
    std::vector<Hash> complete() const;
    std::uint64_t bytes_reserved() const;
    const ContentOptions& options() const;
    void check_invariants() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::org
