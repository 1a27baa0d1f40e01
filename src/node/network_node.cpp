#include <algorithm>

#include "leither/base/prng.h"
#include "leither/codec/bcs.h"

#include "acquaintances.h"
#include "network_node_impl.h"

namespace leither::node {

namespace {

using store::Fault;
using Done = Result<void, Fault>;

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
        hub_step(peer::Introduce{open_port(), hub_options().features}, now, fx);
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
    saved_at = now;
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
    if (const auto introduction = TRY(setup.store.get(introduction_key()))) {
        auto decoded = bcs::decode<protocol::Introduction>(as_bytes(*introduction));
        if (decoded) made->impl_->introduction = *std::move(decoded);
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
    std::vector<Endpoint> bootstrap = impl_->options.bootstrap;
    std::ranges::move(impl_->entry_endpoints(), std::back_inserter(bootstrap));
    impl_->dht_step(dht::Start{std::move(bootstrap), std::move(contacts)}, now, fx);
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

std::optional<protocol::BlockName> NetworkNode::pin() const {
    const protocol::Introduction* known = impl_->introduced();
    if (known == nullptr || !known->checkpoint) return std::nullopt;
    return protocol::BlockName{known->checkpoint->sequence, known->checkpoint->block};
}

const protocol::Delegations& NetworkNode::served() const {
    static const protocol::Delegations kNone;
    return impl_->community ? impl_->community->served() : kNone;
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
