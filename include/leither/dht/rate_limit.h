// How much one source may ask of us, and how much it gets before it has proven its address.
#pragma once

#include <cstdint>
#include <list>
#include <map>

#include "leither/base/endpoint.h"
#include "leither/base/time.h"
#include "leither/dht/krpc.h"

namespace leither::dht {

// What counts as one source: an IPv4 address, the /64 of an IPv6 one.
IpAddress source_of(const IpAddress& address);

// Addresses of one host or one site share limits only where Options say so.
enum class LocalSources : std::uint8_t { limited, exempt };
// Whether no limit per source or block holds for the address.
inline bool is_exempt(LocalSources local, const IpAddress& address) {
    return local == LocalSources::exempt && (address.is_loopback() || address.is_private());
}

// Token buckets, forgiving: a source that pauses is welcome again within seconds, none is ever
// silenced for long. A full bucket says nothing and is forgotten, so an idle limiter is empty.
class RateLimiter {
 public:
    struct Options {
        std::uint32_t source_burst = 60;
        std::uint32_t source_per_second = 10;
        // All sources together: what the host's line and processor bear.
        std::uint32_t total_burst = 4000;
        std::uint32_t total_per_second = 2000;
        // Above it, the source that has been quiet longest is forgotten.
        std::size_t sources_max = 2048;
        LocalSources local = LocalSources::limited;  // loopback and private
    };

    RateLimiter(const Options& options, Instant now);

    // Whether a datagram from `address` is read at all. Each call counts. A source over its own
    // limit takes nothing from the total.
    bool admits(const IpAddress& address, Instant now);
    std::size_t sources() const { return buckets_.size(); }
    void check_invariants() const;

 private:
    // Time is the currency: a bucket holds what has not been spent, up to its burst.
    struct Bucket {
        Duration saved{0};
        Instant counted;

        bool spend(Duration price, Duration saved_max, Instant now);
    };
    // Since when a source has been quiet is said twice, so that the quietest need not be looked up.
    struct Quiet {
        IpAddress source;
        Instant since;
    };
    struct Source {
        Bucket bucket;
        std::list<Quiet>::iterator place;
    };

    Bucket& bucket_of(const IpAddress& source, Instant now);
    void forget_full(Instant now);

    Options options_;
    Duration source_price_;
    Duration source_saved_max_;
    Duration total_price_;
    Duration total_saved_max_;
    Bucket total_;
    std::map<IpAddress, Source> buckets_;
    std::list<Quiet> quiet_first_;
};

// Which addresses have shown that they receive what we send there: by a valid token or by answering
// a query of ours. Bounded; the longest unseen is forgotten first.
class ProvenSources {
 public:
    struct Options {
        std::size_t sources_max = 1024;
        Duration lifetime = std::chrono::minutes(10);
        LocalSources local = LocalSources::limited;  // exempt: always proven
    };

    explicit ProvenSources(const Options& options) : options_(options) {}

    void prove(const IpAddress& address, Instant now);
    bool proven(const IpAddress& address, Instant now) const;
    std::size_t sources() const { return seen_.size(); }
    void check_invariants() const;

 private:
    struct Seen {
        Instant at;
        std::list<IpAddress>::iterator place;
    };

    Options options_;
    std::map<IpAddress, Seen> seen_;  // by full address: a neighbour's proof proves nothing
    std::list<IpAddress> oldest_first_;
};

enum class SourceTrust : std::uint8_t { unproven, proven };
inline constexpr std::size_t kAmplificationMax = 3;

// The longest reply to a query of `query_bytes`: nobody can make us flood a third with more than
// kAmplificationMax times his own effort.
constexpr std::size_t reply_bytes_max(SourceTrust trust, std::size_t query_bytes) {
    if (trust == SourceTrust::proven) return kReplyBytesMax;
    return std::min(kReplyBytesMax, kAmplificationMax * query_bytes);
}

}  // namespace leither::dht
