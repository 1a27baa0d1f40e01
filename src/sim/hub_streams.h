// What a hub orders of its connections, done on the simulated wire. Streams and connections share
// numbers.
#pragma once

#include <utility>

#include "leither/peer/effects.h"
#include "leither/sim/host.h"

namespace leither::sim {

static_assert(kAccepted.value() == peer::kAccepted.value());

// `effects`: of a hub, or of a node with one. What is written is moved out.
template <class Effects>
void carry_out_streams(const Wire& wire, Effects& effects) {
    const auto stream = [](peer::ConnectionId id) { return StreamId(id.value()); };
    for (const peer::Dial& dial : effects.dials) wire.dial(stream(dial.id), dial.endpoint);
    for (peer::Write& write : effects.writes) wire.write(stream(write.id), std::move(write.bytes));
    for (const peer::SetReading& reading : effects.reading) {
        const bool is_paused = reading.to == peer::SetReading::To::paused;
        wire.set_reading(stream(reading.id), is_paused ? Reading::paused : Reading::resumed);
    }
    for (const peer::Close& close : effects.closes) {
        if (close.how == peer::Close::How::abort) {
            wire.reset(stream(close.id));
        } else {
            wire.close(stream(close.id));
        }
    }
}

}  // namespace leither::sim
