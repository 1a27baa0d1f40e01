#include "leither/ledger/execute.h"

#include <algorithm>

#include "leither/election/work.h"
#include "leither/ledger/cycle.h"
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

// What of a header does not follow from executing its block.
struct Heading {
    Place place;
    Hash parent;
    Stamp stamp;
};

// Whether a term begins with the block, be it in its time or by a takeover.
enum class Term : std::uint8_t { goes_on, begins };

// The tree after the block and the header that commits to it. The block's own work is counted
// beside the state, which a mempool may share; the first block of a term has none.
Result<Executed, Fault> finish(const State& state, tree::Tree& tree, const Heading& heading,
                               Term term, std::span<const Hash> commitments) {
    const auto& [place, parent, stamp] = heading;
    const auto changes = term == Term::begins
                             ? state.changes()
                             : state.changes(tally_after(state, place.sequence, stamp.signers));
    tree::Tree::Update update = TRY(tree.prepare(changes, place.sequence));
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
    // `first` is the block's first transaction, if there is one.
    // Does what the protocol itself has to do before the first transaction.
    static Result<Run, Fault> start(const Organization& organization, tree::Tree& tree,
                                    const Parent& parent, const Stamp& stamp,
                                    const Transaction* first) {
        Run run(organization, tree, parent, stamp);
        TRY(run.state_.load_system());
        run.has_possible_signers_ = run.can_have_signed(parent.header.sequence, stamp.signers);
        if (!run.has_possible_signers_) return run;
        if (first != nullptr) TRY(run.judge_takeover(*first));
        if (run.takeover_ && *run.takeover_) {
            run.term_ = Term::begins;
        } else if (run.state_.election().end_pulse <= stamp.pulse) {
            TRY(begin_cycle(run.state_, run.heading_.place, stamp.signers));
            run.term_ = Term::begins;
        }
        TRY(apply_due(run.state_, run.heading_.place));
        return run;
    }

    // Whether the header's signers can have certified the parent; if not, nothing has been done.
    bool has_possible_signers() const { return has_possible_signers_; }

    State& state() { return state_; }

    bool has_room_for(const Transaction& transaction, const EncodedTransaction& encoded) const {
        // A recovery saves the organization, so it is never too large for a block of its own.
        const bool is_alone =
            commitments_.empty() && protocol::is_takeover(transaction.body.action);
        return is_alone || bytes_ + encoded.size() <= state_.bookkeeping().params.block_bytes_max;
    }

    Result<void, Refused> check(const Transaction& transaction) const {
        if (protocol::is_takeover(transaction.body.action)) {
            const bool is_first = commitments_.empty() && takeover_;
            return is_first ? *takeover_ : fail(Refused{Refusal::takeover_not_first});
        }
        return ledger::check(state_, heading_.place, transaction, PulseLimit::enforce);
    }

    // REQUIRES: has_room_for, check.
    void take(const Transaction& transaction, const EncodedTransaction& encoded) {
        const Hash id = encoded.id(state_.organization().chain);
        ledger::apply(state_, heading_.place, transaction, id);
        commitments_.push_back(encoded.commitment());
        bytes_ += encoded.size();
    }

    Result<Executed, Fault> finish() {
        return ledger::finish(state_, *tree_, heading_, term_, commitments_);
    }

 private:
    Run(const Organization& organization, tree::Tree& tree, const Parent& parent,
        const Stamp& stamp)
        : state_(organization, tree, parent.known),
          tree_(&tree),
          heading_{{stamp.pulse, parent.header.sequence.next()}, parent.hash, stamp} {
        state_.stand_on({parent.hash, parent.header.pulse});
    }

    // The founding is nobody's work.
    bool can_have_signed(Sequence parent, std::uint32_t signers) const {
        if (parent == Sequence(0)) return signers == 0;
        return election::is_possible(signers,
                                     authority_over(state_.election(), parent).seats.size());
    }

    // On the state that the last block has left: the term that it takes over has not ended by
    // itself.
    Result<void, Fault> judge_takeover(const Transaction& first) {
        if (!protocol::is_takeover(first.body.action)) return {};
        TRY(state_.load(first));
        takeover_ = ledger::check(state_, heading_.place, first, PulseLimit::enforce);
        return {};
    }

    State state_;
    tree::Tree* tree_;
    Heading heading_;
    bool has_possible_signers_ = false;
    Term term_ = Term::goes_on;
    // What is to be said of a takeover that comes first.
    std::optional<Result<void, Refused>> takeover_;
    std::vector<Hash> commitments_;
    std::size_t bytes_ = 0;
};

Result<Run, Fault> start_on(const Organization& organization, tree::Tree& tree,
                            const Parent& parent, const BlockHeader& header,
                            const Transactions& transactions) {
    const Transaction* first = transactions.empty() ? nullptr : &transactions.front();
    return Run::start(organization, tree, parent, {header.pulse, header.author, header.signers},
                      first);
}

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
        if (!run.has_room_for(transaction, encoded))
            return fail(InvalidBlock{Reason::too_large, i, {}});
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
    const Transaction* first = candidates.empty() ? nullptr : candidates.front();
    Run run = TRY(Run::start(organization, tree, parent, stamp, first));
    CHECK(run.has_possible_signers());
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
        if (!run.has_room_for(candidate, encoded)) break;
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
    if (must_seal(executed, place.pulse)) return std::nullopt;
    if (!candidates.empty() && protocol::is_takeover(candidates.front()->body.action)) {
        return std::nullopt;
    }

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
    Executed done =
        TRY(finish(executed, tree, {place, parent.hash, stamp}, Term::goes_on, commitments));
    return Built{std::move(transactions), {}, candidates.size(), std::move(done)};
}

const char* to_string(Reason reason) {
    switch (reason) {
        case Reason::wrong_sequence: return "wrong_sequence";
        case Reason::wrong_parent: return "wrong_parent";
        case Reason::pulse_not_rising: return "pulse_not_rising";
        case Reason::too_large: return "too_large";
        case Reason::wrong_signers: return "wrong_signers";
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
    Run run = TRY(start_on(organization, tree, parent, header, transactions));
    if (!run.has_possible_signers()) return invalid(Reason::wrong_signers);
    TRY(take_all(run, transactions, signature_holds));
    Executed executed = TRY(run.finish());
    if (executed.header != header) return invalid(Reason::wrong_root);
    return executed;
}

Result<bool, Fault> has_room_for_any(const Organization& organization, tree::Tree& tree,
                                     const Parent& parent, const BlockHeader& header,
                                     const Transactions& transactions,
                                     std::span<const Transaction* const> candidates) {
    Run run = TRY(start_on(organization, tree, parent, header, transactions));
    CHECK(run.has_possible_signers());
    for (const Transaction& transaction : transactions) {
        TRY(run.state().load(transaction));
        run.take(transaction, EncodedTransaction(transaction));
    }
    for (const Transaction* candidate : candidates) {
        if (!run.has_room_for(*candidate, EncodedTransaction(*candidate))) continue;
        TRY(run.state().load(*candidate));
        if (run.check(*candidate)) return true;
    }
    return false;
}

}  // namespace leither::ledger
