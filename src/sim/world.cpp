#include "leither/sim/world.h"

#include <algorithm>

#include "leither/base/check.h"
#include "leither/crypto/hash.h"

namespace leither::sim {

namespace {

// Records are hashed in pieces of this size: a hash for each would cost more than the machines.
constexpr std::size_t kUnhashedMax = std::size_t{64} << 10;
// Machines that wake each other without time passing would do so for ever.
constexpr std::uint64_t kAtOneInstantMax = 10'000'000;

void append(Bytes& out, std::uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> 8 * i));
}

void append(Bytes& out, ByteView bytes) {
    append(out, bytes.size(), 4);
    out.insert(out.end(), bytes.begin(), bytes.end());
}

void append(Bytes& out, const Endpoint& endpoint) {
    append(out, endpoint.address.bytes());
    append(out, endpoint.port, 2);
}

Hash chained(const Hash& before, const Bytes& records) {
    Bytes all(before.view().begin(), before.view().end());
    all.insert(all.end(), records.begin(), records.end());
    return crypto::blake2b_256(all);
}

}  // namespace

World::World(std::uint64_t seed, TraceSink* trace) : seed_(seed), trace_(trace) {
    unhashed_.reserve(kUnhashedMax + (std::size_t{4} << 10));
}

Prng World::stream(std::string_view purpose, std::uint64_t number) const {
    Bytes name;
    append(name, seed_, 8);
    append(name, number, 8);
    append(name, as_bytes(purpose));
    const Hash hash = crypto::blake2b_256(name);
    std::uint64_t seed = 0;
    for (unsigned i = 0; i < 8; ++i) seed = seed << 8 | hash[i];
    return Prng(seed);
}

// ---- What is to happen

void World::schedule(Instant at, Actor& actor, std::uint64_t token) {
    heap_.push_back({std::max(at, now_), ++inserted_, &actor, token});
    std::push_heap(heap_.begin(), heap_.end(), later);
}

void World::at(Instant when, std::function<void()> what) {
    schedule(when, plans_, plans_.add(std::move(what)));
}

void World::every(Duration pause, Instant end, std::function<void()> what) {
    at(now_, [this, pause, end, what = std::move(what)] {
        what();
        if (now_ + pause > end) return;
        after(pause, [this, pause, end, what] { every(pause, end, what); });
    });
}

std::uint64_t World::Plans::add(std::function<void()> what) {
    if (free_.empty()) {
        plans_.push_back(std::move(what));
        return plans_.size() - 1;
    }
    const std::uint64_t place = free_.back();
    free_.pop_back();
    plans_[place] = std::move(what);
    return place;
}

void World::Plans::on_event(std::uint64_t token) {
    const auto what = std::exchange(plans_[token], nullptr);
    free_.push_back(token);
    what();
}

void World::run_one() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Event event = heap_.back();
    heap_.pop_back();
    at_this_instant_ = event.at == now_ ? at_this_instant_ + 1 : 0;
    CHECK(at_this_instant_ < kAtOneInstantMax, "time stands still");
    now_ = event.at;
    event.actor->on_event(event.token);
}

void World::run_until(Instant end) {
    while (has_event_until(end)) run_one();
    now_ = std::max(now_, end);
}

bool World::run_while_not(const std::function<bool()>& holds, Instant end) {
    while (!holds()) {
        if (!has_event_until(end)) {
            now_ = std::max(now_, end);
            return holds();
        }
        run_one();
    }
    return true;
}

// ---- What has happened

void World::note(const Happening& happening) {
    ++happenings_;
    append(unhashed_, static_cast<std::uint64_t>(elapsed().count()), 8);
    unhashed_.push_back(static_cast<std::uint8_t>(happening.kind));
    append(unhashed_, happening.from);
    append(unhashed_, happening.to);
    append(unhashed_, happening.bytes);
    if (unhashed_.size() >= kUnhashedMax) {
        hashed_ = chained(hashed_, unhashed_);
        unhashed_.clear();
    }
    recent_.add(happening, elapsed());
    if (trace_ != nullptr) trace_->line(line_of(happening, elapsed()));
}

Hash World::hash() const {
    return chained(hashed_, unhashed_);
}

}  // namespace leither::sim
