#include "leither/protocol/block.h"

#include <algorithm>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/crypto/sign.h"
#include "leither/protocol/domain_tags.h"
#include "leither/protocol/quorum.h"

#include "rising.h"

namespace leither::protocol {

namespace {

// What is hashed or signed before the organization has a chain id is bound to none.
constexpr ChainId kNoChain;

}  // namespace

Hash allocations_hash(const Allocations& allocations) {
    return crypto::tagged_hash(tags::kAllocation, kNoChain, bcs::encode(allocations));
}

Bytes signing_message(const Charter& charter) {
    return crypto::tagged_message(tags::kCharter, kNoChain, bcs::encode(charter));
}

ChainId chain_id(const Charter& charter) {
    const Hash hash = crypto::tagged_hash(tags::kCharter, kNoChain, bcs::encode(charter));
    return ChainId::copy_of(hash.view());
}

Id bookkeeping_id(const ChainId& chain) {
    const Hash hash = crypto::tagged_hash(tags::kBookkeepingId, chain, {});
    return Id::copy_of(hash.view().first(Id::kSize));
}

Pulse pulse_at(const Charter& charter, std::uint64_t unix_ms) {
    if (unix_ms < charter.time_ms) return Pulse(0);
    return Pulse((unix_ms - charter.time_ms) / charter.params.pulse_ms);
}

Hash transactions_hash(const ChainId& chain, std::span<const Hash> commitments) {
    bcs::Writer out;
    out.reserve(Hash::kSize * commitments.size() + 5);
    out.length(commitments.size());
    for (const Hash& commitment : commitments) out.raw(commitment.view());
    return crypto::tagged_hash(tags::kTransactions, chain, out.view());
}

Hash transactions_hash(const ChainId& chain, const Transactions& transactions) {
    std::vector<Hash> commitments;
    commitments.reserve(transactions.size());
    for (const Transaction& transaction : transactions) {
        commitments.push_back(EncodedTransaction(transaction).commitment());
    }
    return transactions_hash(chain, commitments);
}

Hash block_hash(const ChainId& chain, const BlockHeader& header) {
    return crypto::tagged_hash(tags::kBlock, chain, bcs::encode(header));
}

Hash hash_as_parent(const ChainId& chain, const BlockHeader& header) {
    if (header.sequence == Sequence(0)) return Hash::copy_of(chain.view());
    return block_hash(chain, header);
}

bool Certificate::is_canonical() const {
    return strictly_rising(signatures, &SeatSignature::seat);
}

std::uint32_t signers_of(const Certificate& certificate) {
    std::uint32_t signers = 0;
    for (const SeatSignature& vote : certificate.signatures) {
        if (vote.seat < kSeatsMax) signers |= std::uint32_t{1} << vote.seat;
    }
    return signers;
}

const char* to_string(CertificateError error) {
    switch (error) {
        case CertificateError::wrong_block: return "wrong_block";
        case CertificateError::unknown_seat: return "unknown_seat";
        case CertificateError::too_few_signatures: return "too_few_signatures";
        case CertificateError::bad_signature: return "bad_signature";
    }
    UNREACHABLE();
}

Result<void, CertificateError> verify(const Certificate& certificate, const ChainId& chain,
                                      const BlockHeader& header,
                                      std::span<const PublicKey> committee) {
    return verify(certificate, chain, header, committee, crypto::verify);
}

Result<void, CertificateError> verify(const Certificate& certificate, const ChainId& chain,
                                      const BlockHeader& header,
                                      std::span<const PublicKey> committee,
                                      const SignatureVerifier& holds) {
    const bool same_block = certificate.block == block_hash(chain, header);
    const bool same_slot =
        certificate.slot.height == header.sequence && certificate.slot.branch == Prefix{};
    if (!same_block || !same_slot) return fail(CertificateError::wrong_block);

    const Bytes message = precommit_message(chain, certificate.slot, certificate.block);
    return verify_quorum(certificate.signatures, message, committee, holds);
}

Result<void, CertificateError> verify_quorum(const SeatSignatures& signatures, ByteView message,
                                             std::span<const PublicKey> committee,
                                             const SignatureVerifier& holds) {
    // Counted only if seats are distinct; decoding has seen to that, a caller's own value may not.
    if (!strictly_rising(signatures, &SeatSignature::seat)) {
        return fail(CertificateError::unknown_seat);
    }
    for (const SeatSignature& vote : signatures) {
        if (vote.seat >= committee.size()) return fail(CertificateError::unknown_seat);
    }
    if (committee.empty() || signatures.size() < quorum(committee.size())) {
        return fail(CertificateError::too_few_signatures);
    }
    for (const SeatSignature& vote : signatures) {
        if (!holds(committee[vote.seat], message, vote.signature)) {
            return fail(CertificateError::bad_signature);
        }
    }
    return {};
}

}  // namespace leither::protocol
