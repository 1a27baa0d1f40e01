// place.*: the organizations that the program serves, each in a place of its own.
#include "leither/base/check.h"

#include "handlers.h"

namespace leither::rpc {
namespace {

template <class T>
Json or_null(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

Json place_json(const PlaceStatus& place) {
    Json organization = nullptr;
    if (place.organization) {
        organization = {{"id", place.organization->hex()}, {"name", place.organization_name}};
    }
    return {{"name", place.name},
            {"state", to_string(place.state)},
            {"detail", place.detail.empty() ? Json(nullptr) : Json(place.detail)},
            {"organization", std::move(organization)},
            {"directory", place.directory},
            {"udp_port", or_null(place.udp_port)},
            {"tcp_port", or_null(place.tcp_port)}};
}

CallError no_places() {
    return named_error(ErrorCode::not_found, "not_found",
                       "the program that runs this node serves one organization");
}

CallError failure_error(const PlaceFailure& failure) {
    return named_error(ErrorCode::place, failure.name, failure.message);
}

}  // namespace

const char* to_string(PlaceState state) {
    switch (state) {
        case PlaceState::serving: return "serving";
        case PlaceState::closing: return "closing";
        case PlaceState::closed: return "closed";
        case PlaceState::failed: return "failed";
    }
    UNREACHABLE();
}

Outcome place_list(Call& call) {
    if (call.places == nullptr) return no_places();
    Json out = Json::array();
    for (const PlaceStatus& place : call.places->list()) out.push_back(place_json(place));
    return out;
}

Outcome place_open(Call& call) {
    if (call.places == nullptr) return no_places();
    const auto opened = call.places->open(call.args.get<std::string>("name"));
    if (!opened) return failure_error(opened.error());
    return Json(true);
}

Outcome place_close(Call& call) {
    if (call.places == nullptr) return no_places();
    const bool is_forced = call.args.find<std::string_view>("how") == "forced";
    const auto closing = call.places->close(call.args.get<std::string>("name"),
                                            is_forced ? Closing::forced : Closing::careful);
    if (!closing) return failure_error(closing.error());
    return Json(true);
}

std::optional<CallError> refuse_held_elsewhere(const Call& call, const Id& organization) {
    if (call.places == nullptr) return std::nullopt;
    for (const PlaceStatus& place : call.places->list()) {
        if (place.name == call.place || place.organization != organization) continue;
        const std::string where = place.name.empty() ? "without --org" : "with --org " + place.name;
        return named_error(ErrorCode::place, "held_elsewhere",
                           "this daemon has that organization in another place already: use it " +
                               where + "; a new organization needs a key of its own");
    }
    return std::nullopt;
}

}  // namespace leither::rpc
