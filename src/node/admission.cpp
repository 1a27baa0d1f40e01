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
    const std::size_t count = submit.transactions.size();
    if (count == 0) {
        fx.replies.emplace_back(SubmitReply{submit.token, {}});
        return {};
    }
    const auto read_at = [&](std::size_t i) { return read(submit.transactions[i]); };
    return take_all({submit.token, std::nullopt}, count, read_at, place, fx);
}

Result<void, Fault> Admission::submit(const Id& from, protocol::TransactionPost&& post,
                                      const ledger::Place& place, Effects& fx) {
    if (post.transactions.empty()) return {};
    const auto read_at = [&](std::size_t i) { return read(std::move(post.transactions[i])); };
    return take_all({kNobody, from}, post.transactions.size(), read_at, place, fx);
}

Result<void, Fault> Admission::take_all(const Sender& sender, std::size_t count,
                                        const ReadAt& read_at, const ledger::Place& place,
                                        Effects& fx) {
    const std::uint64_t number = next_submission_++;
    submissions_[number] = {sender, std::vector<std::optional<Verdict>>(count), count, false};
    for (std::size_t from = 0; from < count; from += kReadTogether) {
        TRY(take({number, from}, std::min(kReadTogether, count - from), read_at, fx));
    }
    flush_job(fx);
    return admit_ready(place, fx);
}

// The next few of a submission.
Result<void, Fault> Admission::take(const Position& at, std::size_t count, const ReadAt& read_at,
                                    Effects& fx) {
    std::vector<Mempool::Entry> entries;
    std::vector<Position> positions;
    for (std::size_t i = 0; i < count; ++i) {
        const Position position{at.submission, at.index + i};
        if (auto entry = read_at(position.index)) {
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
            TRY(enqueue({positions[i], std::move(entries[i]), Stage::unresolved, {}, {}, {}}, fx));
        }
    }
    return {};
}

Result<Mempool::Entry, Refused> Admission::read(ByteView bytes) const {
    protocol::Transaction transaction = TRY(ledger::read_transaction(bytes));
    const Hash id = protocol::transaction_id(organization_.chain, transaction.body);
    return Mempool::Entry{id, std::move(transaction), bytes.size()};
}

Result<Mempool::Entry, Refused> Admission::read(protocol::Transaction&& transaction) const {
    const protocol::EncodedTransaction encoded(transaction);
    const std::size_t bytes_max = protocol::bytes_max(transaction.body.action);
    if (encoded.size() > bytes_max) {
        return fail(Refused{Refusal::too_large, encoded.size(), bytes_max});
    }
    return Mempool::Entry{encoded.id(organization_.chain), std::move(transaction), encoded.size()};
}

// What needs no account: whether it is known already, and whether there is room for it.
std::optional<Refused> Admission::refuse_early(const Mempool::Entry& entry,
                                               const Submission& submission) const {
    if (mempool_.contains(entry.id)) return Refused{Refusal::already_pending};
    if (recent_.is_committed(entry.id)) return Refused{Refusal::already_committed};
    const std::size_t out = signatures_out_ + entry.transaction.signatures.size();
    const std::size_t most = submission.sender.neighbour ? checks_max_ / 2 : checks_max_;
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
    if (joins_original(item, number)) return {};
    auto checks = TRY(mempool_.signature_checks(item.entry.transaction));
    if (!checks) {
        const bool may_change = number > front_ && is_unknown_account(checks.error());
        item.stage = may_change ? Stage::unresolved : Stage::checked;
        if (!may_change) item.refused = checks.error();
        return {};
    }
    item.stage = Stage::checking;
    under_way_.try_emplace(item.entry.id, number);
    if (verified_.is_on()) {
        std::ranges::transform(*checks, std::back_inserter(item.digests),
                               VerifiedSignatures::digest);
    }
    filling_parts_.push_back({number, checks->size()});
    std::move(checks->begin(), checks->end(), std::back_inserter(filling_.checks));
    if (filling_.checks.size() >= kChecksPerJob) flush_job(fx);
    return {};
}

