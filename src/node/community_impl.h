// The parts of a Community, as its own files see them: its life (community.cpp), what it says to
// other nodes (community_talk.cpp), packs and tags (community_catalogue.cpp).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "community.h"

namespace leither::node {

// What the room `org` needs to know of the DHT's items.
class DhtFormat final : public org::ItemFormat {
 public:
    Id target(ByteView content) const override {
        return dht::immutable_target(dht::value_of(content));
    }
    Bytes signed_bytes(std::string_view salt, std::uint64_t sequence,
                       ByteView content) const override {
        return dht::signed_bytes(dht::ItemSalt::copy_of(as_bytes(salt)),
                                 static_cast<std::int64_t>(sequence), dht::value_of(content));
    }
};

// What a caller is told. `rule` is a constant.
NetworkFailure refused(std::string_view rule, std::string_view why);
NetworkFailure not_a_member(std::string_view what);
NetworkFailure no_manifest();

// Nothing for bytes that are no secret.
std::optional<crypto::X25519KeyPair> read_key_from(ByteView bytes);

// What connected nodes show of themselves, more of it is passed over. An honest one introduces
// itself when it connects, with each keeper's welcome, and when it serves another account.
inline constexpr std::size_t kIntroductionsPerMinute = 32;

struct Community::Impl {
    // What the chain id gives life to.
    struct Life {
        ChainId chain;
        org::Members members;
        org::AddressBook book;
        org::Announcer announcer;
        org::Mailbox mailbox;
        org::ChatLog chat;
        org::Catalogue catalogue;
        org::ContentExchange content;

        Life(const NetworkOptions& options, const Setup& setup, const ChainId& its_chain,
             const org::MemberSource& source, Entropy& entropy, const Bytes& prefix)
            : chain(its_chain),
              members({}, chain, source, org::Shelf(prefix, org::ShelfKind::pass)),
              book({}, chain, members, prefix),
              announcer(
                  options.announcer,
                  {setup.node, setup.static_key, setup.organization, chain, protocol::kOwnFeatures},
                  org::Shelf(prefix, org::ShelfKind::sequence), entropy, setup.log),
              mailbox(options.mailbox, {setup.node, chain, prefix}, book, entropy, setup.log),
              chat(options.chat, {chain, prefix}, members, entropy, setup.log),
              catalogue(options.catalogue, {chain, prefix}, members, entropy, setup.log),
              content(options.content, {chain, prefix, setup.store}, setup.log) {}
    };

    Impl(const NetworkOptions& given, Setup its_setup, const org::MemberSource& its_source,
         Entropy& its_entropy);

    // ---- From one machine's effects to the community's
    // What all that talk to other nodes have in common: writes, then what is sent of them.
    template <class MachineEffects>
    static void carry_out(MachineEffects& from, Effects& fx) {
        fx.writes.append(from.writes);
        for (auto& send : from.sends) {
            std::visit(
                [&](auto&& held) {
                    fx.after_writes.push_back({send.to, protocol::PeerMessage(std::move(held))});
                },
                std::move(send.message));
        }
    }
    void take(org::ManifestKeeper::Effects&& from, Instant now, Effects& fx);
    void take(org::Announcer::Effects&& from, Instant now, Effects& fx);
    void take(org::Mailbox::Effects&& from, Effects& fx);
    void take(org::ChatLog::Effects&& from, Instant now, Effects& fx);
    void take(org::Catalogue::Effects&& from, Instant now, Effects& fx);
    void take(org::ContentExchange::Effects&& from, Instant now, Effects& fx);
    void take_writes(Effects& fx);

    // ---- Life
    void begin_life();
    Result<void, store::Fault> load_life(const store::Reader& reader, Instant now);
    void on_new_manifest(Instant now, Effects& fx);
    void on_new_read_key(Instant now, Effects& fx);
    void learn_keepers(Effects& fx) const;
    void tell_served(Instant now, Effects& fx);
    std::vector<Id> served_ids() const;
    // All but `spared`'s.
    void drop_expired_delegations(const PublicKey& spared, Instant now, Effects& fx);
    bool is_members_node(Instant now) const;
    bool is_keeper() const;

    // ---- Packs and tags
    bool exchanges(const Id& node) const {
        const auto known = features.find(node);
        return known != features.end() && (known->second & protocol::kFeatureCatalogue) != 0;
    }
    void begin_exchange(const Id& node, Instant now, Effects& fx);
    // What we announce for others to come for.
    void tell_offers(Instant now, Effects& fx);

    // ---- Talk
    void introduce(const Id& to, Instant now, Effects& fx);
    bool may_introduce_itself(const Id& node, Instant now);
    void welcome(const PublicKey& key, const protocol::Credentials& shown, Instant now,
                 Effects& fx);
    bool has_fresh_pass(const Id& account, const protocol::Passes& shown, Instant now) const;
    Duration pass_lifetime() const { return std::chrono::hours(options.pass_lifetime_hours); }
    // Whether a connected node has turned out to be a member's.
    bool is_newly_member(const Id& node, Instant now) const {
        return from_member(node, now) && !met.contains(node);
    }
    void meet(const Id& node, Instant now, Effects& fx);
    // Whether a node belongs to the organization: a member's, a bookkeeper's or a keeper.
    bool belongs(const PublicKey& node, Instant now) const;
    // Whether a connected node may hear of the ledger.
    bool is_neighbourly(const Id& node, Instant now) const;
    void review_neighbour(const Id& node, Instant now, Effects& fx);
    void review_neighbours(Instant now, Effects& fx);
    // What the ledger's machines say to each other.
    template <class Message>
    void on(const Id& from, Message&& message, Instant, Effects& fx) {
        if (!neighbours.contains(from)) return;
        fx.ledger.emplace_back(LedgerMessage{from, std::forward<Message>(message)});
    }
    // Those of strangers go no further.
    void on(const Id& from, protocol::Acknowledgements&& told, Instant now, Effects& fx);
    // All that are known here.
    void offer_records(const Id& to, Instant now, Effects& fx);
    // Why it does not hold; nothing if it does.
    std::optional<protocol::RecordError> on_record(const protocol::SignedRoutingRecord& record,
                                                   Instant now, Effects& fx);
    void on_known_better(const Id& node, Instant now, Effects& fx);
    bool from_member(const Id& node, Instant now) const {
        return life && life->book.is_members_node(node, now);
    }

