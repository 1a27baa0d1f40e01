#include "serving.h"

#include <algorithm>

#include "leither/base/check.h"

namespace leither::node {

namespace {

using protocol::BlocksReply;
using protocol::ChainReply;
using protocol::GenesisReply;
using protocol::PieceOutcome;
using protocol::PieceReply;

// Of any answer, and of what is small beside it.
constexpr std::uint64_t kLeastWork = 4096;
constexpr std::uint64_t kTransactionWork = 256;
constexpr std::uint64_t kAllocationWork = 64;

struct WorkOf {
    std::uint64_t operator()(const BlocksReply& reply) const {
        std::uint64_t work = 0;
        for (const auto& block : reply.blocks) {
            work += kLeastWork + kTransactionWork * block.transactions.size();
        }
        return work;
    }
    // All of them are read, whichever part is asked for.
    std::uint64_t operator()(const GenesisReply& reply) const {
        return kAllocationWork * reply.count;
    }
    // Up to 64 terms are looked for.
    std::uint64_t operator()(const ChainReply& reply) const {
        return 16 * kLeastWork + reply.chain.size();
    }
    // Who hears that it must split has made us walk as far as a whole piece goes.
    std::uint64_t operator()(const PieceReply& reply) const {
        return reply.outcome == PieceOutcome::split ? protocol::kPieceLeafBytesMax
                                                    : reply.piece.size();
    }
};

}  // namespace

Serving::Serving(Options options)
    : options_(options), budget_({options.work_per_second, options.work_saved_up}, Instant{}) {}

void Serving::add(const Id& from, protocol::SyncAsk ask, Instant now) {
    latest_ = now;
    auto& theirs = waiting_[from];
    if (theirs.size() < options_.waiting_per_node_max) theirs.push_back(std::move(ask));
}

void Serving::forget(const Id& node) {
    waiting_.erase(node);
}

std::optional<Serving::Question> Serving::next(Instant now) {
    latest_ = now;
    if (waiting_.empty() || budget_.available(now) == 0) return std::nullopt;
    auto turn = waiting_.upper_bound(served_);
    if (turn == waiting_.end()) turn = waiting_.begin();
    Question question{turn->first, std::move(turn->second.front())};
    turn->second.pop_front();
    if (turn->second.empty()) waiting_.erase(turn);
    served_ = question.from;
    return question;
}

void Serving::charge(std::uint64_t work, Instant now) {
    budget_.charge(work, now);
}

std::optional<Instant> Serving::next_deadline() const {
    if (waiting_.empty()) return std::nullopt;
    return budget_.ready_at(1, latest_);
}

void Serving::check_invariants() const {
    for (const auto& [node, questions] : waiting_) {
        CHECK(!questions.empty() && questions.size() <= options_.waiting_per_node_max);
    }
}

std::uint64_t work_of(const protocol::SyncReply& reply) {
    return std::max(kLeastWork, std::visit(WorkOf{}, reply));
}

}  // namespace leither::node
