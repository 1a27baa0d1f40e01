// A member's invitation: all that a newcomer's node needs to join (docs/protocol/joining.md). It is
// a map, not a permit: whoever has it may ask to be admitted, and reads nothing by it.
#pragma once

#include <string>
#include <string_view>

#include "leither/base/result.h"
#include "leither/protocol/introduction.h"
#include "leither/wallet/link.h"

namespace leither::wallet {

struct Invitation {
    protocol::Introduction introduction;
    BoundedText<64> name;          // of the organization, for people; the manifest says it for good
    std::uint64_t time_ms = 0;     // of the founding, and
    std::uint32_t pulse_ms = 0;    // the pulse, by which an application names its expiry
    PublicKey member;              // who invites, and is sent the application
    std::uint64_t expires_ms = 0;  // Unix time; from then on it is not used
    static void fields(auto& self, auto&& visit) {
        visit(self.introduction, self.name, self.time_ms, self.pulse_ms, self.member,
              self.expires_ms);
    }
    bool is_canonical() const { return pulse_ms > 0 && !introduction.entries.empty(); }
    // The pulse of a moment, as the organization counts.
    Pulse pulse_at(std::uint64_t unix_ms) const;
    friend bool operator==(const Invitation&, const Invitation&) = default;
};
inline constexpr std::string_view kInvitationPrefix = "leither:invite:";

std::string to_text(const Invitation& invitation);
Result<Invitation, LinkFault> invitation_from_text(std::string_view text);

}  // namespace leither::wallet
