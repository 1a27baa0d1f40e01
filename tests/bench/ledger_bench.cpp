// What a transfer costs the ledger beside its two signature checks.
#include <memory>
#include <vector>

#include <benchmark/benchmark.h>

#include "leither/base/check.h"
#include "leither/base/prng.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/ledger/block_store.h"
#include "leither/ledger/execute.h"
#include "leither/store/leveldb_store.h"
#include "leither/wallet/payment.h"

#include "measure.h"

namespace leither::bench {
namespace {

using protocol::Transaction;

constexpr std::uint64_t kBalance = 1'000'000;
constexpr std::size_t kChunk = 50'000;
constexpr std::uint64_t kSupply = Amount::kMax;

protocol::Genesis make_genesis() {
    protocol::Charter charter;
    charter.name = BoundedText<64>("Bench");
    charter.founder = crypto::derive_key({}, 1).public_key();
    charter.bookkeepers.push_back(crypto::derive_key({}, 2).public_key());
    charter.supply = Amount::of(kSupply);
    charter.params.block_bytes_max = 16 << 20;
    charter.params.member_transactions_per_cycle = 1'000'000;
    charter.params.member_transactions_per_pulse = 1'000'000;
    return wallet::found(charter, {}, crypto::derive_key({}, 3));
}

// A member whose key nobody holds: its id is what counts here.
protocol::MemberRecord make_member(Prng& prng) {
    protocol::MemberRecord member;
    prng.fill(member.key.span());
    prng.fill(member.salt.span());
    member.balance = Amount::of(kBalance);
    return member;
}

// An organization with members put into the tree directly, on LevelDB.
class Bank {
 public:
    explicit Bank(std::size_t members) : members_(members) {
        crypto::initialise();
        store_ = store::open_leveldb({.path = dir_.path()}).value();
        tree_ = std::make_unique<tree::Tree>(tree::Options{}, *store_);
        genesis_ = make_genesis();
        organization_ = ledger::organization_of(genesis_.charter.charter);
        commit(ledger::execute_genesis(organization_, *tree_, genesis_).value(), {});
        while (ids_.size() < members_) add_members(std::min(kChunk, members_ - ids_.size()));
    }

    // Transfers between members drawn at random, each member paying at most once.
    std::vector<Transaction> draw(std::size_t count) {
        std::vector<Transaction> transfers;
        transfers.reserve(count);
        prng_.shuffle(std::span(ids_));
        for (std::size_t i = 0; i < count; ++i) {
            protocol::PaymentRequest request;
            request.payee = ids_[prng_.below(ids_.size() - 1)];
            if (request.payee == ids_[i]) request.payee = ids_.back();
            request.amount = Amount::of(1 + prng_.below(10));
            request.reference = protocol::Text("invoice 12345");
            request.expiry = next_pulse();
            transfers.push_back(transfer(ids_[i], request));
        }
        return transfers;
    }

    Transaction transfer(const Id& payer, const protocol::PaymentRequest& request) {
        const auto leaf = tree_->read(payer).value();
        CHECK(leaf.has_value());
        const auto record = bcs::decode<protocol::Record>(leaf->record).value();
        Transaction transaction;
        transaction.body.signer = payer;
        transaction.body.nonce = {0, std::get<protocol::MemberRecord>(record).next_counter(0)};
        transaction.body.expiry = request.expiry;
        transaction.body.action = protocol::Transfer{request};
        transaction.signatures.resize(2);
        return transaction;
    }

    ledger::Built build(const std::vector<const Transaction*>& candidates) {
        return ledger::build(organization_, *tree_, parent(), {next_pulse(), 0, signers()},
                             candidates)
            .value();
    }
    void commit(ledger::Executed executed, const protocol::Transactions& transactions) {
        ledger::Seal seal{executed.header, {}, executed.update.version().location};
        store::WriteBatch batch = executed.update.take_writes();
        ledger::put_seal(batch, seal);
        ledger::put_block(batch, seal.header.sequence, transactions);
        CHECK(store_->write(batch));
        tree_->commit(std::move(executed.update));
        head_ = seal.header;
    }

    ledger::State state() { return {organization_, *tree_}; }
    ledger::Place place() const { return {next_pulse(), head_.sequence.next()}; }
    Pulse next_pulse() const { return head_.pulse.next(); }
    // Of the head: the lone bookkeeper. The founding has none.
    std::uint32_t signers() const { return head_.sequence == Sequence(0) ? 0 : 1; }

 private:
    ledger::Parent parent() const {
        return {head_, protocol::block_hash(organization_.chain, head_)};
    }

