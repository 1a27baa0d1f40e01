#include "network_node.h"

#include <algorithm>
#include <set>
#include <utility>

#include "leither/base/prng.h"
#include "leither/codec/bcs.h"

#include "acquaintances.h"

namespace leither::node {

namespace {

using store::Fault;
using Done = Result<void, Fault>;

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
void append(Then& then, Then&& later) {
    const auto add = [](auto& all, auto& some) {
        std::move(some.begin(), some.end(), std::back_inserter(all));
    };
    add(then.sends, later.sends);
    add(then.publish, later.publish);
    add(then.events, later.events);
    add(then.replies, later.replies);
    then.tells_ledger |= later.tells_ledger;
}

// To be written, and what waits for it.
struct Pending {
    store::GatheredWrites writes;
    Then then;
};
// One is out; whatever comes meanwhile gathers in the one behind it.
constexpr std::size_t kPendingMax = 2;

// How soon an answer of the DHT that helped nobody is asked for again: the network may be just
// beginning.
constexpr Duration kSeekAgain = std::chrono::seconds(2);
constexpr Duration kSeekIntervalMax = std::chrono::minutes(30);
constexpr std::size_t kReachMax = 8;
constexpr std::size_t kEndpointsMax = 4;
// How often is looked whether our address has changed in the eyes of others.
constexpr Duration kLookInterval = std::chrono::seconds(30);
// Log lines about single connections at info.
constexpr int kLinesAtOnce = 20;
constexpr Duration kLineInterval = std::chrono::seconds(30);

const Bytes& followed_key() {
    static const Bytes kKey{'n', 'f'};
    return kKey;
}

dht::Item item_of(const org::Publication& publication, const crypto::KeyPair& node) {
    if (const auto* immutable = std::get_if<org::ImmutableItem>(&publication)) {
        return {dht::value_of(immutable->content), std::nullopt};
    }
    const auto& given = std::get<org::MutableItem>(publication);
    const auto salt = dht::ItemSalt::copy_of(as_bytes(given.salt));
    const auto sequence = static_cast<std::int64_t>(given.sequence);
    Bytes value = dht::value_of(given.content);
    if (!given.signature) return dht::sign_item(node, salt, sequence, std::move(value));
    return {std::move(value), dht::Authorship{given.key, salt, sequence, *given.signature}};
}

std::string text_of(const std::vector<IpAddress>& addresses) {
    std::string text;
    for (const IpAddress& address : addresses) {
        if (!text.empty()) text += ", ";
        text += address.text();
    }
    return text;
}

NetworkFailure failure_of(NetworkError error, std::string detail) {
    return {error, std::move(detail)};
}

// What a community has done for a caller, as the caller is told.
NetworkAnswer answer_of(const Result<void, NetworkFailure>&) {
    return std::monostate{};
}
NetworkAnswer answer_of(const Result<Hash, NetworkFailure>& taken) {
    return *taken;
}

// Blocks may be larger than what a message carries, where parameters say so.
bool fits(const protocol::PeerMessage& message) {
    return std::visit(
        [&]<class Message>(const Message& held) {
            constexpr bool kHoldsBlocks = std::is_same_v<Message, protocol::Proposal> ||
                                          std::is_same_v<Message, protocol::Decision> ||
                                          std::is_same_v<Message, protocol::BlocksReply>;
            if constexpr (!kHoldsBlocks) return true;
            return bcs::encode(held).size() <= protocol::kBlockMessageBytesMax;
        },
        message);
}

}  // namespace

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
    Done adopt(const Id& organization, Instant now);
    void begin(Instant now, Effects& fx);
    // REQUIRES: a community.
    void learn_configured(const Endpoint& endpoint, Instant now, Effects& fx);
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

    std::deque<Pending> pending;  // at most kPendingMax; the front is out
    bool batch_out = false;
    bool stopping = false;
    bool joined = false;    // the DHT has nodes
    Instant lines_until{};  // up to when log lines about connections are used up

    Instant seek_at{};
    Duration seek_wait{};
    Instant refresh_at{};
    Instant save_at{};
    Instant look_at{};
    Instant gather_at{};
    bool gathered = false;  // the conversation, once since the start
};

// ---- The DHT -----------------------------------------------------------------------------------

void NetworkNode::Impl::dht_step(dht::Input&& input, Instant now, Effects& fx) {
    auto from = dht.step(std::move(input), now);
    if (joined != (dht.nodes() > 0)) note_joining(now, fx);
    std::move(from.sends.begin(), from.sends.end(), std::back_inserter(fx.network.datagrams));
    for (auto& done : from.done) on_done(std::move(done), now, fx);
}