    void on(const Id& from, protocol::AskManifest&& ask, Instant now, Effects& fx);
    void on(const Id& from, protocol::ManifestReply&& reply, Instant now, Effects& fx);
    void on(const Id& from, protocol::Credentials&& shown, Instant now, Effects& fx);
    void on(const Id& from, protocol::Welcome&& given, Instant now, Effects& fx);
    void on(const Id& from, protocol::RecordOffer&& offer, Instant now, Effects& fx);
    void on(const Id& from, protocol::RecordAsk&& ask, Instant now, Effects& fx);
    void on(const Id& from, protocol::RecordReply&& reply, Instant now, Effects& fx);
    void on(const Id& from, protocol::EnvelopeOffer&& offer, Instant now, Effects& fx);
    void on(const Id& from, protocol::EnvelopePost&& post, Instant now, Effects& fx);
    void on(const Id& from, protocol::EnvelopeAck&& ack, Instant now, Effects& fx);
    void on(const Id& from, protocol::ChatPost&& post, Instant now, Effects& fx);
    void on(const Id& from, protocol::ChatHave&& have, Instant now, Effects& fx);
    void on(const Id& from, protocol::ChatAsk&& ask, Instant now, Effects& fx);
    void on(const Id& from, protocol::ChatLines&& lines, Instant now, Effects& fx);
    void on(const Id& from, protocol::CatalogueHave&& have, Instant now, Effects& fx);
    void on(const Id& from, protocol::CatalogueOffer&& offer, Instant now, Effects& fx);
    void on(const Id& from, protocol::CatalogueAsk&& ask, Instant now, Effects& fx);
    void on(const Id& from, protocol::CatalogueEntries&& entries, Instant now, Effects& fx);
    void on(const Id& from, protocol::ContentAsk&& ask, Instant now, Effects& fx);
    void on(const Id& from, protocol::ContentReply&& reply, Instant now, Effects& fx);
    // The hub's own kinds never come here.
    void on(const Id&, protocol::Hello&&, Instant, Effects&) { UNREACHABLE(); }
    void on(const Id&, protocol::Ping&&, Instant, Effects&) { UNREACHABLE(); }
    void on(const Id&, protocol::Pong&&, Instant, Effects&) { UNREACHABLE(); }
    void on(const Id&, protocol::Goodbye&&, Instant, Effects&) { UNREACHABLE(); }
    void on(const Id&, protocol::AskDialBack&&, Instant, Effects&) { UNREACHABLE(); }
    void on(const Id&, protocol::DialBackResult&&, Instant, Effects&) { UNREACHABLE(); }

    template <class Input>
    void tell_mailbox(Input&& input, Instant now, Effects& fx) {
        take(life->mailbox.step(std::forward<Input>(input), now), fx);
    }
    template <class Input>
    void tell_chat(Input&& input, Instant now, Effects& fx) {
        take(life->chat.step(std::forward<Input>(input), now), now, fx);
    }
    // Lines that `from` answers for.
    template <class Input>
    void hear_chat(const Id& from, Input&& input, Instant now, Effects& fx) {
        auto step = life->chat.step(std::forward<Input>(input), now);
        if (step.forged) fx.judged.push_back({from, kForged});
        take(std::move(step), now, fx);
    }
    template <class Input>
    void tell_catalogue(Input&& input, Instant now, Effects& fx) {
        take(life->catalogue.step(std::forward<Input>(input), now), now, fx);
    }
    template <class Input>
    void tell_content(Input&& input, Instant now, Effects& fx) {
        take(life->content.step(std::forward<Input>(input), now), now, fx);
    }
    template <class Input>
    void tell_announcer(Input&& input, Instant now, Effects& fx) {
        take(life->announcer.step(std::forward<Input>(input), now), now, fx);
    }

    const NetworkOptions options;
    const Setup setup;
    const org::MemberSource& source;
    Entropy& entropy;
    const Bytes prefix;
    DhtFormat format;
    org::ManifestKeeper keeper;
    org::Shelf served_shelf;
    org::Shelf secret_shelf;

    std::optional<crypto::X25519KeyPair> read_key;
    protocol::Delegations served;
    std::vector<Endpoint> endpoints;
    std::optional<Life> life;
    std::map<Id, PublicKey> up;            // connected nodes
    std::map<Id, std::uint64_t> features;  // of each of them
    std::set<Id> met;                      // those of them the conversation goes on with
    struct Introductions {
        Instant since;
        std::size_t count = 0;
    };
    std::map<Id, Introductions> introductions;  // within a minute, of connected nodes
    std::set<Id> neighbours;                    // those of them that may hear of the ledger
    Instant introduce_at{};  // to all of them, so that passes are renewed in time
};

}  // namespace leither::node
