// An organization's node and the receipts it keeps for its users.
#include "org_instance.h"

namespace leither::node {

using store::Fault;

ReceiptKeeper::Source OrgInstance::receipt_source() {
    return {charter_, organization_, store_, tree_, law_->head(), oldest()};
}

void OrgInstance::write_receipts(store::WriteBatch&& batch, std::size_t receipts) {
    if (batch.empty()) return;
    Out& out = next_batch();
    out.batch.append(std::move(batch));
    out.receipts += receipts;
}

// Not while anything is on its way to the disk: what is being sealed goes before what is long past.
Result<void, Fault> OrgInstance::fill_receipts() {
    while (may_fill_receipts()) {
        store::WriteBatch batch;
        const std::size_t made = TRY(receipts_->fill(receipt_source(), batch));
        write_receipts(std::move(batch), made);
    }
    return {};
}

void OrgInstance::keep_receipts(const KeepReceipts& wish, Effects& fx) {
    store::WriteBatch batch;
    if (wish.wish == KeepReceipts::Wish::stop) {
        receipts_->unwatch(wish.account, batch);
    } else if (receipts_->watch(wish.account, head().header.sequence, batch) ==
               ReceiptKeeper::Watch::full) {
        if (wish.token == kNobody) return;
        fx.replies.emplace_back(NetworkReply{
            wish.token, fail(NetworkFailure{NetworkError::full,
                                            fmt::format("receipts of {} accounts are kept at most",
                                                        ledger::kReceiptWatchesMax)})});
        return;
    }
    const bool is_new = !batch.empty();
    write_receipts(std::move(batch), 0);
    if (wish.token == kNobody) return;
    if (is_new) {
        next_batch().replies.push_back({wish.token, NetworkAnswer{}});
    } else {
        fx.replies.emplace_back(NetworkReply{wish.token, NetworkAnswer{}});
    }
}

}  // namespace leither::node
