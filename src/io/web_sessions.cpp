#include "web_sessions.h"

#include <algorithm>
#include <array>
#include <utility>

#include "leither/base/bytes.h"
#include "leither/io/http_guard.h"

namespace leither::io {
namespace {

constexpr std::size_t kSecretBytes = 32;

}  // namespace

std::string WebSessions::make_secret() {
    std::array<std::uint8_t, kSecretBytes> bytes{};
    entropy_.fill(bytes);
    return to_hex(bytes);
}

void WebSessions::drop_ended(Instant now) {
    std::erase_if(links_, [now](const Link& link) { return link.expires <= now; });
    std::erase_if(sessions_, [&](const Session& session) {
        return now - session.used >= limits_.idle_time || now - session.began >= limits_.life_time;
    });
}

WebSessions::Link WebSessions::make_link(Instant now) {
    drop_ended(now);
    if (links_.size() >= limits_.links_max) links_.erase(links_.begin());
    links_.push_back({make_secret(), now + limits_.link_time});
    return links_.back();
}

std::optional<SessionSecrets> WebSessions::redeem(std::string_view token, Instant now) {
    drop_ended(now);
    const auto found = std::find_if(links_.begin(), links_.end(), [token](const Link& link) {
        return equal_in_constant_time(link.token, token);
    });
    if (found == links_.end()) return std::nullopt;
    links_.erase(found);
    return begin(now);
}

SessionSecrets WebSessions::begin(Instant now) {
    drop_ended(now);
    if (sessions_.size() >= limits_.sessions_max) {
        sessions_.erase(
            std::min_element(sessions_.begin(), sessions_.end(),
                             [](const Session& a, const Session& b) { return a.used < b.used; }));
    }
    Session session;
    session.id = ++last_id_;
    session.secrets = {make_secret(), make_secret()};
    session.began = session.used = now;
    sessions_.push_back(std::move(session));
    return sessions_.back().secrets;
}

std::optional<WebSessions::Id> WebSessions::find(const ShownSecrets& shown, Instant now,
                                                 Attention attention) {
    drop_ended(now);
    for (Session& session : sessions_) {
        const bool same_secret = equal_in_constant_time(session.secrets.secret, shown.secret);
        const bool same_key = equal_in_constant_time(session.secrets.key, shown.key);
        if (!same_secret || !same_key) continue;
        if (attention == Attention::request) session.used = now;
        return session.id;
    }
    return std::nullopt;
}

bool WebSessions::is_alive(Id session, Instant now, Attention attention) {
    drop_ended(now);
    for (Session& one : sessions_) {
        if (one.id != session) continue;
        if (attention == Attention::request) one.used = now;
        return true;
    }
    return false;
}

void WebSessions::end(Id session) {
    std::erase_if(sessions_, [session](const Session& one) { return one.id == session; });
}

std::size_t WebSessions::count(Instant now) {
    drop_ended(now);
    return sessions_.size();
}

}  // namespace leither::io
