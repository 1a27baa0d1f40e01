#include "line.h"

#include <iterator>
#include <utility>

#include "leither/base/check.h"

namespace leither::sync {

void Line::receive(const Id& from, std::vector<DecidedBlock>&& run) {
    CHECK(wants_run());
    from_ = from;
    held_ = std::move(run);
}

std::optional<Id> Line::sender() const {
    if (held_.empty()) return std::nullopt;
    return from_;
}

Result<Line::Verdict, FollowError> Line::verify(const ChainContext& context,
                                                std::span<const election::Link> links) {
    if (held_.empty()) return Verdict::ok;
    auto followed = follow(context, end_, held_, links);
    if (!followed) {
        held_.clear();
        return fail(followed.error());
    }
    const auto holds = held_.begin() + static_cast<std::ptrdiff_t>(followed->blocks);
    ready_.insert(ready_.end(), std::make_move_iterator(held_.begin()),
                  std::make_move_iterator(holds));
    held_.erase(held_.begin(), holds);
    end_ = std::move(followed->head);
    return followed->unknown_term ? Verdict::unknown_term : Verdict::ok;
}

std::vector<DecidedBlock> Line::hand_out() {
    if (out_ || ready_.empty()) return {};
    out_ = ready_.back().header.sequence;
    return std::exchange(ready_, {});
}

void Line::applied(const Head& head) {
    if (out_ && head.sequence >= *out_) out_.reset();
    if (head.sequence > end_.sequence) {
        *this = Line(head);  // the ledger went on by itself
    } else if (head.sequence == end_.sequence) {
        end_ = head;  // it knows who certifies next
        ready_.clear();
    } else if (!ready_.empty() && ready_.front().header.sequence <= head.sequence) {
        std::erase_if(ready_, [&head](const DecidedBlock& block) {
            return block.header.sequence <= head.sequence;
        });
    }
}

}  // namespace leither::sync
