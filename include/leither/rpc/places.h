// The organizations that one program serves, each in a place of its own: a data directory, a node
// and its ports. The dispatcher of each asks the program for them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leither/base/fixed_bytes.h"
#include "leither/base/result.h"

namespace leither::rpc {

enum class PlaceState : std::uint8_t {
    serving,
    closing,  // what is being written becomes durable first
    closed,   // its directory stays, also over a restart
    failed,   // its detail says why, and what to do
};
const char* to_string(PlaceState state);

struct PlaceStatus {
    std::string name;  // empty: the first place, which is the data directory itself
    PlaceState state = PlaceState::serving;
    std::string detail = {};  // of one that has failed: cause and remedy
    std::optional<Id> organization = {};
    std::string organization_name = {};  // as far as it is known
    std::string directory = {};
    std::optional<std::uint16_t> udp_port = {};
    std::optional<std::uint16_t> tcp_port = {};
};

// Why a place was not opened or closed.
struct PlaceFailure {
    std::string name;     // of the error: "bad_name", "too_many", ...
    std::string message;  // cause and remedy
};

enum class Closing : std::uint8_t { careful, forced };

class Places {
 public:
    virtual ~Places() = default;
    // All, the first place first.
    virtual std::vector<PlaceStatus> list() const = 0;
    // Makes one, or opens again one that was closed or has failed.
    virtual Result<void, PlaceFailure> open(std::string_view name) = 0;
    // Begins to close one. Its files stay. `careful`: not while others count on its node.
    virtual Result<void, PlaceFailure> close(std::string_view name, Closing closing) = 0;
};

}  // namespace leither::rpc
