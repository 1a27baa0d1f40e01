// Why a transaction or a request stands where it stands, and who can see a payment: in sentences,
// each a fact with where it is known from. Pure; amounts and times come as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leither/wallet/inbox.h"

namespace leither::wallet {

struct Fact {
    std::string name;    // stable: "signed_by_payee", "expiry", "refused", ...
    std::string text;    // a sentence
    std::string source;  // "signature", "journal", "mempool", "block", "letter", "clock"
};

// What is known of a transaction, or of a request and the transaction that pays it.
struct Case {
    LedgerTime time;
    std::string payer;   // empty: not known
    std::string payee;   // empty: no transfer
    std::string amount;  // "12.50 hour"
    std::string reference;
    // The request: whose signature holds, until when, how it went.
    std::optional<Pulse> request_expiry;
    std::string request_expiry_time;
    bool request_signature_holds = false;
    bool asked_by_letter = false;
    bool letter_posted = false;
    std::string letter_state;             // "waiting", "held", "delivered"; empty: no longer known
    std::optional<std::string> declined;  // reason; the payer's, or our own
    bool declined_here = false;
    // The transaction.
    std::optional<Hash> transaction;
    std::optional<Cause> cause;  // signed by this wallet
    std::optional<protocol::Nonce> nonce;
    std::optional<Pulse> expiry;
    std::string expiry_time;
    bool is_handed_over = false;  // signed without a node
    TransactionFate fate;
    std::optional<Sequence> sequence;
    std::string finality;      // a sentence of its own
    std::string refusal_text;  // cause with numbers, and the next step
    std::optional<PolicyAnswer> policy;
    std::string policy_actual;
    std::string policy_limit;
};
// In order of time. Ends with one named "so": where it stands and what to do.
std::vector<Fact> explain(const Case& facts);

// "no rule of the policy is about this payee", ...
const char* words_of(PolicyVerdict verdict);

// Who learns what of a transfer, in plain words.
struct Audience {
    std::string who;
    std::string what;
};
struct Place {
    std::size_t bookkeepers = 0;
    std::uint64_t members = 0;
    std::string payer;
    std::string payee;
};
std::vector<Audience> who_sees(const Place& place);

}  // namespace leither::wallet
