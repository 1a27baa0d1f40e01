#include "history_window.h"

#include <algorithm>

namespace leither::node {

namespace {

using store::Fault;

// Sequences the window moves on at most with one block.
constexpr std::size_t kStepsPerBlock = 64;
constexpr std::uint64_t kChunksPerWindow = 8;

std::uint64_t shortest_window(const protocol::Params& params) {
    constexpr std::uint64_t kDisputePulses = 1200;
    return std::uint64_t{params.publicity_pulses} + kDisputePulses +
           2 * std::uint64_t{params.cycle_pulses};
}

}  // namespace

HistoryWindow::HistoryWindow(std::uint64_t pulses, const protocol::Params& params, Sequence oldest,
                             const Log& log)
    : pulses_(pulses), oldest_(oldest), erased_below_(oldest) {
    const std::uint64_t shortest = shortest_window(params);
    if (pulses_ == 0 || pulses_ >= shortest) return;
    log.warn("history_window_raised", "asked_pulses={} pulses={}", pulses_, shortest);
    pulses_ = shortest;
}

Result<void, Fault> HistoryWindow::on_sealed(const store::Reader& store, tree::Tree& tree,
                                             const protocol::BlockHeader& head) {
    if (pulses_ == 0 || head.pulse.value() <= pulses_) return {};
    const Pulse from(head.pulse.value() - pulses_);
    for (std::size_t step = 0; step < kStepsPerBlock && oldest_ < head.sequence; ++step) {
        const auto next = TRY(ledger::read_seal(store, oldest_.next()));
        if (!next) {
            return fail(
                Fault{Fault::Kind::corrupt, fmt::format("the seal of sequence {} is missing; run "
                                                        "leitherd --verify",
                                                        oldest_.next().value())});
        }
        // The version in force at `from` is the last that was sealed by then.
        if (next->header.pulse > from) break;
        oldest_ = oldest_.next();
    }
    tree.retain_from(oldest_);
    return {};
}

std::optional<ledger::Pruning> HistoryWindow::take_pruning(const tree::Tree& tree) {
    const Sequence erasable = tree.erasable_below();
    CHECK(erasable <= oldest_);
    const std::uint64_t window = tree.head().sequence.value() - oldest_.value() + 1;
    const std::uint64_t chunk = std::max<std::uint64_t>(1, window / kChunksPerWindow);
    if (erasable.value() < erased_below_.value() + chunk) return std::nullopt;
    erased_below_ = erasable;
    return ledger::Pruning{oldest_, erasable};
}

}  // namespace leither::node
