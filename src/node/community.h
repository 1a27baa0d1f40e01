// The machines of one organization on the network and what they share. Translates between them and
// the connections and the DHT, which it does not know: what is to be sent, published or dialed
// comes out as orders.
//
// Until a manifest is known there is only its keeper; the chain id in it gives the others life.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "leither/base/entropy.h"
#include "leither/base/log.h"
#include "leither/node/network.h"
#include "leither/org/address_book.h"
#include "leither/org/catalogue.h"
#include "leither/org/content_exchange.h"
#include "leither/org/members.h"
#include "leither/protocol/peer_message.h"

#include "chat_gatherer.h"
#include "ledger_link.h"

namespace leither::node {

// Points of conduct, for handing on what is badly signed: whoever is honest has checked it.
inline constexpr std::int32_t kForged = -25;

class Community {
 public:
    struct Setup {
        Id organization;
        crypto::KeyPair node;
        protocol::StaticKey static_key;
        Log log;
        // Where pieces of packs are read from; outlives the community. Null: none can be.
        const store::Reader* store = nullptr;
    };
    using Message = ToNeighbour;
    struct Effects {
        std::vector<Message> sends;
        store::GatheredWrites writes;
        std::vector<Message> after_writes;       // once they are durable
        std::vector<org::PublishOrder> publish;  // the same
        std::vector<org::AnnounceOrder> announce;
        std::vector<peer::PeerAddress> learn;
        std::vector<Id> reach;             // nodes worth a connection now
        std::vector<Id> seek;              // whoever announces these in the DHT is worth one too
        std::vector<NetworkEvent> events;  // once the writes are durable
        std::vector<peer::Judge> judged;
        std::vector<LedgerInput> ledger;
        bool manifest_changed = false;
    };

    // `source` and `entropy` outlive the community.
    Community(const NetworkOptions& options, Setup setup, const org::MemberSource& source,
              Entropy& entropy);
    Community(const Community&) = delete;
    Community& operator=(const Community&) = delete;
    ~Community();
    // What an earlier run has kept.
    Result<void, store::Fault> load(const store::Reader& reader, Instant now);
    // Says what was loaded to those who must act on it. Once, after load.
    void begin(Instant now, Effects& fx);

    // ---- Connections. `key` is the peer's node key, proven; `features` its hello's.
    void on_peer_up(const PublicKey& key, std::uint64_t features, Instant now, Effects& fx);
    void on_peer_down(const Id& node, Instant now, Effects& fx);
    // REQUIRES: the peer is up.
    void on_message(const Id& from, protocol::PeerMessage&& message, Instant now, Effects& fx);

    // ---- The DHT
    void on_carried(org::OrderId order, org::OrderOutcome outcome, Instant now, Effects& fx);
    // The DHT has nodes after it had none.
    void on_joined(Instant now, Effects& fx);
    // An item under the organization key, or one of a node's: as found, unchecked.
    void on_manifest_found(const dht::Item& item, Instant now, Effects& fx);
    void on_record_found(const PublicKey& node, ByteView content, Instant now, Effects& fx);
    void on_lines_found(std::vector<org::FoundLine>&& lines, Instant now, Effects& fx);

    // Who has been told of as NeighbourUp, and not as NeighbourDown since.
    const std::set<Id>& neighbours() const;
    // What the ledger says of bookkeepers has changed.
    void review_neighbours(Instant now, Effects& fx);

    // ---- The host and callers
    void on_tick(Instant now, Effects& fx);
    void set_endpoints(const std::vector<Endpoint>& endpoints, Instant now, Effects& fx);
    Result<void, NetworkFailure> publish(PublishManifest&& order, Instant now, Effects& fx);
    Result<void, NetworkFailure> serve(ServeAccount&& order, Instant now, Effects& fx);
    Result<Hash, NetworkFailure> post(PostLetter&& letter, Instant now, Effects& fx);
    Result<void, NetworkFailure> forget(const ForgetLetter& letter, Instant now, Effects& fx);
    Result<Hash, NetworkFailure> say(SayLine&& line, Instant now, Effects& fx);

    Result<org::ContentProgress, NetworkFailure> publish_pack(PublishPack&& order, Instant now,
                                                              Effects& fx);
    Result<org::ContentProgress, NetworkFailure> put_piece(PutPiece&& order, Instant now,
                                                           Effects& fx);
    Result<org::ContentProgress, NetworkFailure> fetch_pack(const FetchPack& order, Instant now,
                                                            Effects& fx);
    Result<Hash, NetworkFailure> drop_pack(const DropPack& order, Instant now, Effects& fx);
    Result<Hash, NetworkFailure> add_entry(AddEntry&& order, Instant now, Effects& fx);
    Result<void, NetworkFailure> seek_tag(const SeekTag& order, Instant now, Effects& fx);

    std::optional<Instant> next_deadline() const;
    void check_invariants() const;

    // ---- Read-only
    const Id& organization() const;
    // The last known, expired or not.
    const std::optional<protocol::ManifestItem>& manifest() const;
    std::optional<ChainId> chain() const;
    // Of the accounts this node serves.
    const protocol::Delegations& served() const;
    CommunityStatus status(Instant now) const;
    // Null before a manifest is known.
    const org::Mailbox* mailbox() const;
    const org::ChatLog* chat() const;
    const org::AddressBook* book() const;
    const org::Catalogue* catalogue() const;
    const org::ContentExchange* content() const;
    bool is_member(const Id& account, Instant now) const;
    // What opens lines and records of the DHT; nothing before a keeper has given it.
    const std::optional<crypto::X25519KeyPair>& read_key() const;
    // Whose heads are worth reading: keepers first.
    std::vector<ChatGatherer::Source> chat_sources(Instant now) const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::node
