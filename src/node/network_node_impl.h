// The parts of a NetworkNode, as its own files see them: the machines (network_machines.cpp), what
// is followed (network_following.cpp), what callers ask (network_calls.cpp), the host and the store
// (network_node.cpp).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "network_node.h"

namespace leither::node {

// For whom a question to the DHT was asked.
struct ForCaller {
    Token token = 0;
};
struct ForOrder {
    org::OrderId order = 0;
};
struct ForPeers {
    Id organization;
};
struct ForManifest {};
struct ForRecord {
    PublicKey node;
};
struct ForChatHead {
    std::uint64_t round = 0;  // of the gatherer
    std::size_t source = 0;
};
struct ForChatLine {
    std::uint64_t round = 0;
    protocol::ChatPointer pointer;
};
// Whoever asked is gone: the community of an organization no longer followed.
struct ForNobody {};
using Purpose = std::variant<ForCaller, ForOrder, ForPeers, ForManifest, ForRecord, ForChatHead,
                             ForChatLine, ForNobody>;

// Somebody waits for the manifest of an organization this node does not follow.
struct Find {
    Token token = 0;
    Id organization;
    Instant deadline;
    Instant ask_at;  // the DHT, for nodes of it
};
// The followed organization needs two contexts of the hub's sixteen.
constexpr std::size_t kFindsMax = 14;

// What a step tells others once what it writes is durable.
struct Then {
    std::vector<Community::Message> sends;
    std::vector<org::PublishOrder> publish;
    std::vector<NetworkEvent> events;
    std::vector<NetworkReply> replies;
    bool tells_ledger = false;
};

// To be written, and what waits for it.
struct PendingWrite {
    store::GatheredWrites writes;
    Then then;
};
// One is out; whatever comes meanwhile gathers in the one behind it.
constexpr std::size_t kPendingMax = 2;

// How soon an answer of the DHT that helped nobody is asked for again: the network may be just
// beginning.
constexpr Duration kSeekAgain = std::chrono::seconds(2);
// How often is looked whether our address has changed in the eyes of others.
constexpr Duration kLookInterval = std::chrono::seconds(30);

inline NetworkFailure failure_of(NetworkError error, std::string detail) {
    return {error, std::move(detail)};
}

// What a community has done for a caller, as the caller is told.
inline NetworkAnswer answer_of(const Result<void, NetworkFailure>&) {
    return std::monostate{};
}
inline NetworkAnswer answer_of(const Result<Hash, NetworkFailure>& taken) {
    return *taken;
}
inline NetworkAnswer answer_of(const Result<org::ContentProgress, NetworkFailure>& done) {
    return *done;
}

// Where the store keeps which organization is followed.
inline const Bytes& followed_key() {
    static const Bytes kKey{'n', 'f'};
    return kKey;
}

// And how it was introduced.
inline const Bytes& introduction_key() {
    static const Bytes kKey{'n', 'i'};
    return kKey;
}

struct NetworkNode::Impl {
    Impl(const Setup& setup, const crypto::KeyPair& its_key, const org::MemberSource& its_source,
         const Log& its_log)
        : options(setup.options),
          store(setup.store),
          entropy(setup.entropy),
          key(its_key),
          source(its_source),
          log(its_log),
          dht(dht_options(), entropy, log.with_room("dht"), setup.now),
          hub(hub_options(), key, entropy, log.with_room("peer")) {
        CHECK(kFindsMax + 2 <= options.hub.contexts_max);
    }

    dht::Options dht_options() const {
        dht::Options chosen = options.dht;
        chosen.own_id = key.id();
        return chosen;
    }
    peer::HubOptions hub_options() const {
        peer::HubOptions chosen = options.hub;
        chosen.listen_port = listen_port();
        chosen.features |= protocol::kOwnFeatures;
        return chosen;
    }
    // 0: nobody can dial us.
    std::uint16_t listen_port() const {
        return options.listen.empty() ? std::uint16_t{0} : options.listen.front().port;
    }

    // As others reach it, through the router.
    std::uint16_t open_port() const { return ports.tcp ? ports.tcp->port : listen_port(); }

    // ---- Machines
    void dht_step(dht::Input&& input, Instant now, Effects& fx);
    void note_joining(Instant now, Effects& fx);
    bool may_tell(Instant now);
    // About one connection.
    template <class... Args>
    void tell_line(Instant now, std::string_view event, fmt::format_string<Args...> text,
                   Args&&... args) {
        if (may_tell(now)) return log.info(event, text, std::forward<Args>(args)...);
        log.debug(event, text, std::forward<Args>(args)...);
    }
    void on_done(dht::Done&& done, Instant now, Effects& fx);
    void on_peers(const Id& organization, const dht::Outcome& outcome, Instant now, Effects& fx);
    void ask_dht(Purpose purpose, dht::Request request, Instant now, Effects& fx);
    void gather_chat(Instant now, Effects& fx);
    void on_gathered(const Purpose& purpose, const dht::Outcome& outcome, Instant now, Effects& fx);

    void hub_step(peer::Input&& input, Instant now, Effects& fx);
    void on_event(peer::PeerUp&& event, Instant now, Effects& fx);
    void on_event(peer::PeerDown&& event, Instant now, Effects& fx);
    void on_event(peer::MessageReceived&& event, Instant now, Effects& fx);
    void on_event(peer::Undelivered&& event, Instant, Effects&) {
        // Whoever sent anything else tries again by itself.
        const bool is_post = std::holds_alternative<protocol::TransactionPost>(event.message);
        if (is_post) ledger_inputs.emplace_back(PostLost{event.node});
    }
    void on_event(peer::DialBackVerdict&& event, Instant now, Effects& fx);

