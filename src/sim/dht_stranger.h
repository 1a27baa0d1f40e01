// A host that speaks KRPC without being a node: an attacker, or an auditor. Knows no rules but the
// encoding and our networks' tag.
#pragma once

#include <functional>
#include <map>

#include "leither/dht/krpc.h"
#include "leither/sim/host.h"

namespace leither::sim {

class DhtStranger final : public Host {
 public:
    using Answered = std::function<void(const Endpoint& from, const dht::Response& reply)>;
    // What it says to a query; nothing: silence.
    using Answers =
        std::function<std::optional<dht::Response>(const Endpoint& from, const dht::Query& query)>;

    explicit DhtStranger(const Id& id) : id_(id) {}
    void set_answers(Answers answers) { answers_ = std::move(answers); }

    // `answered` is called if an answer comes within kPatience.
    void ask(const Endpoint& to, dht::Query query, Answered answered);

    void start(const Wire& wire) override { wire_ = wire; }
    void crash() override { asked_.clear(); }
    std::optional<Instant> next_deadline() const override { return std::nullopt; }
    void on_deadline() override {}
    void on_datagram(const Endpoint& from, ByteView bytes) override;

 private:
    static constexpr Duration kPatience = std::chrono::seconds(4);
    struct Asked {
        Endpoint to;
        Instant at;
        Answered answered;
    };

    Id id_;
    Answers answers_;
    std::optional<Wire> wire_;
    std::map<std::uint32_t, Asked> asked_;  // oldest first
    std::uint32_t last_ = 0;
};

}  // namespace leither::sim
