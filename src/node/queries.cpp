#include "leither/node/queries.h"

#include <algorithm>

#include "leither/codec/bcs.h"
#include "leither/ledger/committees.h"

#include "node_impl.h"
#include "queries_detail.h"

namespace leither::node {

namespace {

using store::Fault;

// Blocks of the signer's history that are searched for one transaction.
constexpr std::size_t kFateBlocksMax = 1024;

struct Version {
    ledger::Seal seal;
    bool is_head = false;
};

Answer<Version> version_at(const LedgerView& view, std::optional<Sequence> at) {
    OrgInstance& org = *view.organization;
    const Sequence head = org.head().header.sequence;
    if (!at || *at == head) return Version{org.head(), /*is_head=*/true};
    return Version{TRY(view.seal(*at)), /*is_head=*/false};
}

// From the charter's committee to the one that certified the version.
Answer<election::CycleChain> committees_of(const LedgerView& view, const Version& version) {
    OrgInstance& org = *view.organization;
    return view.read(ledger::committees_up_to(org.organization(), org.store(), org.tree(),
                                              version.seal, org.oldest()));
}

CheckpointItem item_of(const ledger::Organization& organization,
                       const ledger::KeptCheckpoint& kept) {
    const election::CycleLink& block = kept.checkpoint.block;
    CheckpointItem item;
    // A cycle block is certified in the term it ends.
    item.cycle = block.certificate.slot.cycle + 1;
    item.block = {block.header.sequence, hash_as_parent(organization.chain, block.header)};
    item.pulse = block.header.pulse;
    item.signatures = kept.checkpoint.signatures.size();
    item.signed_pledge = kept.signed_pledge;
    item.pledge = kept.pledge;
    return item;
}

CheckpointStatus checkpoint_status(const OrgInstance& org) {
    CheckpointStatus status;
    const CheckpointKeeper& keeper = org.checkpoints();
    if (keeper.newest()) status.newest = item_of(org.organization(), *keeper.newest());
    const auto progress = keeper.progress();
    if (progress && !progress->is_complete) {
        CheckpointItem& item = status.gathering.emplace();
        item.cycle = progress->block.cycle;
        item.block = {progress->block.sequence, progress->block.hash};
        item.pulse = progress->pulse;
        item.signatures = progress->signatures;
        item.signed_pledge = progress->signed_pledge;
        item.pledge = progress->pledge;
    }
    if (org.cycles()) {
        status.from_cycle = org.cycles()->from;
        status.to_cycle = org.cycles()->to;
    }
    return status;
}

// Nothing if there is no item, or a part of it is lost.
Answer<std::optional<ledger::Receipt>> kept_receipt(const LedgerView& view,
                                                    const ReceiptKeeper::Item* item) {
    const OrgInstance& org = *view.organization;
    if (item == nullptr || !item->is_durable) return std::nullopt;
    return view.read(org.receipts().read(*item, org.store(), org.charter()));
}

// Nothing behind the last id.
std::optional<Id> id_after(Id id) {
    for (std::size_t i = Id::kSize; i > 0; --i) {
        if (++id[i - 1] != 0) return id;
    }
    return std::nullopt;
}

}  // namespace

const char* to_string(QueryError error) {
    switch (error) {
        case QueryError::no_organization: return "no_organization";
        case QueryError::unknown_sequence: return "unknown_sequence";
        case QueryError::pruned: return "pruned";
        case QueryError::uncertified: return "uncertified";
        case QueryError::fault: return "fault";
    }
    UNREACHABLE();
}

Answer<LedgerStatus> Queries::status() const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    OrgInstance& org = *view.organization;
    const ledger::Organization& organization = org.organization();
    return LedgerStatus{
        .organization = organization,
        .head = org.head().header,
        .oldest = org.oldest(),
        .bookkeeping = TRY(view.system<protocol::BookkeepingRecord>(organization.bookkeeping)),
        .treasury = TRY(view.system<protocol::TreasuryRecord>(organization.treasury)),
        .mempool_transactions = org.mempool().size(),
        .mempool_bytes = org.mempool().bytes(),
        .tree = org.tree().stats(),
        .evidence = org.evidence().counts(),
        .checkpoint = checkpoint_status(org),
        .final_sequence = org.countersigning().final_sequence(),
    };
}

