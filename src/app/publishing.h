// What the holder of an organization's key says of it, for whoever looks for it in the network.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "leither/crypto/sign.h"
#include "leither/protocol/manifest.h"

namespace leither::app {

constexpr unsigned kManifestDays = 90;

// What `organization.draft` answered.
protocol::Manifest manifest_of_draft(const nlohmann::json& draft);
// The parameters of `organization.publish`: the manifest, signed to hold from now on.
// REQUIRES: `key` is the organization's.
nlohmann::json sign_manifest(protocol::Manifest manifest, const crypto::KeyPair& key);

}  // namespace leither::app
