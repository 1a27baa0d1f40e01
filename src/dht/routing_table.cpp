#include "leither/dht/routing_table.h"

#include <algorithm>
#include <functional>

#include "leither/base/check.h"
#include "leither/base/prefix.h"

namespace leither::dht {

namespace {

std::uint64_t head_of(const Id& id) {
    std::uint64_t head = 0;
    for (unsigned i = 0; i < 8; ++i) head = head << 8 | id[i];
    return head;
}

// The nearest nodes to a target seen so far, nearest first. Most comparisons end at the first eight
// bytes.
class Nearest {
 public:
    Nearest(const Id& target, std::size_t max)
        : target_(target), head_(head_of(target)), max_(max) {
        found_.reserve(max);
    }

    void offer(const RoutingTable::Node& node) {
        const std::uint64_t distance = node.head ^ head_;
        if (found_.size() == max_) {
            if (max_ == 0 || !is_nearer(distance, node, found_.back())) return;
            found_.pop_back();
        }
        auto at = found_.end();
        while (at != found_.begin() && is_nearer(distance, node, *(at - 1))) --at;
        found_.insert(at, {distance, &node});
    }
    bool full() const { return found_.size() == max_; }
    std::size_t size() const { return found_.size(); }
    void visit(const auto& visitor) const {
        for (const Entry& entry : found_) visitor(*entry.node);
    }
    void append_to(std::vector<Contact>& out) const {
        out.reserve(out.size() + found_.size());
        for (const Entry& entry : found_) out.push_back(entry.node->contact);
    }

 private:
    struct Entry {
        std::uint64_t distance;
        const RoutingTable::Node* node;
    };
    bool is_nearer(std::uint64_t distance, const RoutingTable::Node& node,
                   const Entry& than) const {
        if (distance != than.distance) return distance < than.distance;
        return closer(target_, node.contact.id, than.node->contact.id);
    }

    Id target_;
    std::uint64_t head_;
    std::size_t max_;
    std::vector<Entry> found_;
};

template <class Nodes>
auto find_contact(Nodes& nodes, const Contact& contact) {
    return std::find_if(nodes.begin(), nodes.end(),
                        [&](const auto& node) { return node.contact == contact; });
}

// Shares the first `bits` bits with `own` and not the next, unless there is none.
Id id_in_bucket(const Id& own, unsigned bits, bool is_last, const Id& random) {
    Id out = random;
    for (unsigned i = 0; i < bits / 8; ++i) out[i] = own[i];
    const unsigned byte = bits / 8;
    if (byte >= Id::kSize) return out;
    const auto kept = static_cast<std::uint8_t>(0xff00 >> (bits % 8));
    out[byte] = static_cast<std::uint8_t>((own[byte] & kept) | (random[byte] & ~kept));
    if (is_last) return out;
    const auto next = static_cast<std::uint8_t>(0x80 >> (bits % 8));
    out[byte] = static_cast<std::uint8_t>((out[byte] & ~next) | (~own[byte] & next));
    return out;
}

}  // namespace

RoutingTable::RoutingTable(const Options& options, const Id& own_id)
    : options_(options), own_id_(own_id), buckets_(1) {
    CHECK(options.k > 0);
}

std::size_t RoutingTable::capacity(std::size_t bucket) const {
    const std::size_t wide = bucket < 8 ? kFirstBucketMax >> bucket : 0;
    return std::max(options_.k, wide);
}

std::vector<RoutingTable::Fill> RoutingTable::fill() const {
    std::vector<Fill> out;
    out.reserve(buckets_.size());
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        out.push_back({buckets_[i].live.size(), capacity(i), buckets_[i].waiting.size()});
    }
    return out;
}

std::size_t RoutingTable::index_of(const Id& id) const {
    return std::min<std::size_t>(common_bits(own_id_, id), buckets_.size() - 1);
}

// ---- What was learned

