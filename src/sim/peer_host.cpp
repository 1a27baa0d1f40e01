#include "leither/sim/peer_host.h"

#include "leither/base/check.h"

#include "hub_streams.h"

namespace leither::sim {

PeerHost::PeerHost(const Options& options, const Prng& entropy, Told told)
    : options_(options),
      entropy_(entropy),
      key_(crypto::KeyPair::generate(entropy_)),
      told_(std::move(told)) {}

void PeerHost::start(const Wire& wire) {
    wire_ = wire;
    hub_.emplace(options_.hub, key_, entropy_, Log());
    step(peer::Serve{options_.contexts});
}

void PeerHost::on_ended(StreamId id) {
    wire_->reset(id);
    step(peer::Closed{connection(id)});
}

void PeerHost::tell(peer::Input&& input) {
    step(std::move(input));
    wire_->rearm();
}

void PeerHost::step(peer::Input&& input) {
    CHECK(hub_.has_value());
    peer::Effects effects = hub_->step(std::move(input), wire_->now());
    if (options_.checks == Checks::every_step) hub_->check_invariants();
    carry_out_streams(*wire_, effects);
    for (peer::Event& event : effects.events) told_(*this, std::move(event));
}

}  // namespace leither::sim
