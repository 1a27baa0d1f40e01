// Keeping the ledger together with other nodes: what passes between the organization's machines,
// the one that catches up, and the network.
#include <algorithm>

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

const char* remedy_for(sync::Trouble trouble) {
    switch (trouble) {
        case sync::Trouble::none: return "";
        case sync::Trouble::anchor_too_old:
            return "set history.checkpoint to what a member you trust is told by: leither "
                   "checkpoint show; "
                   "or ask the holder of the organization's key to run: leither org publish";
        case sync::Trouble::pin_not_found:
            return "compare history.checkpoint with what a member you trust is told by: leither "
                   "checkpoint "
                   "show; a block that neighbours have pruned needs a later one";
        case sync::Trouble::pin_broken:
            return "bookkeepers have decided two chains, or history.checkpoint is wrong: ask "
                   "members you "
                   "trust before you go on";
    }
    UNREACHABLE();
}

// What pursuits of other chains have left in the network's store.
Result<std::vector<Bytes>, Fault> keys_of_others(const store::Reader& store, const Bytes& prefix,
                                                 const ChainId& chain) {
    std::vector<Bytes> keys;
    const auto cursor = store.cursor();
    for (cursor->seek(prefix); cursor->valid(); cursor->next()) {
        const ByteView key = cursor->key();
        if (key.size() < prefix.size() || !std::ranges::equal(key.first(prefix.size()), prefix))
            break;
        const ByteView rest = key.subspan(prefix.size());
        const bool is_ours = rest.size() >= ChainId::kSize &&
                             std::ranges::equal(rest.first(ChainId::kSize), chain.view());
        if (!is_ours) keys.emplace_back(key.begin(), key.end());
    }
    if (auto fault = cursor->fault()) return fail(*std::move(fault));
    return keys;
}

}  // namespace

