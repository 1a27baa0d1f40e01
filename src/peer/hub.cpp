#include "leither/peer/hub.h"

#include <algorithm>
#include <utility>

#include "leither/base/check.h"

#include "hub_impl.h"

namespace leither::peer {

namespace {

// What one round of sealing and a goodbye add to a window that is just not full, frames included.
constexpr std::size_t kInFlightExcessMax = std::size_t{128} << 10;

}  // namespace

Hub::Impl::Impl(HubOptions opts, const crypto::KeyPair& node_key, Entropy& randomness, Log sink)
    : options(std::move(opts)),
      identity(Identity::of(node_key)),
      entropy(randomness),
      log(sink),
      prng(draw_number(randomness)),
      conduct(options.conduct),
      table(options.table, prng.next()) {
    CHECK(options.reserved_max < options.connections_max);
    CHECK(options.half_open_max > 0 && options.half_open_per_block_max > 0);
}

// ---- Inputs from above

void Hub::Impl::on(const Learn& learn, Instant now, Effects&) {
    if (learn.address.node == identity.node.id()) return;
    if (table.learn(learn.address, now)) plan_soon(now);
}

void Hub::Impl::on(SendMessage& send_message, Instant now, Effects& fx) {
    Link* link = find(send_message.node);
    auto why = Undelivered::Why::not_connected;
    if (link != nullptr) {
        if (send(*link, send_message.message, now, fx).taken) return;
        why = Undelivered::Why::outbox_full;
        const bool is_stuck = link->in_flight > 0 && now - link->progress >= options.full_patience;
        if (is_stuck) drop(*link, CloseReason::outbox_full, now, fx);
    }
    fx.events.push_back(Undelivered{send_message.node, why, std::move(send_message.message)});
}

void Hub::Impl::on(const Forget& forget, Instant now, Effects& fx) {
    std::vector<Endpoint> forgotten;
    for (const auto& [endpoint, known] : table.all()) {
        if (known.node == forget.node) forgotten.push_back(endpoint);
    }
    if (Link* link = find(forget.node)) drop(*link, CloseReason::not_needed, now, fx);
    for (const Endpoint& endpoint : forgotten) table.forget(endpoint);
}

void Hub::Impl::on(const Ban& ban, Instant now, Effects& fx) {
    conduct.ban(ban.node, ban.duration, now);
    if (Link* link = find(ban.node)) drop(*link, CloseReason::banned, now, fx);
}

void Hub::Impl::on(const Pardon& pardon, Instant now, Effects&) {
    conduct.pardon(pardon.node);
    plan_soon(now);
}

void Hub::Impl::on(const Judge& verdict, Instant now, Effects& fx) {
    if (conduct.judge(verdict.node, verdict.points, now) == Conduct::Verdict::tolerated) return;
    if (Link* link = find(verdict.node)) drop(*link, CloseReason::banned, now, fx);
}

void Hub::Impl::on(Serve& serve, Instant now, Effects& fx) {
    contexts = std::move(serve.contexts);
    if (contexts.size() > options.contexts_max) contexts.resize(options.contexts_max);
    std::vector<ConnectionId> unwanted;
    for (const auto& [id, link] : links) {
        const bool is_named = link.is_authenticated() || link.is_outbound();
        if (!is_named) continue;
        const Context& context =
            link.is_authenticated() ? link.session->remote().context : link.target.context;
        if (std::ranges::find(contexts, context) == contexts.end()) unwanted.push_back(id);
    }
    for (const ConnectionId id : unwanted) drop(*find(id), CloseReason::not_needed, now, fx);
    plan_soon(now);
}

void Hub::Impl::on(const Reserve& reserve, Instant now, Effects&) {
    reserved = std::set<Id>(reserve.nodes.begin(), reserve.nodes.end());
    plan_soon(now);
}

void Hub::Impl::on(const Introduce& introduce, Instant now, Effects&) {
    const bool moved = introduce.listen_port != options.listen_port;
    options.listen_port = introduce.listen_port;
    options.features = introduce.features;
    if (!moved) return;
    if (round.is_open()) round.conclude(now);  // nobody cares for the old port any more
    reachability = {};
    round_at = std::nullopt;
    if (options.listen_port != 0) round_at = now + kFirstDialBackAfter;
}

// A connection from an address that is gone looks alive for minutes: who does not answer soon is
// dialed anew.
void Hub::Impl::on(const NetworkChanged&, Instant now, Effects& fx) {
    for (auto& [id, link] : links) {
        if (link.stage != Link::Stage::up) continue;
        ping(link, now, fx);
        link.pong_by = now + options.pong_timeout_moved;
    }
    table.retry_all(now);
    plan_soon(now);
    if (options.listen_port != 0) round_at = now + kFirstDialBackAfter;
}

void Hub::Impl::on(const CheckReachability&, Instant now, Effects&) {
    // The first round waits for a few peers to ask.
    if (options.listen_port != 0 && has_peers()) round_at = now;
}

void Hub::Impl::on(const Stop&, Instant now, Effects& fx) {
    is_stopped = true;
    while (!links.empty()) drop(links.begin()->second, CloseReason::stopping, now, fx);
}

// ---- Time

std::optional<Instant> Hub::Impl::earliest() const {
    std::optional<Instant> at;
    const auto consider = [&at](Instant candidate) {
        at = at ? std::min(*at, candidate) : candidate;
    };
    if (is_stopped) return at;
    for (const auto& [id, link] : links) consider(link.deadline(options));
    if (plan_at) consider(*plan_at);
    if (round.is_open()) {
        consider(*round.until());
    } else if (round_at && has_peers()) {
        consider(*round_at);
    }
    return at;
}

void Hub::Impl::work(Instant now, Effects& fx) {
    if (is_stopped) return;
    std::vector<ConnectionId> due;
    for (const auto& [id, link] : links) {
        if (link.deadline(options) <= now) due.push_back(id);
    }
    for (const ConnectionId id : due) {
        if (Link* link = find(id)) expire(*link, now, fx);
    }
    if (plan_at && *plan_at <= now) plan(now, fx);
    check_reachability(now, fx);
}

void Hub::Impl::expire(Link& link, Instant now, Effects& fx) {
    if (const auto reason = link.expired(options, now)) return drop(link, *reason, now, fx);
    if (link.resumes_at && *link.resumes_at <= now) {
        link.resumes_at.reset();
        link.last_received = now;
        fx.reading.push_back({link.id, SetReading::To::resumed});
    }
    if (link.wants_ping(options, now)) ping(link, now, fx);
}

// ---- The machine

Hub::Hub(HubOptions options, const crypto::KeyPair& node_key, Entropy& entropy, Log log)
    : impl_(std::make_unique<Impl>(std::move(options), node_key, entropy, log)) {}
Hub::Hub(Hub&&) noexcept = default;
Hub::~Hub() = default;

Effects Hub::step(Input&& input, Instant now) {
    Effects fx;
    if (impl_->is_stopped) return fx;
    std::visit([&](auto& event) { impl_->on(event, now, fx); }, input);
    impl_->work(now, fx);
    return fx;
}

std::optional<Instant> Hub::next_deadline() const {
    return impl_->earliest();
}

const Id& Hub::node() const {
    return impl_->identity.node.id();
}

const StaticKey& Hub::static_key() const {
    return impl_->identity.channel.public_key();
}

bool Hub::is_connected(const Id& node) const {
    const Link* link = impl_->find(node);
    return link != nullptr && link->stage == Link::Stage::up;
}

std::vector<PeerStatus> Hub::peers(Instant now) const {
    std::vector<PeerStatus> all;
    const std::set<Id> privileged = impl_->privileged();
    for (const auto& [node, id] : impl_->by_node) {
        const Link& link = impl_->links.at(id);
        if (link.stage != Link::Stage::up) continue;
        PeerStatus status;
        status.peer = link.peer();
        status.bytes_in = link.bytes_in;
        status.bytes_out = link.bytes_out;
        status.messages_in = link.messages_in;
        status.messages_out = link.messages_out;
        status.outbox_bytes = link.outbox.bytes();
        status.score = impl_->conduct.score(node, now);
        status.reserved = privileged.contains(node);
        all.push_back(std::move(status));
    }
    return all;
}

std::vector<BanStatus> Hub::bans(Instant now) const {
    std::vector<BanStatus> out;
    for (const auto& [node, until] : impl_->conduct.all_bans()) {
        if (until > now) out.push_back({node, until});
    }
    return out;
}

HubStatus Hub::status() const {
    HubStatus status;
    status.totals = impl_->ended;
    for (const auto& [id, link] : impl_->links) {
        add_traffic(link, status.totals);
        if (link.is_authenticated()) ++status.established;
        if (link.is_authenticated() && link.is_outbound()) ++status.outbound;
        if (link.is_half_open()) ++status.half_open;
        if (link.is_outbound() && !link.is_authenticated()) ++status.dialing;
    }
    status.addresses = impl_->table.all().size();
    status.bans = impl_->conduct.bans();
    status.crowded_out = impl_->crowded_out;
    status.reachability = impl_->reachability;
    return status;
}

std::vector<PeerAddress> Hub::addresses(std::size_t max) const {
    std::vector<const KnownAddress*> reached;
    for (const auto& [endpoint, known] : impl_->table.all()) {
        if (known.last_success) reached.push_back(&known);
    }
    std::ranges::stable_sort(reached, std::ranges::greater{},
                             [](const KnownAddress* known) { return *known->last_success; });
    std::vector<PeerAddress> out;
    for (const KnownAddress* known : reached) {
        for (const Context& context : known->contexts) {
            if (out.size() >= max) return out;
            out.push_back(
                {known->endpoint, context, known->node, known->static_key, known->source});
        }
    }
    return out;
}

void Hub::check_invariants() const {
    const Impl& hub = *impl_;
    hub.conduct.check_invariants();
    hub.table.check_invariants();
    std::size_t authenticated = 0;
    std::size_t dialing = 0;
    std::size_t probes = 0;
    std::map<IpAddress, std::size_t> half_open_of_block;
    for (const auto& [id, link] : hub.links) {
        CHECK(id == link.id);
        link.outbox.check_invariants();
        CHECK(link.in_flight < hub.options.in_flight_bytes + kInFlightExcessMax);
        if (link.session) link.session->check_invariants();
        if (link.probe) ++probes;
        if (link.is_half_open()) ++half_open_of_block[link.remote.address.block()];
        if (link.is_outbound() && !link.is_authenticated() && !link.probe) ++dialing;
        if (!link.is_authenticated()) continue;
        ++authenticated;
        CHECK(link.session && link.session->is_established() && !link.probe);
        CHECK(hub.by_node.at(link.session->remote().node) == id);
    }
    CHECK(authenticated == hub.by_node.size());
    CHECK(authenticated <= hub.options.connections_max);
    CHECK(hub.half_open() <= hub.options.half_open_max);
    for (const auto& [block, count] : half_open_of_block) {
        CHECK(count <= hub.options.half_open_per_block_max);
    }
    CHECK(dialing <= hub.options.dials_max && probes <= hub.options.dial_backs_max);
}

}  // namespace leither::peer
