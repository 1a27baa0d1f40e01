#include "leither/sim/dht_host.h"

#include "leither/base/check.h"

namespace leither::sim {

void DhtHost::start(const Wire& wire) {
    wire_ = wire;
    Id& own_id = options_.machine.own_id;
    if (own_id.is_zero()) entropy_.fill(own_id.span());
    machine_.emplace(options_.machine, entropy_, Log(), wire.now());
    step(dht::Start{options_.bootstrap, {}});
}

void DhtHost::crash() {
    machine_.reset();
    asked_.clear();
}

void DhtHost::ask(dht::Request request, Told told) {
    const dht::RequestId id(++requests_);
    asked_[id] = {std::move(told), wire_->now()};
    tell(dht::Ask{id, std::move(request)});
}

void DhtHost::tell(dht::Input&& input) {
    step(std::move(input));
    wire_->rearm();
}

void DhtHost::step(dht::Input&& input) {
    CHECK(machine_.has_value());
    dht::Effects effects = machine_->step(std::move(input), wire_->now());
    if (options_.checks == Checks::every_step) machine_->check_invariants();
    for (auto& send : effects.sends) wire_->send(send.to, std::move(send.bytes));
    for (auto& done : effects.done) {
        const auto asked = asked_.extract(done.id);
        const Duration took = wire_->now() - asked.mapped().at;
        asked.mapped().told({std::move(done.outcome), took});
    }
}

}  // namespace leither::sim
