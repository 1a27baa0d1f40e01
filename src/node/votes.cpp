// Votes of the members and rewards by rule. Open votes are listed in the bookkeeping record, closed
// ones only in its older versions; each has a leaf of its own that stays.
#include <algorithm>

#include "queries_detail.h"

namespace leither::node {

namespace {

using protocol::BookkeepingRecord;
using protocol::MemberRecord;
using protocol::OpenVote;
using protocol::Outcome;
using protocol::VoteRecord;

// Versions of the bookkeeping record looked at in one answer; a page may end here too.
constexpr std::size_t kVersionsMax = 2048;
// Blocks of a voter's history that are searched for its ballot.
constexpr std::size_t kBallotBlocksMax = 1024;

Answer<BookkeepingRecord> bookkeeping_of(const LedgerView& view, const tree::Leaf& leaf) {
    auto record = TRY(view.decode(leaf));
    auto* book = std::get_if<BookkeepingRecord>(&record);
    if (book == nullptr) return view.fault("bookkeeping_record_missing", {});
    return std::move(*book);
}

Answer<std::optional<VoteRecord>> record_of(const LedgerView& view, const Id& id) {
    const auto leaf = TRY(view.read(view.organization->tree().read(id)));
    if (!leaf) return std::nullopt;
    auto record = TRY(view.decode(*leaf));
    auto* vote = std::get_if<VoteRecord>(&record);
    return vote == nullptr ? std::nullopt : std::optional(std::move(*vote));
}

Answer<VoteItem> listed(const LedgerView& view, const OpenVote& open) {
    auto record = TRY(record_of(view, open.vote));
    if (!record) return view.fault("vote_missing", open.vote.hex());
    return VoteItem{open.vote, *std::move(record), open.closes, std::nullopt};
}

// The votes that `earlier` lists and the version after it, written by block `counted`, does not.
Answer<std::vector<VoteItem>> counted_between(const LedgerView& view,
                                              const BookkeepingRecord& earlier,
                                              const BookkeepingRecord& later, Sequence counted) {
    std::vector<VoteItem> votes;
    for (const OpenVote& open : earlier.votes) {
        if (std::ranges::count(later.votes, open.vote, &OpenVote::vote) > 0) continue;
        VoteItem vote = TRY(listed(view, open));
        vote.counted_from.reset();
        vote.counted = counted;
        votes.push_back(std::move(vote));
    }
    return votes;
}

const protocol::Cast* ballot_in(const protocol::Transaction& transaction, const Id& account,
                                const Id& vote) {
    const auto* cast = std::get_if<protocol::Cast>(&transaction.body.action);
    const bool is_it = cast != nullptr && transaction.body.signer == account && cast->vote == vote;
    return is_it ? cast : nullptr;
}

}  // namespace

const char* to_string(Suffrage standing) {
    switch (standing) {
        case Suffrage::may_cast: return "may_cast";
        case Suffrage::has_cast: return "has_cast";
        case Suffrage::not_open: return "not_open";
        case Suffrage::not_member: return "not_member";
        case Suffrage::joined_after: return "joined_after";
    }
    UNREACHABLE();
}

Answer<std::vector<VoteItem>> votes_counted_in(const LedgerView& view, Sequence counted) {
    const Id& id = view.organization->organization().bookkeeping;
    LeafWalk walk = TRY(LeafWalk::start(view, id, counted.next()));
    if (!walk.leaf() || walk.leaf()->written != counted) return std::vector<VoteItem>{};
    const BookkeepingRecord later = TRY(bookkeeping_of(view, *walk.leaf()));
    TRY(walk.step_back());
    if (!walk.leaf()) return std::vector<VoteItem>{};
    const BookkeepingRecord earlier = TRY(bookkeeping_of(view, *walk.leaf()));
    return counted_between(view, earlier, later, counted);
}

Answer<std::vector<VoteItem>> Queries::open_votes() const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    const Id& id = view.organization->organization().bookkeeping;
    const auto book = TRY(view.system<BookkeepingRecord>(id));
    std::vector<VoteItem> votes;
    for (const OpenVote& open : book.votes) votes.push_back(TRY(listed(view, open)));
    return votes;
}