    void add_members(std::size_t count) {
        auto state = this->state();
        CHECK(state.load_system());
        for (std::size_t i = 0; i < count; ++i) {
            protocol::MemberRecord member = make_member(prng_);
            const Id id = crypto::id_of(member.key);
            CHECK(state.load(id));
            auto& treasury = state.treasury_for_change();
            treasury.balance = *treasury.balance.minus(member.balance);
            state.create_member(id, std::move(member));
            ids_.push_back(id);
        }
        state.bookkeeping_for_change().members += count;
        auto update = tree_->prepare(state.changes(), head_.sequence.next()).value();
        protocol::BlockHeader header = head_;
        header.sequence = head_.sequence.next();
        header.pulse = next_pulse();
        header.root = update.version().root;
        commit({header, std::move(update)}, {});
    }

    std::size_t members_;
    ScratchDir dir_;
    Prng prng_{1};
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<tree::Tree> tree_;
    protocol::Genesis genesis_;
    ledger::Organization organization_;
    protocol::BlockHeader head_;
    std::vector<Id> ids_;
};

Bank& bank(std::size_t members) {
    static std::unique_ptr<Bank> current;
    static std::size_t size = 0;
    if (size != members) {
        current.reset();
        current = std::make_unique<Bank>(members);
        size = members;
    }
    return *current;
}

std::vector<const Transaction*> pointers_to(const std::vector<Transaction>& transactions) {
    std::vector<const Transaction*> pointers;
    for (const Transaction& transaction : transactions) pointers.push_back(&transaction);
    return pointers;
}

void per_transfer(benchmark::State& state, std::size_t transfers, double seconds) {
    const double count = static_cast<double>(state.iterations()) * static_cast<double>(transfers);
    state.counters["us_per_transfer"] = 1e6 * seconds / count;
    state.counters["transfers_per_s"] = count / seconds;
}

// Apply and seal without signatures: rules, tree, one durable batch.
void BM_ApplyAndSeal(benchmark::State& state) {
    const auto transfers = static_cast<std::size_t>(state.range(1));
    Bank& ledger = bank(static_cast<std::size_t>(state.range(0)));
    double seconds = 0;
    double cpu_seconds = 0;
    for (auto _ : state) {
        state.PauseTiming();
        const auto drawn = ledger.draw(transfers);
        const auto candidates = pointers_to(drawn);
        state.ResumeTiming();
        const double begin = wall_seconds();
        const double cpu_begin = process_cpu_seconds();
        ledger::Built built = ledger.build(candidates);
        if (built.transactions.size() != transfers) state.SkipWithError("a transfer was refused");
        ledger.commit(std::move(built.executed), built.transactions);
        cpu_seconds += process_cpu_seconds() - cpu_begin;
        seconds += wall_seconds() - begin;
    }
    per_transfer(state, transfers, seconds);
    state.counters["cpu_us_per_transfer"] =
        1e6 * cpu_seconds /
        (static_cast<double>(state.iterations()) * static_cast<double>(transfers));
}
BENCHMARK(BM_ApplyAndSeal)
    ->Args({1'000'000, 10'000})
    ->Args({65'536, 30})
    ->Unit(benchmark::kMillisecond);

// Rules alone: records loaded and decoded before, no tree update, no write.
void BM_CheckAndApply(benchmark::State& state) {
    constexpr std::size_t kTransfers = 10'000;
    Bank& ledger = bank(65'536);
    const auto drawn = ledger.draw(kTransfers);
    double seconds = 0;
    for (auto _ : state) {
        state.PauseTiming();
        auto overlay = ledger.state();
        for (const Transaction& transfer : drawn) CHECK(overlay.load(transfer));
        const ledger::Place place = ledger.place();
        state.ResumeTiming();
        const double begin = thread_cpu_seconds();
        for (const Transaction& transfer : drawn) {
            const auto verdict =
                ledger::check(overlay, place, transfer, ledger::PulseLimit::enforce);
            if (!verdict) state.SkipWithError(protocol::to_string(verdict.error().code));
            ledger::apply(overlay, place, transfer);
        }
        seconds += thread_cpu_seconds() - begin;
    }
    per_transfer(state, kTransfers, seconds);
}
BENCHMARK(BM_CheckAndApply)->Unit(benchmark::kMillisecond);

// The two signature checks of a transfer, to set the rows above in relation.
void BM_TwoSignatureChecks(benchmark::State& state) {
    const crypto::KeyPair key = crypto::derive_key({}, 1);
    const Bytes message(200, 7);
    const Signature signature = key.sign(message);
    double seconds = 0;
    for (auto _ : state) {
        const double begin = thread_cpu_seconds();
        for (int i = 0; i < 2; ++i) {
            if (!crypto::verify(key.public_key(), message, signature)) {
                state.SkipWithError("a signature does not hold");
            }
        }
        seconds += thread_cpu_seconds() - begin;
    }
    per_transfer(state, 1, seconds);
}
BENCHMARK(BM_TwoSignatureChecks)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace leither::bench
