#include "leither/wallet/invitation.h"

#include "link_text.h"

namespace leither::wallet {

Pulse Invitation::pulse_at(std::uint64_t unix_ms) const {
    return Pulse(unix_ms <= time_ms ? 0 : (unix_ms - time_ms) / pulse_ms);
}

std::string to_text(const Invitation& invitation) {
    return link_to(kInvitationPrefix, invitation);
}

Result<Invitation, LinkFault> invitation_from_text(std::string_view text) {
    return value_of_link<Invitation>(kInvitationPrefix, text);
}

}  // namespace leither::wallet
