#include "leither/ledger/mining.h"

#include <algorithm>

#include "leither/codec/bcs.h"
#include "leither/ledger/cycle.h"

namespace leither::ledger {

namespace {

using protocol::BookkeepingRecord;
using protocol::ElectionRecord;
using protocol::TallyRecord;
using store::Fault;

tl::unexpected<Fault> corrupt(const char* what) {
    return fail(Fault{Fault::Kind::corrupt, what});
}

// Reads system accounts at retained sequences.
class Past {
 public:
    Past(const Organization& organization, const store::Reader& store, const tree::Tree& tree)
        : organization_(organization), store_(store), tree_(tree) {}

    Result<Seal, Fault> seal(Sequence sequence) const {
        auto found = TRY(read_seal(store_, sequence));
        if (!found) return corrupt("a retained seal is missing");
        return *std::move(found);
    }
    template <class Kind>
    Result<Kind, Fault> system(const Seal& seal, const Id& id) const {
        const auto leaf = TRY(tree_.read_at(version_of(seal), id));
        if (!leaf) return corrupt("a system account is missing");
        auto record = bcs::decode<protocol::Record>(leaf->record);
        if (!record || !std::holds_alternative<Kind>(*record)) {
            return corrupt("a system account does not decode");
        }
        return std::get<Kind>(*std::move(record));
    }

    // The last block of term `cycle`, before the one that ended it; nothing if it lies below
    // `oldest`. REQUIRES: the term of `head` is a later one.
    Result<std::optional<Seal>, Fault> last_of_term(Seal at, std::uint64_t cycle,
                                                    Sequence oldest) const {
        for (;;) {
            const auto record = TRY(system<ElectionRecord>(at, organization_.election));
            if (record.cycle <= cycle) return at;
            // The term before stands in the record before the block that began this one.
            const Sequence now = at.header.sequence;
            const bool begins_here = now <= record.first_sequence;
            const Sequence before = begins_here ? Sequence(now.value() - 1) : record.first_sequence;
            if (before < oldest) return std::nullopt;
            at = TRY(seal(before));
        }
    }

    // What the block behind `last` shared out. REQUIRES: it ended the term of `last`.
    Result<std::vector<election::RewardLine>, Fault> lines_after(const Seal& last) const {
        const auto record = TRY(system<ElectionRecord>(last, organization_.election));
        const auto tally = TRY(system<TallyRecord>(last, organization_.tally));
        const auto book = TRY(system<BookkeepingRecord>(last, organization_.bookkeeping));
        const Seal ending = TRY(seal(last.header.sequence.next()));
        const auto whole =
            tally_after(record, tally, ending.header.sequence, ending.header.signers);
        return election::reward_lines(record.present, whole, book.params.mining_reward_per_cycle);
    }

 private:
    const Organization& organization_;
    const store::Reader& store_;
    const tree::Tree& tree_;
};

}  // namespace

std::optional<std::size_t> MiningRewards::line_of(const Id& member) const {
    const auto line = std::ranges::find(lines, member, &election::RewardLine::member);
    if (line == lines.end()) return std::nullopt;
    return static_cast<std::size_t>(line - lines.begin());
}

Result<Result<MiningRewards, MiningError>, Fault> mining_rewards(const Organization& organization,
                                                                 const store::Reader& store,
                                                                 const tree::Tree& tree,
                                                                 const EndedTerm& term) {
    using Answer = Result<MiningRewards, MiningError>;
    const auto& [cycle, head, oldest] = term;
    const Past past(organization, store, tree);
    const auto record = TRY(past.system<ElectionRecord>(head, organization.election));
    const auto root = std::ranges::find(record.rewards, cycle, &protocol::RewardRoot::cycle);
    if (root == record.rewards.end()) return Answer(fail(MiningError::unknown));
    const auto last = TRY(past.last_of_term(head, cycle, oldest));
    if (!last) return Answer(fail(MiningError::pruned));

    std::vector<election::RewardLine> lines = TRY(past.lines_after(*last));
    MiningRewards rewards{*root, std::move(lines)};
    if (election::reward_root(organization.chain, cycle, rewards.lines) != root->root) {
        return corrupt("the rewards of a term do not lead to their root");
    }
    return Answer(std::move(rewards));
}

protocol::Claim claim_of(const ChainId& chain, const MiningRewards& rewards, std::size_t line) {
    const std::uint64_t cycle = rewards.root.cycle;
    return {cycle, rewards.lines.at(line).amount,
            election::prove_reward(chain, cycle, rewards.lines, line)};
}

}  // namespace leither::ledger