Answer<ClosedVotes> Queries::closed_votes(std::optional<Sequence> before, std::size_t limit) const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    const Sequence oldest = view.organization->oldest();
    ClosedVotes votes;
    if (before && *before <= oldest) {
        votes.pruned = oldest > Sequence(0);
        return votes;
    }
    LeafWalk walk =
        TRY(LeafWalk::start(view, view.organization->organization().bookkeeping, before));
    if (!walk.leaf()) return votes;
    BookkeepingRecord later = TRY(bookkeeping_of(view, *walk.leaf()));
    for (std::size_t versions = 0;; ++versions) {
        const Sequence written = walk.leaf()->written;
        if (votes.items.size() >= std::max<std::size_t>(limit, 1) || versions == kVersionsMax) {
            votes.next = written.next();
            return votes;
        }
        if (written > oldest) TRY(walk.step_back());
        if (written <= oldest || !walk.leaf()) {
            votes.pruned = oldest > Sequence(0);
            return votes;
        }
        BookkeepingRecord earlier = TRY(bookkeeping_of(view, *walk.leaf()));
        auto counted = TRY(counted_between(view, earlier, later, written));
        std::ranges::move(counted, std::back_inserter(votes.items));
        later = std::move(earlier);
    }
}

Answer<std::optional<VoteItem>> Queries::vote(const Id& id) const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    auto record = TRY(record_of(view, id));
    if (!record) return std::nullopt;
    VoteItem vote{id, *std::move(record), std::nullopt, std::nullopt};
    if (vote.record.outcome == Outcome::open) {
        const auto book =
            TRY(view.system<BookkeepingRecord>(view.organization->organization().bookkeeping));
        const auto open = std::ranges::find(book.votes, id, &OpenVote::vote);
        if (open != book.votes.end()) vote.counted_from = open->closes;
        return vote;
    }
    // What the block that counted it has written last is the outcome.
    const auto leaf = TRY(view.read(view.organization->tree().read(id)));
    if (leaf) vote.counted = leaf->written;
    return vote;
}

Answer<Suffrage> Queries::standing(const VoteItem& vote, const Id& account, Instant now) const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    const auto leaf = TRY(view.read(view.organization->tree().read(account)));
    if (!leaf) return Suffrage::not_member;
    const auto record = TRY(view.decode(*leaf));
    const auto* member = std::get_if<MemberRecord>(&record);
    if (member == nullptr) return Suffrage::not_member;
    if (std::ranges::binary_search(member->voted, vote.id)) return Suffrage::has_cast;
    const bool is_open = vote.record.outcome == Outcome::open && pulse(now) < vote.record.closes;
    if (!is_open) return Suffrage::not_open;
    return member->created > vote.record.opened ? Suffrage::joined_after : Suffrage::may_cast;
}

Answer<std::optional<Ballot>> Queries::ballot(const VoteItem& vote, const Id& account) const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    const ChainId& chain = view.organization->organization().chain;
    const Sequence since = std::max(vote.record.opened, view.organization->oldest());
    std::optional<Sequence> before;
    if (vote.counted) before = vote.counted->next();
    LeafWalk walk = TRY(LeafWalk::start(view, account, before));
    for (std::size_t blocks = 0; walk.leaf() && blocks < kBallotBlocksMax; ++blocks) {
        const Sequence written = walk.leaf()->written;
        if (written < since) break;
        const auto block = TRY(view.block_if_kept(written));
        if (!block) break;
        for (const protocol::Transaction& transaction : *block) {
            if (const auto* cast = ballot_in(transaction, account, vote.id)) {
                return Ballot{cast->choice, written,
                              protocol::transaction_id(chain, transaction.body)};
            }
        }
        TRY(walk.step_back());
    }
    return std::nullopt;
}

Answer<protocol::ElectionRecord> Queries::election() const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    return view.system<protocol::ElectionRecord>(view.organization->organization().election);
}

Answer<Result<ledger::MiningRewards, ledger::MiningError>> Queries::mining(
    std::uint64_t cycle) const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    OrgInstance& org = *view.organization;
    return view.read(ledger::mining_rewards(org.organization(), org.store(), org.tree(),
                                            {cycle, org.head(), org.oldest()}));
}

}  // namespace leither::node
