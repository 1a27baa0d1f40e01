#include <algorithm>
#include <iterator>

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
#include "leither/ledger/execute.h"

#include "catch_up_impl.h"

namespace leither::sync {

using protocol::AskBlocks;
using protocol::AskChain;
using protocol::AskGenesis;
using protocol::AskPiece;
using protocol::BlocksReply;
using protocol::ChainReply;
using protocol::GenesisReply;
using protocol::PieceOutcome;
using protocol::PieceReply;

void CatchUp::Impl::heard(const Id& from, Sequence oldest, Sequence at) {
    Peer* peer = peers.find(from);
    CHECK(peer != nullptr);
    peer->claim = at;
    peer->oldest = oldest;
}

// ---- Blocks -------------------------------------------------------------------------------------

void CatchUp::Impl::take(const Id& from, BlocksReply&& reply, Instant now, Effects& effects) {
    if (!peers.answered(from, AskBlocks{reply.from, options.run_bytes}, now)) return;
    heard(from, reply.oldest, reply.head);
    if (reply.blocks.empty()) {
        // Too old or too new for it; what it says of itself is noted. Else it keeps them back.
        const bool has_it = reply.oldest < reply.from && reply.from <= reply.head;
        if (has_it) peers.failed(from, now);
        return;
    }
    std::size_t bytes = 0;
    for (const DecidedBlock& block : reply.blocks) bytes += bcs::encode(block).size();
    if (reply.blocks.size() > 1 && bytes > options.run_bytes) {
        blame(from, Blame::oversized, effects);
        return;
    }
    peers.did_well(from);
    const bool is_wanted =
        stage == Stage::blocks && line->wants_run() && reply.from == line->end().sequence.next();
    if (is_wanted) line->receive(from, std::move(reply.blocks));
}

// ---- Genesis ------------------------------------------------------------------------------------

void CatchUp::Impl::take(const Id& from, GenesisReply&& reply, Instant now, Effects& effects) {
    if (!peers.answered(from, AskGenesis{reply.from}, now)) return;
    if (!draft || draft->from != from || stage != Stage::genesis) return;
    if (const auto why = add_to_draft(std::move(reply))) {
        blame(from, *why, effects);
        return;
    }
    if (draft->genesis.allocations.size() < draft->count) return;
    if (!ledger::check(draft->genesis)) {
        blame(from, Blame::other_genesis, effects);
        return;
    }
    genesis = std::move(draft->genesis);
    draft.reset();
    setup.charter = genesis->charter;
    pending.put(key(Entry::genesis), bcs::encode(*genesis));
}

std::optional<Blame> CatchUp::Impl::add_to_draft(GenesisReply&& reply) {
    if (chain_id(reply.charter.charter) != setup.chain) return Blame::other_genesis;
    if (reply.count > protocol::kAllocationsMax) return Blame::oversized;
    auto& all = draft->genesis.allocations;
    if (!draft->has_charter) {
        draft->genesis.charter = std::move(reply.charter);
        draft->count = reply.count;
        draft->has_charter = true;
    }
    if (reply.count != draft->count || reply.from != all.size()) return Blame::other_genesis;
    // Exactly as many as the rule says, or crumbs could keep a newcomer busy for a day.
    const std::size_t some =
        std::min<std::size_t>(reply.count - reply.from, protocol::kAllocationsPerReply);
    if (reply.allocations.size() != some) return Blame::other_genesis;
    std::ranges::move(reply.allocations, std::back_inserter(all));
    return std::nullopt;
}

// ---- Committees ---------------------------------------------------------------------------------

void CatchUp::Impl::take(const Id& from, ChainReply&& reply, Instant now, Effects& effects) {
    if (!peers.answered(from, AskChain{reply.cycle, reply.anchor}, now)) return;
    heard(from, reply.oldest, reply.head);
    const auto chain = bcs::decode<Chain>(reply.chain);
    if (!chain) {
        blame(from, Blame::malformed, effects);
    } else if (links_asked && links_asked->node == from && links_asked->cycle == reply.cycle) {
        links_asked.reset();
        on_links(from, *chain, effects);
    } else if (stage == Stage::chain) {
        on_chain(from, reply, *chain, now, effects);
    }
}

// Of the committee that certifies what waits in the line, from whoever sent it: if they do not
// prove it, it is false.
void CatchUp::Impl::on_links(const Id& from, const Chain& chain, Effects& effects) {
    if (line->sender() != from) return;
    const auto verdict = line->verify(context(), chain.links);
    if (!verdict || (*verdict == Line::Verdict::unknown_term && line->is_stuck())) {
        blame(from, Blame::bad_blocks, effects);
    } else {
        peers.did_well(from);
    }
}

std::optional<Way> CatchUp::Impl::way_into(const Id& from, const Chain& chain, Instant now) {
    const Trusted known = known_committee();
    Way way{known, known_since(), std::nullopt, known};
    const auto anchor = wanted_anchor(now);
    if (!anchor || peers.find(from)->has_other_block) return way;
    if (chain.checkpoint) {
        const election::CycleLink& block = chain.checkpoint->block;
        if (auto trusted = anchored_by(context(), anchor->block, block)) {
            keep_link(from, trusted->cycle, {/*changes=*/false, block});
            return Way{*trusted, block.header.pulse, trusted->cycle, *trusted};
        }
    }
    if (anchor->is_pinned) return std::nullopt;
    return way;
}

bool CatchUp::Impl::has_other_block(const Peer& peer, const Chain& chain, Instant now) const {
    const auto anchor = wanted_anchor(now);
    if (!anchor || anchor->is_pinned || peer.has_other_block || !chain.checkpoint) return false;
    const election::CycleLink& block = chain.checkpoint->block;
    return block.header.sequence == anchor->block.sequence &&
           !anchored_by(context(), anchor->block, block);
}

// It may be all it has: no lie.
void CatchUp::Impl::refuse_chain(const Id& from, Trouble why, Instant now) {
    peers.find(from)->has_told_chain = true;
    peers.failed(from, now);
    trouble = why;
}

void CatchUp::Impl::on_chain(const Id& from, const ChainReply& reply, const Chain& chain,
                             Instant now, Effects& effects) {
    Peer& peer = *peers.find(from);
    if (peer.has_told_chain) return;
    const bool is_first = !peer.way;
    if (is_first) {
        erase_links([&from](const Id& one) { return one == from; });  // of an earlier connection
        // Its links lead from a block of its own, which may yet be the true one.
        if (has_other_block(peer, chain, now)) {
            peer.has_other_block = true;
            return;
        }
        peer.way = way_into(from, chain, now);
    }
    if (!peer.way) return refuse_chain(from, Trouble::pin_not_found, now);
    const std::uint64_t start = peer.way->tip.cycle;
    const bool is_table_old = is_too_old(known_since(), now);
    const auto* table = setup.table && !is_table_old ? &*setup.table : nullptr;
    auto learned = learn(context(), peer.way->tip, chain, table);
    if (!learned) {
        // Somebody who has pruned what lies between cannot lead us; who has it can.
        peer.has_told_chain = true;
        if (reply.oldest <= base()) {
            blame(from, Blame::bad_chain, effects);
        } else {
            peers.failed(from, now);
        }
        return;
    }
    Way& way = *peer.way;
    if (learned->committee.seats != way.origin.seats && !learned->from_checkpoint &&
        is_too_old(way.since, now)) {
        return refuse_chain(from, Trouble::anchor_too_old, now);
    }
    if (learned->from_checkpoint) way.from_term = learned->changes.front().first;
    for (auto& [term, link] : learned->changes) keep_link(from, term, {/*changes=*/true, link});
    way.tip = std::move(learned->committee);
    auto& end = learned->end;
    const bool is_half_way = end && end->header.sequence < reply.head;
    if (is_half_way && way.tip.cycle > start) return;  // it is asked for the rest
    peer.has_told_chain = true;
    const bool is_at_anchor = is_first && way.from_term && !end && chain.checkpoint;
    if (is_at_anchor) {
        const election::CycleLink& block = chain.checkpoint->block;
        end = Proven{block.header, block.certificate, way.tip};
    }
    if (end) peer.claim = end->header.sequence;
    const bool is_founding =
        !end && is_newcomer() && reply.head == Sequence(0) && !is_too_old(Pulse(0), now);
    if (!is_founding && (!end || end->header.sequence <= base())) {
        peers.failed(from, now);
        return;
    }
    ++chains;
    has_only_founding |= is_founding;
    if (!compare_until) compare_until = now + options.compare_wait;
    if (end && (!best || best->proven.header.sequence < end->header.sequence)) {
        best = Best{*end, from, way.from_term};
    }
}

// ---- State --------------------------------------------------------------------------------------

void CatchUp::Impl::take(const Id& from, PieceReply&& reply, Instant now, Effects& effects) {
    if (!peers.answered(from, AskPiece{reply.sequence, reply.prefix}, now)) return;
    if (!fetch || target->header.sequence != reply.sequence) return;
    switch (reply.outcome) {
        case PieceOutcome::piece: on_piece(from, reply, now, effects); return;
        case PieceOutcome::split:
            if (fetch->split(reply.prefix, from)) return;
            fetch->give_back(reply.prefix);
            blame(from, Blame::false_split, effects);
            return;
        case PieceOutcome::not_kept:
            fetch->give_back(reply.prefix);
            peers.find(from)->lacks_state = reply.sequence;
            peers.failed(from, now);
            return;
    }
    UNREACHABLE();
}

void CatchUp::Impl::on_piece(const Id& from, const PieceReply& reply, Instant, Effects& effects) {
    const auto piece = bcs::decode<tree::Piece>(reply.piece);
    if (!piece || piece->proof.prefix != reply.prefix) {
        fetch->give_back(reply.prefix);
        blame(from, piece ? Blame::bad_piece : Blame::malformed, effects);
        return;
    }
    const auto taken = fetch->take(*piece, pending);
    if (!taken) {
        fetch->give_back(reply.prefix);
        blame(from, Blame::bad_piece, effects);
        return;
    }
    peers.did_well(from);
    for (const Id& liar : taken->liars) {
        const Peer* peer = peers.find(liar);
        if (peer != nullptr && !peer->is_liar) blame(liar, Blame::false_split, effects);
    }
}

}  // namespace leither::sync
