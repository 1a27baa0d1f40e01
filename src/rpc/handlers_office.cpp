// office.*
#include <fmt/format.h>

#include "handlers.h"

namespace leither::rpc {
namespace {

Json seats_json(const protocol::Seats& seats) {
    Json out = Json::array();
    for (const protocol::Seat& seat : seats) {
        out.push_back({{"member", seat.member.hex()}, {"node_key", seat.node_key.hex()}});
    }
    return out;
}

Json committee_json(const protocol::Committee& committee) {
    return {{"seats", seats_json(committee.seats)}, {"spares", seats_json(committee.spares)}};
}

// Members of the next committee who have said that they are there, by bit.
Json ready_json(const protocol::ElectionRecord& election) {
    Json out = Json::array();
    const auto add = [&](const protocol::Seats& seats, std::size_t first) {
        for (std::size_t i = 0; i < seats.size(); ++i) {
            if ((election.ready >> (first + i) & 1) != 0) out.push_back(seats[i].member.hex());
        }
    };
    add(election.next.seats, 0);
    add(election.next.spares, 32);
    return out;
}

Json candidates_json(const protocol::CandidateTable& table) {
    Json out = Json::array();
    for (const auto& row : table.rows) {
        out.push_back({{"member", row.member.hex()},
                       {"node_key", row.node_key.hex()},
                       {"pledge", amount_text(row.pledge)}});
    }
    return out;
}

Json candidate_json(const std::optional<node::OfficeStatus::Candidate>& candidate) {
    if (!candidate) return nullptr;
    return {{"account", candidate->member.hex()},
            {"pledge", amount_text(candidate->pledge)},
            {"revealed", candidate->has_revealed}};
}

Json author_json(const std::optional<node::OfficeStatus::Author>& author) {
    if (!author) return nullptr;
    return {{"sequence", author->sequence.value()},
            {"pulse", author->pulse.value()},
            {"seat", author->number},
            {"member", author->seat.member.hex()},
            {"node_key", author->seat.node_key.hex()}};
}

CallError behind_error(const node::LedgerBehind& behind) {
    std::string how_far = fmt::format("{} pulses behind the end of its last cycle", behind.pulses);
    if (behind.blocks > 0)
        how_far += fmt::format(", {} blocks behind its neighbours", behind.blocks);
    auto error = named_error(
        ErrorCode::busy, "node_behind",
        fmt::format("this node's ledger stands at sequence {}, {}: a pledge would register a chain "
                    "that the node does not find again; wait until `leither node status` says that "
                    "it is up to date, and pledge then",
                    behind.head.value(), how_far));
    error.data["sequence"] = behind.head.value();
    error.data["pulses"] = behind.pulses;
    error.data["blocks"] = behind.blocks;
    return error;
}

Json due_json(const std::optional<node::OfficeStatus::Due>& due) {
    if (!due) return nullptr;
    return {{"act", due->act}, {"pulse", due->pulse.value()}};
}

}  // namespace

Outcome office_status(Call& call) {
    const auto status = call.host.queries().office(call.host.now());
    if (!status) return query_error(status.error());
    const protocol::ElectionRecord& election = status->election;
    return Json{{"node_key", call.host.node_key().hex()},
                {"pulse", status->pulse.value()},
                {"cycle", election.cycle},
                {"first_pulse", election.first_pulse.value()},
                {"end_pulse", election.end_pulse.value()},
                {"reveal_from", status->windows.reveal_from.value()},
                {"reveal_last", status->windows.last.value()},
                {"present", seats_json(election.present)},
                {"next", committee_json(election.next)},
                {"after_next", committee_json(election.after_next)},
                {"ready", ready_json(election)},
                {"candidates", candidates_json(status->candidates)},
                {"candidacy", candidate_json(status->candidate)},
                {"seat", status->seat ? Json(*status->seat) : Json(nullptr)},
                {"silence", status->silence},
                {"vote_keys", status->vote_keys},
                {"author", author_json(status->author)},
                {"due", due_json(status->due)}};
}

Outcome office_registration(Call& call) {
    const auto answer =
        call.host.queries().registration(call.args.get<Id>("account"), call.host.now());
    if (!answer) return query_error(answer.error());
    const auto& registration = *answer;
    if (!registration) return behind_error(registration.error());
    return Json{{"node_key", registration->node_key.hex()},
                {"reveal_chain", registration->reveal_chain.hex()}};
}

}  // namespace leither::rpc
