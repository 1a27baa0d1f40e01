#include "leither/ledger/execute.h"

#include <algorithm>

#include "leither/ledger/invariants.h"

namespace leither::ledger {

namespace {

using protocol::EncodedTransaction;
using protocol::Refusal;
using protocol::Transaction;
using store::Fault;
using Reason = InvalidBlock::Reason;

// Candidates whose accounts are looked up together.
constexpr std::size_t kExpectedTogether = 24;

// The tree after the block and the header that commits to it.
Result<Executed, Fault> finish(const State& state, tree::Tree& tree, const Place& place,
                               const Hash& parent, const Stamp& stamp,
                               std::span<const Hash> commitments) {
    tree::Tree::Update update = TRY(tree.prepare(state.changes(), place.sequence));
    check_invariants(state, update.version().root);
    const BlockHeader header{
        .sequence = place.sequence,
        .pulse = place.pulse,
        .parent = parent,
        .root = update.version().root,
        .transactions = protocol::transactions_hash(state.organization().chain, commitments),
        .transaction_count = static_cast<std::uint32_t>(commitments.size()),
        .author = stamp.author,
        .signers = stamp.signers,
    };
    return Executed{header, std::move(update)};
}

// A block in the making: what building and checking have in common.
class Run {
 public:
    static Result<Run, Fault> start(const Organization& organization, tree::Tree& tree,
                                    const Parent& parent, const Stamp& stamp) {
        Run run(organization, tree, parent, stamp);
        TRY(run.state_.load_system());
        TRY(apply_due(run.state_, run.place_));
        return run;
    }

    State& state() { return state_; }

    bool has_room_for(const EncodedTransaction& encoded) const {
        return bytes_ + encoded.size() <= state_.bookkeeping().params.block_bytes_max;
    }

    Result<void, Refused> check(const Transaction& transaction) const {
        return ledger::check(state_, place_, transaction, PulseLimit::enforce);
    }

    // REQUIRES: has_room_for, check.
    void take(const Transaction& transaction, const EncodedTransaction& encoded) {
        const Hash id = encoded.id(state_.organization().chain);
        ledger::apply(state_, place_, transaction, id);
        commitments_.push_back(encoded.commitment());
        bytes_ += encoded.size();
    }

    Result<Executed, Fault> finish() {
        return ledger::finish(state_, *tree_, place_, parent_hash_, stamp_, commitments_);
    }

 private:
    Run(const Organization& organization, tree::Tree& tree, const Parent& parent,
        const Stamp& stamp)
        : state_(organization, tree, parent.known),
          tree_(&tree),
          place_{stamp.pulse, parent.header.sequence.next()},
          parent_hash_(parent.hash),
          stamp_(stamp) {}

