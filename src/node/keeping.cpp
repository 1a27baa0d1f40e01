// Keeping the ledger together with other nodes: what passes between the organization's machines,
// the one that catches up, and the network.
#include <limits>

#include "leither/codec/bcs.h"
#include "leither/sync/serve.h"
#include "leither/sync/state.h"

#include "node_impl.h"

namespace leither::node {

namespace {

using protocol::PeerMessage;
using store::Fault;
using sync::CatchUp;

template <class Variant, class T>
struct IsAlternative;
template <class... Ts, class T>
struct IsAlternative<std::variant<Ts...>, T> : std::disjunction<std::is_same<Ts, T>...> {};
template <class Variant, class T>
inline constexpr bool is_alternative = IsAlternative<Variant, T>::value;

template <class Variant>
PeerMessage peer_message(Variant&& message) {
    return std::visit([](auto&& held) -> PeerMessage { return std::forward<decltype(held)>(held); },
                      std::forward<Variant>(message));
}

}  // namespace

Result<void, Fault> NodeImpl::settle(Instant now, Effects& fx) {
    if (organization_) TRY(organization_->report_evidence(now, fx));
    if (network_) {
        TRY(begin_catching_up(now, fx));
        for (;;) {
            auto heard = network_->take_ledger_inputs();
            for (LedgerInput& input : heard) TRY(take(std::move(input), now, fx));
            if (organization_) {
                for (const Id& node : organization_->take_blamed()) network_->blame(node, now, fx);
                for (auto& behind : organization_->take_behind()) {
                    TRY(catch_up(CatchUp::Heard{behind.node, behind.height}, now, fx));
                }
                TRY(follow_head(now, fx));
                for (auto& send : organization_->take_sends()) sends_.push_back(std::move(send));
            }
            if (heard.empty() && sends_.empty()) break;
            for (ToNeighbour& send : std::exchange(sends_, {})) {
                network_->tell(send.to, std::move(send.message), now, fx);
            }
        }
    }
    std::erase_if(fx.replies, [](const Reply& reply) {
        const auto* submitted = std::get_if<SubmitReply>(&reply);
        return submitted != nullptr && submitted->token == kNobody;
    });
    hand_out(fx);
    return {};
}

// One batch at a time goes to the ledger's store.
void NodeImpl::hand_out(Effects& fx) {
    if (writer_ != Writer::none) return;
    if (founding_) {
        fx.durable = std::move(founding_->batch);
        writer_ = Writer::founding;
    } else if (organization_) {
        fx.durable = organization_->take_batch();
        if (fx.durable) writer_ = Writer::ledger;
    }
}

// ---- From the network ---------------------------------------------------------------------------

Result<void, Fault> NodeImpl::take(LedgerInput&& input, Instant now, Effects& fx) {
    if (const auto* up = std::get_if<NeighbourUp>(&input)) {
        neighbours_.insert(up->node);
        TRY(catch_up(CatchUp::PeerUp{up->node}, now, fx));
        if (organization_) return organization_->on(*up, now, fx);
    } else if (const auto* down = std::get_if<NeighbourDown>(&input)) {
        neighbours_.erase(down->node);
        TRY(catch_up(CatchUp::PeerDown{down->node}, now, fx));
        if (organization_) return organization_->on(*down, now, fx);
    } else if (auto* said = std::get_if<LedgerMessage>(&input)) {
        if (neighbours_.contains(said->from)) {
            return take(said->from, std::move(said->message), now, fx);
        }
    } else {
        return catch_up(CatchUp::Persisted{}, now, fx);
    }
    return {};
}

Result<void, Fault> NodeImpl::take(const Id& from, PeerMessage&& message, Instant now,
                                   Effects& fx) {
    return std::visit(
        [&]<class Message>(Message&& held) -> Result<void, Fault> {
            using Held = std::remove_cvref_t<Message>;
            if constexpr (std::is_same_v<Held, protocol::Status>) {
                if (held.height > Sequence(0)) {
                    const Sequence head(held.height.value() - 1);
                    TRY(catch_up(CatchUp::Heard{from, head}, now, fx));
                }
            }
            if constexpr (is_alternative<protocol::AgreementMessage, Held>) {
                if (!organization_) return {};
                return organization_->on_message(from, protocol::AgreementMessage(std::move(held)),
                                                 now, fx);
            } else if constexpr (std::is_same_v<Held, protocol::TransactionPost>) {
                if (!organization_) return {};
                return organization_->on_message(from, std::move(held), now, fx);
            } else if constexpr (is_alternative<protocol::SyncAsk, Held>) {
                return answer(from, std::move(held));
            } else if constexpr (is_alternative<protocol::SyncReply, Held>) {
                return catch_up(CatchUp::Received{from, std::move(held)}, now, fx);
            } else {
                return {};
            }
        },
        std::move(message));
}

Result<void, Fault> NodeImpl::answer(const Id& from, const protocol::SyncAsk& ask) {
    if (!organization_) return {};
    const auto span = TRY(ledger::read_span(store_));
    if (!span) return {};
    const sync::Source source{organization_->organization(), store_, organization_->tree(), *span};
    sends_.push_back({from, peer_message(TRY(sync::answer(source, ask)))});
    return {};
}

// ---- Catching up --------------------------------------------------------------------------------

// Once the chain is known: by the ledger, or by the manifest of the followed organization.
Result<void, Fault> NodeImpl::begin_catching_up(Instant now, Effects& fx) {
    if (catch_up_ || founding_) return {};
    const auto chain =
        organization_ ? organization_->organization().chain : network_->followed_chain();
    if (!chain) return {};
    CatchUp::Setup setup;
    setup.chain = *chain;
    setup.prefix = NetworkNode::ledger_prefix();
    if (organization_) {
        setup.charter = organization_->charter();
        setup.head = TRY(sync::head_at(organization_->organization(), organization_->tree(),
                                       organization_->head()));
        told_head_ = organization_->head().header.sequence;
    }
    setup.seed = network_->draw();
    setup.log = log_.with_room("sync");
    sync::CatchUpOptions options;
    // By blocks alone, however many: no state is taken yet.
    options.blocks_max = std::numeric_limits<std::uint64_t>::max();
    catch_up_.emplace(options, std::move(setup));
    TRY(catch_up_->load(network_->store()));
    for (const Id& node : neighbours_) TRY(catch_up(CatchUp::PeerUp{node}, now, fx));
    return {};
}

Result<void, Fault> NodeImpl::catch_up(CatchUp::Input&& input, Instant now, Effects& fx) {
    if (!catch_up_) return {};
    CatchUp::Effects done = catch_up_->step(std::move(input), now);
    for (auto& send : done.sends)
        sends_.push_back({send.to, peer_message(std::move(send.message))});
    for (const auto& blamed : done.blamed) {
        log_.warn("peer_blamed", "node={} why={}", blamed.node.hex(), sync::to_string(blamed.why));
        network_->blame(blamed.node, now, fx);
    }
    if (done.stage) log_.info("catching_up", "stage={}", sync::to_string(*done.stage));
    if (done.durable) network_->write_aside(*std::move(done.durable), now, fx);
    if (done.genesis && !organization_ && !founding_) {
        TRY(found(kNobody, *std::move(done.genesis)));
    }
    std::ranges::move(done.blocks, std::back_inserter(to_apply_));
    return apply_next(now, fx);
}

// Blocks are executed one behind the other, each when the one before is durable.
Result<void, Fault> NodeImpl::apply_next(Instant now, Effects& fx) {
    if (!organization_) return {};
    const Sequence next = organization_->head().header.sequence.next();
    while (!to_apply_.empty() && to_apply_.front().header.sequence < next) to_apply_.pop_front();
    if (to_apply_.empty() || organization_->is_sealing() || neighbours_.empty()) return {};
    CHECK(to_apply_.front().header.sequence == next);
    protocol::DecidedBlock block = std::move(to_apply_.front());
    to_apply_.pop_front();
    if (TRY(organization_->apply(std::move(block), now, fx))) return {};
    log_.error("decided_block_refused", "sequence={}", next.value());
    to_apply_.clear();
    return catch_up(CatchUp::Refused{next}, now, fx);
}

// The head has moved, by what was caught up with or by itself.
Result<void, Fault> NodeImpl::follow_head(Instant now, Effects& fx) {
    const ledger::Seal& head = organization_->head();
    if (!catch_up_ || told_head_ == head.header.sequence) return {};
    told_head_ = head.header.sequence;
    auto where = TRY(sync::head_at(organization_->organization(), organization_->tree(), head));
    return catch_up(CatchUp::Applied{std::move(where)}, now, fx);
}

}  // namespace leither::node