// The first node in the routing table, or the last one gone: what could not be published or found
// can be when there are nodes again.
void NetworkNode::Impl::note_joining(Instant now, Effects& fx) {
    joined = !joined;
    if (!joined) {
        // Those connected may all be nodes that nobody can ask.
        if (connected.empty() && may_tell(now)) {
            log.warn("network_lost", "detail=\"no node answers any more; going on trying\"");
        }
        return;
    }
    tell_line(now, "network_joined", "detail=\"another node has answered\"");
    tell_community([&](auto& ours, auto& theirs) { ours.on_joined(now, theirs); }, now, fx);
    seek_wait = kSeekAgain;
    seek_at = std::min(seek_at, now + seek_wait);
}

void NetworkNode::Impl::ask_dht(Purpose purpose, dht::Request request, Instant now, Effects& fx) {
    const dht::RequestId id(++last_request);
    questions.emplace(id, std::move(purpose));
    dht_step(dht::Ask{id, std::move(request)}, now, fx);
}

void NetworkNode::Impl::on_done(dht::Done&& done, Instant now, Effects& fx) {
    const auto question = questions.extract(done.id);
    CHECK(!question.empty());
    dht::Outcome& outcome = done.outcome;
    if (const auto* caller = std::get_if<ForCaller>(&question.mapped())) {
        return answer(caller->token, std::move(outcome), fx);
    }
    if (const auto* peers = std::get_if<ForPeers>(&question.mapped())) {
        return on_peers(peers->organization, outcome, now, fx);
    }
    if (!community) return;
    on_gathered(question.mapped(), outcome, now, fx);
    Community::Effects theirs;
    if (const auto* order = std::get_if<ForOrder>(&question.mapped())) {
        const auto stored = outcome.failure ? org::OrderOutcome::failed : org::OrderOutcome::stored;
        community->on_carried(order->order, stored, now, theirs);
    } else if (outcome.item && std::holds_alternative<ForManifest>(question.mapped())) {
        community->on_manifest_found(*outcome.item, now, theirs);
    } else if (const auto* record = std::get_if<ForRecord>(&question.mapped());
               record != nullptr && outcome.item) {
        const auto content = dht::content_of(outcome.item->value);
        if (content) community->on_record_found(record->node, *content, now, theirs);
    }
    take(std::move(theirs), now, fx);
}

// The first time always: this node may have been away. Then only while nobody is there to ask.
void NetworkNode::Impl::gather_chat(Instant now, Effects& fx) {
    gather_at = now + kLookInterval;
    if (!joined || !community->read_key() || gatherer.is_gathering()) return;
    gather_at = now + options.refresh_interval;
    if (std::exchange(gathered, true) && !connected.empty()) return;
    gatherer.begin(community->chat_sources(now));
    const std::uint64_t round = gatherer.round();
    const auto sources = gatherer.sources();
    for (std::size_t i = 0; i < sources.size(); ++i) {
        const auto salt = dht::ItemSalt::copy_of(as_bytes(protocol::kChatSalt));
        ask_dht(ForChatHead{round, i}, dht::GetMutable{sources[i].node, salt}, now, fx);
    }
}

void NetworkNode::Impl::on_gathered(const Purpose& purpose, const dht::Outcome& outcome,
                                    Instant now, Effects& fx) {
    const auto content = outcome.item ? dht::content_of(outcome.item->value) : std::nullopt;
    const ByteView found = content.value_or(ByteView());
    if (const auto* head = std::get_if<ForChatHead>(&purpose)) {
        if (head->round != gatherer.round()) return;
        for (const protocol::ChatPointer& pointer : gatherer.on_head(head->source, found)) {
            ask_dht(ForChatLine{head->round, pointer}, dht::GetImmutable{pointer.target}, now, fx);
        }
    } else if (const auto* line = std::get_if<ForChatLine>(&purpose)) {
        if (line->round != gatherer.round()) return;
        if (!community->read_key()) return gatherer.abandon();
        gatherer.on_line(line->pointer, found, *community->read_key());
    } else {
        return;
    }
    if (gatherer.is_gathering()) return;
    tell_community(
        [&](auto& ours, auto& theirs) { ours.on_lines_found(gatherer.take(), now, theirs); }, now,
        fx);
}

void NetworkNode::Impl::on_peers(const Id& organization, const dht::Outcome& outcome, Instant now,
                                 Effects& fx) {
    log.debug("peers_found", "organization={} peers={}", organization.hex(), outcome.peers.size());
    for (const Endpoint& endpoint : outcome.peers) {
        hub_step(peer::Learn{{endpoint, peer::Context::of(organization), std::nullopt, std::nullopt,
                              peer::Source::dht}},
                 now, fx);
    }
}