Result<void, Fault> NodeImpl::settle(Instant now, Effects& fx) {
    keep_receipts_of_served(now, fx);
    if (organization_) {
        TRY(organization_->begin(now, fx));
        static const protocol::Delegations kNone;
        TRY(organization_->report_evidence(network_ ? network_->served() : kNone, now, fx));
    }
    if (network_) {
        TRY(review_pursuit(now, fx));
        // One answer a step, so that nothing waits long behind those who ask much.
        bool has_served = false;
        for (;;) {
            if (organization_) {
                for (const Id& node : organization_->take_blamed()) network_->blame(node, now, fx);
                for (auto& behind : organization_->take_behind()) {
                    TRY(catch_up(CatchUp::Heard{behind.node, behind.height}, now, fx));
                }
                TRY(follow_head(now, fx));
                for (auto& send : organization_->take_sends()) sends_.push_back(std::move(send));
            }
            TRY(adopt_state(now, fx));
            auto heard = network_->take_ledger_inputs();
            if (heard.empty() && sends_.empty() && has_served) break;
            for (LedgerInput& input : heard) TRY(take(std::move(input), now, fx));
            if (!std::exchange(has_served, true)) TRY(serve_next(now));
            for (ToNeighbour& send : std::exchange(sends_, {})) {
                tell(std::move(send), now, fx);
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

void NodeImpl::tell(ToNeighbour&& send, Instant now, Effects& fx) {
    if (meddler_ == nullptr) return network_->tell(send.to, std::move(send.message), now, fx);
    for (PeerMessage& message : meddler_->says(send.to, std::move(send.message))) {
        network_->tell(send.to, std::move(message), now, fx);
    }
}

// One batch at a time goes to the ledger's store.
void NodeImpl::hand_out(Effects& fx) {
    if (writer_ != Writer::none) return;
    if (founding_) {
        fx.durable = std::move(founding_->batch);
        writer_ = Writer::founding;
    } else if (organization_) {
        auto handed = organization_->take_batch();
        if (!handed) return;
        writer_ = Writer::ledger;
        fx.durable = std::move(handed->batch);
        if (!handed->keys) return;
        options_.vote_keys = *handed->keys;
        fx.vote_keys = *std::move(handed->keys);
    }
}

// ---- From the network ---------------------------------------------------------------------------

Result<void, Fault> NodeImpl::take(LedgerInput&& input, Instant now, Effects& fx) {
    if (const auto* up = std::get_if<NeighbourUp>(&input)) {
        neighbours_.insert_or_assign(up->node, up->features);
        TRY(catch_up(CatchUp::PeerUp{up->node}, now, fx));
        if (organization_) return organization_->on(*up, now, fx);
    } else if (const auto* down = std::get_if<NeighbourDown>(&input)) {
        neighbours_.erase(down->node);
        serving_.forget(down->node);
        TRY(catch_up(CatchUp::PeerDown{down->node}, now, fx));
        if (organization_) return organization_->on(*down, now, fx);
    } else if (const auto* lost = std::get_if<PostLost>(&input)) {
        if (organization_) organization_->on(*lost);
    } else if (auto* said = std::get_if<LedgerMessage>(&input)) {
        const bool is_heard = meddler_ == nullptr || meddler_->hears(said->from, said->message);
        if (is_heard && neighbours_.contains(said->from)) {
            return take(said->from, std::move(said->message), now, fx);
        }
    } else {
        is_writing_aside_ = false;
        TRY(catch_up(CatchUp::Persisted{}, now, fx));
        return review_pursuit(now, fx);
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
            } else if constexpr (std::is_same_v<Held, protocol::CheckpointVotes>) {
                if (!organization_) return {};
                return organization_->on_message(from, held);
            } else if constexpr (std::is_same_v<Held, protocol::Acknowledgements>) {
                if (!organization_) return {};
                return organization_->on_message(from, std::move(held), now, fx);
            } else if constexpr (std::is_same_v<Held, protocol::AskEndorsement>) {
                if (!organization_) return {};
                return organization_->endorse(Endorsing::Asked{from, std::move(held)}, now, fx);
            } else if constexpr (std::is_same_v<Held, protocol::EndorsementReply>) {
                if (!organization_) return {};
                return organization_->endorse(Endorsing::Answered{from, std::move(held)}, now, fx);
            } else if constexpr (is_alternative<protocol::SyncAsk, Held>) {
                if (organization_) serving_.add(from, std::move(held), now);
                return {};
            } else if constexpr (is_alternative<protocol::SyncReply, Held>) {
                return catch_up(CatchUp::Received{from, std::move(held)}, now, fx);
            } else {
                return {};
            }
        },
        std::move(message));
}

Result<void, Fault> NodeImpl::serve_next(Instant now) {
    if (!organization_) return {};
    const auto question = serving_.next(now);
    if (!question) return {};
    // The window counts, not the store: what lies behind it may be erased at any moment.
    auto oldest = TRY(ledger::read_seal(store_, organization_->oldest()));
    if (!oldest) return fail(Fault{Fault::Kind::corrupt, "a retained seal is missing"});
    const auto& newest = organization_->checkpoints().newest();
    const sync::Source source{organization_->organization(), store_, organization_->tree(),
                              ledger::Span{*std::move(oldest), organization_->head()},
                              newest ? &newest->checkpoint : nullptr};
    auto reply = TRY(sync::answer(source, question->ask));
    serving_.charge(work_of(reply), now);
    sends_.push_back({question->from, peer_message(std::move(reply))});
    return {};
}

// ---- Catching up --------------------------------------------------------------------------------

// The chain is that of the ledger, or of the followed organization once its manifest has told. What
// was fetched of another one is of no use any more.
Result<void, Fault> NodeImpl::review_pursuit(Instant now, Effects& fx) {
    if (founding_) return {};
    const auto chain =
        organization_ ? organization_->organization().chain : network_->followed_chain();
    if (!chain) return {};
    if (pursuit_ && pursuit_->chain != *chain) pursuit_.reset();
    // A newcomer's manifest may have been replaced by one with a later checkpoint.
    if (pursuit_ && !organization_ && pursuit_->anchor != anchor()) {
        pursuit_->anchor = anchor();
        return catch_up(CatchUp::Anchored{pursuit_->anchor}, now, fx);
    }
    if (pursuit_ || is_writing_aside_) return {};
    return begin_pursuit(*chain, now, fx);
}

// What the operator trusts goes before what a member has, who invited, and that before what the
// organization's key has signed.
std::optional<sync::Anchor> NodeImpl::anchor() const {
    if (options_.pin) return sync::Anchor{*options_.pin, /*is_pinned=*/true};
    if (const auto pin = network_->pin()) return sync::Anchor{*pin, /*is_pinned=*/true};
    const Community* community = network_->community();
    if (community == nullptr || !community->manifest()) return std::nullopt;
    const protocol::Checkpoint& named = community->manifest()->content.manifest.checkpoint;
    return sync::Anchor{{named.sequence, named.block}, /*is_pinned=*/false};
}

Result<void, Fault> NodeImpl::begin_pursuit(const ChainId& chain, Instant now, Effects& fx) {
    CatchUp::Setup setup;
    setup.chain = chain;
    setup.prefix = NetworkNode::ledger_prefix();
    const auto abandoned = TRY(keys_of_others(network_->store(), setup.prefix, chain));
    const auto own = chain.view();
    setup.prefix.insert(setup.prefix.end(), own.begin(), own.end());
    std::optional<Sequence> head;
    if (organization_) {
        setup.charter = organization_->charter();
        setup.table = TRY(organization_->candidates());
        setup.head = TRY(sync::head_at(organization_->organization(), organization_->tree(),
                                       organization_->head()));
        head = organization_->head().header.sequence;
    }
    setup.anchor = anchor();
    const auto begins_at = setup.anchor;
    setup.seed = network_->draw();
    setup.log = log_.with_room("sync");
    sync::CatchUpOptions options;
    options.blocks_max = options_.catch_up_blocks_max;
    pursuit_.emplace(Pursuit{chain,
                             CatchUp(options, std::move(setup)),
                             {},
                             head,
                             std::nullopt,
                             std::nullopt,
                             begins_at});
    TRY(pursuit_->machine.load(network_->store()));
    if (!abandoned.empty()) {
        store::WriteBatch batch;
        for (const Bytes& key : abandoned) batch.erase(key);
        network_->write_aside(std::move(batch), NetworkNode::Tells::nobody, now, fx);
    }
    for (const auto& [node, features] : neighbours_) {
        TRY(catch_up(CatchUp::PeerUp{node}, now, fx));
    }
    return {};
}

Result<void, Fault> NodeImpl::catch_up(CatchUp::Input&& input, Instant now, Effects& fx) {
    if (!pursuit_) return {};
    CatchUp::Effects done = pursuit_->machine.step(std::move(input), now);
    for (auto& send : done.sends)
        sends_.push_back({send.to, peer_message(std::move(send.message))});
    for (const auto& blamed : done.blamed) {
        log_.warn("peer_blamed", "node={} why={}", blamed.node.hex(), sync::to_string(blamed.why));
        network_->blame(blamed.node, now, fx);
    }
    if (done.stage) log_.info("catching_up", "stage={}", sync::to_string(*done.stage));
    if (done.trouble && *done.trouble != sync::Trouble::none) {
        log_.error("ledger_not_taken", "why={} remedy=\"{}\"", sync::to_string(*done.trouble),
                   remedy_for(*done.trouble));
    }
    if (done.durable) {
        is_writing_aside_ = true;
        network_->write_aside(*std::move(done.durable), NetworkNode::Tells::ledger, now, fx);
    }
    if (done.genesis && !organization_ && !founding_) {
        if (done.state) {
            pursuit_->genesis = std::move(done.genesis);
        } else {
            TRY(found(kNobody, *std::move(done.genesis)));
        }
    }
    if (done.state) pursuit_->state = std::move(done.state);
    std::ranges::move(done.blocks, std::back_inserter(pursuit_->to_apply));
    return apply_next(now, fx);
}

// Blocks are executed one behind the other, each when the one before is durable.
Result<void, Fault> NodeImpl::apply_next(Instant now, Effects& fx) {
    if (!organization_ || !pursuit_) return {};
    auto& blocks = pursuit_->to_apply;
    const Sequence next = organization_->head().header.sequence.next();
    while (!blocks.empty() && blocks.front().header.sequence < next) blocks.pop_front();
    if (blocks.empty() || organization_->is_sealing()) return {};
    CHECK(blocks.front().header.sequence == next);
    protocol::DecidedBlock block = std::move(blocks.front());
    blocks.pop_front();
    if (TRY(organization_->apply(std::move(block), now, fx))) return {};
    log_.error("decided_block_refused", "sequence={}", next.value());
    blocks.clear();
    return catch_up(CatchUp::Refused{next}, now, fx);
}

// The ledger's present state, if there is one, is left behind: nothing of it may be on its way to
// the disk.
Result<void, Fault> NodeImpl::adopt_state(Instant now, Effects& fx) {
    if (!pursuit_ || !pursuit_->state || founding_ || writer_ != Writer::none) return {};
    if (organization_ && !organization_->is_at_rest()) return {};
    const auto state = *std::exchange(pursuit_->state, std::nullopt);
    const auto genesis = std::exchange(pursuit_->genesis, std::nullopt);
    const Sequence sequence = state.header.sequence;
    if (organization_ && organization_->head().header.sequence >= sequence) return {};
    CHECK(organization_ || genesis);
    tree::Tree tree = organization_
                          ? tree::Tree(options_.tree, store_, version_of(organization_->head()),
                                       organization_->oldest())
                          : tree::Tree(options_.tree, store_);
    auto built = TRY(
        sync::build_state(network_->store(), pursuit_->machine.piece_keys(), tree, state.header));
    if (!built) {
        log_.error("state_refused", "sequence={} why={}", sequence.value(),
                   sync::to_string(built.error()));
        return catch_up(CatchUp::Refused{sequence}, now, fx);
    }
    ledger::Seal seal{state.header, state.certificate, built->version().location};
    store::WriteBatch batch = built->take_writes();
    if (genesis) ledger::put_genesis(batch, *genesis);
    ledger::put_seal(batch, seal);
    ledger::put_retained_from(batch, sequence);
    TRY(put_links(state, batch));
    protocol::SignedCharter charter = genesis ? genesis->charter : organization_->charter();
    std::uint64_t first_job = 0;
    std::vector<protocol::Acknowledgement> acknowledged;
    if (organization_) {
        acknowledged = organization_->countersigning().known();
        organization_->refuse_all(protocol::Refusal::no_organization, fx);
        first_job = organization_->next_job();
        organization_.reset();
    }
    founding_.emplace(Founding{kNobody, std::move(batch), std::move(charter), std::move(seal),
                               std::move(tree), *std::move(built), first_job,
                               std::move(acknowledged)});
    return {};
}

Result<void, Fault> NodeImpl::put_links(const CatchUp::StateReady& state,
                                        store::WriteBatch& batch) const {
    const Bytes start = pursuit_->machine.links_of(state.shown_by);
    const auto cursor = network_->store().cursor();
    for (cursor->seek(start); cursor->valid(); cursor->next()) {
        const ByteView key = cursor->key();
        if (key.size() != start.size() + 8 || !std::ranges::equal(key.first(start.size()), start)) {
            break;
        }
        std::uint64_t term = 0;
        for (const std::uint8_t byte : key.last(8)) term = term << 8 | byte;
        auto kept = bcs::decode<ledger::KeptCycle>(cursor->value());
        // Verified before it was written.
        if (!kept) return fail(Fault{Fault::Kind::corrupt, "a link to a state does not decode"});
        if (term > 0 && term <= ledger::kTermMax) ledger::put_cycle(batch, {term, *kept});
    }
    if (auto fault = cursor->fault()) return fail(*std::move(fault));
    ledger::CycleSpan span;
    if (state.from_term) {
        span.from = *state.from_term;
    } else if (organization_ && organization_->cycles()) {
        span.from = organization_->cycles()->from;
    }
    span.to = std::max(span.from, state.certificate.slot.cycle);
    ledger::put_cycle_span(batch, span);
    return {};
}

// The head has moved, by what was caught up with or by itself.
Result<void, Fault> NodeImpl::follow_head(Instant now, Effects& fx) {
    const ledger::Seal& head = organization_->head();
    if (!pursuit_ || pursuit_->told_head == head.header.sequence) return {};
    pursuit_->told_head = head.header.sequence;
    network_->review_neighbours(now, fx);  // bookkeepers may have changed
    auto where = TRY(sync::head_at(organization_->organization(), organization_->tree(), head));
    return catch_up(CatchUp::Applied{std::move(where)}, now, fx);
}

}  // namespace leither::node