Answer<Finality> Queries::finality(std::optional<Sequence> of, Instant now) const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    const OrgInstance& org = *view.organization;
    const Sequence head = org.head().header.sequence;
    const Sequence block = of.value_or(head);
    if (block > head) return fail(QueryError::unknown_sequence);
    return org.countersigning().finality(block, now);
}

Answer<protocol::Genesis> Queries::genesis() const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    auto genesis = TRY(view.read(ledger::read_genesis(node_->store())));
    return view.present(std::move(genesis), "genesis_missing");
}

Answer<AccountAnswer> Queries::account(const Id& id, std::optional<Sequence> at) const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    const Version version = TRY(version_at(view, at));
    tree::Tree& tree = view.organization->tree();
    const auto leaf = TRY(
        view.read(version.is_head ? tree.read(id) : tree.read_at(version_of(version.seal), id)));
    AccountAnswer answer{version.seal.header.sequence, std::nullopt};
    if (leaf) answer.record = TRY(view.decode(*leaf));
    return answer;
}

Answer<std::optional<std::uint64_t>> Queries::next_counter(const Id& id, std::uint8_t lane) const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    const auto member = TRY(view.read(view.organization->mempool().member(id)));
    if (!member) return std::nullopt;
    return member->next_counter(lane);
}

Answer<ledger::Receipt> Queries::receipt(const Id& id, std::optional<Sequence> at) const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    if (at) {
        if (auto kept = TRY(kept_receipt(view, view.organization->receipts().find(id, *at)))) {
            return *std::move(kept);
        }
    }
    const Version version = TRY(version_at(view, at));
    if (version.seal.certificate.signatures.empty()) return fail(QueryError::uncertified);
    tree::Tree& tree = view.organization->tree();
    auto proof = TRY(
        view.read(version.is_head ? tree.prove(id) : tree.prove_at(version_of(version.seal), id)));
    auto committees = TRY(committees_of(view, version));
    return ledger::Receipt{view.organization->charter(), std::move(committees), version.seal.header,
                           version.seal.certificate, std::move(proof)};
}

Answer<KeptReceipts> Queries::kept_receipts(const std::optional<Id>& account,
                                            std::optional<Sequence> before,
                                            std::size_t limit) const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    const OrgInstance& org = *view.organization;
    const ReceiptKeeper& keeper = org.receipts();
    KeptReceipts answer;
    answer.count = keeper.items().size();
    answer.bytes = keeper.bytes();
    for (const ledger::ReceiptWatch& watch : keeper.watches()) {
        KeptReceipts::Account kept{watch.account, std::nullopt};
        if (watch.has_gap()) kept.gap = {watch.above, watch.below};
        answer.accounts.push_back(kept);
    }
    for (const ReceiptKeeper::Item* item : keeper.list(account, before)) {
        // Those of one block are never parted.
        const bool is_same =
            !answer.items.empty() && answer.items.back().sequence == item->sequence;
        if (answer.items.size() >= limit && !is_same) {
            answer.next = answer.items.back().sequence;
            break;
        }
        auto stored = TRY(view.read(ledger::read_receipt(org.store(), item->index)));
        const auto kept = TRY(view.present(std::move(stored), "receipt_missing"));
        KeptReceiptItem shown{item->account, item->sequence, item->pulse, item->bytes, {}};
        for (std::size_t n = 0; n < kept.transactions.size(); ++n) {
            shown.transactions.push_back({item->sequence, item->pulse, item->transactions[n],
                                          kept.transactions[n].body, std::nullopt});
        }
        answer.items.push_back(std::move(shown));
    }
    return answer;
}

Answer<std::optional<ledger::Receipt>> Queries::receipt_for(
    const Hash& transaction, const std::optional<Id>& account) const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    OrgInstance& org = *view.organization;
    const ReceiptKeeper::Item* kept = org.receipts().find(transaction, account);
    if (auto receipt = TRY(kept_receipt(view, kept))) return receipt;
    if (!account) return std::nullopt;
    const auto fate = TRY(this->fate(transaction, account));
    const auto* committed = std::get_if<Committed>(&fate);
    if (committed == nullptr) return std::nullopt;
    return TRY(receipt(*account, committed->sequence));
}