// ---- Connections -------------------------------------------------------------------------------

void NetworkNode::Impl::hub_step(peer::Input&& input, Instant now, Effects& fx) {
    auto from = hub.step(std::move(input), now);
    const auto append = [](auto& all, auto& some) {
        std::move(some.begin(), some.end(), std::back_inserter(all));
    };
    append(fx.network.dials, from.dials);
    append(fx.network.writes, from.writes);
    append(fx.network.reading, from.reading);
    append(fx.network.closes, from.closes);
    for (auto& event : from.events) {
        std::visit([&](auto&& held) { on_event(std::move(held), now, fx); }, std::move(event));
    }
}

// Peers can cause these lines: whoever comes and goes all day is seen at debug only.
bool NetworkNode::Impl::may_tell(Instant now) {
    lines_until = std::max(lines_until, now - kLinesAtOnce * kLineInterval);
    if (lines_until + kLineInterval > now) return false;
    lines_until += kLineInterval;
    return true;
}

void NetworkNode::Impl::on_event(peer::PeerUp&& event, Instant now, Effects& fx) {
    const peer::Peer& peer = event.peer;
    connected.insert(peer.node);
    tell_line(now, "peer_up", "node={} endpoint={} direction={}", peer.node.hex(),
              peer.endpoint.text(), peer::to_string(peer.direction));
    for (const Find& find : finds) {
        hub_step(peer::SendMessage{peer.node, protocol::AskManifest{find.organization}}, now, fx);
    }
    tell_community([&](auto& ours, auto& theirs) { ours.on_peer_up(peer.node_key, now, theirs); },
                   now, fx);
}

void NetworkNode::Impl::on_event(peer::PeerDown&& event, Instant now, Effects& fx) {
    connected.erase(event.node);
    tell_line(now, "peer_down", "node={} reason={}", event.node.hex(),
              peer::to_string(event.reason));
    tell_community([&](auto& ours, auto& theirs) { ours.on_peer_down(event.node, now, theirs); },
                   now, fx);
    seek_wait = kSeekAgain;
    seek_at = std::min(seek_at, now + seek_wait);
}

void NetworkNode::Impl::on_event(peer::MessageReceived&& event, Instant now, Effects& fx) {
    const auto* reply = std::get_if<protocol::ManifestReply>(&event.message);
    if (reply != nullptr && reply->item) answer_finds(*reply->item, now, fx);
    tell_community(
        [&](auto& ours, auto& theirs) {
            ours.on_message(event.node, std::move(event.message), now, theirs);
        },
        now, fx);
}

void NetworkNode::Impl::on_event(peer::DialBackVerdict&& event, Instant now, Effects& fx) {
    reachability = event.reachability.text();
    log.info("reachability", "verdict={} detail=\"{}\"",
             peer::to_string(event.reachability.verdict), reachability);
    // Nobody may be sent to a node that nobody can reach.
    const bool is_reader = event.reachability.verdict == peer::Reachability::Verdict::not_reachable;
    dht_step(dht::RoleIs{is_reader ? dht::Role::reader : dht::Role::member}, now, fx);
    look_at_endpoints(now, fx);
}

// ---- The community -----------------------------------------------------------------------------

void NetworkNode::Impl::take(Community::Effects&& from, Instant now, Effects& fx) {
    std::ranges::move(from.ledger, std::back_inserter(ledger_inputs));
    Then then{std::move(from.after_writes), std::move(from.publish), std::move(from.events), {}};
    write(std::move(from.writes), std::move(then), now, fx);
    for (auto& learned : from.learn) hub_step(peer::Learn{std::move(learned)}, now, fx);
    for (auto& send : from.sends) {
        hub_step(peer::SendMessage{send.to, std::move(send.message)}, now, fx);
    }
    for (const auto& order : from.announce) {
        ask_dht(ForOrder{order.order}, dht::Announce{order.target, open_port()}, now, fx);
    }
    for (const Id& node : from.reach) {
        std::erase(reach, node);
        reach.push_back(node);
        if (reach.size() > kReachMax) reach.erase(reach.begin());
    }
    if (!from.reach.empty()) hub_step(peer::Reserve{reach}, now, fx);
    for (const peer::Judge& judged : from.judged) hub_step(peer::Judge(judged), now, fx);
    if (from.manifest_changed) on_manifest_changed(now, fx);
}