std::optional<RoutingTable::Learned> RoutingTable::refusal(const Contact& contact,
                                                           const Bucket& bucket) const {
    const IpAddress& address = contact.endpoint.address;
    if (contact.id == own_id_) return Learned::own_id;
    if (is_exempt(options_.local, address)) return std::nullopt;
    std::size_t of_address = 0;
    std::size_t of_block = 0;
    std::size_t of_block_here = 0;
    const IpAddress block = address.block();
    for (const Bucket& each : buckets_) {
        for (const Node& node : each.live) {
            const IpAddress& other = node.contact.endpoint.address;
            if (other.is_v4() != address.is_v4() || other.block() != block) continue;
            ++of_block;
            if (&each == &bucket) ++of_block_here;
            if (other == address) ++of_address;
        }
    }
    if (of_address >= options_.per_address_max) return Learned::address_taken;
    if (of_block >= options_.per_block_max) return Learned::block_full;
    if (of_block_here >= options_.per_block_and_bucket_max) return Learned::block_full;
    return std::nullopt;
}

// The node of a full bucket that must go for `newcomer`, if any.
RoutingTable::Node* RoutingTable::displaceable(Bucket& bucket, const Contact& newcomer) {
    const auto failed = std::find_if(bucket.live.begin(), bucket.live.end(),
                                     [](const Node& node) { return node.failures > 0; });
    if (failed != bucket.live.end()) return &*failed;
    if (options_.ids != IdRule::bep42 || !bep42_valid(newcomer.id, newcomer.endpoint.address)) {
        return nullptr;
    }
    const auto invalid = std::find_if(bucket.live.begin(), bucket.live.end(), [](const Node& node) {
        return !bep42_valid(node.contact.id, node.contact.endpoint.address);
    });
    return invalid == bucket.live.end() ? nullptr : &*invalid;
}

// One endpoint is one node: whoever was there under another id is gone.
void RoutingTable::forget(const Endpoint& endpoint, const Id& but) {
    const auto is_other = [&](const Node& node) {
        return node.contact.endpoint == endpoint && node.contact.id != but;
    };
    for (Bucket& bucket : buckets_) {
        size_ -= std::erase_if(bucket.live, is_other);
        std::erase_if(bucket.waiting, is_other);
    }
}

RoutingTable::Learned RoutingTable::answered(const Contact& contact, Instant now) {
    forget(contact.endpoint, contact.id);
    Bucket* bucket = &buckets_[index_of(contact.id)];
    const Node node{contact, head_of(contact.id), now, now, 0};
    if (const auto known = find_contact(bucket->live, contact); known != bucket->live.end()) {
        *known = node;
        bucket->changed_at = now;
        return Learned::refreshed;
    }
    if (const auto refused = refusal(contact, *bucket)) return *refused;
    make_room_in_last(contact.id);
    bucket = &buckets_[index_of(contact.id)];
    if (const auto waiting = find_contact(bucket->waiting, contact);
        waiting != bucket->waiting.end()) {
        bucket->waiting.erase(waiting);
    }
    bucket->changed_at = now;
    if (bucket->live.size() < capacity(index_of(contact.id))) {
        bucket->live.push_back(node);
        ++size_;
        return Learned::added;
    }
    if (Node* gone = displaceable(*bucket, contact)) {
        *gone = node;
        return Learned::added;
    }
    if (bucket->waiting.size() >= options_.k) bucket->waiting.erase(bucket->waiting.begin());
    bucket->waiting.push_back(node);
    return Learned::waiting;
}

bool RoutingTable::would_add(const Contact& contact) const {
    const std::size_t index = index_of(contact.id);
    const Bucket& bucket = buckets_[index];
    const bool has_room = bucket.live.size() < capacity(index) || index + 1 == buckets_.size() ||
                          bucket.waiting.size() < options_.k ||
                          std::any_of(bucket.live.begin(), bucket.live.end(),
                                      [](const Node& node) { return node.failures > 0; });
    if (!has_room) return false;
    if (find_contact(bucket.waiting, contact) != bucket.waiting.end()) return false;
    return !refusal(contact, bucket).has_value();
}

