// Where a payment, or any transaction, stands as people are told (docs/protocol/transactions.md,
// "States"). Derived whenever somebody asks, from a block, its finality and the clock; never
// stored. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "leither/base/number.h"

namespace leither::wallet {

enum class PaymentState : std::uint8_t {
    pending,    // asked for, or signed; in no block
    committed,  // in a block that is decided
    secured,    // and that block is final
    settled,    // and its publicity has passed without an objection
    refused,    // by the payer, or by the node
    expired,    // its time is over
};
const char* to_string(PaymentState state);
std::optional<PaymentState> payment_state(std::string_view word);
// In a block: committed, secured or settled.
bool is_decided(PaymentState state);

// What is known of the block that holds it.
struct DecidedIn {
    Pulse pulse;
    bool is_final = false;      // docs/protocol/agreement.md
    bool is_contested = false;  // a node dissents, or two blocks were decided there or before it
};
// From this pulse on nobody can object any more.
Pulse settles_at(Pulse block, std::uint32_t publicity_pulses);
PaymentState state_of(const DecidedIn& block, std::uint32_t publicity_pulses, Pulse now);

}  // namespace leither::wallet