void NetworkNode::Impl::on_manifest_changed(Instant now, Effects& fx) {
    const auto& manifest = community->manifest()->content.manifest;
    log.info("manifest_changed", "organization={} issued_ms={}", community->organization().hex(),
             manifest.validity.issued_ms);
    serve_contexts(now, fx);
    answer_finds(*community->manifest(), now, fx);
}

Done NetworkNode::Impl::adopt(const Id& organization, Instant now) {
    if (community) {
        for (const Id& node : community->neighbours()) {
            ledger_inputs.emplace_back(NeighbourDown{node});
        }
    }
    community = std::make_unique<Community>(
        options, Community::Setup{organization, key, hub.static_key(), log.with_room("org")},
        source, entropy);
    TRY(community->load(store, now));
    for (auto& [id, purpose] : questions) {
        const bool stays =
            std::holds_alternative<ForCaller>(purpose) || std::holds_alternative<ForPeers>(purpose);
        if (!stays) purpose = ForNobody{};
    }
    for (Pending& one : pending) one.then.publish.clear();
    reach.clear();
    seek_wait = kSeekAgain;
    seek_at = now;
    refresh_at = now;
    gather_at = now;
    gathered = false;
    gatherer.abandon();
    return {};
}

void NetworkNode::Impl::begin(Instant now, Effects& fx) {
    serve_contexts(now, fx);
    for (const Endpoint& endpoint : options.peers) learn_configured(endpoint, now, fx);
    hub_step(peer::Reserve{reach}, now, fx);
    tell_community([&](auto& ours, auto& theirs) { ours.begin(now, theirs); }, now, fx);
    // Those who were up before there was a community to tell.
    for (const peer::PeerStatus& one : hub.peers(now)) {
        const PublicKey& node = one.peer.node_key;
        if (!hub.is_connected(one.peer.node)) continue;
        tell_community([&](auto& ours, auto& theirs) { ours.on_peer_up(node, now, theirs); }, now,
                       fx);
    }
    look_at_endpoints(now, fx);
}

void NetworkNode::Impl::learn_configured(const Endpoint& endpoint, Instant now, Effects& fx) {
    hub_step(peer::Learn{{endpoint, peer::Context::of(community->organization()), std::nullopt,
                          std::nullopt, peer::Source::configured}},
             now, fx);
}

void NetworkNode::Impl::serve_contexts(Instant now, Effects& fx) {
    std::vector<peer::Context> contexts;
    if (community) {
        if (const auto chain = community->chain()) contexts.push_back(peer::Context::of(*chain));
        contexts.push_back(peer::Context::of(community->organization()));
    }
    for (const Find& find : finds) {
        const auto context = peer::Context::of(find.organization);
        if (std::ranges::find(contexts, context) == contexts.end()) contexts.push_back(context);
    }
    hub_step(peer::Serve{std::move(contexts)}, now, fx);
}

void NetworkNode::Impl::seek_peers(Instant now, Effects& fx) {
    const bool seeks = connected.size() < options.hub.outbound_target;
    seek_wait = seeks ? std::min(2 * seek_wait, kSeekIntervalMax) : kSeekIntervalMax;
    seek_at = now + seek_wait;
    if (!seeks) return;
    ask_dht(ForPeers{community->organization()}, dht::GetPeers{community->organization()}, now, fx);
}

// What may have changed while nobody told us: the manifest, and where the keepers are.
void NetworkNode::Impl::refresh(Instant now, Effects& fx) {
    refresh_at = now + options.refresh_interval;
    const auto& item = community->manifest();
    if (!item) return;
    const auto& manifest = item->content.manifest;
    ask_dht(ForManifest{},
            dht::GetMutable{manifest.organization,
                            dht::ItemSalt::copy_of(as_bytes(protocol::kManifestSalt))},
            now, fx);
    for (const auto& keeper : manifest.keepers) {
        if (keeper.node == key.public_key()) continue;
        ask_dht(ForRecord{keeper.node},
                dht::GetMutable{keeper.node,
                                dht::ItemSalt::copy_of(as_bytes(protocol::kRoutingRecordSalt))},
                now, fx);
    }
}

