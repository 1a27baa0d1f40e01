// One account's past: each version of a leaf names the one it replaced, and the block that wrote it
// holds the reason.
#include <algorithm>

#include "leither/codec/bcs.h"

#include "queries_detail.h"

namespace leither::node {

namespace {

using protocol::PendingReward;
using protocol::Transactions;

bool concerns(const ledger::Organization& organization, const protocol::TransactionBody& body,
              const Id& id) {
    return std::ranges::count(accounts_concerned(organization, body), id) > 0;
}

// The items of one block, the last transaction first.
std::vector<HistoryItem> items_of(const ledger::Organization& organization,
                                  const ledger::Seal& seal, const Transactions& block,
                                  const Id& id) {
    std::vector<HistoryItem> items;
    for (auto it = block.rbegin(); it != block.rend(); ++it) {
        if (!concerns(organization, it->body, id)) continue;
        items.push_back({seal.header.sequence, seal.header.pulse,
                         protocol::transaction_id(organization.chain, it->body), it->body,
                         std::nullopt});
    }
    return items;
}

// The transaction of block `sequence` with that id; nothing if it is not there, or pruned.
Answer<std::optional<protocol::TransactionBody>> transaction_of(const LedgerView& view,
                                                                Sequence sequence, const Hash& id) {
    if (sequence < view.organization->oldest()) return std::nullopt;
    const ChainId& chain = view.organization->organization().chain;
    const auto block = TRY(view.block_if_kept(sequence));
    if (!block) return std::nullopt;
    for (const protocol::Transaction& transaction : *block) {
        if (protocol::transaction_id(chain, transaction.body) == id) return transaction.body;
    }
    return std::nullopt;
}

bool is_pending(const protocol::Record& record, const Hash& reward) {
    const auto* treasury = std::get_if<protocol::TreasuryRecord>(&record);
    return treasury != nullptr &&
           std::ranges::count(treasury->pending, reward, &PendingReward::transaction) > 0;
}

// The block that announced a pending reward, found by walking back the treasury.
Answer<std::optional<Sequence>> announced_in(const LedgerView& view, const Hash& reward,
                                             Sequence before) {
    const Id& treasury = view.organization->organization().treasury;
    LeafWalk walk = TRY(LeafWalk::start(view, treasury, before));
    std::optional<Sequence> first;
    while (walk.leaf() && is_pending(TRY(view.decode(*walk.leaf())), reward)) {
        first = walk.leaf()->written;
        TRY(walk.step_back());
    }
    return first;
}

// What vote gave a reward, as the proposal that opened it.
Answer<std::optional<HistoryItem>> item_of_vote(const LedgerView& view, const ledger::Seal& seal,
                                                const VoteItem& vote) {
    const Hash& proposal = vote.record.proposal;
    auto body = TRY(transaction_of(view, vote.record.opened, proposal));
    if (!body) return std::nullopt;
    return HistoryItem{seal.header.sequence, seal.header.pulse, proposal, *std::move(body),
                       vote.id};
}

// The reason for a reward that was pending before `seal` paid it: a supervisor's transaction, or a
// vote that was counted.
Answer<std::optional<HistoryItem>> item_of_payment(const LedgerView& view, const ledger::Seal& seal,
                                                   const Hash& reward) {
    const auto announced = TRY(announced_in(view, reward, seal.header.sequence));
    if (!announced) return std::nullopt;
    if (auto body = TRY(transaction_of(view, *announced, reward))) {
        return HistoryItem{seal.header.sequence, seal.header.pulse, reward, *std::move(body),
                           std::nullopt};
    }
    for (const VoteItem& vote : TRY(votes_counted_in(view, *announced))) {
        if (vote.record.proposal == reward) return item_of_vote(view, seal, vote);
    }
    return std::nullopt;
}

// A reward is paid by the protocol, without a transaction, once its publicity is over: the payment
// shows under the transaction that announced it, or that proposed it to the members.
Answer<std::vector<HistoryItem>> rewards_paid(const LedgerView& view, const ledger::Seal& seal,
                                              const Id& id) {
    std::vector<HistoryItem> items;
    const Sequence sequence = seal.header.sequence;
    if (sequence <= view.organization->oldest()) return items;
    const Id& treasury = view.organization->organization().treasury;
    const LeafWalk before = TRY(LeafWalk::start(view, treasury, sequence));
    if (!before.leaf()) return items;
    const auto record = TRY(view.decode(*before.leaf()));
    for (const PendingReward& reward : std::get<protocol::TreasuryRecord>(record).pending) {
        if (reward.member != id || reward.due > seal.header.pulse) continue;
        auto item = TRY(item_of_payment(view, seal, reward.transaction));
        if (item) items.push_back(*std::move(item));
    }
    return items;
}

// Where rewards need no publicity, a vote's is paid by the block that counts it. The treasury's
// history has it there in any case, as it has a supervisor's where that is announced.
Answer<std::vector<HistoryItem>> votes_given(const LedgerView& view, const ledger::Seal& seal,
                                             const Id& id) {
    std::vector<HistoryItem> items;
    const Sequence sequence = seal.header.sequence;
    if (sequence <= view.organization->oldest()) return items;
    const Id& treasury_id = view.organization->organization().treasury;
    const LeafWalk treasury = TRY(LeafWalk::start(view, treasury_id, sequence.next()));
    if (!treasury.leaf() || treasury.leaf()->written != sequence) return items;
    const auto after = TRY(view.decode(*treasury.leaf()));
    for (const VoteItem& vote : TRY(votes_counted_in(view, sequence))) {
        const auto* grant = std::get_if<protocol::Grant>(&vote.record.subject);
        if (grant == nullptr || vote.record.outcome != protocol::Outcome::passed) continue;
        const bool is_paid = grant->member == id && !is_pending(after, vote.record.proposal);
        if (!is_paid && id != treasury_id) continue;
        auto item = TRY(item_of_vote(view, seal, vote));
        if (item) items.push_back(*std::move(item));
    }
    return items;
}

// Whether the walk ended because the account began there, not because the past is gone.
bool is_beginning(const protocol::Record& record, Sequence written) {
    const auto* member = std::get_if<protocol::MemberRecord>(&record);
    return member != nullptr ? member->created == written : written == Sequence(0);
}

}  // namespace

Answer<LedgerView> LedgerView::of(NodeImpl& node) {
    if (node.organization() == nullptr) return fail(QueryError::no_organization);
    return LedgerView{node.organization(), &node.log()};
}

tl::unexpected<QueryError> LedgerView::fault(std::string_view event,
                                             std::string_view detail) const {
    log->error(event, "detail=\"{}\"", detail);
    return fail(QueryError::fault);
}

Answer<protocol::Record> LedgerView::decode(const tree::RecordBytes& record) const {
    auto decoded = bcs::decode<protocol::Record>(record);
    if (!decoded) return fault("record_undecodable", bcs::to_string(decoded.error()));
    return *std::move(decoded);
}

Answer<ledger::Seal> LedgerView::seal(Sequence sequence) const {
    const ledger::Seal& head = organization->head();
    if (sequence == head.header.sequence) return head;
    if (sequence > head.header.sequence) return fail(QueryError::unknown_sequence);
    if (sequence < organization->oldest()) return fail(QueryError::pruned);
    auto seal = TRY(read(ledger::read_seal(organization->store(), sequence)));
    return present(std::move(seal), "seal_missing");
}

Answer<protocol::Transactions> LedgerView::block(Sequence sequence) const {
    auto block = TRY(block_if_kept(sequence));
    if (!block) return fail(QueryError::pruned);
    return *std::move(block);
}

Answer<std::optional<protocol::Transactions>> LedgerView::block_if_kept(Sequence sequence) const {
    auto block = TRY(read(ledger::read_block(organization->store(), sequence)));
    if (!block && sequence == organization->oldest()) return std::nullopt;
    return present(std::move(block), "block_missing");
}

Answer<LeafWalk> LeafWalk::start(const LedgerView& view, const Id& id,
                                 std::optional<Sequence> before) {
    LeafWalk walk(view, id);
    const Sequence head = view.organization->head().header.sequence;
    const bool from_head = !before || *before > head;
    if (!from_head && *before == Sequence(0)) return walk;
    TRY(walk.go_to(from_head ? head : Sequence(before->value() - 1)));
    return walk;
}

Answer<void> LeafWalk::step_back() {
    const auto previous = leaf_->previous;
    leaf_.reset();
    // What lies behind the window ends the walk like the account's beginning.
    if (!previous || *previous < view_.organization->oldest()) return {};
    return go_to(*previous);
}

Answer<void> LeafWalk::go_to(Sequence sequence) {
    const ledger::Seal seal = TRY(view_.seal(sequence));
    leaf_ = TRY(view_.read(view_.organization->tree().read_at(version_of(seal), id_)));
    return {};
}

Answer<History> Queries::history(const Id& id, std::optional<Sequence> before,
                                 std::size_t limit) const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    const Sequence oldest = view.organization->oldest();
    History history;
    // A page that was to go on behind the window, which has moved meanwhile.
    if (before && *before > Sequence(0) && *before <= oldest) {
        history.pruned = true;
        return history;
    }
    LeafWalk walk = TRY(LeafWalk::start(view, id, before));
    while (walk.leaf() && walk.leaf()->written >= oldest && history.items.size() < limit) {
        const Sequence written = walk.leaf()->written;
        const ledger::Seal seal = TRY(view.seal(written));
        const auto block = TRY(view.block_if_kept(written));
        if (!block) {
            history.next.reset();
            history.pruned = true;
            return history;
        }
        auto items = items_of(view.organization->organization(), seal, *block, id);
        auto paid = TRY(rewards_paid(view, seal, id));
        auto voted = TRY(votes_given(view, seal, id));
        std::ranges::move(items, std::back_inserter(history.items));
        std::ranges::move(paid, std::back_inserter(history.items));
        std::ranges::move(voted, std::back_inserter(history.items));
        const tree::Leaf leaf = *walk.leaf();
        TRY(walk.step_back());
        if (walk.leaf()) {
            history.next = written;
        } else {
            history.next.reset();
            history.pruned = !is_beginning(TRY(view.decode(leaf)), written);
        }
    }
    if (walk.leaf() && walk.leaf()->written < oldest) {
        history.next.reset();
        history.pruned = true;
    }
    return history;
}

}  // namespace leither::node
