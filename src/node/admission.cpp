#include "admission.h"

#include <algorithm>

namespace leither::node {

namespace {

using consensus::Mempool;
using protocol::Refusal;
using protocol::Refused;
using store::Fault;

// Whether an earlier transaction could make good what the lookup missed.
bool is_unknown_account(const Refused& refused) {
    return refused.code == Refusal::signer_unknown || refused.code == Refusal::cosigner_unknown ||
           refused.code == Refusal::counterparty_unknown ||
           refused.code == Refusal::payee_not_member;
}

// The index of the first signature of a part that does not hold.
std::optional<std::size_t> first_bad(const std::vector<bool>& holds, std::size_t from,
                                     std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        if (!holds[from + i]) return i;
    }
    return std::nullopt;
}

}  // namespace

Admission::Admission(const ledger::Organization& organization, std::size_t checks_max,
                     Mempool& mempool, const RecentTransactions& recent, std::uint64_t first_job)
    : organization_(organization),
      checks_max_(checks_max),
      mempool_(mempool),
      recent_(recent),
      first_job_(first_job),
      next_job_(first_job) {}

Result<void, Fault> Admission::submit(Submit&& submit, const ledger::Place& place, Effects& fx) {
    return open(std::nullopt, std::move(submit), place, fx);
}

Result<void, Fault> Admission::post(const Id& from, Submit&& submit, const ledger::Place& place,
                                    Effects& fx) {
    return open(from, std::move(submit), place, fx);
}

Result<void, Fault> Admission::open(const std::optional<Id>& neighbour, Submit&& submit,
                                    const ledger::Place& place, Effects& fx) {
    const std::size_t count = submit.transactions.size();
    if (count == 0) {
        fx.replies.emplace_back(SubmitReply{submit.token, {}});
        return {};
    }
    const std::uint64_t number = next_submission_++;
    submissions_[number] = {submit.token, std::vector<std::optional<Verdict>>(count), count,
                            neighbour};
    for (std::size_t from = 0; from < count; from += kReadTogether) {
        TRY(take({number, from}, std::span(submit.transactions).subspan(from), fx));
    }
    flush_job(fx);
    return admit_ready(place, fx);
}

// The next few of a submission.
Result<void, Fault> Admission::take(const Position& at, std::span<const Bytes> transactions,
                                    Effects& fx) {
    std::vector<Mempool::Entry> entries;
    std::vector<Position> positions;
    for (std::size_t i = 0; i < std::min(kReadTogether, transactions.size()); ++i) {
        const Position position{at.submission, at.index + i};
        if (auto entry = read(transactions[i])) {
            entries.push_back(*std::move(entry));
            positions.push_back(position);
        } else {
            settle(position, fail(entry.error()), fx);
        }
    }
    mempool_.expect(entries);
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const Submission& submission = submissions_.at(at.submission);
        if (const auto refused = refuse_early(entries[i], submission)) {
            settle(positions[i], fail(*refused), fx);
        } else {
            TRY(enqueue({positions[i], std::move(entries[i]), Stage::unresolved, {}}, fx));
        }
    }
    return {};
}

Result<Mempool::Entry, Refused> Admission::read(ByteView bytes) const {
    protocol::Transaction transaction = TRY(ledger::read_transaction(bytes));
    const Hash id = protocol::transaction_id(organization_.chain, transaction.body);
    return Mempool::Entry{id, std::move(transaction), bytes.size()};
}

// What needs no account: whether it is known already, and whether there is room for it.
std::optional<Refused> Admission::refuse_early(const Mempool::Entry& entry,
                                               const Submission& submission) const {
    if (mempool_.contains(entry.id)) return Refused{Refusal::already_pending};
    if (recent_.is_committed(entry.id)) return Refused{Refusal::already_committed};
    const std::size_t out = signatures_out_ + entry.transaction.signatures.size();
    const std::size_t most = submission.from ? checks_max_ / 2 : checks_max_;
    if (out > most) return Refused{Refusal::mempool_full, out, most};
    return std::nullopt;
}

Result<void, Fault> Admission::enqueue(Item&& item, Effects& fx) {
    signatures_out_ += item.entry.transaction.signatures.size();
    queue_.push_back(std::move(item));
    return look_up(queue_.back(), front_ + queue_.size() - 1, fx);
}

// Finds the keys and puts the checks into the job that is being filled.
Result<void, Fault> Admission::look_up(Item& item, std::uint64_t number, Effects& fx) {
    auto checks = TRY(mempool_.signature_checks(item.entry.transaction));
    if (!checks) {
        const bool may_change = number > front_ && is_unknown_account(checks.error());
        item.stage = may_change ? Stage::unresolved : Stage::checked;
        if (!may_change) item.refused = checks.error();
        return {};
    }
    item.stage = Stage::checking;
    filling_parts_.push_back({number, checks->size()});
    std::move(checks->begin(), checks->end(), std::back_inserter(filling_.checks));
    if (filling_.checks.size() >= kChecksPerJob) flush_job(fx);
    return {};
}