// Where others may reach us, best first: what the router forwards, what nodes see us as, what the
// host calls its own.
std::vector<Endpoint> NetworkNode::Impl::endpoints() const {
    std::vector<Endpoint> all;
    const auto add = [&all](const Endpoint& endpoint) {
        const bool known = std::ranges::find(all, endpoint) != all.end();
        if (!known && all.size() < kEndpointsMax) all.push_back(endpoint);
    };
    const auto add_address = [&](const IpAddress& address) {
        if (const Endpoint* listener = listener_for(address)) add({address, listener->port});
    };
    if (ports.tcp) add(*ports.tcp);
    for (const Endpoint& listener : options.listen) {
        if (!listener.address.is_unspecified()) add(listener);
    }
    const dht::Status seen = dht.status();
    if (seen.external_v4) add_address(*seen.external_v4);
    if (seen.external_v6) add_address(*seen.external_v6);
    for (const IpAddress& address : addresses) {
        if (address.is_global()) add_address(address);
    }
    for (const IpAddress& address : addresses) add_address(address);
    return all;
}

// Where a connection to `address` would be accepted: an address of the other family leads nowhere.
const Endpoint* NetworkNode::Impl::listener_for(const IpAddress& address) const {
    const auto listener = std::ranges::find_if(options.listen, [&](const Endpoint& one) {
        return one.address.is_unspecified() && one.address.is_v4() == address.is_v4();
    });
    return listener == options.listen.end() ? nullptr : &*listener;
}

void NetworkNode::Impl::look_at_endpoints(Instant now, Effects& fx) {
    look_at = now + kLookInterval;
    tell_community([&](auto& ours, auto& theirs) { ours.set_endpoints(endpoints(), now, theirs); },
                   now, fx);
}

// ---- Callers -----------------------------------------------------------------------------------

void NetworkNode::Impl::answer(Token token, NetworkAnswer given, Effects& fx) const {
    fx.replies.emplace_back(NetworkReply{token, std::move(given)});
}
void NetworkNode::Impl::refuse(Token token, NetworkFailure failure, Effects& fx) const {
    fx.replies.emplace_back(NetworkReply{token, fail(std::move(failure))});
}
void NetworkNode::Impl::answer_when_durable(Token token, NetworkAnswer given, Effects& fx) {
    if (pending.empty()) return answer(token, std::move(given), fx);
    pending.back().then.replies.push_back({token, std::move(given)});
}

void NetworkNode::Impl::answer_finds(const protocol::ManifestItem& item, Instant now, Effects& fx) {
    bool any = false;
    for (auto find = finds.begin(); find != finds.end();) {
        if (!protocol::check(item.content, find->organization, now)) {
            ++find;
            continue;
        }
        answer(find->token, item, fx);
        find = finds.erase(find);
        any = true;
    }
    if (any) serve_contexts(now, fx);
}

void NetworkNode::Impl::go_on_finding(Instant now, Effects& fx) {
    for (Find& find : finds) {
        if (find.ask_at > now) continue;
        find.ask_at = now + kSeekAgain;
        ask_dht(ForPeers{find.organization}, dht::GetPeers{find.organization}, now, fx);
    }
}

void NetworkNode::Impl::end_finds(Instant now, Effects& fx) {
    const auto over = [now](const Find& find) { return find.deadline <= now; };
    for (const Find& find : finds) {
        if (!over(find)) continue;
        refuse(find.token,
               failure_of(NetworkError::not_found,
                          "no node that could be reached knows this organization"),
               fx);
    }
    if (std::erase_if(finds, over) > 0) serve_contexts(now, fx);
}

void NetworkNode::Impl::on(Token token, dht::Request&& request, Instant now, Effects& fx) {
    ask_dht(ForCaller{token}, std::move(request), now, fx);
}

void NetworkNode::Impl::on(Token token, FindOrganization&& find, Instant now, Effects& fx) {
    const bool is_ours = community && community->organization() == find.organization;
    if (is_ours && community->manifest()) {
        const auto& item = *community->manifest();
        if (protocol::check(item.content, find.organization, now)) return answer(token, item, fx);
    }
    if (finds.size() >= kFindsMax) {
        return refuse(token, failure_of(NetworkError::full, "too many searches are under way"), fx);
    }
    finds.push_back({token, find.organization, now + options.find_timeout, now});
    serve_contexts(now, fx);
    for (const Id& node : std::set<Id>(connected)) {  // a step may end a connection
        hub_step(peer::SendMessage{node, protocol::AskManifest{find.organization}}, now, fx);
    }
    go_on_finding(now, fx);
}

void NetworkNode::Impl::on(Token token, FollowOrganization&& order, Instant now, Effects& fx) {
    if (community && community->organization() == order.organization) {
        return answer(token, std::monostate{}, fx);
    }
    if (community && source.is_member(Id{}).has_value()) {
        return refuse(
            token,
            failure_of(NetworkError::refused, "this node keeps the ledger of another organization"),
            fx);
    }
    if (const auto adopted = adopt(order.organization, now); !adopted) {
        fx.fatal = adopted.error();
        return;
    }
    store::GatheredWrites writes;
    const auto bytes = order.organization.view();
    writes.put(followed_key(), Bytes(bytes.begin(), bytes.end()));
    write(std::move(writes), {}, now, fx);
    answer_when_durable(token, std::monostate{}, fx);
    begin(now, fx);
}

