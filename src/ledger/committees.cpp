#include "leither/ledger/committees.h"

#include <algorithm>
#include <functional>

#include "leither/codec/bcs.h"
#include "leither/ledger/kept_cycles.h"

namespace leither::ledger {

namespace {

using election::CycleLink;
using election::Link;
using election::TakeoverLink;
using protocol::ElectionRecord;
using protocol::Seats;
using store::Fault;

// Cycle blocks looked at: three months of half-hour cycles.
constexpr std::size_t kStepsMax = 4'320;

tl::unexpected<Fault> corrupt(const char* what) {
    return fail(Fault{Fault::Kind::corrupt, what});
}

// A block, and what it left of the election.
struct Point {
    Seal seal;
    ElectionRecord record;

    Sequence sequence() const { return seal.header.sequence; }
};

class Walk {
 public:
    Walk(const Organization& organization, const store::Reader& store, const tree::Tree& tree,
         Sequence oldest)
        : organization_(organization), store_(store), tree_(tree), oldest_(oldest) {}

    Result<Point, Fault> at(const Seal& seal) const {
        auto record = TRY(election_at(organization_, tree_, seal));
        return Point{seal, std::move(record)};
    }

    // From behind, until whoever certified a block needs no more proof or history ends.
    using IsKnown = std::function<bool(const protocol::Authority&)>;
    Result<election::CycleChain, Fault> back_from(Point point, const IsKnown& is_known) {
        election::CycleChain links;
        bool known = is_known(authority_over(point.record, point.sequence()));
        for (std::size_t steps = 0; steps < kStepsMax; ++steps) {
            if (known || links.full() || point.record.cycle == 0) break;
            // Of the term that certified the block: a cycle block leaves the record of the next.
            if (point.sequence() <= point.record.first_sequence) {
                const auto before = TRY(earlier(Sequence(point.sequence().value() - 1)));
                if (!before) break;
                point = *before;
            }
            const auto first = TRY(earlier(point.record.first_sequence));
            if (!first) break;
            if (auto link = TRY(link_between(*first, point))) links.push_back(*std::move(link));
            known = is_known(authority_over(first->record, first->sequence()));
            point = *first;
        }
        std::ranges::reverse(links);
        return links;
    }

    // The cycle block of the head's term.
    Result<std::optional<CycleBlock>, Fault> newest_block(const Seal& head) const {
        const Point point = TRY(at(head));
        if (point.record.cycle == 0) return std::nullopt;
        const auto first = TRY(earlier(point.record.first_sequence));
        if (!first || first->record.cycle != point.record.cycle) return std::nullopt;
        const auto leaf = TRY(tree_.read_at(version_of(first->seal), organization_.candidates));
        CycleBlock block;
        if (leaf) {
            auto record = bcs::decode<protocol::Record>(leaf->record);
            auto* table = record ? std::get_if<protocol::CandidateTable>(&*record) : nullptr;
            if (table == nullptr) return corrupt("the candidates' table does not decode");
            block.table = std::move(*table);
        }
        block.link = TRY(cycle_link(*first));
        block.name = {point.record.cycle, first->sequence(),
                      hash_as_parent(organization_.chain, first->seal.header)};
        return block;
    }

    // From behind, a link for each term, until the term `after` or history ends.
    Result<FoundCycles, Fault> each_back(Point point, std::uint64_t after) const {
        FoundCycles found;
        found.from = point.record.cycle;
        while (found.from > after && found.cycles.size() < kStepsMax) {
            auto first = TRY(earlier(point.record.first_sequence));
            if (!first) break;
            const std::uint64_t term = point.record.cycle;
            const bool is_takeover = first->record.cycle != term;
            TermLink cycle{term, {/*changes=*/true, {}}};
            if (is_takeover) {
                cycle.kept.link = TRY(takeover(*first));
            } else {
                cycle.kept.link = TRY(cycle_link(*first));
                cycle.kept.changes = first->record.former != first->record.present;
            }
            found.cycles.push_back(std::move(cycle));
            found.from = term - 1;
            if (is_takeover) {
                point = *std::move(first);
                continue;
            }
            auto before = TRY(earlier(Sequence(first->sequence().value() - 1)));
            if (!before) break;
            point = *std::move(before);
        }
        std::ranges::reverse(found.cycles);
        return found;
    }

    Result<CycleLink, Fault> cycle_link(const Point& point) const {
        auto proof = TRY(tree_.prove_at(version_of(point.seal), organization_.election));
        return CycleLink{point.seal.header, point.seal.certificate, std::move(proof)};
    }