    State state_;
    tree::Tree* tree_;
    Place place_;
    Hash parent_hash_;
    Stamp stamp_;
    std::vector<Hash> commitments_;
    std::size_t bytes_ = 0;
};

// What can be said against a header before its transactions are looked at.
std::optional<Reason> objection(const BlockHeader& header, const Parent& parent) {
    if (header.sequence != parent.header.sequence.next()) return Reason::wrong_sequence;
    if (header.parent != parent.hash) return Reason::wrong_parent;
    if (header.pulse <= parent.header.pulse) return Reason::pulse_not_rising;
    return std::nullopt;
}

Result<void, Refused> check_signatures(const State& state, const Transaction& transaction,
                                       const SignatureOracle& signature_holds) {
    const auto checks = TRY(signature_checks(state, transaction));
    for (std::size_t i = 0; i < checks.size(); ++i) {
        if (!signature_holds(checks[i])) return fail(Refused{Refusal::bad_signature, i, 0});
    }
    return {};
}

Result<void, ExecuteError> take_all(Run& run, const Transactions& transactions,
                                    const SignatureOracle& signature_holds) {
    for (std::size_t i = 0; i < transactions.size(); ++i) {
        const Transaction& transaction = transactions[i];
        const EncodedTransaction encoded(transaction);
        if (!run.has_room_for(encoded)) return fail(InvalidBlock{Reason::too_large, i, {}});
        TRY(run.state().load(transaction));
        auto verdict = run.check(transaction);
        if (verdict) verdict = check_signatures(run.state(), transaction, signature_holds);
        if (!verdict) return fail(InvalidBlock{Reason::bad_transaction, i, verdict.error()});
        run.take(transaction, encoded);
    }
    return {};
}

}  // namespace

Result<Built, Fault> build(const Organization& organization, tree::Tree& tree, const Parent& parent,
                           const Stamp& stamp, std::span<const Transaction* const> candidates) {
    CHECK(stamp.pulse > parent.header.pulse);
    Run run = TRY(Run::start(organization, tree, parent, stamp));
    Transactions transactions;
    std::vector<Skipped> skipped;
    std::size_t considered = 0;
    for (; considered < candidates.size() && !transactions.full(); ++considered) {
        if (considered % kExpectedTogether == 0) {
            const auto coming = candidates.subspan(considered);
            run.state().expect(coming.first(std::min(kExpectedTogether, coming.size())));
        }
        const Transaction& candidate = *candidates[considered];
        const EncodedTransaction encoded(candidate);
        // A smaller one behind it might fit, but could be the same signer's next.
        if (!run.has_room_for(encoded)) break;
        TRY(run.state().load(candidate));
        if (const auto verdict = run.check(candidate); !verdict) {
            skipped.push_back({considered, verdict.error()});
            continue;
        }
        run.take(candidate, encoded);
        transactions.push_back(candidate);
    }
    Executed executed = TRY(run.finish());
    return Built{std::move(transactions), std::move(skipped), considered, std::move(executed)};
}

Result<std::optional<Built>, Fault> build_on(const State& executed, tree::Tree& tree,
                                             const Parent& parent, const Stamp& stamp,
                                             std::span<const Transaction* const> candidates) {
    CHECK(stamp.pulse > parent.header.pulse);
    const Place place{stamp.pulse, parent.header.sequence.next()};
    if (candidates.size() > Transactions::kMax) return std::nullopt;
    if (const auto due = next_due(executed); due && *due <= place.pulse) return std::nullopt;

    Transactions transactions;
    std::vector<Hash> commitments;
    transactions.reserve(candidates.size());
    commitments.reserve(candidates.size());
    std::size_t bytes = 0;
    for (const Transaction* candidate : candidates) {
        const EncodedTransaction encoded(*candidate);
        bytes += encoded.size();
        if (bytes > executed.bookkeeping().params.block_bytes_max) return std::nullopt;
        commitments.push_back(encoded.commitment());
        transactions.push_back(*candidate);
    }
    Executed done = TRY(finish(executed, tree, place, parent.hash, stamp, commitments));
    return Built{std::move(transactions), {}, candidates.size(), std::move(done)};
}

const char* to_string(Reason reason) {
    switch (reason) {
        case Reason::wrong_sequence: return "wrong_sequence";
        case Reason::wrong_parent: return "wrong_parent";
        case Reason::pulse_not_rising: return "pulse_not_rising";
        case Reason::too_large: return "too_large";
        case Reason::wrong_transactions: return "wrong_transactions";
        case Reason::bad_transaction: return "bad_transaction";
        case Reason::wrong_root: return "wrong_root";
    }
    UNREACHABLE();
}

Result<Executed, ExecuteError> execute(const Organization& organization, tree::Tree& tree,
                                       const Parent& parent, const BlockHeader& header,
                                       const Transactions& transactions,
                                       const SignatureOracle& signature_holds) {
    const auto invalid = [](Reason reason) {
        return fail(ExecuteError(InvalidBlock{reason, 0, {}}));
    };
    if (const auto reason = objection(header, parent)) return invalid(*reason);
    if (header.transaction_count != transactions.size() ||
        header.transactions != protocol::transactions_hash(organization.chain, transactions)) {
        return invalid(Reason::wrong_transactions);
    }
    Run run =
        TRY(Run::start(organization, tree, parent, {header.pulse, header.author, header.signers}));
    TRY(take_all(run, transactions, signature_holds));
    Executed executed = TRY(run.finish());
    if (executed.header != header) return invalid(Reason::wrong_root);
    return executed;
}

Result<bool, Fault> has_room_for_any(const Organization& organization, tree::Tree& tree,
                                     const Parent& parent, const BlockHeader& header,
                                     const Transactions& transactions,
                                     std::span<const Transaction* const> candidates) {
    Run run =
        TRY(Run::start(organization, tree, parent, {header.pulse, header.author, header.signers}));
    for (const Transaction& transaction : transactions) {
        TRY(run.state().load(transaction));
        run.take(transaction, EncodedTransaction(transaction));
    }
    for (const Transaction* candidate : candidates) {
        if (!run.has_room_for(EncodedTransaction(*candidate))) continue;
        TRY(run.state().load(*candidate));
        if (run.check(*candidate)) return true;
    }
    return false;
}

}  // namespace leither::ledger
