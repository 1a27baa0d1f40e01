#include "leither/dht/rate_limit.h"

#include <algorithm>

#include "leither/base/check.h"

namespace leither::dht {

namespace {

constexpr Duration kSecond = std::chrono::seconds(1);
constexpr std::size_t kSourceBytesV6 = 8;

}  // namespace

IpAddress source_of(const IpAddress& address) {
    if (address.is_v4()) return address;
    IpAddress::V6 bytes{};
    std::copy_n(address.bytes().begin(), kSourceBytesV6, bytes.begin());
    return IpAddress::v6(bytes);
}

// ---- RateLimiter

RateLimiter::RateLimiter(const Options& options, Instant now) : options_(options) {
    CHECK(options.source_per_second > 0 && options.total_per_second > 0);
    CHECK(options.sources_max > 0);
    source_price_ = kSecond / options.source_per_second;
    source_saved_max_ = source_price_ * options.source_burst;
    total_price_ = kSecond / options.total_per_second;
    total_saved_max_ = total_price_ * options.total_burst;
    total_ = Bucket{total_saved_max_, now};
}

bool RateLimiter::Bucket::spend(Duration price, Duration saved_max, Instant now) {
    if (now > counted) {
        saved = std::min(saved_max, saved + (now - counted));
        counted = now;
    }
    if (saved < price) return false;
    saved -= price;
    return true;
}

// A source quiet for as long as an empty bucket takes to fill has a full one.
void RateLimiter::forget_full(Instant now) {
    while (!quiet_first_.empty()) {
        const Quiet& quietest = quiet_first_.front();
        if (now - quietest.since < source_saved_max_) return;
        buckets_.erase(quietest.source);
        quiet_first_.pop_front();
    }
}

RateLimiter::Bucket& RateLimiter::bucket_of(const IpAddress& source, Instant now) {
    forget_full(now);
    const auto known = buckets_.find(source);
    if (known != buckets_.end()) {
        const auto place = known->second.place;
        place->since = std::max(place->since, now);
        quiet_first_.splice(quiet_first_.end(), quiet_first_, place);
        return known->second.bucket;
    }
    if (buckets_.size() == options_.sources_max) {
        buckets_.erase(quiet_first_.front().source);
        quiet_first_.pop_front();
    }
    const auto place = quiet_first_.insert(quiet_first_.end(), Quiet{source, now});
    const Source fresh{{source_saved_max_, now}, place};
    return buckets_.emplace(source, fresh).first->second.bucket;
}

bool RateLimiter::admits(const IpAddress& address, Instant now) {
    if (!is_exempt(options_.local, address)) {
        Bucket& bucket = bucket_of(source_of(address), now);
        if (!bucket.spend(source_price_, source_saved_max_, now)) return false;
    }
    return total_.spend(total_price_, total_saved_max_, now);
}

void RateLimiter::check_invariants() const {
    CHECK(buckets_.size() <= options_.sources_max);
    CHECK(buckets_.size() == quiet_first_.size());
    for (const Quiet& quiet : quiet_first_) {
        CHECK(buckets_.at(quiet.source).bucket.counted == quiet.since);
    }
    for (const auto& [source, held] : buckets_) CHECK(held.bucket.saved <= source_saved_max_);
}

// ---- ProvenSources

void ProvenSources::prove(const IpAddress& address, Instant now) {
    const auto known = seen_.find(address);
    if (known != seen_.end()) {
        known->second.at = now;
        oldest_first_.splice(oldest_first_.end(), oldest_first_, known->second.place);
        return;
    }
    while (!oldest_first_.empty()) {
        const auto oldest = seen_.find(oldest_first_.front());
        const bool lapsed = now - oldest->second.at >= options_.lifetime;
        if (!lapsed && seen_.size() < options_.sources_max) break;
        seen_.erase(oldest);
        oldest_first_.pop_front();
    }
    const auto place = oldest_first_.insert(oldest_first_.end(), address);
    seen_.emplace(address, Seen{now, place});
}

bool ProvenSources::proven(const IpAddress& address, Instant now) const {
    if (is_exempt(options_.local, address)) return true;
    const auto known = seen_.find(address);
    return known != seen_.end() && now - known->second.at < options_.lifetime;
}

void ProvenSources::check_invariants() const {
    CHECK(seen_.size() <= options_.sources_max);
    CHECK(seen_.size() == oldest_first_.size());
    for (const IpAddress& address : oldest_first_) CHECK(seen_.contains(address));
}

}  // namespace leither::dht
