#include <algorithm>
#include <utility>

#include "leither/base/check.h"

#include "catch_up_impl.h"

namespace leither::sync {

using protocol::AskBlocks;
using protocol::AskChain;
using protocol::AskGenesis;
using protocol::AskPiece;

void CatchUp::Impl::run(Instant now, Effects& effects) {
    give_back(peers.expire(now));
    wake.reset();
    // Each stage leads to a later one, or back to idle and on from there once.
    constexpr int kTurnsMax = 8;
    for (int turn = 0; turn < kTurnsMax; ++turn) {
        if (run_stage(now, effects) == Next::wait) return;
    }
    wake_at(now + options.retry_min);
}

CatchUp::Impl::Next CatchUp::Impl::enter(Stage next) {
    stage = next;
    return Next::go_on;
}

CatchUp::Impl::Next CatchUp::Impl::run_stage(Instant now, Effects& effects) {
    switch (stage) {
        case Stage::idle: return run_idle(now);
        case Stage::genesis: return run_genesis(now, effects);
        case Stage::chain: return run_chain(now, effects);
        case Stage::blocks: return run_blocks(now, effects);
        case Stage::state: return run_state(now, effects);
        case Stage::building: return Next::wait;
        case Stage::halted: return Next::wait;
    }
    UNREACHABLE();
}

// ---- Idle ---------------------------------------------------------------------------------------

CatchUp::Impl::Next CatchUp::Impl::run_idle(Instant now) {
    const auto ahead = [this](const Peer& peer) { return is_ahead(peer); };
    if (!peers.any(ahead)) {
        behind_since.reset();
        return Next::wait;
    }
    if (!peers.pick(ahead, SIZE_MAX, now)) {
        wake_at(peers.rested(ahead, now));
        return Next::wait;
    }
    if (is_newcomer() && !genesis) return enter(Stage::genesis);
    if (target) return enter(Stage::state);
    if (is_newcomer()) return enter(Stage::chain);

    const auto far = [this](const Peer& peer) {
        return is_ahead(peer) && *peer.claim > head->sequence.next();
    };
    if (!behind_since) behind_since = now;
    if (!peers.any(far) && now < *behind_since + options.patience) {
        wake_at(*behind_since + options.patience);
        return Next::wait;
    }
    behind_since.reset();
    const auto near = [this](const Peer& peer) {
        return is_ahead(peer) && is_short_way(*peer.claim) && peer.oldest <= head->sequence;
    };
    const auto distant = [this](const Peer& peer) {
        return is_ahead(peer) && !is_short_way(*peer.claim);
    };
    return enter(peers.any(near) && !peers.any(distant) ? Stage::blocks : Stage::chain);
}

bool CatchUp::Impl::is_short_way(Sequence to) const {
    return to <= base() || to.value() - base().value() <= options.blocks_max;
}

// ---- Genesis ------------------------------------------------------------------------------------

CatchUp::Impl::Next CatchUp::Impl::run_genesis(Instant now, Effects& effects) {
    if (genesis) return enter(Stage::chain);
    if (peers.asked<AskGenesis>() > 0) return Next::wait;
    if (draft) {
        const auto from = static_cast<std::uint32_t>(draft->genesis.allocations.size());
        ask(draft->from, AskGenesis{from}, now, effects);
        return Next::wait;
    }
    const auto anybody = [](const Peer&) { return true; };
    const auto node = peers.pick(anybody, 1, now);
    if (!node) {
        wake_at(peers.rested(anybody, now));
        return Next::wait;
    }
    draft = GenesisDraft{*node, {}, 0, false};
    ask(*node, AskGenesis{0}, now, effects);
    return Next::wait;
}

// ---- Chain --------------------------------------------------------------------------------------

CatchUp::Impl::Next CatchUp::Impl::run_chain(Instant now, Effects& effects) {
    if (!is_comparing) begin_chain();
    const bool is_late = compare_until && now >= *compare_until;
    if (chains >= options.chains_compared || is_late) return conclude_chain();
    const auto may_tell = [this](const Peer& peer) {
        return !peer.has_told_chain && is_ahead(peer);
    };
    while (chains + peers.asked<AskChain>() < options.chains_compared &&
           pending.bytes() <= options.unsynced_bytes_max) {
        const auto node = peers.pick(may_tell, 1, now);
        if (!node) break;
        ask(*node, chain_question(*peers.find(*node), now), now, effects);
    }
    wake_at(compare_until);
    if (peers.asked<AskChain>() > 0 || pending.bytes() > options.unsynced_bytes_max) {
        return Next::wait;
    }
    const auto hopeful = [&](const Peer& peer) { return may_tell(peer) && !is_tired_of(peer); };
    if (chains > 0 || !peers.any(hopeful)) return conclude_chain();
    wake_at(peers.rested(may_tell, now));
    return Next::wait;
}

void CatchUp::Impl::begin_chain() {
    is_comparing = true;
    best.reset();
    has_only_founding = false;
    chains = 0;
    compare_until.reset();
    peers.for_each([](Peer& peer) {
        peer.has_told_chain = false;
        peer.way.reset();
        peer.has_other_block = false;
    });
    erase_links(anybody);
}

Trusted CatchUp::Impl::known_committee() const {
    return head ? head->committee : election::trusted_from(setup.charter->charter);
}

// A ledger goes on from its own head if it may: so it can lead others all the way it has come.
std::optional<Anchor> CatchUp::Impl::wanted_anchor(Instant now) const {
    const bool is_ahead = setup.anchor && setup.anchor->block.sequence > base();
    const bool is_needed =
        is_ahead && (setup.anchor->is_pinned || is_newcomer() || is_too_old(known_since(), now));
    return is_needed ? setup.anchor : std::nullopt;
}

AskChain CatchUp::Impl::chain_question(const Peer& peer, Instant now) const {
    if (peer.way) return {peer.way->tip.cycle, Sequence(0)};
    const auto anchor = peer.has_other_block ? std::nullopt : wanted_anchor(now);
    return {known_committee().cycle, anchor ? anchor->block.sequence : Sequence(0)};
}

bool CatchUp::Impl::is_too_old(Pulse pulse, Instant now) const {
    const protocol::Charter& charter = setup.charter->charter;
    const Uint128 pulses = Uint128{pulse.value()} + charter.params.pledge_release_pulses;
    return Uint128{unix_ms(now)} > pulses * charter.params.pulse_ms + charter.time_ms;
}

CatchUp::Impl::Next CatchUp::Impl::conclude_chain() {
    is_comparing = false;
    const auto found = std::exchange(best, std::nullopt);
    // The charter vouches for the founding; whoever hides blocks behind it hides them in vain.
    if (!found && has_only_founding) return enter(Stage::blocks);
    if (!found || found->proven.header.sequence <= base()) {
        erase_links(anybody);
        return enter(Stage::idle);  // whoever was asked in vain rests
    }
    trouble = Trouble::none;
    const auto* proven = &found->proven;
    const auto keeps_blocks = [this](const Peer& peer) {
        return is_ahead(peer) && peer.has_told_chain && peer.oldest <= base();
    };
    if (is_short_way(proven->header.sequence) && peers.any(keeps_blocks)) {
        erase_links(anybody);
        goal = protocol::BlockName{proven->header.sequence,
                                   hash_as_parent(setup.chain, proven->header)};
        return enter(Stage::blocks);
    }
    erase_links([&](const Id& peer) { return peer != found->shown_by; });
    start_fetch({proven->header, proven->certificate, found->shown_by, found->from_term});
    return enter(Stage::state);
}

// ---- State --------------------------------------------------------------------------------------

bool CatchUp::Impl::may_bring_state(const Peer& peer) const {
    const Sequence wanted = target->header.sequence;
    return peer.may_have(wanted) && peer.lacks_state != wanted;
}

CatchUp::Impl::Next CatchUp::Impl::run_state(Instant now, Effects& effects) {
    const auto may_bring = [this](const Peer& peer) { return may_bring_state(peer); };
    while (fetch->has_next() && peers.asked<AskPiece>() < options.pieces_asked_max &&
           pending.bytes() <= options.unsynced_bytes_max) {
        const auto node = peers.pick(may_bring, options.pieces_per_peer_max, now);
        if (!node) break;
        ask(*node, AskPiece{target->header.sequence, *fetch->next()}, now, effects);
    }
    if (fetch->is_complete()) {
        if (!is_flushed()) return Next::wait;
        effects.state =
            StateReady{target->header, target->certificate, target->shown_by, target->from_term};
        if (genesis && !std::exchange(genesis_is_out, true)) effects.genesis = *genesis;
        enter(Stage::building);
        return Next::wait;
    }
    wake_at(peers.rested(may_bring, now));
    if (peers.asked<AskPiece>() > 0) return Next::wait;
    // Nobody is asked: they rest, or went, or keep that version no more.
    const auto hopeful = [this](const Peer& peer) {
        return may_bring_state(peer) && !is_tired_of(peer);
    };
    const auto lacks = [this](const Peer& peer) {
        return peer.lacks_state == target->header.sequence;
    };
    if (peers.any(hopeful) || !peers.any(lacks)) return Next::wait;
    discard_state();
    return enter(Stage::idle);
}

// ---- Blocks -------------------------------------------------------------------------------------

bool CatchUp::Impl::may_bring_run(const Peer& peer) const {
    return peer.may_exceed(line->end().sequence) && peer.oldest <= line->end().sequence;
}

CatchUp::Impl::Next CatchUp::Impl::run_blocks(Instant now, Effects& effects) {
    if (!line) line.emplace(head ? *head : founding_head(setup.charter->charter));
    if (genesis && !std::exchange(genesis_is_out, true)) effects.genesis = *genesis;
    advance_line(now, effects);
    effects.blocks = line->hand_out();
    if (std::ranges::any_of(effects.blocks, [this](const auto& one) { return contradicts(one); })) {
        // A committee has decided it, and what it contradicts as well. That is for people to judge.
        setup.log.error("chain_contradicted", "height={}", line->end().sequence.value());
        effects.blocks.clear();
        drop_line();
        trouble = Trouble::pin_broken;
        stage = Stage::halted;
        return Next::wait;
    }
    if (line->wants_run() && peers.asked<AskBlocks>() == 0) ask_for_run(now, effects);
    if (peers.asked<AskBlocks>() > 0 || line->is_busy() || !line->wants_run()) return Next::wait;
    // Nothing is under way.
    const auto hopeful = [this](const Peer& peer) {
        return peer.claim && may_bring_run(peer) && !is_tired_of(peer);
    };
    if (is_newcomer() || peers.any(hopeful)) return Next::wait;
    drop_line();
    return enter(Stage::idle);
}

bool CatchUp::Impl::contradicts(const DecidedBlock& block) const {
    const auto is_other = [&](const protocol::BlockName& name) {
        return block.header.sequence == name.sequence &&
               hash_as_parent(setup.chain, block.header) != name.hash;
    };
    const bool is_pinned = setup.anchor && setup.anchor->is_pinned;
    return (is_pinned && is_other(setup.anchor->block)) || (goal && is_other(*goal));
}

void CatchUp::Impl::ask_for_run(Instant now, Effects& effects) {
    const auto may_bring = [this](const Peer& peer) { return peer.claim && may_bring_run(peer); };
    const AskBlocks question{line->end().sequence.next(), options.run_bytes};
    ask_one(may_bring, 1, question, now, effects);
}

// Verifies what has come, and asks for the committee that it waits for.
void CatchUp::Impl::advance_line(Instant now, Effects& effects) {
    const auto sender = line->sender();
    if (!sender || (links_asked && links_asked->node == *sender)) return;
    const auto verdict = line->verify(context(), {});
    if (!verdict) {
        blame(*sender, Blame::bad_blocks, effects);
        return;
    }
    // Once the host is there, it knows who certifies next, unless by an act in that very block.
    const bool host_is_there = head && head->sequence == line->end().sequence;
    if (*verdict == Line::Verdict::ok || !host_is_there) return;
    links_asked = LinksAsked{*sender, line->end().committee.cycle};
    ask(*sender, AskChain{links_asked->cycle, Sequence(0)}, now, effects);
}

}  // namespace leither::sync
