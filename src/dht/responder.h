// Answers the queries of others: what we know and what we store for them, within the limits.
#pragma once

#include "leither/base/prng.h"
#include "leither/dht/dht_node.h"
#include "leither/dht/token.h"

#include "tables.h"

namespace leither::dht {

class Responder {
 public:
    static constexpr std::size_t kPeersMax = 100;  // in one answer

    // `entropy` outlives the responder.
    Responder(const Options& options, const VersionTag& tag, Entropy& entropy, Instant now);

    struct Asker {
        Endpoint endpoint;
        std::size_t query_bytes = 0;
    };
    struct Answer {
        Bytes reply;  // empty: none is sent
        bool is_error = false;
        bool was_trimmed = false;  // for want of trust in the asker's address
        std::optional<Id> stored;  // this item is ours to look after
    };
    Answer answer(const Query& query, const Asker& asker, const Tables& tables, Instant now);
    // What a query that cannot be read is told, if it can be answered at all.
    Answer refuse(const ParseFault& fault, const Asker& asker, Instant now) const;

    // Whether a datagram from there is read at all; each call counts.
    bool admits(const IpAddress& address, Instant now) { return limiter_.admits(address, now); }
    // It answered a query of ours.
    void prove(const IpAddress& address, Instant now) { proofs_.prove(address, now); }

    void set_role(Role role) { role_ = role; }

    ItemStore& store() { return store_; }
    const ItemStore& store() const { return store_; }
    void check_invariants() const;

 private:
    Response search(const Query& query, const Asker& asker, const Tables& tables, Instant now);
    void add_nodes(const Query& query, const Asker& asker, const Tables& tables, Response& reply);
    void add_item(const Query& query, Response& reply, Instant now) const;
    Result<void, StoreRefusal> take(const Query& query, const Asker& asker, Instant now);
    bool shows_token(const Query& query, const Asker& asker, Instant now);
    Answer fail_with(const Transaction& transaction, ErrorCode code, const char* text,
                     std::size_t bytes_max) const;
    std::size_t bytes_max(const Asker& asker, const Tables* tables, Instant now) const;

    Role role_;
    std::size_t k_;
    VersionTag tag_;
    Prng prng_;
    TokenIssuer tokens_;
    RateLimiter limiter_;
    ProvenSources proofs_;
    ItemStore store_;
};

}  // namespace leither::dht