void Admission::flush_job(Effects& fx) {
    if (filling_parts_.empty()) return;
    filling_.job = next_job_++;
    jobs_[filling_.job] = std::exchange(filling_parts_, {});
    fx.verify.push_back(std::exchange(filling_, {}));
}

Result<void, Fault> Admission::on_checked(const SignaturesChecked& checked,
                                          const ledger::Place& place, Effects& fx) {
    if (checked.job < first_job_) return {};
    auto job = jobs_.extract(checked.job);
    CHECK(!job.empty());
    std::size_t from = 0;
    for (const Part& part : job.mapped()) {
        CHECK(from + part.checks <= checked.holds.size());
        Item& item = queue_[part.item - front_];
        CHECK(item.stage == Stage::checking);
        item.stage = Stage::checked;
        if (const auto bad = first_bad(checked.holds, from, part.checks)) {
            item.refused = Refused{Refusal::bad_signature, *bad};
            blame_for(item);
        }
        from += part.checks;
    }
    return admit_ready(place, fx);
}

// Everything before the front has been admitted: what is unknown now stays unknown. Those behind it
// take their chance in the same round, up to the first that has to wait on.
Result<void, Fault> Admission::look_up_front(Effects& fx) {
    for (std::size_t i = 0; i < queue_.size(); ++i) {
        if (queue_[i].stage != Stage::unresolved) break;
        TRY(look_up(queue_[i], front_ + i, fx));
        if (queue_[i].stage != Stage::checking) break;
    }
    flush_job(fx);
    return {};
}

Result<void, Fault> Admission::admit_ready(const ledger::Place& place, Effects& fx) {
    while (!queue_.empty()) {
        if (queue_.front().stage == Stage::unresolved) TRY(look_up_front(fx));
        if (queue_.front().stage == Stage::checking) break;
        Item item = std::move(queue_.front());
        queue_.pop_front();
        ++front_;
        signatures_out_ -= item.entry.transaction.signatures.size();
        auto verdict = TRY(admit(item, place));
        settle(item.at, std::move(verdict), fx);
    }
    return {};
}

Result<Verdict, Fault> Admission::admit(Item& item, const ledger::Place& place) {
    if (item.refused) return Verdict(fail(*item.refused));
    const Hash id = item.entry.id;
    const auto ruled = TRY(mempool_.add(std::move(item.entry), place));
    if (!ruled) return Verdict(fail(ruled.error()));
    return Verdict(id);
}

// Once for each post. Who signs for a candidate depends on the ledger's state, so a node's act that
// held where it was admitted need not hold here.
void Admission::blame_for(const Item& item) {
    if (item.entry.transaction.body.nonce.lane == protocol::kNodeLane) return;
    auto& from = submissions_.at(item.at.submission).from;
    if (from) forgers_.push_back(*from);
    from.reset();
}

void Admission::settle(const Position& at, Verdict verdict, Effects& fx) {
    const auto found = submissions_.find(at.submission);
    CHECK(found != submissions_.end());
    Submission& open = found->second;
    CHECK(!open.verdicts[at.index]);
    open.verdicts[at.index] = std::move(verdict);
    if (--open.open > 0) return;

    SubmitReply reply{open.token, {}};
    reply.verdicts.reserve(open.verdicts.size());
    for (auto& known : open.verdicts) reply.verdicts.push_back(*std::move(known));
    fx.replies.emplace_back(std::move(reply));
    submissions_.erase(found);
}

void Admission::refuse_all(Refusal why, Effects& fx) {
    for (auto& [number, submission] : submissions_) {
        SubmitReply reply{submission.token, {}};
        for (auto& verdict : submission.verdicts) {
            reply.verdicts.push_back(verdict ? *std::move(verdict) : Verdict(fail(Refused{why})));
        }
        fx.replies.emplace_back(std::move(reply));
    }
    submissions_.clear();
    queue_.clear();
    jobs_.clear();
    signatures_out_ = 0;
}

void Admission::check_invariants() const {
    std::size_t signatures = 0;
    for (const Item& item : queue_) {
        signatures += item.entry.transaction.signatures.size();
        CHECK(submissions_.contains(item.at.submission));
    }
    CHECK(signatures == signatures_out_);
    CHECK(signatures_out_ <= checks_max_);
    // Between steps the front waits for its checks, and no job is half filled.
    CHECK(queue_.empty() || queue_.front().stage == Stage::checking);
    CHECK(filling_parts_.empty());
}

}  // namespace leither::node