Answer<EndorsementTerms> Queries::endorsement_terms() const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    const OrgInstance& org = *view.organization;
    if (org.head().certificate.signatures.empty()) return fail(QueryError::uncertified);
    const consensus::Term& term = org.term();
    const std::size_t seats = term.committee.size();
    return EndorsementTerms{term.cycle, org.head().header.sequence, seats, protocol::quorum(seats)};
}

Answer<ledger::ChildReceipt> Queries::child(const Prefix& prefix,
                                            std::optional<Sequence> at) const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    const Version version = TRY(version_at(view, at));
    if (version.seal.certificate.signatures.empty()) return fail(QueryError::uncertified);
    tree::Tree& tree = view.organization->tree();
    auto proof = TRY(view.read(version.is_head ? tree.prove(prefix)
                                               : tree.prove_at(version_of(version.seal), prefix)));
    auto committees = TRY(committees_of(view, version));
    return ledger::ChildReceipt{view.organization->charter(), std::move(committees),
                                version.seal.header, version.seal.certificate, std::move(proof)};
}

Answer<std::optional<BlockAnswer>> Queries::block(Sequence sequence) const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    ledger::Seal seal = TRY(view.seal(sequence));
    protocol::Transactions transactions = TRY(view.block(sequence));
    const Hash hash = protocol::block_hash(view.organization->organization().chain, seal.header);
    BlockAnswer block{std::move(seal), hash, std::move(transactions)};
    if (sequence == Sequence(0)) return block;
    OrgInstance& org = *view.organization;
    block.committee =
        TRY(view.read(ledger::certified_by(org.organization(), org.tree(), block.seal)));
    return block;
}

Answer<std::vector<MemberItem>> Queries::members(const Id& from, std::size_t limit) const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    const OrgInstance& org = *view.organization;
    const tree::Version head = version_of(org.head());
    std::vector<MemberItem> members;
    // Among the members lie the organization's own accounts and votes, few or many.
    for (std::optional<Id> next = from; next && members.size() < limit;) {
        const std::size_t wanted = limit - members.size() + 1;
        const auto leaves =
            TRY(view.read(tree::list_leaves(view.organization->tree(), head, *next, wanted)));
        for (const tree::PieceLeaf& leaf : leaves) {
            auto record = TRY(view.decode(leaf.record));
            auto* member = std::get_if<protocol::MemberRecord>(&record);
            if (member != nullptr && members.size() < limit) {
                members.push_back({leaf.id, std::move(*member)});
            }
        }
        next = leaves.size() < wanted ? std::nullopt : id_after(leaves.back().id);
    }
    return members;
}

Answer<Fate> Queries::fate(const Hash& id, std::optional<Id> signer) const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    const OrgInstance& org = *view.organization;
    if (view.organization->mempool().contains(id)) return Pending{};
    if (const auto fate = org.recent().fate(id)) return *fate;
    if (!signer) return Unknown{};

    LeafWalk walk = TRY(LeafWalk::start(view, *signer, std::nullopt));
    for (std::size_t blocks = 0; walk.leaf() && blocks < kFateBlocksMax; ++blocks) {
        if (walk.leaf()->written < org.oldest()) break;
        const auto block = TRY(view.block_if_kept(walk.leaf()->written));
        if (!block) break;
        const bool is_here = std::ranges::any_of(*block, [&](const protocol::Transaction& one) {
            return protocol::transaction_id(org.organization().chain, one.body) == id;
        });
        if (is_here) return Committed{walk.leaf()->written};
        TRY(walk.step_back());
    }
    return Unknown{};
}

std::optional<CatchingUp> Queries::catching_up() const {
    const auto progress = node_->catching_up();
    if (!progress) return std::nullopt;
    const std::uint64_t head = progress->head ? progress->head->value() : 0;
    const std::uint64_t claimed = progress->claimed ? progress->claimed->value() : 0;
    return CatchingUp{sync::to_string(progress->stage), claimed > head ? claimed - head : 0,
                      static_cast<std::uint32_t>(std::uint64_t{progress->share} * 1000 >> 16),
                      sync::to_string(progress->trouble)};
}

Pulse Queries::pulse(Instant now) const {
    const OrgInstance* org = node_->organization();
    return org == nullptr ? Pulse(0) : org->pulse(now);
}

}  // namespace leither::node
