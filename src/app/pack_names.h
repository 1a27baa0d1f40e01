// How people name packs: by id, its first digits, or name.
#pragma once

#include <string>

#include "leither/base/fixed_bytes.h"

#include "app/session.h"

namespace leither::app {

// Digits of an id that lists show; as many as are enough to name a pack.
inline constexpr std::size_t kPackDigits = 12;

// A whole id is taken as it is; anything else is looked up among the packs that the daemon knows.
// Throws CliError if there is none, or more than one.
Hash find_pack(Session& session, const std::string& which);

}  // namespace leither::app