// The last bucket is split while it holds too many, or has no room for `id`.
void RoutingTable::make_room_in_last(const Id& id) {
    while (buckets_.size() < kIdBits) {
        const std::size_t last = buckets_.size() - 1;
        const std::size_t coming = index_of(id) == last ? 1 : 0;
        if (buckets_[last].live.size() + coming <= capacity(last)) return;
        split_last();
    }
}

// Nodes of the last bucket that share a bit more with us move into a new one.
void RoutingTable::split_last() {
    const auto bits = static_cast<unsigned>(buckets_.size() - 1);
    buckets_.emplace_back();
    Bucket& kept = buckets_[bits];
    Bucket& deeper = buckets_.back();
    deeper.changed_at = kept.changed_at;
    const auto moves = [&](const Node& node) {
        return common_bits(own_id_, node.contact.id) > bits;
    };
    const auto move_over = [&](std::vector<Node>& from, std::vector<Node>& to) {
        const auto split = std::stable_partition(from.begin(), from.end(), std::not_fn(moves));
        to.assign(split, from.end());
        from.erase(split, from.end());
    };
    move_over(kept.live, deeper.live);
    move_over(kept.waiting, deeper.waiting);
    // What is too many for the half that stays waits from now on.
    while (kept.live.size() > capacity(bits)) {
        if (kept.waiting.size() < options_.k) kept.waiting.push_back(kept.live.back());
        kept.live.pop_back();
        --size_;
    }
}

bool RoutingTable::heard(const Contact& contact, Instant now) {
    Bucket& bucket = buckets_[index_of(contact.id)];
    const auto node = find_contact(bucket.live, contact);
    if (node == bucket.live.end()) return false;
    if (node->failures > 0) return true;
    node->answered_at = now;
    node->queried_at = now;
    return true;
}

void RoutingTable::queried(const Contact& contact, Instant now) {
    auto& live = buckets_[index_of(contact.id)].live;
    if (const auto node = find_contact(live, contact); node != live.end()) node->queried_at = now;
}

bool RoutingTable::failed(const Contact& contact) {
    Bucket& bucket = buckets_[index_of(contact.id)];
    if (const auto waiting = find_contact(bucket.waiting, contact);
        waiting != bucket.waiting.end()) {
        bucket.waiting.erase(waiting);
        return false;
    }
    const auto node = find_contact(bucket.live, contact);
    if (node == bucket.live.end()) return false;
    ++node->failures;
    if (node->failures < kFailuresMax && bucket.waiting.empty()) return false;
    bucket.live.erase(node);
    --size_;
    promote(bucket);
    return true;
}

// The replacement that answered last takes the free place, if the limits let it.
void RoutingTable::promote(Bucket& bucket) {
    while (!bucket.waiting.empty()) {
        const Node node = bucket.waiting.back();
        bucket.waiting.pop_back();
        if (refusal(node.contact, bucket)) continue;
        bucket.live.push_back(node);
        ++size_;
        return;
    }
}

// ---- What is known

void RoutingTable::closest(const Id& target, std::size_t max, std::vector<Contact>& out,
                           Standing standing) const {
    Nearest nearest(target, max);
    const auto offer = [&](const Bucket& bucket) {
        for (const Node& node : bucket.live) {
            if (node.failures == 0) nearest.offer(node);
        }
    };
    // Nearest of all is the target's own bucket, then all deeper ones, then the others outwards.
    const std::size_t own = index_of(target);
    offer(buckets_[own]);
    if (!nearest.full()) {
        for (std::size_t i = own + 1; i < buckets_.size(); ++i) offer(buckets_[i]);
    }
    for (std::size_t i = own; i > 0 && !nearest.full(); --i) offer(buckets_[i - 1]);
    nearest.append_to(out);
    if (nearest.full() || standing == Standing::answering) return;
    std::size_t left = max - nearest.size();
    for (const Bucket& bucket : buckets_) {
        for (const Node& node : bucket.live) {
            if (node.failures == 0 || left == 0) continue;
            out.push_back(node.contact);
            --left;
        }
    }
}

