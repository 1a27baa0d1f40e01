// Our own queries until each is answered or given up.
//
// A reply is matched by the full endpoint it comes from and by a transaction nobody can guess. A
// query is late after a time that follows the round trips seen (RFC 6298), at most 1 s, so that
// another may be asked in its place; its answer still counts until the hard timeout.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "leither/base/entropy.h"
#include "leither/base/time.h"
#include "leither/dht/krpc.h"

namespace leither::dht {

// What a query was sent for.
struct Errand {
    // doubt: whether a node of the table still answers more than pings
    enum class Kind : std::uint8_t { check, join, look, store, doubt };
    Kind kind = Kind::check;
    std::uint32_t task = 0;  // of look and store
};

class RpcManager {
 public:
    struct Options {
        std::size_t queries_max = 1024;
        Duration soft_timeout_min = std::chrono::milliseconds(50);
        Duration soft_timeout_max = std::chrono::seconds(1);
        Duration hard_timeout = std::chrono::seconds(4);
    };
    static constexpr std::size_t kTransactionBytes = 4;

    struct Sent {
        Contact to;  // the id is zero if it is not known yet
        Errand errand;
        Instant sent_at;
        bool late = false;
        Duration round_trip{0};  // once it is answered
    };

    // `entropy` outlives the manager.
    RpcManager(const Options& options, Entropy& entropy) : options_(options), entropy_(entropy) {}

    bool full() const { return sent_.size() >= options_.queries_max; }
    std::size_t size() const { return sent_.size(); }
    // Notes a query that leaves now. REQUIRES: not full.
    Transaction open(const Contact& to, const Errand& errand, Instant now);
    // The query this reply belongs to, which is closed by it.
    std::optional<Sent> close(const Endpoint& from, const Transaction& transaction, Instant now);
    // Whether an answer from there is awaited.
    bool expects(const Endpoint& from) const;

    // The next query that has become late or has failed for good, if any; call until there is none.
    enum class Expiry : std::uint8_t { late, failed };
    struct Expired {
        Sent sent;
        Expiry expiry = Expiry::late;
    };
    std::optional<Expired> next_expired(Instant now);
    std::optional<Instant> next_deadline() const;

    Duration soft_timeout() const;
    void check_invariants() const;

 private:
    using Number = std::uint32_t;

    Number draw();
    void measure(Duration round_trip);

    Options options_;
    Entropy& entropy_;
    std::array<std::uint8_t, 256> drawn_{};  // entropy is drawn in bulk
    std::size_t drawn_left_ = 0;
    struct Entry {
        Sent sent;
        Instant deadline;
    };
    std::map<Number, Entry> sent_;
    std::set<std::pair<Instant, Number>> deadlines_;
    Duration smoothed_{0};  // round trip; zero before the first
    Duration variation_{0};
};

}  // namespace leither::dht
