#include "leither/sim/liar.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "leither/base/check.h"

namespace leither::sim {

namespace {

using protocol::PeerMessage;
using protocol::Proposal;
using protocol::Vote;

// Speaks the truth, and is deaf to what others hold of its own words: an honest node that meets a
// vote of its key which it never cast falls silent.
class Liar : public node::Meddler {
 public:
    Liar(LiarOptions options, const Prng& chance) : options_(std::move(options)), chance_(chance) {}

    std::vector<PeerMessage> says(const Id&, PeerMessage&& message) override {
        return one(std::move(message));
    }
    bool hears(const Id&, const PeerMessage& message) override { return !is_own(message); }

 protected:
    static std::vector<PeerMessage> one(PeerMessage&& message) {
        std::vector<PeerMessage> all;
        all.push_back(std::move(message));
        return all;
    }
    bool is_own(const PeerMessage& message) const {
        if (const auto* vote = std::get_if<Vote>(&message)) return vote->seat == options_.seat;
        const auto* proposal = std::get_if<Proposal>(&message);
        return proposal != nullptr && proposal->header.author == options_.seat;
    }
    // Its own, or nothing.
    template <class Kind>
    Kind* own(PeerMessage& message) const {
        return is_own(message) ? std::get_if<Kind>(&message) : nullptr;
    }
    void sign(Vote& vote) const {
        vote.seat = options_.seat;
        vote.signature = options_.key.sign(signing_message(options_.chain, vote));
    }
    void sign(Proposal& proposal) const {
        const auto claim = protocol::claim_of(options_.chain, proposal);
        proposal.signature = options_.key.sign(signing_message(options_.chain, claim));
    }
    Hash hash_of(const Proposal& proposal) const {
        return protocol::block_hash(options_.chain, proposal.header);
    }

    LiarOptions options_;
    Prng chance_;
};

class Equivocator final : public Liar {
 public:
    using Liar::Liar;

    std::vector<PeerMessage> says(const Id& to, PeerMessage&& message) override {
        const bool is_other_half = to[0] % 2 == 1;
        if (auto* proposal = own<Proposal>(message); proposal != nullptr && is_other_half) {
            // A pulse later the same transactions are as valid.
            proposal->header.pulse = proposal->header.pulse.next();
            proposal->valid_round.reset();
            proposal->prevotes.clear();
            sign(*proposal);
            others_[proposal->slot.height] = hash_of(*proposal);
            if (others_.size() > kKept) others_.erase(others_.begin());
        } else if (auto* vote = own<Vote>(message); vote != nullptr && is_other_half) {
            const auto other = others_.find(vote->slot.height);
            if (!vote->block || other == others_.end()) {
                vote->block.reset();
            } else {
                vote->block = other->second;
            }
            sign(*vote);
        }
        return one(std::move(message));
    }

 private:
    static constexpr std::size_t kKept = 8;
    std::map<Sequence, Hash> others_;  // what the other half was told to decide
};

class Withholder final : public Liar {
 public:
    using Liar::Liar;

    std::vector<PeerMessage> says(const Id& to, PeerMessage&& message) override {
        // To one in four.
        const bool is_kept = is_own(message) && to[0] % 4 != 0;
        if (is_kept || std::holds_alternative<protocol::BlocksReply>(message)) return {};
        return one(std::move(message));
    }
};

class Censor final : public Liar {
 public:
    using Liar::Liar;

    bool hears(const Id& from, const PeerMessage& message) override {
        const auto* post = std::get_if<protocol::TransactionPost>(&message);
        if (post == nullptr) return Liar::hears(from, message);
        return std::ranges::none_of(post->transactions, [&](const protocol::Transaction& each) {
            return each.body.signer == options_.victim;
        });
    }
};

class Garbage final : public Liar {
 public:
    using Liar::Liar;

    std::vector<PeerMessage> says(const Id&, PeerMessage&& message) override {
        if (auto* vote = own<Vote>(message)) {
            spoil(*vote);
        } else if (auto* proposal = own<Proposal>(message)) {
            spoil(*proposal);
        } else if (auto* status = std::get_if<protocol::Status>(&message)) {
            status->height = Sequence(chance_.below(status->height.value() + 3));
            status->pulse = Pulse(chance_.next());
            status->wanted = static_cast<std::uint32_t>(chance_.below(3));
            for (auto& round : status->rounds) {
                round.prevotes = static_cast<std::uint32_t>(chance_.next());
            }
        } else if (auto* reply = std::get_if<protocol::BlocksReply>(&message)) {
            if (!reply->blocks.empty()) spoil(reply->blocks[chance_.below(reply->blocks.size())]);
        }
        return one(std::move(message));
    }

