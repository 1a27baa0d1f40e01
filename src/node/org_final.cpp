// Which blocks are final: the ledger as Countersigning wants it, and what it wants said.
#include <algorithm>

#include "org_instance.h"

namespace leither::node {

namespace {

using store::Fault;

}  // namespace

// `deciders`: nodes of the committee that was in office before the head.
Result<Countersigning::Head, Fault> OrgInstance::countersigned_head(
    const std::vector<Id>& deciders) {
    const protocol::BlockHeader& header = law_->head().header;
    Countersigning::Head head;
    head.sequence = header.sequence;
    head.block = protocol::block_hash(organization_.chain, header);
    // Of a state from others the committee behind may not be known: then the one in office counts.
    const auto decided = TRY(law_->decided(header.sequence));
    const std::size_t seats = decided ? decided->committee.size() : law_->term().committee.size();
    head.is_certified = !protocol::is_trusted(seats);
    head.seats.insert(deciders.begin(), deciders.end());
    head.seats.insert(law_->term().nodes.begin(), law_->term().nodes.end());
    return head;
}

Result<void, Fault> OrgInstance::open_countersigning(
    crypto::KeyPair&& node_key, std::vector<protocol::Acknowledgement>&& known) {
    Countersigning::Setup setup{organization_.chain,
                                std::move(node_key),
                                std::chrono::milliseconds(charter_.charter.params.pulse_ms),
                                {},
                                std::move(known),
                                log_.with_room("node")};
    setup.block_at = [this](Sequence sequence) -> Result<std::optional<Hash>, Fault> {
        const auto seal = TRY(ledger::read_seal(store_, sequence));
        if (!seal) return std::nullopt;
        return protocol::block_hash(organization_.chain, seal->header);
    };
    countersigning_.emplace(Countersigning::Options{}, std::move(setup),
                            TRY(countersigned_head({})));
    return {};
}

Result<void, Fault> OrgInstance::countersign(Countersigning::Input&& input, Instant now,
                                             Effects& fx) {
    auto done = TRY(countersigning_->step(std::move(input), now));
    for (auto& send : done.sends) sends_.push_back({send.to, std::move(send.message)});
    std::ranges::move(done.blamed, std::back_inserter(blamed_));
    for (const auto& doubt : done.doubts) TRY(show_ours(doubt));
    if (done.final_sequence) {
        fx.events.emplace_back(BlocksFinal{countersigning_->finality(*done.final_sequence, now)});
    }
    return {};
}

Result<void, Fault> OrgInstance::countersign_head(const std::vector<Id>& deciders, Instant now,
                                                  Effects& fx) {
    shown_.clear();
    return countersign(Countersigning::HeadMoved{TRY(countersigned_head(deciders))}, now, fx);
}

Result<void, Fault> OrgInstance::on_message(const Id& from, protocol::Acknowledgements&& message,
                                            Instant now, Effects& fx) {
    return countersign(Countersigning::Received{from, std::move(message)}, now, fx);
}

// What was decided here at a height where somebody has countersigned another block: whoever stands
// on that block finds the fork by it, and shows it to us.
Result<void, Fault> OrgInstance::show_ours(const Countersigning::Doubt& doubt) {
    if (!shown_.insert(doubt.from).second) return {};
    auto ours = TRY(law_->decided(doubt.sequence));
    if (!ours) return {};
    sends_.push_back({doubt.from, protocol::Decision{std::move(ours->header),
                                                     std::move(ours->certificate), std::nullopt}});
    return {};
}

// All neighbours shall know it, whatever they stand on: each finds it new once.
void OrgInstance::show_fork(const protocol::Fork& fork) {
    for (const auto& [node, neighbour] : neighbours_) {
        sends_.push_back(
            {node, protocol::Decision{fork.second, fork.second_certificate, std::nullopt}});
    }
}

}  // namespace leither::node