std::optional<Contact> RoutingTable::silent_neighbour(std::size_t count,
                                                      Instant silent_since) const {
    Nearest nearest(own_id_, count);
    for (std::size_t i = buckets_.size(); i > 0 && !nearest.full(); --i) {
        for (const Node& node : buckets_[i - 1].live) nearest.offer(node);
    }
    const Node* silent = nullptr;
    nearest.visit([&](const Node& node) {
        if (silent == nullptr || node.queried_at < silent->queried_at) silent = &node;
    });
    if (silent == nullptr || silent->queried_at > silent_since) return std::nullopt;
    return silent->contact;
}

bool RoutingTable::holds(const Contact& contact) const {
    const auto& live = buckets_[index_of(contact.id)].live;
    return find_contact(live, contact) != live.end();
}

bool RoutingTable::holds(const Endpoint& endpoint) const {
    for (const Bucket& bucket : buckets_) {
        for (const Node& node : bucket.live) {
            if (node.contact.endpoint == endpoint) return node.failures == 0;
        }
    }
    return false;
}

std::vector<RoutingTable::Node> RoutingTable::nodes() const {
    std::vector<Node> out;
    out.reserve(size_);
    for (const Bucket& bucket : buckets_) {
        out.insert(out.end(), bucket.live.begin(), bucket.live.end());
    }
    return out;
}

// ---- Upkeep

// Behind the k nearest there are only empty buckets, which a lookup of our own id covers.
std::optional<Id> RoutingTable::next_refresh(Instant quiet_since, const Id& random, Instant now) {
    std::size_t deeper = size_;
    Bucket* quietest = nullptr;
    for (Bucket& bucket : buckets_) {
        deeper -= bucket.live.size();
        if (&bucket != &buckets_.front() && deeper < options_.k) break;
        if (quietest == nullptr || bucket.changed_at < quietest->changed_at) quietest = &bucket;
    }
    if (quietest->changed_at > quiet_since) return std::nullopt;
    quietest->changed_at = now;
    const auto bits = static_cast<unsigned>(quietest - buckets_.data());
    return id_in_bucket(own_id_, bits, bits + 1 == buckets_.size(), random);
}

std::optional<Contact> RoutingTable::next_check(Instant silent_since, Instant asked_before) const {
    const Node* next = nullptr;
    for (const Bucket& bucket : buckets_) {
        for (const Node& node : bucket.live) {
            if (node.queried_at > asked_before) continue;
            if (node.failures > 0) return node.contact;
            if (node.answered_at > silent_since) continue;
            if (next == nullptr || node.answered_at < next->answered_at) next = &node;
        }
    }
    if (next == nullptr) return std::nullopt;
    return next->contact;
}

void RoutingTable::set_own_id(const Id& own_id, Instant now) {
    const std::vector<Node> known = nodes();
    own_id_ = own_id;
    buckets_.assign(1, Bucket{});
    buckets_.front().changed_at = now;
    size_ = 0;
    for (const Node& node : known) {
        if (node.failures == 0) answered(node.contact, node.answered_at);
    }
}

void RoutingTable::check_invariants() const {
    CHECK(!buckets_.empty() && buckets_.size() <= kIdBits);
    std::size_t count = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        const Bucket& bucket = buckets_[i];
        CHECK(bucket.live.size() <= capacity(i));
        CHECK(bucket.waiting.size() <= options_.k);
        count += bucket.live.size();
        for (const auto* list : {&bucket.live, &bucket.waiting}) {
            for (const Node& node : *list) {
                CHECK(index_of(node.contact.id) == i);
                CHECK(node.contact.id != own_id_);
                CHECK(node.head == head_of(node.contact.id));
                CHECK(node.failures < kFailuresMax);
            }
        }
    }
    CHECK(count == size_);
}

}  // namespace leither::dht
