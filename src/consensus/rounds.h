// What one height's machine holds of each round.
#pragma once

#include <bit>
#include <map>
#include <optional>
#include <vector>

#include "leither/consensus/application.h"
#include "leither/protocol/agreement.h"

namespace leither::consensus {

using SeatMask = std::uint32_t;
static_assert(protocol::kSeatsMax <= 32);

constexpr SeatMask bit_of_seat(std::uint16_t seat) {
    return SeatMask{1} << seat;
}
inline std::size_t count(SeatMask seats) {
    return static_cast<std::size_t>(std::popcount(seats));
}

struct Cast {
    std::optional<Hash> block;
    Signature signature;
};

// One vote a seat.
class Ballots {
 public:
    const Cast* of(std::uint16_t seat) const {
        const auto cast = casts_.find(seat);
        return cast == casts_.end() ? nullptr : &cast->second;
    }
    void put(std::uint16_t seat, Cast cast) {
        seats_ |= bit_of_seat(seat);
        casts_.emplace(seat, std::move(cast));
    }
    void erase(std::uint16_t seat) {
        seats_ &= ~bit_of_seat(seat);
        casts_.erase(seat);
    }
    SeatMask seats() const { return seats_; }
    SeatMask seats_for(const std::optional<Hash>& block) const {
        SeatMask seats = 0;
        for (const auto& [seat, cast] : casts_) {
            if (cast.block == block) seats |= bit_of_seat(seat);
        }
        return seats;
    }
    protocol::SeatSignatures signatures_for(const Hash& block) const {
        protocol::SeatSignatures signatures;
        for (const auto& [seat, cast] : casts_) {
            if (cast.block == block) signatures.push_back({seat, cast.signature});
        }
        return signatures;
    }
    // The block that at least `enough` seats name. REQUIRES: more than half of the seats.
    std::optional<Hash> block_with(std::size_t enough) const {
        if (casts_.size() < enough) return std::nullopt;
        for (const auto& [seat, cast] : casts_) {
            if (cast.block && count(seats_for(cast.block)) >= enough) return cast.block;
        }
        return std::nullopt;
    }

 private:
    SeatMask seats_ = 0;
    std::map<std::uint16_t, Cast> casts_;
};

enum class Timely : std::uint8_t { no, yes };

struct Offer {
    protocol::ProposalClaim claim;
    Timely timely = Timely::no;              // judged when it came
    protocol::SeatSignatures prevotes = {};  // as in Proposal
};

struct Round {
    std::optional<Offer> offer;
    Ballots prevotes;
    Ballots precommits;
    bool prevote_timer = false;    // line 34, first time
    bool precommit_timer = false;  // line 47, first time
    bool polka = false;            // line 36, first time
    SeatMask convicted[3] = {};    // evidence told, by Tendermint::What

    const Ballots& ballots(protocol::VoteKind kind) const {
        return kind == protocol::VoteKind::prevote ? prevotes : precommits;
    }
    Ballots& ballots(protocol::VoteKind kind) {
        return kind == protocol::VoteKind::prevote ? prevotes : precommits;
    }
    bool is_empty() const { return !offer && prevotes.seats() == 0 && precommits.seats() == 0; }
};

// A block that some round is about.
struct Known {
    Value value;
    std::optional<protocol::Certificate> parent;
    std::optional<Validity> validity;  // once executed
};

}  // namespace leither::consensus
