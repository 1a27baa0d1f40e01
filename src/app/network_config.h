// What the operator writes about the network, read: lists of addresses, ranges and words.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leither/io/network_host.h"
#include "leither/node/network.h"

#include "app/config.h"

namespace leither::app {

// A fault of one key's text, with the remedy.
struct NetworkFault {
    std::string_view key;
    std::string text;
};
std::vector<NetworkFault> check_network(const Config& config);

// REQUIRES of all: check_network(config) found nothing.
// All but the line.
io::NetworkHostOptions network_host_options(const Config& config);
// Of the line that all hosts of the process share.
peer::Budget::Options line_caps(const Config& config);
// `listening`: where connections are accepted.
node::NetworkOptions network_options(const Config& config, const std::vector<Endpoint>& listening);

}  // namespace leither::app
