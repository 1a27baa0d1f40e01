// The whole history once more, from the genesis, on an empty store in memory.
#include <fmt/format.h>

#include "leither/codec/bcs.h"
#include "leither/consensus/ledger_application.h"
#include "leither/store/memory_store.h"

#include "opening.h"

namespace leither::node {

namespace {

using ledger::Seal;
using store::Fault;

// Blocks between two calls of `progress`, and between two clearings of old versions.
constexpr std::uint64_t kBlocksPerStep = 64;

class Replay {
 public:
    explicit Replay(const StoredLedger& ledger) : ledger_(ledger), tree_(tree::Options{}, store_) {}

    Result<void, OpenError> found(const Seal& stored) {
        auto executed = TRY(ledger::execute_genesis(ledger_.organization, tree_, ledger_.genesis)
                                .map_error(fault_of));
        if (executed.header != stored.header) {
            return fail(inconsistent(Sequence(0), "the genesis leads to another root"));
        }
        return seal(stored, std::move(executed.update));
    }

    Result<void, OpenError> execute(const Seal& stored, const protocol::Transactions& block) {
        auto executed = ledger::execute(
            ledger_.organization, tree_, consensus::parent_of(ledger_.organization, head_),
            stored.header, block, [](const ledger::SignatureCheck& check) {
                return crypto::verify(check.key, check.message, check.signature);
            });
        if (!executed) return fail(objection(stored.header.sequence, executed.error()));
        transactions_ += block.size();
        return seal(stored, std::move(executed->update));
    }

    Verified result() const { return {head_.header.sequence, head_.header.root, transactions_}; }

 private:
    Result<void, OpenError> seal(const Seal& stored, tree::Tree::Update&& update) {
        TRY(store_.write(update.take_writes()).map_error(fault_of));
        tree_.commit(std::move(update));
        TRY(check_certificate(ledger_.organization, tree_, stored));
        head_ = stored;
        tree_.retain_from(stored.header.sequence);
        if (stored.header.sequence.value() % kBlocksPerStep != 0) return {};
        const auto end = store::version_key(tree_.erasable_below().value(), store::KeyKind::seal);
        return store_.erase_range(store::version_key(0, store::KeyKind::seal), end)
            .map_error(fault_of);
    }

    static OpenError objection(Sequence sequence, const ledger::ExecuteError& error) {
        if (const auto* fault = std::get_if<Fault>(&error)) return fault_of(*fault);
        const auto& invalid = std::get<ledger::InvalidBlock>(error);
        return inconsistent(
            sequence, fmt::format("{} (transaction {}, {})", to_string(invalid.reason),
                                  invalid.transaction, protocol::to_string(invalid.refused.code)));
    }

    const StoredLedger& ledger_;
    store::MemoryStore store_;
    tree::Tree tree_;
    Seal head_;
    std::uint64_t transactions_ = 0;
};

template <class T>
Result<T, OpenError> present(Result<std::optional<T>, Fault>&& read, Sequence sequence) {
    if (!read) return fail(fault_of(read.error()));
    if (!*read) return fail(inconsistent(sequence, "its seal or block is missing"));
    return **std::move(read);
}

}  // namespace

Result<Verified, OpenError> verify_store(const store::Reader& store,
                                         const std::function<void(Sequence)>& progress) {
    const auto ledger = TRY(read_ledger(store));
    if (!ledger) return Verified{};
    if (ledger->span.oldest.header.sequence > Sequence(0)) {
        return fail(OpenError{OpenError::Kind::inconsistent,
                              "history before sequence " +
                                  std::to_string(ledger->span.oldest.header.sequence.value()) +
                                  " is pruned: it cannot be executed again from genesis"});
    }
    Replay replay(*ledger);
    TRY(replay.found(ledger->span.oldest));
    const Sequence newest = ledger->span.newest.header.sequence;
    for (Sequence at(1); at <= newest; at = at.next()) {
        const auto seal = TRY(present(ledger::read_seal(store, at), at));
        const auto block = TRY(present(ledger::read_block(store, at), at));
        TRY(replay.execute(seal, block));
        if (at.value() % kBlocksPerStep == 0) progress(at);
    }
    progress(newest);
    return replay.result();
}

}  // namespace leither::node
