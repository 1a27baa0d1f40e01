// How others have behaved: points that fade, and bans that expire.
//
// A score lies within ±kScoreMax, begins at 0 and fades towards it by one point a minute. Useful
// messages raise it, misconduct lowers it; at -kScoreMax the node is banned. Bounded: the standing
// nearest to zero is forgotten first, so nobody can wash off a bad name by making us know others.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "leither/base/fixed_bytes.h"
#include "leither/base/time.h"

namespace leither::peer {

inline constexpr std::int32_t kScoreMax = 100;

class Conduct {
 public:
    struct Options {
        std::size_t nodes_max = 1024;
        std::size_t bans_max = 1024;
        Duration ban = std::chrono::hours(1);
        Duration fades_every = std::chrono::minutes(1);  // one point
    };
    explicit Conduct(Options options) : options_(options) {}

    enum class Verdict : std::uint8_t { tolerated, banned };
    // Adds `points` (negative for misconduct). `banned`: this was one too many.
    Verdict judge(const Id& node, std::int32_t points, Instant now);
    std::int32_t score(const Id& node, Instant now) const;

    void ban(const Id& node, Duration duration, Instant now);
    void pardon(const Id& node);
    std::optional<Instant> banned_until(const Id& node, Instant now) const;

    // Some of them over already: see banned_until.
    const std::map<Id, Instant>& all_bans() const { return bans_; }
    // When the next ban ends.
    std::optional<Instant> next_pardon(Instant now) const;

    std::size_t nodes() const { return standings_.size(); }
    std::size_t bans() const { return bans_.size(); }
    void check_invariants() const;

 private:
    struct Standing {
        std::int32_t score = 0;
        Instant at;  // when it was that
    };
    std::int32_t faded(const Standing& standing, Instant now) const;
    void make_room(Instant now);

    Options options_;
    std::map<Id, Standing> standings_;
    std::map<Id, Instant> bans_;
};

}  // namespace leither::peer
