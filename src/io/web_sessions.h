// Who is signed in to the dashboard. A person gets in by a one-time link, or by the cookie file's
// content, and has two secrets from then on.
//
// Specification
//   * A link's token is good once, within `link_time`.
//   * A session is shown by two secrets together: `secret`, which the browser keeps from scripts
//     in an HttpOnly cookie, and `key`, which the page keeps for itself. Browsers send cookies of a
//     host to all its ports, so other programs on this machine may see the first; they never see
//     the second, which is kept by origin.
//   * A session ends by end(), after `idle_time` without a request, after `life_time`, and with the
//     process. At most `sessions_max` there are; a further one takes the place of the one that was
//     used longest ago. The same goes for links.
// On the reactor's thread; the time is told.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leither/base/entropy.h"
#include "leither/base/time.h"

namespace leither::io {

struct SessionLimits {
    std::size_t sessions_max = 16;
    std::size_t links_max = 8;
    Duration link_time = std::chrono::minutes(2);
    Duration idle_time = std::chrono::minutes(30);
    Duration life_time = std::chrono::hours(24);
};

struct SessionSecrets {
    std::string secret;
    std::string key;
};
// The same as sent.
struct ShownSecrets {
    std::string_view secret;
    std::string_view key;
};

enum class Attention : std::uint8_t {
    request,  // the session is in use
    glance,   // somebody only looks whether it is still there
};

class WebSessions {
 public:
    using Id = std::uint64_t;

    // `entropy` outlives the object.
    WebSessions(const SessionLimits& limits, Entropy& entropy)
        : limits_(limits), entropy_(entropy) {}

    struct Link {
        std::string token;
        Instant expires;
    };
    Link make_link(Instant now);
    // A session for a token; nothing if it is unknown, used or too old.
    std::optional<SessionSecrets> redeem(std::string_view token, Instant now);
    SessionSecrets begin(Instant now);
    // The session of these secrets; nothing if there is none.
    std::optional<Id> find(const ShownSecrets& shown, Instant now, Attention attention);
    bool is_alive(Id session, Instant now, Attention attention);
    void end(Id session);
    std::size_t count(Instant now);

 private:
    struct Session {
        Id id = 0;
        SessionSecrets secrets;
        Instant began;
        Instant used;
    };

    std::string make_secret();
    void drop_ended(Instant now);

    SessionLimits limits_;
    Entropy& entropy_;
    std::vector<Link> links_;  // oldest first
    std::vector<Session> sessions_;
    Id last_id_ = 0;
};

}  // namespace leither::io
