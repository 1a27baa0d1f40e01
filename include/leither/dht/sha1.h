// SHA-1 (FIPS 180-4): a name for contents, as BEP 44 prescribes it, and nothing else.
//
// Collisions can be made, so equal names prove equal contents to nobody who did not make the
// contents himself. What must not be forged is signed or carries a BLAKE2b-256 besides
// (docs/decisions/0007).
#pragma once

#include "leither/base/fixed_bytes.h"

namespace leither::dht {

Id sha1(ByteView data);

}  // namespace leither::dht
