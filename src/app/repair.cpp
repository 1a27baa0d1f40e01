#include "app/repair.h"

#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "leither/consensus/ledger_application.h"
#include "leither/ledger/block_store.h"
#include "leither/ledger/cycle.h"
#include "leither/ledger/execute.h"
#include "leither/ledger/receipt_store.h"
#include "leither/store/leveldb_store.h"

namespace leither::app {

namespace {

namespace fs = std::filesystem;
using store::Fault;

std::string text_of(const Fault& fault) {
    return fmt::format("{}: {}", store::to_string(fault.kind), fault.detail);
}

Result<std::unique_ptr<store::Store>, std::string> open(const fs::path& path) {
    store::LevelDbOptions options;
    options.path = path.string();
    auto opened = store::open_leveldb(options);
    if (!opened) return fail(text_of(opened.error()));
    return std::move(*opened);
}

// What was read, or why it cannot serve.
template <class T>
Result<T, std::string> present(Result<std::optional<T>, Fault>&& read) {
    if (!read) return fail(text_of(read.error()));
    if (!*read) return fail(std::string("it is not there"));
    return **std::move(read);
}

class Rebuilding {
 public:
    Rebuilding(const protocol::Genesis& genesis, store::Store& target)
        : genesis_(genesis),
          organization_(ledger::organization_of(genesis.charter.charter)),
          target_(target),
          tree_(tree::Options{}, target) {}

    Result<void, std::string> found(const ledger::Seal& stored) {
        if (!ledger::check(genesis_)) return fail(std::string("its genesis does not hold"));
        auto executed =
            TRY(ledger::execute_genesis(organization_, tree_, genesis_).map_error(text_of));
        if (executed.header != stored.header) {
            return fail(std::string("its genesis leads to another root"));
        }
        store::WriteBatch batch;
        ledger::put_genesis(batch, genesis_);
        return seal(stored, {}, std::move(executed.update), std::move(batch));
    }

    Result<void, std::string> execute(const ledger::Seal& stored,
                                      const protocol::Transactions& block) {
        auto executed =
            ledger::execute(organization_, tree_, consensus::parent_of(organization_, head_),
                            stored.header, block, [](const ledger::SignatureCheck& check) {
                                return crypto::verify(check.key, check.message, check.signature);
                            });
        if (!executed) return fail(std::string("it does not hold when executed again"));
        return seal(stored, block, std::move(executed->update), {});
    }

    Sequence newest() const { return head_.header.sequence; }

 private:
    Result<void, std::string> seal(const ledger::Seal& stored, const protocol::Transactions& block,
                                   tree::Tree::Update&& update, store::WriteBatch batch) {
        ledger::Seal fresh = stored;
        fresh.root_location = update.version().location;
        ledger::put_seal(batch, fresh);
        ledger::put_block(batch, fresh.header.sequence, block);
        batch.append(update.take_writes());
        TRY(target_.write(batch).map_error(text_of));
        tree_.commit(std::move(update));
        // Whoever stood for this block is named in the state it leaves.
        const auto decided =
            TRY(ledger::verify_head(organization_, tree_, fresh.header, fresh.certificate)
                    .map_error(text_of));
        if (!decided) return fail(std::string(protocol::to_string(decided.error())));
        head_ = std::move(fresh);
        return {};
    }

    const protocol::Genesis& genesis_;
    ledger::Organization organization_;
    store::Store& target_;
    tree::Tree tree_;
    ledger::Seal head_;
};

Result<void, std::string> rebuild_one(Rebuilding& rebuilding, const store::Reader& source,
                                      Sequence sequence) {
    const auto seal = TRY(present(ledger::read_seal(source, sequence)));
    const auto block = TRY(present(ledger::read_block(source, sequence)));
    return rebuilding.execute(seal, block);
}

Result<Repaired, std::string> rebuild(const store::Reader& source, store::Store& target) {
    const auto genesis = TRY(present(ledger::read_genesis(source)).map_error([](auto&& why) {
        return "its genesis cannot be read: " + why;
    }));
    const auto first = TRY(present(ledger::read_seal(source, Sequence(0))).map_error([](auto&&) {
        return std::string("its first sequences are erased (history window) or unreadable");
    }));
    Rebuilding rebuilding(genesis, target);
    TRY(rebuilding.found(first));
    // What is kept for users cannot be made again where the blocks are lost.
    store::WriteBatch receipts;
    if (ledger::copy_receipts(source, receipts) && !receipts.empty()) {
        TRY(target.write(receipts).map_error(text_of));
    }
    // If even its span is unreadable, whatever follows on the genesis is tried.
    const auto span = ledger::read_span(source);
    const bool known = span && *span;
    for (Sequence next(1); !known || next <= (*span)->newest.header.sequence; next = next.next()) {
        const auto done = rebuild_one(rebuilding, source, next);
        if (!done) return Repaired{rebuilding.newest(), done.error()};
    }
    return Repaired{rebuilding.newest(), {}};
}

// Both stores are closed again when it returns.
Result<Repaired, std::string> rebuild_between(const fs::path& from, const fs::path& to) {
    TRY(store::salvage_leveldb(from.string()).map_error(text_of));
    const auto source = TRY(open(from));
    const auto target = TRY(open(to));
    return rebuild(*source, *target);
}

}  // namespace

Result<Repaired, std::string> repair_ledger(const DataDir& dir) {
    const fs::path damaged = dir.root() / "ledger.damaged";
    const fs::path fresh = dir.root() / "ledger.repaired";
    std::error_code error;
    if (fs::exists(damaged)) {
        return fail(fmt::format("{} is left of an earlier repair; move it elsewhere first",
                                damaged.string()));
    }
    fs::remove_all(fresh, error);  // of a repair that was interrupted
    auto repaired = TRY(rebuild_between(dir.ledger(), fresh));
    fs::rename(dir.ledger(), damaged, error);
    if (!error) fs::rename(fresh, dir.ledger(), error);
    if (error) {
        return fail(fmt::format("the rebuilt ledger cannot be put in place ({})", error.message()));
    }
    return repaired;
}

}  // namespace leither::app
