#include "leither/peer/close_reason.h"

#include "leither/base/check.h"

namespace leither::peer {

const char* to_string(CloseReason reason) {
    switch (reason) {
        case CloseReason::unreachable: return "unreachable";
        case CloseReason::handshake_timeout: return "handshake_timeout";
        case CloseReason::crowded_out: return "crowded_out";
        case CloseReason::bad_preamble: return "bad_preamble";
        case CloseReason::unknown_context: return "unknown_context";
        case CloseReason::bad_handshake: return "bad_handshake";
        case CloseReason::bad_identity: return "bad_identity";
        case CloseReason::wrong_node: return "wrong_node";
        case CloseReason::to_self: return "to_self";
        case CloseReason::banned: return "banned";
        case CloseReason::bad_frame: return "bad_frame";
        case CloseReason::unknown_message: return "unknown_message";
        case CloseReason::oversized: return "oversized";
        case CloseReason::bad_message: return "bad_message";
        case CloseReason::out_of_turn: return "out_of_turn";
        case CloseReason::flood: return "flood";
        case CloseReason::stalled: return "stalled";
        case CloseReason::outbox_full: return "outbox_full";
        case CloseReason::lost: return "lost";
        case CloseReason::idle: return "idle";
        case CloseReason::duplicate: return "duplicate";
        case CloseReason::full: return "full";
        case CloseReason::not_needed: return "not_needed";
        case CloseReason::stopping: return "stopping";
        case CloseReason::said_goodbye: return "said_goodbye";
    }
    UNREACHABLE();
}

bool is_misconduct(CloseReason reason) {
    switch (reason) {
        case CloseReason::bad_frame:
        case CloseReason::unknown_message:
        case CloseReason::oversized:
        case CloseReason::bad_message:
        case CloseReason::out_of_turn:
        case CloseReason::flood: return true;
        // Slow readers and everything before authentication prove no ill will of a known node.
        case CloseReason::unreachable:
        case CloseReason::handshake_timeout:
        case CloseReason::crowded_out:
        case CloseReason::bad_preamble:
        case CloseReason::unknown_context:
        case CloseReason::bad_handshake:
        case CloseReason::bad_identity:
        case CloseReason::wrong_node:
        case CloseReason::to_self:
        case CloseReason::banned:
        case CloseReason::stalled:
        case CloseReason::outbox_full:
        case CloseReason::lost:
        case CloseReason::idle:
        case CloseReason::duplicate:
        case CloseReason::full:
        case CloseReason::not_needed:
        case CloseReason::stopping:
        case CloseReason::said_goodbye: return false;
    }
    UNREACHABLE();
}

std::optional<protocol::GoodbyeReason> goodbye_for(CloseReason reason) {
    using protocol::GoodbyeReason;
    switch (reason) {
        case CloseReason::bad_frame:
        case CloseReason::unknown_message:
        case CloseReason::oversized:
        case CloseReason::bad_message:
        case CloseReason::out_of_turn:
        case CloseReason::flood:
        case CloseReason::banned: return GoodbyeReason::misconduct;
        case CloseReason::duplicate: return GoodbyeReason::duplicate;
        case CloseReason::full: return GoodbyeReason::full;
        case CloseReason::not_needed: return GoodbyeReason::not_needed;
        case CloseReason::stopping: return GoodbyeReason::stopping;
        case CloseReason::unreachable:
        case CloseReason::handshake_timeout:
        case CloseReason::crowded_out:
        case CloseReason::bad_preamble:
        case CloseReason::unknown_context:
        case CloseReason::bad_handshake:
        case CloseReason::bad_identity:
        case CloseReason::wrong_node:
        case CloseReason::to_self:
        case CloseReason::stalled:
        case CloseReason::outbox_full:
        case CloseReason::lost:
        case CloseReason::idle:
        case CloseReason::said_goodbye: return std::nullopt;
    }
    UNREACHABLE();
}

}  // namespace leither::peer
