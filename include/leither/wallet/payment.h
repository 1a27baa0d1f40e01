// Making transactions: bodies in, signatures added in the protocol's order (protocol §4). Pure;
// knows no node and no file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "leither/base/result.h"
#include "leither/crypto/sign.h"
#include "leither/protocol/block.h"
#include "leither/protocol/transaction.h"

namespace leither::wallet {

// A payee's signed request, as handed to the payer: text for messages, QR codes and files.
struct SignedRequest {
    ChainId chain;
    protocol::PaymentRequest request;
    Signature signature;
    static void fields(auto& self, auto&& visit) {
        visit(self.chain, self.request, self.signature);
    }
};
SignedRequest sign_request(const ChainId& chain, const protocol::PaymentRequest& request,
                           const crypto::KeyPair& payee);
// "leither:pay:<hex>". Decoding checks form only, not the signature.
std::string to_text(const SignedRequest& request);
std::optional<SignedRequest> request_from_text(std::string_view text);

// Header of a transaction about to be signed.
struct Draft {
    ChainId chain;
    protocol::Nonce nonce;
    Pulse expiry;
};

// An applicant's signed application, as handed to a supervisor: "leither:join:<hex>".
struct SignedApplication {
    ChainId chain;
    protocol::Application application;
    Signature signature;
    static void fields(auto& self, auto&& visit) {
        visit(self.chain, self.application, self.signature);
    }
};
SignedApplication sign_application(const ChainId& chain, const protocol::Application& application,
                                   const crypto::KeyPair& applicant);
std::string to_text(const SignedApplication& application);
std::optional<SignedApplication> application_from_text(std::string_view text);

// What a candidate's node has signed, as handed to whoever makes an act of it:
// the prefix, then hexadecimal digits.
inline const std::string kTakeoverPrefix = "leither:takeover:";
std::string to_text(const protocol::TakeoverSignature& signature);
std::optional<protocol::TakeoverSignature> takeover_from_text(std::string_view text);

protocol::Transaction pay(const Draft& draft, const SignedRequest& request,
                          const crypto::KeyPair& payer);
protocol::Transaction admit(const Draft& draft, const SignedApplication& application,
                            const crypto::KeyPair& supervisor,
                            std::span<const crypto::KeyPair> cosigners = {});

// A task done: its promise, and what is said of the work.
struct Earning {
    Hash task;
    Amount amount;
    protocol::LongText reason;
    protocol::LongText proof;
};
protocol::Transaction admit_for(const Draft& draft, const SignedApplication& application,
                                Earning earning, const crypto::KeyPair& supervisor,
                                std::span<const crypto::KeyPair> cosigners = {});

// Every other kind: `signer` and `cosigners` sign, and `counterparty` where the kind has one
// (leave, role). REQUIRES: a counterparty exactly if protocol::counterparty(action) names its id.
protocol::Transaction sign(const Draft& draft, protocol::Action action,
                           const crypto::KeyPair& signer, const crypto::KeyPair* counterparty,
                           std::span<const crypto::KeyPair> cosigners = {});

// An act of the node that stands for `candidate`, in the nodes' lane: reveal, ready, claim.
protocol::Transaction act_as_node(const Draft& draft, protocol::Action action, const Id& candidate,
                                  const crypto::KeyPair& node);

// What `org create` signs. REQUIRES: every field of `charter` set but organization, allocations
// hash.
protocol::Genesis found(protocol::Charter charter, protocol::Allocations allocations,
                        const crypto::KeyPair& organization);

}  // namespace leither::wallet