 private:
    void spoil(Vote& vote) {
        switch (chance_.below(3)) {
            case 0:
                if (chance_.chance(1, 10)) vote.signature[chance_.below(64)] ^= 1;
                return;
            case 1: vote.slot.round = static_cast<std::uint32_t>(chance_.next()); break;
            default: vote.slot.height = Sequence(vote.slot.height.value() + chance_.below(4));
        }
        sign(vote);
    }
    void spoil(Proposal& proposal) {
        switch (chance_.below(4)) {
            case 0: proposal.header.root.hash[chance_.below(32)] ^= 1; break;
            case 1: proposal.header.signers ^= 1; break;
            case 2: proposal.header.pulse = Pulse(proposal.header.pulse.value() + 5); break;
            default: proposal.slot.round += static_cast<std::uint32_t>(4 * chance_.below(9));
        }
        sign(proposal);
    }
    void spoil(protocol::DecidedBlock& block) {
        if (chance_.chance(1, 2)) {
            block.header.root.hash[0] ^= 1;
        } else {
            block.transactions.clear();
        }
    }
};

class LockBreaker final : public Liar {
 public:
    using Liar::Liar;

    bool hears(const Id& from, const PeerMessage& message) override {
        if (const auto* proposal = std::get_if<Proposal>(&message)) {
            newest_[proposal->slot.height] = hash_of(*proposal);
            if (newest_.size() > kKept) newest_.erase(newest_.begin());
        }
        return Liar::hears(from, message);
    }
    std::vector<PeerMessage> says(const Id&, PeerMessage&& message) override {
        if (auto* vote = own<Vote>(message); vote != nullptr && vote->slot.round > 0) {
            // In one slot always the same, so that nothing shows it but the locks.
            const Key key{vote->slot.height, vote->slot.round, vote->kind};
            const auto newest = newest_.find(vote->slot.height);
            if (newest != newest_.end()) vote->block = newest->second;
            vote->block = cast_.try_emplace(key, vote->block).first->second;
            if (cast_.size() > kKept) cast_.erase(cast_.begin());
            sign(*vote);
        } else if (auto* proposal = own<Proposal>(message)) {
            // As if it had seen no quorum.
            proposal->valid_round.reset();
            proposal->prevotes.clear();
            sign(*proposal);
        }
        return one(std::move(message));
    }

 private:
    using Key = std::tuple<Sequence, std::uint32_t, protocol::VoteKind>;
    static constexpr std::size_t kKept = 64;
    std::map<Sequence, Hash> newest_;  // proposed at a height
    std::map<Key, std::optional<Hash>> cast_;
};

class StaleReplayer final : public Liar {
 public:
    using Liar::Liar;

    bool hears(const Id& from, const PeerMessage& message) override {
        keep(message);
        return Liar::hears(from, message);
    }
    std::vector<PeerMessage> says(const Id&, PeerMessage&& message) override {
        keep(message);
        auto all = one(std::move(message));
        for (int n = 0; n < 2 && !heard_.empty(); ++n) {
            all.push_back(heard_[chance_.below(heard_.size())]);
        }
        return all;
    }

 private:
    static constexpr std::size_t kHeardMax = 1024;

    // Those that are about agreeing. A place is taken over by chance, so that old ones stay.
    void keep(const PeerMessage& message) {
        const bool is_worth_it = std::holds_alternative<Vote>(message) ||
                                 std::holds_alternative<Proposal>(message) ||
                                 std::holds_alternative<protocol::Heartbeat>(message) ||
                                 std::holds_alternative<protocol::Status>(message) ||
                                 std::holds_alternative<protocol::Decision>(message);
        if (!is_worth_it) return;
        if (heard_.size() < kHeardMax) return heard_.push_back(message);
        heard_[chance_.below(kHeardMax)] = message;
    }

    std::vector<PeerMessage> heard_;
};

}  // namespace

const char* to_string(Lie lie) {
    switch (lie) {
        case Lie::equivocator: return "equivocator";
        case Lie::withholder: return "withholder";
        case Lie::censor: return "censor";
        case Lie::garbage: return "garbage";
        case Lie::lock_breaker: return "lock breaker";
        case Lie::stale_replayer: return "stale replayer";
        case Lie::twins: return "twins";
    }
    UNREACHABLE();
}

std::unique_ptr<node::Meddler> make_liar(const LiarOptions& options, const Prng& chance) {
    switch (options.lie) {
        case Lie::equivocator: return std::make_unique<Equivocator>(options, chance);
        case Lie::withholder: return std::make_unique<Withholder>(options, chance);
        case Lie::censor: return std::make_unique<Censor>(options, chance);
        case Lie::garbage: return std::make_unique<Garbage>(options, chance);
        case Lie::lock_breaker: return std::make_unique<LockBreaker>(options, chance);
        case Lie::stale_replayer: return std::make_unique<StaleReplayer>(options, chance);
        case Lie::twins: return std::make_unique<Liar>(options, chance);
    }
    UNREACHABLE();
}

}  // namespace leither::sim