void NetworkNode::Impl::on(Token token, PublishManifest&& order, Instant now, Effects& fx) {
    ask_community(
        token,
        [&](auto& ours, auto& theirs) { return ours.publish(std::move(order), now, theirs); }, now,
        fx);
}

void NetworkNode::Impl::on(Token token, ServeAccount&& order, Instant now, Effects& fx) {
    ask_community(
        token, [&](auto& ours, auto& theirs) { return ours.serve(std::move(order), now, theirs); },
        now, fx);
}

void NetworkNode::Impl::on(Token token, PostLetter&& letter, Instant now, Effects& fx) {
    ask_community(
        token, [&](auto& ours, auto& theirs) { return ours.post(std::move(letter), now, theirs); },
        now, fx);
}

void NetworkNode::Impl::on(Token token, ForgetLetter&& letter, Instant now, Effects& fx) {
    ask_community(
        token, [&](auto& ours, auto& theirs) { return ours.forget(letter, now, theirs); }, now, fx);
}

void NetworkNode::Impl::on(Token token, SayLine&& line, Instant now, Effects& fx) {
    ask_community(
        token, [&](auto& ours, auto& theirs) { return ours.say(std::move(line), now, theirs); },
        now, fx);
}

void NetworkNode::Impl::on(Token token, AddPeer&& order, Instant now, Effects& fx) {
    if (!community) {
        return refuse(token, failure_of(NetworkError::no_organization, "follow one first"), fx);
    }
    learn_configured(order.endpoint, now, fx);
    answer(token, std::monostate{}, fx);
}

void NetworkNode::Impl::on(Token token, BanPeer&& order, Instant now, Effects& fx) {
    if (order.duration > Duration{}) {
        hub_step(peer::Ban{order.node, order.duration}, now, fx);
    } else {
        hub_step(peer::Pardon{order.node}, now, fx);
    }
    store::GatheredWrites writes;
    put_bans(writes, hub.bans(now));
    write(std::move(writes), {}, now, fx);
    answer_when_durable(token, std::monostate{}, fx);
}

// ---- The host ----------------------------------------------------------------------------------

void NetworkNode::Impl::on(DatagramReceived&& input, Instant now, Effects& fx) {
    dht_step(dht::Datagram{input.from, input.bytes}, now, fx);
}

void NetworkNode::Impl::on(BootstrapFound&& input, Instant now, Effects& fx) {
    dht_step(dht::Bootstrap{std::move(input.endpoints)}, now, fx);
}

void NetworkNode::Impl::on(AddressesAre&& input, Instant now, Effects& fx) {
    if (addresses == input.addresses) return;
    const bool first = addresses.empty();
    addresses = std::move(input.addresses);
    if (!first) {
        log.info("addresses_changed", "now=\"{}\"", text_of(addresses));
        dht_step(dht::NetworkChanged{}, now, fx);
        hub_step(peer::NetworkChanged{}, now, fx);
    }
    look_at_endpoints(now, fx);
}

void NetworkNode::Impl::on(PortsMapped&& input, Instant now, Effects& fx) {
    const bool is_news = ports.tcp != input.tcp;
    ports = std::move(input);
    // What could not be reached may be reached now, and the reverse.
    if (is_news) {
        hub_step(peer::Introduce{open_port(), options.hub.features}, now, fx);
        hub_step(peer::CheckReachability{}, now, fx);
    }
    look_at_endpoints(now, fx);
}

void NetworkNode::Impl::on(NetworkPersisted&& input, Instant now, Effects& fx) {
    CHECK(batch_out && !pending.empty());
    batch_out = false;
    if (!input.result) {
        fx.fatal = input.result.error();
        return;
    }
    Then then = std::move(pending.front().then);
    pending.pop_front();
    hand_out(fx);
    carry_out(std::move(then), now, fx);
}

void NetworkNode::Impl::on(NetworkStopping&&, Instant now, Effects& fx) {
    stopping = true;
    hub_step(peer::Stop{}, now, fx);
    save_acquaintances(now, fx);
}

// ---- Writing -----------------------------------------------------------------------------------

void NetworkNode::Impl::write(store::GatheredWrites&& writes, Then&& then, Instant now,
                              Effects& fx) {
    if (writes.empty() && pending.empty()) return carry_out(std::move(then), now, fx);
    if (!writes.empty() && pending.size() < kPendingMax) pending.emplace_back();
    pending.back().writes.append(std::move(writes));
    append(pending.back().then, std::move(then));
    hand_out(fx);
}

