// UPnP Internet Gateway Device, versions 1 and 2, by miniupnpc.
#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>
#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>

#include "gateway.h"

namespace leither::io {
namespace {

constexpr const char* kDescription = "Leither";
// Devices whose descriptions are read; more answer only if somebody wants us busy.
constexpr int kDevicesMax = 16;
// External ports tried while others have taken the one we want.
constexpr int kPortsMax = 8;
// miniupnpc answers within multiples of a second only.
constexpr auto kSearchMin = std::chrono::seconds(1);

// UPnP IGD WANIPConnection, section 2.4.16 (AddPortMapping).
enum UpnpError : int {
    kActionFailed = 501,
    kNotAuthorised = 606,
    kConflict = 718,
    kSamePortsOnly = 724,
    kPermanentOnly = 725,
    kNoRoom = 728,
};

std::string words_for(int code) {
    switch (code) {
        case UPNPCOMMAND_HTTP_ERROR: return "the router's UPnP cannot be reached";
        case UPNPCOMMAND_INVALID_RESPONSE: return "the router's UPnP answers nonsense";
        case kNotAuthorised: return "the router's UPnP may not map ports";
        case kConflict: return "others have taken the router's ports (UPnP)";
        case kNoRoom: return "the router has no room for a mapping (UPnP)";
        default: return fmt::format("the router's UPnP refuses (code {})", code);
    }
}

const char* name_of(MappedProtocol protocol) {
    return protocol == MappedProtocol::udp ? "UDP" : "TCP";
}

class UpnpGateway final : public Gateway {
 public:
    UpnpGateway() = default;
    ~UpnpGateway() override {
        if (found_) FreeUPNPUrls(&urls_);
    }
    UpnpGateway(const UpnpGateway&) = delete;
    UpnpGateway& operator=(const UpnpGateway&) = delete;

    bool describe(const std::string& url) {
        found_ = UPNP_GetIGDFromUrl(url.c_str(), &urls_, &data_, own_address_.data(),
                                    static_cast<int>(own_address_.size())) == 1;
        return is_usable();
    }
    bool choose(UPNPDev* devices) {
        const int verdict = UPNP_GetValidIGD(devices, &urls_, &data_, own_address_.data(),
                                             static_cast<int>(own_address_.size()));
        found_ = verdict != 0;
        // 2: it says it is not connected, which routers behind routers do.
        return (verdict == 1 || verdict == 2) && is_usable();
    }

    MappingMethod method() const override { return MappingMethod::upnp; }

    Answer<IpAddress> external_address() override {
        std::array<char, 64> text{};
        const int code = UPNP_GetExternalIPAddress(urls_.controlURL, service(), text.data());
        if (code != UPNPCOMMAND_SUCCESS) return fail(words_for(code));
        const auto address = IpAddress::parse(text.data());
        if (!address || !address->is_v4() || address->is_unspecified()) {
            return fail(std::string("the router has no Internet address (UPnP)"));
        }
        return *address;
    }

    Answer<Granted> map(const Port& port, Duration lifetime) override {
        int code = 0;
        Port wanted = port;
        for (int i = 0; i < kPortsMax; ++i) {
            code = add(wanted, lifetime);
            if (code == UPNPCOMMAND_SUCCESS) return Granted{wanted.external, lifetime};
            if (code == kPermanentOnly && add(wanted, Duration{}) == UPNPCOMMAND_SUCCESS) {
                return Granted{wanted.external, Duration{}};
            }
            if (code != kConflict) break;
            wanted.external = next_port(wanted.external);
        }
        return fail(words_for(code));
    }

    void unmap(const Port& port) override {
        UPNP_DeletePortMapping(urls_.controlURL, service(), std::to_string(port.external).c_str(),
                               name_of(port.protocol), nullptr);
    }

 private:
    bool is_usable() const {
        return found_ && urls_.controlURL != nullptr && urls_.controlURL[0] != '\0' &&
               data_.first.servicetype[0] != '\0';
    }
    const char* service() const { return data_.first.servicetype; }
    int add(const Port& port, Duration lifetime) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(lifetime).count();
        return UPNP_AddPortMapping(
            urls_.controlURL, service(), std::to_string(port.external).c_str(),
            std::to_string(port.internal).c_str(), own_address_.data(), kDescription,
            name_of(port.protocol), nullptr, std::to_string(seconds).c_str());
    }
    // Unprivileged ones only.
    static std::uint16_t next_port(std::uint16_t port) {
        return port == 65'535 ? std::uint16_t{1024} : static_cast<std::uint16_t>(port + 1);
    }

    UPNPUrls urls_{};
    IGDdatas data_{};
    std::array<char, 64> own_address_{};  // as the router sees us
    bool found_ = false;
};

// Devices that answer a search on the local network; to be freed.
UPNPDev* search(Duration time) {
    static constexpr std::array kTypes = {
        "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
        "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
        "urn:schemas-upnp-org:service:WANIPConnection:2",
        "urn:schemas-upnp-org:service:WANIPConnection:1",
        "urn:schemas-upnp-org:service:WANPPPConnection:1",
        static_cast<const char*>(nullptr),
    };
    const auto ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::max<Duration>(time, kSearchMin));
    int error = 0;
    UPNPDev* const devices = upnpDiscoverDevices(
        kTypes.data(), static_cast<int>(ms.count()), /*multicastif=*/nullptr,
        /*minissdpdsock=*/nullptr, UPNP_LOCAL_PORT_ANY, /*ipv6=*/0, /*ttl=*/2, &error,
        /*searchalltypes=*/1);
    UPNPDev* last = devices;
    for (int i = 1; i < kDevicesMax && last != nullptr; ++i) last = last->pNext;
    if (last != nullptr) {
        freeUPNPDevlist(last->pNext);
        last->pNext = nullptr;
    }
    return devices;
}

}  // namespace

Gateway::Answer<std::unique_ptr<Gateway>> find_upnp(const PortMapperOptions& options) {
    auto gateway = std::make_unique<UpnpGateway>();
    bool found = false;
    if (!options.upnp_description_url.empty()) {
        found = gateway->describe(options.upnp_description_url);
    } else {
        UPNPDev* const devices = search(options.upnp_search_time);
        found = devices != nullptr && gateway->choose(devices);
        freeUPNPDevlist(devices);
    }
    if (!found) return fail(std::string("no router answers UPnP"));
    TRY(gateway->external_address());
    return gateway;
}

}  // namespace leither::io
