// Virtual time: what is to happen, in order, and what has happened, in one hash.
//
// Specification
//   * Events happen in order of (time, number of insertion). Nothing else orders them.
//   * All chance comes from the seed, through streams that are independent of each other: who draws
//     more from one changes nothing in another.
//   * The audit hash covers time, kind, endpoints and bytes of all that happened. The same seed and
//     program give the same hash.
// One thread. No clock, no file, no output.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "leither/base/fixed_bytes.h"
#include "leither/base/prng.h"
#include "leither/sim/trace.h"

namespace leither::sim {

inline constexpr Instant kStart = instant_from_unix_ms(1'750'000'000'000);

// Who is told when its time has come. Outlives its events.
class Actor {
 public:
    virtual ~Actor() = default;
    virtual void on_event(std::uint64_t token) = 0;
};

class World {
 public:
    // `trace` may be null; else it outlives the world.
    explicit World(std::uint64_t seed, TraceSink* trace = nullptr);
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    std::uint64_t seed() const { return seed_; }
    Instant now() const { return now_; }
    Duration elapsed() const { return now_ - kStart; }
    // The stream of chance for one purpose; equal calls give equal streams.
    Prng stream(std::string_view purpose, std::uint64_t number = 0) const;

    // ---- What is to happen
    // The past is taken for now.
    void schedule(Instant at, Actor& actor, std::uint64_t token);
    void at(Instant when, std::function<void()> what);
    void after(Duration delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }

    // At once and then again and again, as long as `end` is not past.
    void every(Duration pause, Instant end, std::function<void()> what);

    void run_until(Instant end);
    void run_for(Duration duration) { run_until(now_ + duration); }
    // Until `holds`, looked at after each event, or `end`. Whether it held.
    bool run_while_not(const std::function<bool()>& holds, Instant end);

    // ---- What has happened
    void note(const Happening& happening);
    void note(std::string_view text) { note({Kind::note, {}, {}, as_bytes(text)}); }
    Hash hash() const;
    std::uint64_t happenings() const { return happenings_; }
    // As in a trace.
    std::vector<std::string> last_lines() const { return recent_.lines(); }

 private:
    struct Event {
        Instant at;
        std::uint64_t number = 0;
        Actor* actor = nullptr;
        std::uint64_t token = 0;
    };
    // What `at` was given.
    class Plans final : public Actor {
     public:
        std::uint64_t add(std::function<void()> what);
        void on_event(std::uint64_t token) override;

     private:
        std::vector<std::function<void()>> plans_;
        std::vector<std::uint64_t> free_;
    };
    static bool later(const Event& a, const Event& b) {
        return a.at != b.at ? a.at > b.at : a.number > b.number;
    }
    bool has_event_until(Instant end) const { return !heap_.empty() && heap_.front().at <= end; }
    void run_one();

    std::uint64_t seed_;
    Instant now_ = kStart;
    std::vector<Event> heap_;
    std::uint64_t inserted_ = 0;
    std::uint64_t at_this_instant_ = 0;
    Plans plans_;

    TraceSink* trace_;
    Recent recent_;
    Bytes unhashed_;
    Hash hashed_;
    std::uint64_t happenings_ = 0;
};

}  // namespace leither::sim