 private:
    // Nothing: history does not reach back so far.
    Result<std::optional<Point>, Fault> earlier(Sequence sequence) const {
        if (sequence < oldest_) return std::nullopt;
        const Seal found = TRY(seal(sequence));
        return TRY(at(found));
    }
    Result<Seal, Fault> seal(Sequence sequence) const {
        auto found = TRY(read_seal(store_, sequence));
        if (!found) return corrupt("a retained seal is missing");
        return *std::move(found);
    }

    // What proves the committee of `later`, whose term began with the block `first` or the one
    // after it; nothing if the committee before has gone on.
    Result<std::optional<Link>, Fault> link_between(const Point& first, const Point& later) const {
        if (first.record.cycle != later.record.cycle) return Link(TRY(takeover(first)));
        if (first.record.former == first.record.present) return std::nullopt;
        return Link(TRY(cycle_link(first)));
    }

    Result<TakeoverLink, Fault> takeover(const Point& last) const {
        const auto block = TRY(read_block(store_, last.sequence().next()));
        if (!block || block->empty()) return corrupt("a takeover's block is missing");
        const protocol::Transaction& act = block->front();
        const tree::Version version = version_of(last.seal);
        auto block_link = TRY(cycle_link(last));
        auto candidates = TRY(tree_.prove_at(version, organization_.candidates));
        TakeoverLink link{std::move(block_link), std::move(candidates), act, std::nullopt};
        if (std::holds_alternative<protocol::HandOver>(act.body.action)) {
            link.supervisor = TRY(tree_.prove_at(version, act.body.signer));
        }
        return link;
    }

    const Organization& organization_;
    const store::Reader& store_;
    const tree::Tree& tree_;
    Sequence oldest_;
};

}  // namespace

Result<ElectionRecord, Fault> election_at(const Organization& organization, const tree::Tree& tree,
                                          const Seal& seal) {
    const auto leaf = TRY(tree.read_at(version_of(seal), organization.election));
    if (!leaf) return corrupt("the election's record is missing");
    auto record = bcs::decode<protocol::Record>(leaf->record);
    if (!record || !std::holds_alternative<ElectionRecord>(*record)) {
        return corrupt("the election's record does not decode");
    }
    return std::get<ElectionRecord>(*std::move(record));
}

Result<Seats, Fault> certified_by(const Organization& organization, const tree::Tree& tree,
                                  const Seal& seal) {
    const ElectionRecord record = TRY(election_at(organization, tree, seal));
    return Seats(authority_over(record, seal.header.sequence).seats);
}

Result<election::CycleChain, Fault> committees_up_to(const Organization& organization,
                                                     const store::Reader& store,
                                                     const tree::Tree& tree, const Seal& target,
                                                     Sequence oldest) {
    Walk walk(organization, store, tree, oldest);
    const Seats charters = election::trusted_from(organization.charter).seats;
    return walk.back_from(TRY(walk.at(target)), [&charters](const protocol::Authority& authority) {
        return authority.seats == charters;
    });
}

Result<election::CycleChain, Fault> committees_behind(const Organization& organization,
                                                      const store::Reader& store,
                                                      const tree::Tree& tree, const Seal& target,
                                                      Sequence oldest) {
    auto links = TRY(committees_up_to(organization, store, tree, target, oldest));
    const Walk walk(organization, store, tree, oldest);
    const Point point = TRY(walk.at(target));
    if (authority_over(point.record, point.sequence()).seats == point.record.present) return links;
    if (links.full()) links.erase(links.begin());
    links.push_back(TRY(walk.cycle_link(point)));
    return links;
}

Result<election::CycleChain, Fault> committees_between(const Organization& organization,
                                                       const store::Reader& store,
                                                       const tree::Tree& tree,
                                                       const ChainEnds& ends) {
    Walk walk(organization, store, tree, ends.oldest);
    return walk.back_from(TRY(walk.at(ends.target)), [&ends](const protocol::Authority& authority) {
        return authority.cycle <= ends.after_cycle;
    });
}

Result<std::optional<CycleBlock>, Fault> newest_cycle_block(const Organization& organization,
                                                            const store::Reader& store,
                                                            const tree::Tree& tree,
                                                            const ChainEnds& ends) {
    const Walk walk(organization, store, tree, ends.oldest);
    return walk.newest_block(ends.target);
}

Result<FoundCycles, Fault> cycles_behind(const Organization& organization,
                                         const store::Reader& store, const tree::Tree& tree,
                                         const ChainEnds& ends) {
    const Walk walk(organization, store, tree, ends.oldest);
    return walk.each_back(TRY(walk.at(ends.target)), ends.after_cycle);
}

}  // namespace leither::ledger
