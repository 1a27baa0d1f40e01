#include "leither/wallet/payment_state.h"

#include "leither/base/check.h"

namespace leither::wallet {

const char* to_string(PaymentState state) {
    switch (state) {
        case PaymentState::pending: return "pending";
        case PaymentState::committed: return "committed";
        case PaymentState::secured: return "secured";
        case PaymentState::settled: return "settled";
        case PaymentState::refused: return "refused";
        case PaymentState::expired: return "expired";
    }
    UNREACHABLE();
}

std::optional<PaymentState> payment_state(std::string_view word) {
    for (auto state = PaymentState::pending;; state = PaymentState(unsigned(state) + 1)) {
        if (word == to_string(state)) return state;
        if (state == PaymentState::expired) return std::nullopt;
    }
}

bool is_decided(PaymentState state) {
    return state == PaymentState::committed || state == PaymentState::secured ||
           state == PaymentState::settled;
}

Pulse settles_at(Pulse block, std::uint32_t publicity_pulses) {
    return Pulse(block.value() + publicity_pulses);
}

PaymentState state_of(const DecidedIn& block, std::uint32_t publicity_pulses, Pulse now) {
    if (!block.is_final) return PaymentState::committed;
    const bool is_over = now >= settles_at(block.pulse, publicity_pulses);
    return is_over && !block.is_contested ? PaymentState::settled : PaymentState::secured;
}

}  // namespace leither::wallet