void NetworkNode::Impl::carry_out(Then&& then, Instant now, Effects& fx) {
    for (auto& reply : then.replies) fx.replies.emplace_back(std::move(reply));
    for (auto& event : then.events) {
        std::visit([&fx](auto&& held) { fx.events.emplace_back(std::move(held)); },
                   std::move(event));
    }
    if (then.tells_ledger) ledger_inputs.emplace_back(WrittenAside{});
    if (stopping) return;
    for (auto& send : then.sends) {
        hub_step(peer::SendMessage{send.to, std::move(send.message)}, now, fx);
    }
    for (auto& order : then.publish) {
        ask_dht(ForOrder{order.order}, dht::Put{item_of(order.item, key), std::nullopt}, now, fx);
    }
}

void NetworkNode::Impl::hand_out(Effects& fx) {
    if (batch_out || pending.empty()) return;
    fx.network.durable = pending.front().writes.take();
    batch_out = true;
}

void NetworkNode::Impl::save_acquaintances(Instant now, Effects& fx) {
    save_at = now + options.save_interval;
    store::GatheredWrites writes;
    put_contacts(writes, dht.good_nodes(options.saved_max));
    put_addresses(writes, hub.addresses(options.saved_max));
    put_bans(writes, hub.bans(now));
    write(std::move(writes), {}, now, fx);
}

// ---- NetworkNode -------------------------------------------------------------------------------

