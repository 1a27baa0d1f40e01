// A host that runs one hub of peer connections.
#pragma once

#include <functional>
#include <optional>

#include "leither/base/prng.h"
#include "leither/peer/hub.h"
#include "leither/sim/dht_host.h"
#include "leither/sim/host.h"

namespace leither::sim {

class PeerHost final : public Host {
 public:
    struct Options {
        peer::HubOptions hub;
        std::vector<peer::Context> contexts;
        Checks checks = Checks::off;
    };
    // Called from within a step, in order.
    using Told = std::function<void(PeerHost&, peer::Event&&)>;

    PeerHost(const Options& options, const Prng& entropy, Told told);

    // The key outlives crashes, as on a disk.
    void start(const Wire& wire) override;
    void crash() override { hub_.reset(); }
    std::optional<Instant> next_deadline() const override { return hub_->next_deadline(); }
    void on_deadline() override { step(peer::Tick{}); }
    void on_datagram(const Endpoint&, ByteView) override {}

    void on_accepted(StreamId id, const Endpoint& from) override {
        step(peer::Accepted{connection(id), from});
    }
    void on_opened(StreamId id) override { step(peer::Opened{connection(id)}); }
    void on_received(StreamId id, ByteView bytes) override {
        step(peer::Received{connection(id), bytes});
    }
    void on_sent(StreamId id, std::size_t queued) override {
        step(peer::Sent{connection(id), queued});
    }
    // As the daemon's host: who says no more is gone.
    void on_ended(StreamId id) override;
    void on_closed(StreamId id) override { step(peer::Closed{connection(id)}); }

    // REQUIRES: it runs.
    void tell(peer::Input&& input);
    const peer::Hub& hub() const { return *hub_; }
    Instant now() const { return wire_->now(); }

 private:
    static peer::ConnectionId connection(StreamId id) { return peer::ConnectionId(id.value()); }
    static StreamId stream(peer::ConnectionId id) { return StreamId(id.value()); }
    void step(peer::Input&& input);

    Options options_;
    Prng entropy_;
    crypto::KeyPair key_;
    Told told_;
    std::optional<Wire> wire_;
    std::optional<peer::Hub> hub_;
};

}  // namespace leither::sim
