#include "app/wallet_agent.h"

#include <cstdlib>
#include <filesystem>

namespace leither::app {

bool daemon_signs(Session& session) {
    const auto& keyring = session.keyring();
    if (!keyring.is_protected() || keyring.is_unlocked()) return false;
    const char* file = std::getenv("LEITHER_PASSPHRASE_FILE");
    if (session.options().passphrase_fd || (file != nullptr && *file != '\0')) return false;
    const auto status = session.call("wallet.status", nlohmann::json::object());
    if (status.at("enabled") != true || status.at("locked") != false) return false;
    std::error_code error;
    return std::filesystem::equivalent(status.at("directory").get<std::string>(),
                                       keyring.directory(), error);
}

}  // namespace leither::app