NetworkNode::NetworkNode(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NetworkNode::~NetworkNode() = default;

Result<std::unique_ptr<NetworkNode>, Fault> NetworkNode::open(const Setup& setup,
                                                              const crypto::KeyPair& key,
                                                              const org::MemberSource& source,
                                                              const Log& log) {
    std::unique_ptr<NetworkNode> made(
        new NetworkNode(std::make_unique<Impl>(setup, key, source, log)));
    const auto followed = TRY(setup.store.get(followed_key()));
    if (followed) {
        if (const auto id = Id::from(as_bytes(*followed))) TRY(made->impl_->adopt(*id, setup.now));
    }
    return made;
}

Done NetworkNode::start(Instant now, Effects& fx) {
    impl_->save_at = now + impl_->options.save_interval;
    auto contacts = TRY(read_contacts(impl_->store));
    auto addresses = TRY(read_addresses(impl_->store));
    for (const auto& ban : TRY(read_bans(impl_->store))) {
        if (ban.until > now) impl_->hub_step(peer::Ban{ban.node, ban.until - now}, now, fx);
    }
    impl_->dht_step(dht::Start{impl_->options.bootstrap, std::move(contacts)}, now, fx);
    for (auto& address : addresses) impl_->hub_step(peer::Learn{std::move(address)}, now, fx);
    if (impl_->community) impl_->begin(now, fx);
    return {};
}

Done NetworkNode::step(NetworkInput&& input, Instant now, Effects& fx) {
    std::visit([&](auto&& held) { impl_->on(std::move(held), now, fx); }, std::move(input));
    return {};
}

Done NetworkNode::call(NetworkCall&& call, Instant now, Effects& fx) {
    if (impl_->stopping) {
        impl_->refuse(call.token, failure_of(NetworkError::stopping, "the node stops"), fx);
        return {};
    }
    std::visit([&](auto&& held) { impl_->on(call.token, std::move(held), now, fx); },
               std::move(call.request));
    return {};
}

Done NetworkNode::follow(const Id& organization, Instant now, Effects& fx) {
    if (impl_->community && impl_->community->organization() == organization) return {};
    TRY(impl_->adopt(organization, now));
    impl_->begin(now, fx);
    return {};
}

Done NetworkNode::tick(Instant now, Effects& fx) {
    if (impl_->stopping) return {};
    const auto due = [now](std::optional<Instant> at) { return at && *at <= now; };
    if (due(impl_->dht.next_deadline())) impl_->dht_step(dht::Tick{}, now, fx);
    if (due(impl_->hub.next_deadline())) impl_->hub_step(peer::Tick{}, now, fx);
    impl_->end_finds(now, fx);
    impl_->go_on_finding(now, fx);
    if (now >= impl_->save_at) impl_->save_acquaintances(now, fx);
    if (!impl_->community) return {};
    if (due(impl_->community->next_deadline())) {
        impl_->tell_community([&](auto& ours, auto& theirs) { ours.on_tick(now, theirs); }, now,
                              fx);
    }
    if (now >= impl_->seek_at) impl_->seek_peers(now, fx);
    if (now >= impl_->refresh_at) impl_->refresh(now, fx);
    if (now >= impl_->look_at) impl_->look_at_endpoints(now, fx);
    if (now >= impl_->gather_at) impl_->gather_chat(now, fx);
    return {};
}

std::vector<LedgerInput> NetworkNode::take_ledger_inputs() {
    return std::exchange(impl_->ledger_inputs, {});
}

void NetworkNode::tell(const Id& node, protocol::PeerMessage&& message, Instant now, Effects& fx) {
    if (!fits(message)) {
        impl_->log.error("block_too_large", "node={} bytes_max={}", node.hex(),
                         protocol::kBlockMessageBytesMax);
        return;
    }
    impl_->hub_step(peer::SendMessage{node, std::move(message)}, now, fx);
}

void NetworkNode::blame(const Id& node, Instant now, Effects& fx) {
    impl_->hub_step(peer::Judge{node, kForged}, now, fx);
}

void NetworkNode::write_aside(store::WriteBatch&& batch, Tells tells, Instant now, Effects& fx) {
    store::GatheredWrites writes;
    writes.append(batch);
    Then then;
    then.tells_ledger = tells == Tells::ledger;
    impl_->write(std::move(writes), std::move(then), now, fx);
}

Bytes NetworkNode::ledger_prefix() {
    return {'y'};
}

const store::Reader& NetworkNode::store() const {
    return impl_->store;
}

std::optional<ChainId> NetworkNode::followed_chain() const {
    return impl_->community ? impl_->community->chain() : std::nullopt;
}

std::uint64_t NetworkNode::draw() {
    return draw_number(impl_->entropy);
}

void NetworkNode::review_neighbours(Instant now, Effects& fx) {
    impl_->tell_community([&](auto& ours, auto& theirs) { ours.review_neighbours(now, theirs); },
                          now, fx);
}

std::optional<Instant> NetworkNode::next_deadline() const {
    if (impl_->stopping) return std::nullopt;
    Instant next = impl_->save_at;
    const auto sooner = [&next](std::optional<Instant> other) {
        if (other) next = std::min(next, *other);
    };
    sooner(impl_->dht.next_deadline());
    sooner(impl_->hub.next_deadline());
    for (const Find& find : impl_->finds) sooner(std::min(find.deadline, find.ask_at));
    if (!impl_->community) return next;
    sooner(impl_->community->next_deadline());
    sooner(impl_->seek_at);
    sooner(impl_->refresh_at);
    sooner(impl_->look_at);
    sooner(impl_->gather_at);
    return next;
}

void NetworkNode::check_invariants() const {
    impl_->dht.check_invariants();
    impl_->hub.check_invariants();
    if (impl_->community) impl_->community->check_invariants();
    CHECK(impl_->batch_out == !impl_->pending.empty() && impl_->pending.size() <= kPendingMax);
    CHECK(impl_->finds.size() <= kFindsMax);
}

NetworkStatus NetworkNode::status(Instant now) const {
    NetworkStatus status{impl_->dht.status(), impl_->hub.status(), impl_->ports,
                         impl_->reachability, std::nullopt};
    if (impl_->community) status.community = impl_->community->status(now);
    return status;
}

std::vector<peer::PeerStatus> NetworkNode::peers(Instant now) const {
    return impl_->hub.peers(now);
}

std::vector<peer::BanStatus> NetworkNode::bans(Instant now) const {
    return impl_->hub.bans(now);
}

protocol::Keeper NetworkNode::as_keeper() const {
    protocol::Keeper keeper{impl_->key.public_key(), impl_->hub.static_key(), {}};
    for (const Endpoint& endpoint : impl_->endpoints()) {
        if (!keeper.endpoints.full()) {
            keeper.endpoints.push_back(protocol::WireEndpoint::of(endpoint));
        }
    }
    return keeper;
}

const Community* NetworkNode::community() const {
    return impl_->community.get();
}

NetworkFailure no_network() {
    return {NetworkError::no_network, "this node runs without network: see `network.enabled`"};
}

const char* to_string(NetworkError error) {
    switch (error) {
        case NetworkError::no_network: return "no_network";
        case NetworkError::no_organization: return "no_organization";
        case NetworkError::not_found: return "not_found";
        case NetworkError::refused: return "refused";
        case NetworkError::full: return "full";
        case NetworkError::timed_out: return "timed_out";
        case NetworkError::stopping: return "stopping";
    }
    UNREACHABLE();
}

}  // namespace leither::node
