#include "receipt_keeper.h"

#include <algorithm>

#include "leither/codec/bcs.h"
#include "leither/ledger/committees.h"

#include "org_instance.h"

namespace leither::node {

namespace {

using ledger::KeptChain;
using ledger::KeptReceipt;
using ledger::ReceiptWatch;
using store::Fault;

tl::unexpected<Fault> corrupt(const char* what) {
    return fail(Fault{Fault::Kind::corrupt, what});
}

protocol::Transactions concerning(const Id& account, const protocol::Transactions& transactions) {
    protocol::Transactions own;
    for (const protocol::Transaction& one : transactions) {
        const auto members = members_concerned(one.body);
        if (std::ranges::find(members, account) != members.end()) own.push_back(one);
    }
    return own;
}

// The first term of the committee that a link leads to.
std::uint64_t cycle_proven_by(const election::Link& link) {
    const auto* cycle = std::get_if<election::CycleLink>(&link);
    const auto& last = cycle != nullptr ? *cycle : std::get<election::TakeoverLink>(link).last;
    return last.certificate.slot.cycle + 1;
}

// Of both the newest that fit one chain.
election::CycleChain joined(election::CycleChain&& first, election::CycleChain&& then) {
    std::vector<election::Link> all(std::make_move_iterator(first.begin()),
                                    std::make_move_iterator(first.end()));
    std::ranges::move(then, std::back_inserter(all));
    const std::size_t drop =
        all.size() > election::kLinksMax ? all.size() - election::kLinksMax : 0;
    election::CycleChain chain;
    for (std::size_t i = drop; i < all.size(); ++i) chain.push_back(std::move(all[i]));
    return chain;
}

}  // namespace

Result<ReceiptKeeper, Fault> ReceiptKeeper::open(const ReceiptOptions& options,
                                                 const store::Reader& store, const ChainId& chain,
                                                 Sequence head, Log log) {
    ReceiptKeeper keeper(options, chain, std::move(log));
    for (const std::uint32_t index : TRY(ledger::receipt_chain_indexes(store))) {
        const auto kept = TRY(ledger::read_receipt_chain(store, index));
        if (!kept) continue;
        const std::size_t bytes = bcs::encode(*kept).size();
        keeper.chains_.emplace(kept->cycle, Chain{index, bytes, 0});
        keeper.bytes_ += bytes;
        keeper.next_chain_ = index + 1;
    }
    std::map<Id, Sequence> newest;
    for (const std::uint32_t index : TRY(ledger::receipt_indexes(store))) {
        const auto kept = TRY(ledger::read_receipt(store, index));
        if (!kept) continue;
        Item item{index,
                  kept->proof.id,
                  kept->header.sequence,
                  kept->header.pulse,
                  kept->certificate.slot.cycle,
                  bcs::encode(*kept).size(),
                  {},
                  /*is_durable=*/true};
        for (const protocol::Transaction& one : kept->transactions) {
            item.transactions.push_back(protocol::transaction_id(chain, one.body));
        }
        Sequence& last = newest[item.account];
        last = std::max(last, item.sequence);
        keeper.remember(std::move(item));
    }
    keeper.watches_ = TRY(ledger::read_receipt_watches(store));
    for (ReceiptWatch& watch : keeper.watches_) {
        // What had been complete up to the newest receipt is so no further.
        if (!watch.has_gap()) watch.above = std::max(watch.above, newest[watch.account]);
        // After a repair the ledger may end before what is kept.
        watch.above = std::min(watch.above, head);
        watch.below = head.next();
    }
    return keeper;
}

void ReceiptKeeper::remember(Item&& item) {
    bytes_ += item.bytes;
    const auto chain = chains_.find(item.cycle);
    if (chain != chains_.end()) ++chain->second.receipts;
    next_index_ = std::max(next_index_, item.index + 1);
    by_age_.emplace(item.sequence, item.account, item.index);
    const std::uint32_t index = item.index;
    items_.emplace(index, std::move(item));
}

// ---- Whose -------------------------------------------------------------------------------------

bool ReceiptKeeper::is_watched(const Id& account) const {
    return std::ranges::count(watches_, account, &ReceiptWatch::account) > 0;
}

ReceiptKeeper::Watch ReceiptKeeper::watch(const Id& account, Sequence head,
                                          store::WriteBatch& batch) {
    if (is_watched(account)) return Watch::known;
    if (watches_.full()) return Watch::full;
    // What was kept when it was watched before may have holes: they are found as they are filled.
    watches_.push_back({account, Sequence(0), head.next()});
    ledger::put_receipt_watches(batch, watches_);
    log_.debug("receipts_watched", "account={}", account.hex());
    return Watch::begun;
}

void ReceiptKeeper::unwatch(const Id& account, store::WriteBatch& batch) {
    const auto gone = std::erase_if(
        watches_, [&](const ReceiptWatch& watch) { return watch.account == account; });
    if (gone == 0) return;
    stuck_.erase(account);
    ledger::put_receipt_watches(batch, watches_);
}

// ---- Making ------------------------------------------------------------------------------------

Result<std::size_t, Fault> ReceiptKeeper::on_head(const Source& source,
                                                  const protocol::Transactions& transactions,
                                                  store::WriteBatch& batch) {
    if (is_full_stop()) return 0;
    const Sequence sequence = source.head.header.sequence;
    std::size_t made = 0;
    for (ReceiptWatch& watch : watches_) {
        // All before this block was looked at, so what is complete goes on being so.
        if (!watch.has_gap()) watch = {watch.account, sequence, sequence.next()};
        const auto leaf = TRY(source.tree.read(watch.account));
        const bool is_written = leaf && leaf->written == sequence;
        auto own = concerning(watch.account, transactions);
        if (is_written || (!leaf && !own.empty())) {
            made += TRY(make(source, source.head, watch.account, own, batch));
        }
    }
    // A gap would else be taken for filled after a crash, by the receipt behind it.
    if (made > 0) ledger::put_receipt_watches(batch, watches_);
    return made;
}

bool ReceiptKeeper::any_gap_here() const {
    return std::ranges::any_of(watches_, [&](const ReceiptWatch& watch) {
        return watch.has_gap() && !stuck_.contains(watch.account);
    });
}

Result<std::size_t, Fault> ReceiptKeeper::fill(const Source& source, store::WriteBatch& batch) {
    std::size_t made = 0;
    if (is_full_stop()) return made;
    const auto before = watches_;
    for (ReceiptWatch& watch : watches_) {
        if (!watch.has_gap() || stuck_.contains(watch.account)) continue;
        made += TRY(fill(source, watch, kStepMax, batch));
    }
    if (made > 0 || (!batch.empty() && before != watches_)) {
        ledger::put_receipt_watches(batch, watches_);
    }
    return made;
}

// From the newest missing version to the oldest.
Result<std::size_t, Fault> ReceiptKeeper::fill(const Source& source, ReceiptWatch& watch,
                                               std::size_t budget, store::WriteBatch& batch) {
    std::size_t made = 0;
    const auto close = [&] { watch.above = Sequence(watch.below.value() - 1); };
    for (std::size_t step = 0; step < budget && watch.has_gap(); ++step) {
        const Sequence at(watch.below.value() - 1);
        if (at < source.oldest) {
            stuck_.insert(watch.account);
            return made;
        }
        const auto seal = TRY(ledger::read_seal(source.store, at));
        if (!seal) return corrupt("a retained seal is missing");
        const auto leaf = TRY(source.tree.read_at(ledger::version_of(*seal), watch.account));
        // No account there, or none any more: nothing leads further back.
        if (!leaf || leaf->written <= watch.above) {
            close();
            break;
        }
        const Sequence written = leaf->written;
        if (written < source.oldest) {
            watch.below = written.next();
            continue;
        }
        watch.below = written;
        if (find(watch.account, written) != nullptr) continue;
        const auto its_seal = TRY(ledger::read_seal(source.store, written));
        if (!its_seal) return corrupt("a retained seal is missing");
        const auto block = TRY(ledger::read_block(source.store, written));
        const auto own = block ? concerning(watch.account, *block) : protocol::Transactions{};
        made += TRY(make(source, *its_seal, watch.account, own, batch));
        auto record = bcs::decode<protocol::Record>(leaf->record);
        const auto* member = record ? std::get_if<protocol::MemberRecord>(&*record) : nullptr;
        if (member != nullptr && member->created == written) close();
    }
    return made;
}

Result<std::size_t, Fault> ReceiptKeeper::make(const Source& source, const ledger::Seal& seal,
                                               const Id& account,
                                               const protocol::Transactions& transactions,
                                               store::WriteBatch& batch) {
    if (find(account, seal.header.sequence) != nullptr) return 0;
    auto proof = TRY(source.tree.prove_at(ledger::version_of(seal), account));
    KeptReceipt receipt{seal.header, seal.certificate, std::move(proof), transactions};
    if (!fits(receipt)) return 0;
    TRY(need_chain(source, seal, batch));
    return put(std::move(receipt), batch);
}

bool ReceiptKeeper::fits(const KeptReceipt& receipt) const {
    const std::size_t bytes = bcs::encode(receipt).size();
    if (bytes <= options_.bytes_max && next_index_ + 1 < ledger::kReceiptIndexesMax) return true;
    log_.warn("receipt_not_kept", "sequence={} bytes={}", receipt.header.sequence.value(), bytes);
    return false;
}

std::size_t ReceiptKeeper::put(KeptReceipt&& receipt, store::WriteBatch& batch) {
    Item item{next_index_,
              receipt.proof.id,
              receipt.header.sequence,
              receipt.header.pulse,
              receipt.certificate.slot.cycle,
              bcs::encode(receipt).size(),
              {},
              /*is_durable=*/false};
    for (const protocol::Transaction& one : receipt.transactions) {
        item.transactions.push_back(protocol::transaction_id(chain_, one.body));
    }
    ledger::put_receipt(batch, next_index_, receipt);
    fresh_.push_back(next_index_);
    remember(std::move(item));
    make_room(batch);
    return 1;
}

Result<std::optional<KeptChain>, Fault> ReceiptKeeper::chain_of(std::uint64_t cycle,
                                                                const store::Reader& store) const {
    if (last_chain_ && last_chain_->cycle == cycle) return last_chain_;
    return ledger::read_receipt_chain(store, chains_.at(cycle).index);
}

// One that leads to the committee of that term. Out of that of a later term, or from that of an
// earlier one, so that history is not walked from the founding each time.
Result<void, Fault> ReceiptKeeper::need_chain(const Source& source, const ledger::Seal& seal,
                                              store::WriteBatch& batch) {
    const std::uint64_t cycle = seal.certificate.slot.cycle;
    if (chains_.contains(cycle)) return {};
    const auto later = chains_.upper_bound(cycle);
    if (later != chains_.end()) {
        auto chain = TRY(chain_of(later->first, source.store));
        // A full one may have lost links that an earlier term has room for.
        if (chain && !chain->committees.full()) {
            std::erase_if(chain->committees, [&](const election::Link& link) {
                return cycle_proven_by(link) > cycle;
            });
            put_chain(cycle, std::move(chain->committees), batch);
            return {};
        }
    }
    std::optional<KeptChain> earlier;
    if (later != chains_.begin()) {
        earlier = TRY(chain_of(std::prev(later)->first, source.store));
    }
    if (!earlier) {
        auto whole = TRY(ledger::committees_up_to(source.organization, source.store, source.tree,
                                                  seal, source.oldest));
        put_chain(cycle, std::move(whole), batch);
        return {};
    }
    auto since = TRY(ledger::committees_between(source.organization, source.store, source.tree,
                                                {seal, source.oldest, earlier->cycle}));
    put_chain(cycle, joined(std::move(earlier->committees), std::move(since)), batch);
    return {};
}

void ReceiptKeeper::put_chain(std::uint64_t cycle, election::CycleChain&& committees,
                              store::WriteBatch& batch) {
    if (next_chain_ >= ledger::kReceiptIndexesMax) return;
    KeptChain kept{cycle, std::move(committees)};
    const std::size_t bytes = bcs::encode(kept).size();
    ledger::put_receipt_chain(batch, next_chain_, kept);
    chains_.emplace(cycle, Chain{next_chain_, bytes, 0});
    ++next_chain_;
    bytes_ += bytes;
    last_chain_ = std::move(kept);
}

// What is not durable stands in a batch that may still be this one, and stays.
void ReceiptKeeper::make_room(store::WriteBatch& batch) {
    while (items_.size() > options_.receipts_max || bytes_ > options_.bytes_max) {
        const auto oldest = std::ranges::find_if(
            by_age_, [&](const auto& entry) { return items_.at(std::get<2>(entry)).is_durable; });
        if (oldest == by_age_.end()) return;
        forget(std::get<2>(*oldest), batch);
    }
}

void ReceiptKeeper::forget(std::uint32_t index, store::WriteBatch& batch) {
    const auto gone = items_.extract(index);
    const Item& item = gone.mapped();
    by_age_.erase({item.sequence, item.account, index});
    bytes_ -= item.bytes;
    ledger::erase_receipt(batch, index);
    const auto chain = chains_.find(item.cycle);
    if (chain == chains_.end() || --chain->second.receipts > 0) return;
    ledger::erase_receipt_chain(batch, chain->second.index);
    bytes_ -= chain->second.bytes;
    if (last_chain_ && last_chain_->cycle == item.cycle) last_chain_.reset();
    chains_.erase(chain);
}

void ReceiptKeeper::on_durable(std::size_t count) {
    CHECK(count <= fresh_.size());
    for (; count > 0; --count) {
        items_.at(fresh_.front()).is_durable = true;
        fresh_.pop_front();
    }
}

// ---- Reading -----------------------------------------------------------------------------------

std::vector<const ReceiptKeeper::Item*> ReceiptKeeper::list(const std::optional<Id>& account,
                                                            std::optional<Sequence> before) const {
    std::vector<const Item*> found;
    for (auto at = by_age_.rbegin(); at != by_age_.rend(); ++at) {
        const Item& item = items_.at(std::get<2>(*at));
        const bool is_asked = item.is_durable && (!account || item.account == *account) &&
                              (!before || item.sequence < *before);
        if (is_asked) found.push_back(&item);
    }
    return found;
}

const ReceiptKeeper::Item* ReceiptKeeper::find(const Hash& transaction,
                                               const std::optional<Id>& account) const {
    for (const auto& [index, item] : items_) {
        if (!item.is_durable || (account && item.account != *account)) continue;
        if (std::ranges::count(item.transactions, transaction) > 0) return &item;
    }
    return nullptr;
}

const ReceiptKeeper::Item* ReceiptKeeper::find(const Id& account, Sequence sequence) const {
    const auto at = by_age_.lower_bound({sequence, account, 0});
    if (at == by_age_.end() || std::get<0>(*at) != sequence || std::get<1>(*at) != account) {
        return nullptr;
    }
    return &items_.at(std::get<2>(*at));
}

Result<std::optional<ledger::Receipt>, Fault> ReceiptKeeper::read(
    const Item& item, const store::Reader& store, const protocol::SignedCharter& charter) const {
    auto kept = TRY(ledger::read_receipt(store, item.index));
    const auto chain = chains_.find(item.cycle);
    if (!kept || chain == chains_.end()) return std::nullopt;
    auto committees = TRY(ledger::read_receipt_chain(store, chain->second.index));
    if (!committees) return std::nullopt;
    return ledger::Receipt{charter, std::move(committees->committees), std::move(kept->header),
                           std::move(kept->certificate), std::move(kept->proof)};
}

void ReceiptKeeper::check_invariants() const {
    CHECK(by_age_.size() == items_.size());
    CHECK(fresh_.size() <= items_.size());
    std::size_t needed = 0;
    for (const auto& [cycle, chain] : chains_) needed += chain.receipts;
    CHECK(needed <= items_.size());
    for (const ReceiptWatch& watch : watches_) CHECK(watch.above < watch.below);
}

}  // namespace leither::node
