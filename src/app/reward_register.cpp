#include "app/reward_register.h"

#include <nlohmann/json.hpp>

namespace leither::app {

using nlohmann::json;

json rewards_given(Session& session) {
    constexpr std::uint64_t kPage = 500;
    json given = json::array();
    json params = {{"account", session.organization().id.hex()}, {"limit", kPage}};
    for (;;) {
        const json page = session.call("account.history", params);
        for (const json& item : page.at("items")) {
            if (item.contains("reward")) given.push_back(item);
        }
        if (!page.contains("next")) return given;
        params["before"] = page.at("next");
    }
}

}  // namespace leither::app