    void take(Community::Effects&& from, Instant now, Effects& fx);
    void on_manifest_changed(Instant now, Effects& fx);
    // Lets the community do something, if there is one, and carries out what comes of it.
    template <class Act>
    void tell_community(Act act, Instant now, Effects& fx) {
        if (!community) return;
        Community::Effects theirs;
        act(*community, theirs);
        take(std::move(theirs), now, fx);
    }
    // The same for a caller, who is told how it went.
    template <class Act>
    void ask_community(Token token, Act act, Instant now, Effects& fx) {
        if (!community) {
            return refuse(token, {NetworkError::no_organization, "this node follows none"}, fx);
        }
        Community::Effects theirs;
        auto done = act(*community, theirs);
        take(std::move(theirs), now, fx);
        if (done) {
            answer_when_durable(token, answer_of(done), fx);
        } else {
            refuse(token, std::move(done).error(), fx);
        }
    }

    // ---- Following
    Result<void, store::Fault> adopt(const Id& organization, Instant now);
    void begin(Instant now, Effects& fx);
    // REQUIRES: a community.
    void learn_configured(const Endpoint& endpoint, Instant now, Effects& fx);
    // How the followed organization was introduced; null if it was not.
    const protocol::Introduction* introduced() const;
    void learn_entries(Instant now, Effects& fx);
    std::vector<Endpoint> entry_endpoints() const;
    void serve_contexts(Instant now, Effects& fx);
    void seek_peers(Instant now, Effects& fx);
    void refresh(Instant now, Effects& fx);
    std::vector<Endpoint> endpoints() const;
    const Endpoint* listener_for(const IpAddress& address) const;
    void look_at_endpoints(Instant now, Effects& fx);

    // ---- Callers
    void answer(Token token, NetworkAnswer answer, Effects& fx) const;
    void refuse(Token token, NetworkFailure failure, Effects& fx) const;
    // Once what has been handed over to be written is.
    void answer_when_durable(Token token, NetworkAnswer answer, Effects& fx);
    void answer_finds(const protocol::ManifestItem& item, Instant now, Effects& fx);
    void go_on_finding(Instant now, Effects& fx);
    void end_finds(Instant now, Effects& fx);

    void on(Token token, dht::Request&& request, Instant now, Effects& fx);
    void on(Token token, FindOrganization&& find, Instant now, Effects& fx);
    void on(Token token, FollowOrganization&& order, Instant now, Effects& fx);
    void on(Token token, PublishManifest&& order, Instant now, Effects& fx);
    void on(Token token, ServeAccount&& order, Instant now, Effects& fx);
    void on(Token token, PostLetter&& letter, Instant now, Effects& fx);
    void on(Token token, ForgetLetter&& letter, Instant now, Effects& fx);
    void on(Token token, SayLine&& line, Instant now, Effects& fx);
    void on(Token token, PublishPack&& order, Instant now, Effects& fx);
    void on(Token token, PutPiece&& order, Instant now, Effects& fx);
    void on(Token token, FetchPack&& order, Instant now, Effects& fx);
    void on(Token token, DropPack&& order, Instant now, Effects& fx);
    void on(Token token, AddEntry&& order, Instant now, Effects& fx);
    void on(Token token, SeekTag&& order, Instant now, Effects& fx);
    void on(Token token, AddPeer&& order, Instant now, Effects& fx);
    void on(Token token, BanPeer&& order, Instant now, Effects& fx);

    // ---- The host
    void on(DatagramReceived&& input, Instant now, Effects& fx);
    void on(BootstrapFound&& input, Instant now, Effects& fx);
    void on(AddressesAre&& input, Instant now, Effects& fx);
    void on(PortsMapped&& input, Instant now, Effects& fx);
    void on(NetworkPersisted&& input, Instant now, Effects& fx);
    void on(NetworkStopping&& input, Instant now, Effects& fx);
    template <class HubInput>
    void on(HubInput&& input, Instant now, Effects& fx) {
        hub_step(std::forward<HubInput>(input), now, fx);
    }

    // ---- Writing
    void write(store::GatheredWrites&& writes, Then&& then, Instant now, Effects& fx);
    void carry_out(Then&& then, Instant now, Effects& fx);
    void hand_out(Effects& fx);
    void save_acquaintances(Instant now, Effects& fx);

    const NetworkOptions options;
    const store::Reader& store;
    Entropy& entropy;
    const crypto::KeyPair key;
    const org::MemberSource& source;
    Log log;
    dht::DhtNode dht;
    peer::Hub hub;
    std::unique_ptr<Community> community;
    std::optional<protocol::Introduction> introduction;  // the last one, of whatever organization
    ChatGatherer gatherer;

    std::map<dht::RequestId, Purpose> questions;
    std::uint64_t last_request = 0;
    std::vector<Find> finds;
    std::set<Id> connected;  // nodes, members' or not
    std::vector<LedgerInput> ledger_inputs;
    std::vector<Id> reach;  // the latest last
    std::vector<IpAddress> addresses;
    PortsMapped ports;
    std::string reachability = "unknown yet: no other node has tried to reach this one";

    std::deque<PendingWrite> pending;  // at most kPendingMax; the front is out
    bool batch_out = false;
    bool stopping = false;
    bool joined = false;    // the DHT has nodes
    Instant lines_until{};  // up to when log lines about connections are used up

    Instant seek_at{};
    Duration seek_wait{};
    Instant refresh_at{};
    Instant save_at{};
    Instant saved_at{};
    Instant look_at{};
    Instant gather_at{};
    bool gathered = false;  // the conversation, once since the start
};

}  // namespace leither::node
