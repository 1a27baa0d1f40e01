// Whom to dial next.
#include <algorithm>
#include <utility>

#include "leither/base/check.h"

#include "hub_impl.h"

namespace leither::peer {

namespace {

// What is being dialed or connected already, so that nobody is dialed twice.
struct Taken {
    std::set<Endpoint> endpoints;
    std::set<Id> nodes;
    std::map<IpAddress, std::size_t> dialed_of_block;

    bool has(const KnownAddress& known) const {
        return endpoints.contains(known.endpoint) || (known.node && nodes.contains(*known.node));
    }
    std::size_t of_block(const IpAddress& block) const {
        const auto at = dialed_of_block.find(block);
        return at == dialed_of_block.end() ? 0 : at->second;
    }
};

Taken taken_by(const std::map<ConnectionId, Link>& links) {
    Taken taken;
    for (const auto& [id, link] : links) {
        if (link.probe) continue;
        if (link.is_authenticated()) taken.nodes.insert(link.session->remote().node);
        if (!link.is_outbound()) continue;
        taken.endpoints.insert(link.remote);
        if (link.target.node) taken.nodes.insert(*link.target.node);
        ++taken.dialed_of_block[link.remote.address.block()];
    }
    return taken;
}

bool names(const KnownAddress& known, const Context& context) {
    return std::ranges::find(known.contexts, context) != known.contexts.end();
}

// Dialed connections, made or in the making, that serve `context`.
std::size_t dialed_for(const Context& context, const std::map<ConnectionId, Link>& links,
                       const PeerTable& table) {
    return static_cast<std::size_t>(std::ranges::count_if(links, [&](const auto& entry) {
        const Link& link = entry.second;
        if (!link.is_outbound() || link.probe) return false;
        if (link.target.context == context) return true;
        const KnownAddress* known = table.find(link.remote);
        return known != nullptr && names(*known, context);
    }));
}

}  // namespace

void Hub::Impl::plan_soon(Instant now) {
    const Instant at = std::max(now, planned + options.plan_every);
    plan_at = plan_at ? std::min(*plan_at, at) : at;
}

void Hub::Impl::plan(Instant now, Effects& fx) {
    planned = now;
    plan_at.reset();
    const auto dialing = [this] {
        return static_cast<std::size_t>(std::ranges::count_if(links, [](const auto& entry) {
            const Link& link = entry.second;
            return link.is_outbound() && !link.is_authenticated() && !link.probe;
        }));
    };
    // A dial that ends plans anew.
    while (dialing() < options.dials_max) {
        const Taken taken = taken_by(links);
        std::optional<Context> for_context;
        std::optional<Instant> next;
        const KnownAddress* chosen = nullptr;
        const auto consider = [&](const Context& context, const PeerTable::Wanted& wanted) {
            if (chosen != nullptr) return;
            chosen = table.choose(wanted, now);
            for_context = context;
            if (const auto due = table.next_due(wanted); due && chosen == nullptr) {
                next = next ? std::min(*next, *due) : due;
            }
        };
        const auto is_free = [&](const KnownAddress& known) {
            return !taken.has(known) && !(known.node && conduct.banned_until(*known.node, now));
        };
        for (const Context& context : contexts) {
            consider(context, [&](const KnownAddress& known) {
                const bool has_slot = known.source == Source::configured ||
                                      (known.node && reserved.contains(*known.node));
                return has_slot && names(known, context) && is_free(known);
            });
        }
        for (const Context& context : contexts) {
            if (established() >= options.connections_max - options.reserved_max) break;
            if (dialed_for(context, links, table) >= options.outbound_target) continue;
            consider(context, [&](const KnownAddress& known) {
                const bool is_crowded = known.endpoint.address.is_global() &&
                                        taken.of_block(known.endpoint.address.block()) >=
                                            options.outbound_per_block_max;
                return names(known, context) && is_free(known) && !is_crowded;
            });
        }
        if (chosen == nullptr) {
            const auto pardon = conduct.next_pardon(now);
            if (pardon) next = next ? std::min(*next, *pardon) : pardon;
            if (next) plan_at = std::max(*next, now + options.plan_every);
            return;
        }
        Target target;
        target.context = *for_context;
        target.node = chosen->node;
        target.static_key = chosen->static_key;
        dial(chosen->endpoint, std::move(target), now, fx);
    }
}

Link& Hub::Impl::dial(const Endpoint& endpoint, Target target, Instant now, Effects& fx) {
    last_dialed = last_dialed.next();
    CHECK(last_dialed < kAccepted);
    Link& link =
        links.emplace(last_dialed, Link(options, last_dialed, endpoint, now)).first->second;
    link.direction = Direction::outbound;
    link.stage = Link::Stage::dialing;
    link.target = std::move(target);
    fx.dials.push_back({link.id, endpoint});
    return link;
}

}  // namespace leither::peer
