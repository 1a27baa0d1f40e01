#include "leither/sim/peer_host.h"

#include "leither/base/check.h"

namespace leither::sim {

static_assert(kAccepted.value() == peer::kAccepted.value(),
              "streams and connections share numbers");

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
    for (const peer::Dial& dial : effects.dials) wire_->dial(stream(dial.id), dial.endpoint);
    for (peer::Write& write : effects.writes)
        wire_->write(stream(write.id), std::move(write.bytes));
    for (const peer::SetReading& reading : effects.reading) {
        const bool is_paused = reading.to == peer::SetReading::To::paused;
        wire_->set_reading(stream(reading.id), is_paused ? Reading::paused : Reading::resumed);
    }
    for (const peer::Close& close : effects.closes) {
        if (close.how == peer::Close::How::abort) {
            wire_->reset(stream(close.id));
        } else {
            wire_->close(stream(close.id));
        }
    }
    for (peer::Event& event : effects.events) told_(*this, std::move(event));
}

}  // namespace leither::sim
