// What a committee says together, beside certificates.
#pragma once

#include <span>

#include "leither/protocol/block.h"

namespace leither::protocol {

// Whether a quorum of `committee` (keys by seat) has signed the message, each seat once.
Result<void, CertificateError> verify_quorum(const SeatSignatures& signatures, ByteView message,
                                             std::span<const PublicKey> committee,
                                             const SignatureVerifier& holds);

}  // namespace leither::protocol
