// What others say our address is (BEP 42's `ip`), decided by vote: kVotesMin voters of different
// blocks must agree and outnumber all others. Nobody votes for or from a loopback or private
// address: such a voter sees another side of our router.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "leither/base/endpoint.h"

namespace leither::dht {

class ExternalAddress {
 public:
    static constexpr std::size_t kVotesMin = 4;
    static constexpr std::size_t kVotesMax = 16;  // the latest

    void vote(const IpAddress& voter, const IpAddress& claim) {
        if (!voter.is_global() || !claim.is_global() || voter.is_v4() != claim.is_v4()) return;
        const IpAddress block = voter.block();
        std::erase_if(votes_, [&](const Vote& vote) { return vote.block == block; });
        if (votes_.size() >= kVotesMax) votes_.erase(votes_.begin());
        votes_.push_back({block, claim});
    }
    std::optional<IpAddress> decided() const {
        for (const Vote& candidate : votes_) {
            const auto votes = static_cast<std::size_t>(
                std::count_if(votes_.begin(), votes_.end(),
                              [&](const Vote& vote) { return vote.claim == candidate.claim; }));
            if (votes >= kVotesMin && 2 * votes > votes_.size()) return candidate.claim;
        }
        return std::nullopt;
    }
    void clear() { votes_.clear(); }

 private:
    struct Vote {
        IpAddress block;  // of the voter
        IpAddress claim;
    };
    std::vector<Vote> votes_;
};

}  // namespace leither::dht
