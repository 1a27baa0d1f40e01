#include "leither/sync/serve.h"

#include <algorithm>

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
#include "leither/ledger/kept_cycles.h"
#include "leither/sync/fetch.h"

namespace leither::sync {

namespace {

using ledger::Seal;
using protocol::AskBlocks;
using protocol::AskChain;
using protocol::AskGenesis;
using protocol::AskPiece;
using protocol::BlocksReply;
using protocol::ChainReply;
using protocol::ElectionRecord;
using protocol::GenesisReply;
using protocol::PieceOutcome;
using protocol::PieceReply;
using store::Fault;

Fault corrupt(const char* what) {
    return {Fault::Kind::corrupt, what};
}

Sequence oldest_of(const Source& source) {
    return source.span.oldest.header.sequence;
}
Sequence head_of(const Source& source) {
    return source.span.newest.header.sequence;
}
bool keeps_version(const Source& source, Sequence sequence) {
    return sequence >= oldest_of(source) && sequence <= head_of(source);
}

Result<Seal, Fault> seal_at(const Source& source, Sequence sequence) {
    if (sequence == head_of(source)) return source.span.newest;
    auto seal = TRY(ledger::read_seal(source.store, sequence));
    if (!seal) return fail(corrupt("a retained seal is missing"));
    return *std::move(seal);
}

// ---- Committees ---------------------------------------------------------------------------------

// The term of the committee that has decided the block.
std::uint64_t term_of(const Seal& seal) {
    return seal.certificate.slot.cycle;
}

// The newest block of term `last` or an earlier one. Terms rise with sequences.
Result<Seal, Fault> last_of_term(const Source& source, std::uint64_t last) {
    if (term_of(source.span.newest) <= last) return source.span.newest;
    std::uint64_t low = oldest_of(source).value();
    std::uint64_t high = head_of(source).value();
    while (low + 1 < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        const Seal seal = TRY(seal_at(source, Sequence(middle)));
        (term_of(seal) <= last ? low : high) = middle;
    }
    return seal_at(source, Sequence(low));
}

Result<Chain, Fault> chain_to(const Source& source, const Seal& target, std::uint64_t cycle) {
    Chain chain;
    chain.links = TRY(ledger::committees_between(
        source.organization, source.store, source.tree,
        {.target = target, .oldest = oldest_of(source), .after_cycle = cycle}));
    auto proof = TRY(source.tree.prove_at(version_of(target), source.organization.election));
    chain.end = election::CycleLink{target.header, target.certificate, std::move(proof)};
    return chain;
}

// What the end of a chain may weigh: header, certificate and the largest election record's proof.
constexpr std::size_t kEndBytesMax = 64 << 10;

// Out of the links that are kept, as far as they fit: to the head, or to the block that proves the
// first committee they do not.
Result<Chain, Fault> kept_chain(const Source& source, std::uint64_t cycle, std::size_t bytes_max) {
    Chain chain;
    std::size_t bytes = 0;
    TRY(ledger::visit_changes(source.store, cycle + 1, [&](ledger::TermLink&& next) {
        // The head's own successors do not certify it.
        if (next.term > term_of(source.span.newest)) return false;
        bytes += bcs::encode(next.kept.link).size();
        if (!chain.links.full() && bytes + kEndBytesMax <= bytes_max) {
            chain.links.push_back(std::move(next.kept.link));
            return true;
        }
        auto* takeover = std::get_if<election::TakeoverLink>(&next.kept.link);
        chain.end = takeover != nullptr ? std::move(takeover->last)
                                        : std::get<election::CycleLink>(std::move(next.kept.link));
        return false;
    }));
    if (chain.end) return chain;
    const Seal& head = source.span.newest;
    auto proof = TRY(source.tree.prove_at(version_of(head), source.organization.election));
    chain.end = election::CycleLink{head.header, head.certificate, std::move(proof)};
    return chain;
}

// The asker's anchor, if it is kept, as the links lead from it.
Result<std::optional<election::CycleLink>, Fault> anchor_at(const Source& source,
                                                            Sequence sequence) {
    if (sequence == Sequence(0)) return std::nullopt;
    if (!keeps_version(source, sequence)) {
        return TRY(ledger::kept_cycle_block(source.store, sequence));
    }
    const Seal seal = TRY(seal_at(source, sequence));
    auto proof = TRY(source.tree.prove_at(version_of(seal), source.organization.election));
    return election::CycleLink{seal.header, seal.certificate, std::move(proof)};
}

// The term in which the block behind it is certified, as the record in its proof has it.
Result<std::uint64_t, Fault> term_behind(const Source& source, const election::CycleLink& block) {
    const auto bytes = tree::verify(block.record, block.header.root,
                                    source.organization.charter.supply, protocol::sum_of_encoded);
    if (!bytes || !*bytes) return fail(corrupt("a kept proof does not hold"));
    const auto record = bcs::decode<protocol::Record>(**bytes);
    const auto* election = record ? std::get_if<ElectionRecord>(&*record) : nullptr;
    if (election == nullptr) return fail(corrupt("a kept proof holds no election's record"));
    return election->cycle;
}

// As far as one reply goes.
Result<Chain, Fault> chain_from(const Source& source, std::uint64_t cycle, std::size_t bytes_max) {
    const auto kept = TRY(ledger::read_cycle_span(source.store));
    if (kept && kept->from <= cycle && term_of(source.span.newest) <= kept->to) {
        return kept_chain(source, cycle, bytes_max);
    }
    Chain chain;
    for (std::uint64_t terms = kTermsPerReply; terms > 0; terms /= 4) {
        const Seal target = TRY(last_of_term(source, cycle + terms));
        chain = TRY(chain_to(source, target, cycle));
        if (bcs::encode(chain).size() <= bytes_max) return chain;
    }
    return Chain{};
}

// ---- State --------------------------------------------------------------------------------------

// The leaves below the prefix, or nothing if they are too many for one piece.
Result<std::optional<tree::Piece>, Fault> piece_at(const Source& source, const Seal& seal,
                                                   const Prefix& prefix) {
    tree::Piece piece;
    Weight weight;
    const auto collect = [&](const Id& id, ByteView record, Amount) {
        if (!prefix.covers(id)) return tree::Visit::stop;
        tree::PieceLeaf leaf{id, {}};
        leaf.record.assign(record.begin(), record.end());
        const Weight more = weight_of({&leaf, 1});
        weight = {weight.leaves + more.leaves, weight.bytes + more.bytes};
        if (!weight.fits_one_piece()) return tree::Visit::stop;
        piece.leaves.push_back(std::move(leaf));
        return tree::Visit::go_on;
    };
    TRY(source.tree.walk_at(version_of(seal), prefix.id, collect));
    if (!weight.fits_one_piece()) return std::nullopt;
    piece.proof = TRY(source.tree.prove_at(version_of(seal), prefix));
    return piece;
}

}  // namespace

Result<BlocksReply, Fault> answer(const Source& source, const AskBlocks& ask) {
    BlocksReply reply;
    reply.from = ask.from;
    reply.oldest = oldest_of(source);
    reply.head = head_of(source);
    const std::size_t bytes_max = std::min(ask.bytes_max, protocol::kSyncReplyBytes);
    std::size_t bytes = 0;
    Sequence next = ask.from;
    for (; next > reply.oldest && next <= reply.head && !reply.blocks.full(); next = next.next()) {
        const Seal seal = TRY(seal_at(source, next));
        auto transactions = TRY(ledger::read_block(source.store, next));
        if (!transactions) return fail(corrupt("a retained block is missing"));
        protocol::DecidedBlock block{seal.header, seal.certificate, *std::move(transactions)};
        bytes += bcs::encode(block).size();
        if (!reply.blocks.empty() && bytes > bytes_max) break;
        reply.blocks.push_back(std::move(block));
    }
    return reply;
}

Result<GenesisReply, Fault> answer(const Source& source, const AskGenesis& ask) {
    const auto genesis = TRY(ledger::read_genesis(source.store));
    if (!genesis) return fail(corrupt("the genesis is missing"));
    const protocol::Allocations& all = genesis->allocations;
    GenesisReply reply;
    reply.charter = genesis->charter;
    reply.count = static_cast<std::uint32_t>(all.size());
    reply.from = std::min(ask.from, reply.count);
    const std::size_t some =
        std::min<std::size_t>(all.size() - reply.from, protocol::kAllocationsPerReply);
    const auto begin = all.begin() + reply.from;
    reply.allocations.assign(begin, begin + static_cast<std::ptrdiff_t>(some));
    return reply;
}

Result<ChainReply, Fault> answer(const Source& source, const AskChain& ask) {
    ChainReply reply;
    reply.cycle = ask.cycle;
    reply.anchor = ask.anchor;
    reply.oldest = oldest_of(source);
    reply.head = head_of(source);
    std::optional<election::Checkpoint> start;
    std::uint64_t cycle = ask.cycle;
    if (auto anchor = TRY(anchor_at(source, ask.anchor))) {
        // Behind a cycle block the term it begins certifies.
        cycle = TRY(term_behind(source, *anchor));
        start = election::Checkpoint{*std::move(anchor), {}};
    } else if (source.checkpoint != nullptr) {
        // Whoever cannot be led from the committee it trusts may be led from a table it trusts.
        start = *source.checkpoint;
    }
    const std::size_t room = protocol::kSyncReplyBytes - (start ? bcs::encode(*start).size() : 0);
    // The founding is certified by the charter, and a committee that is not there yet by nobody.
    const bool can_lead = reply.head > Sequence(0) && cycle <= term_of(source.span.newest);
    Chain chain;
    if (can_lead) chain = TRY(chain_from(source, cycle, room));
    chain.checkpoint = std::move(start);
    const Bytes encoded = bcs::encode(chain);
    CHECK(encoded.size() <= protocol::kSyncReplyBytes);
    reply.chain.assign(encoded.begin(), encoded.end());
    return reply;
}

Result<PieceReply, Fault> answer(const Source& source, const AskPiece& ask) {
    PieceReply reply{ask.sequence, ask.prefix, PieceOutcome::not_kept, {}};
    if (!keeps_version(source, ask.sequence)) return reply;
    const Seal seal = TRY(seal_at(source, ask.sequence));
    const auto piece = TRY(piece_at(source, seal, ask.prefix));
    reply.outcome = piece ? PieceOutcome::piece : PieceOutcome::split;
    if (!piece) return reply;
    const Bytes encoded = bcs::encode(*piece);
    reply.piece.assign(encoded.begin(), encoded.end());
    return reply;
}

Result<protocol::SyncReply, Fault> answer(const Source& source, const protocol::SyncAsk& ask) {
    return std::visit(
        [&source](const auto& held) -> Result<protocol::SyncReply, Fault> {
            return TRY(answer(source, held));
        },
        ask);
}

}  // namespace leither::sync
