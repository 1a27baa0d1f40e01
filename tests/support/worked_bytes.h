// The worked examples of docs/protocol, so that a test keeps them true.
#pragma once

#include <string>

#include "leither/base/bytes.h"

namespace leither::testing {

// The bytes of the block that follows the line "<!-- worked bytes: NAME -->" in a document below
// docs/: hexadecimal digits with any spaces; what stands behind a '#' is explanation.
// REQUIRES: the document has such a block.
Bytes worked_bytes(const std::string& document, const std::string& name);

}  // namespace leither::testing