// One id is one body: with the same signatures it is the same in every byte.
bool Admission::joins_original(Item& item, std::uint64_t number) {
    const auto found = under_way_.find(item.entry.id);
    if (found == under_way_.end()) return false;
    Item& original = queue_[found->second - front_];
    if (original.entry.transaction.signatures != item.entry.transaction.signatures) return false;
    original.copies.push_back(number);
    item.stage = Stage::checking;
    return true;
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
        const auto bad = first_bad(checked.holds, from, part.checks);
        conclude(item, bad ? std::optional(Refused{Refusal::bad_signature, *bad}) : std::nullopt);
        from += part.checks;
    }
    return admit_ready(place, fx);
}

// Its checks are back, and with them those of its copies.
void Admission::conclude(Item& item, std::optional<Refused> refused) {
    const auto found = under_way_.find(item.entry.id);
    if (found != under_way_.end() && &queue_[found->second - front_] == &item) {
        under_way_.erase(found);
    }
    if (!refused) {
        for (const Hash& digest : item.digests) verified_.add(digest);
    }
    for (const std::uint64_t number : item.copies) {
        Item& copy = queue_[number - front_];
        CHECK(copy.stage == Stage::checking);
        copy.stage = Stage::checked;
        copy.refused = refused;
        if (refused) blame_for(copy);
    }
    CHECK(item.stage == Stage::checking);
    item.stage = Stage::checked;
    item.refused = std::move(refused);
    if (item.refused) blame_for(item);
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
    admitted_from_.push_back(submissions_.at(item.at.submission).sender.neighbour);
    return Verdict(id);
}

// Once for each post. Who signs for a candidate depends on the ledger's state, so a node's act that
// held where it was admitted need not hold here.
void Admission::blame_for(const Item& item) {
    if (item.entry.transaction.body.nonce.lane == protocol::kNodeLane) return;
    Submission& post = submissions_.at(item.at.submission);
    if (!post.sender.neighbour || std::exchange(post.is_blamed, true)) return;
    forgers_.push_back(*post.sender.neighbour);
}

void Admission::settle(const Position& at, Verdict verdict, Effects& fx) {
    const auto found = submissions_.find(at.submission);
    CHECK(found != submissions_.end());
    Submission& open = found->second;
    CHECK(!open.verdicts[at.index]);
    open.verdicts[at.index] = std::move(verdict);
    if (--open.open > 0) return;

    SubmitReply reply{open.sender.token, {}};
    reply.verdicts.reserve(open.verdicts.size());
    for (auto& known : open.verdicts) reply.verdicts.push_back(*std::move(known));
    fx.replies.emplace_back(std::move(reply));
    submissions_.erase(found);
}

void Admission::refuse_all(Refusal why, Effects& fx) {
    for (auto& [number, submission] : submissions_) {
        SubmitReply reply{submission.sender.token, {}};
        for (auto& verdict : submission.verdicts) {
            reply.verdicts.push_back(verdict ? *std::move(verdict) : Verdict(fail(Refused{why})));
        }
        fx.replies.emplace_back(std::move(reply));
    }
    submissions_.clear();
    queue_.clear();
    jobs_.clear();
    under_way_.clear();
    signatures_out_ = 0;
}

void Admission::check_invariants() const {
    std::size_t signatures = 0;
    for (const Item& item : queue_) {
        signatures += item.entry.transaction.signatures.size();
        CHECK(submissions_.contains(item.at.submission));
    }
    for (const auto& [id, number] : under_way_) {
        CHECK(queue_[number - front_].stage == Stage::checking);
        CHECK(queue_[number - front_].entry.id == id);
    }
    CHECK(signatures == signatures_out_);
    CHECK(signatures_out_ <= checks_max_);
    // Between steps the front waits for its checks, and no job is half filled.
    CHECK(queue_.empty() || queue_.front().stage == Stage::checking);
    CHECK(filling_parts_.empty());
}

}  // namespace leither::node
