// NAT-PMP (RFC 6886) by libnatpmp.
#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <natpmp.h>
#include <poll.h>

#include "gateway.h"

namespace leither::io {
namespace {

using SteadyClock = std::chrono::steady_clock;

// How often a wait looks whether the node is stopping.
constexpr Duration kLook = std::chrono::milliseconds(50);
// The router acts on a release whether or not we hear of it.
constexpr Duration kReleaseTime = std::chrono::milliseconds(300);

std::string words_for(int code) {
    switch (code) {
        case NATPMP_ERR_CANNOTGETGATEWAY: return "this machine has no default route";
        case NATPMP_ERR_CONNECTERR: return "the router cannot be reached";
        case NATPMP_TRYAGAIN:
        case NATPMP_ERR_NOGATEWAYSUPPORT:
        case NATPMP_ERR_RECVFROM: return "the router does not answer NAT-PMP";
        case NATPMP_ERR_NOTAUTHORIZED: return "the router's NAT-PMP is switched off";
        case NATPMP_ERR_NETWORKFAILURE: return "the router has no Internet address (NAT-PMP)";
        case NATPMP_ERR_OUTOFRESOURCES: return "the router has no room for a mapping (NAT-PMP)";
        default: return fmt::format("NAT-PMP failed (code {})", code);
    }
}

class NatPmpGateway final : public Gateway {
 public:
    NatPmpGateway(Duration time_max, const std::atomic<bool>& stopping)
        : time_max_(time_max), stopping_(stopping) {}
    ~NatPmpGateway() override {
        if (is_open_) closenatpmp(&session_);
    }
    NatPmpGateway(const NatPmpGateway&) = delete;
    NatPmpGateway& operator=(const NatPmpGateway&) = delete;

    Answer<void> open(const std::optional<IpAddress>& gateway) {
        in_addr_t forced = 0;
        if (gateway && gateway->is_v4()) {
            std::memcpy(&forced, gateway->bytes().data(), sizeof(forced));
        }
        const int code = initnatpmp(&session_, forced != 0 ? 1 : 0, forced);
        if (code == 0) {
            is_open_ = true;
            return {};
        }
        if (session_.s >= 0) closenatpmp(&session_);
        return fail(words_for(code));
    }

    MappingMethod method() const override { return MappingMethod::nat_pmp; }

    Answer<IpAddress> external_address() override {
        sendpublicaddressrequest(&session_);
        const natpmpresp_t answer = TRY(await(NATPMP_RESPTYPE_PUBLICADDRESS, time_max_));
        IpAddress::V4 bytes{};
        std::memcpy(bytes.data(), &answer.pnu.publicaddress.addr, bytes.size());
        const IpAddress address = IpAddress::v4(bytes);
        if (address.is_unspecified()) return fail(words_for(NATPMP_ERR_NETWORKFAILURE));
        return address;
    }

    Answer<Granted> map(const Port& port, Duration lifetime) override {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(lifetime).count();
        const natpmpresp_t answer =
            TRY(request(port, static_cast<std::uint32_t>(seconds), time_max_));
        const auto& granted = answer.pnu.newportmapping;
        if (granted.privateport != port.internal || granted.mappedpublicport == 0) {
            return fail(std::string("the router's NAT-PMP answers something else"));
        }
        return Granted{granted.mappedpublicport, std::chrono::seconds(granted.lifetime)};
    }

    void unmap(const Port& port) override {
        // RFC 6886 section 3.4: lifetime and external port 0.
        const Port none{port.protocol, port.internal, 0};
        (void)request(none, 0, kReleaseTime);
    }

 private:
    Answer<natpmpresp_t> request(const Port& port, std::uint32_t lifetime_s, Duration time_max) {
        const bool udp = port.protocol == MappedProtocol::udp;
        sendnewportmappingrequest(&session_, udp ? NATPMP_PROTOCOL_UDP : NATPMP_PROTOCOL_TCP,
                                  port.internal, port.external, lifetime_s);
        return await(udp ? NATPMP_RESPTYPE_UDPPORTMAPPING : NATPMP_RESPTYPE_TCPPORTMAPPING,
                     time_max);
    }
    // The library repeats the request after 250 ms, 500 ms, ...
    Answer<natpmpresp_t> await(std::uint16_t type, Duration time_max) {
        const auto deadline = SteadyClock::now() + time_max;
        const bool was_stopping = stopping_;
        while (SteadyClock::now() < deadline && (was_stopping || !stopping_)) {
            wait_readable(std::min(time_max, kLook));
            natpmpresp_t answer{};
            const int code = readnatpmpresponseorretry(&session_, &answer);
            if (code == 0 && answer.type == type) return answer;
            if (code != 0 && code != NATPMP_TRYAGAIN) return fail(words_for(code));
            session_.has_pending_request = 1;  // also behind a late answer to another request
        }
        return fail(words_for(NATPMP_TRYAGAIN));
    }
    void wait_readable(Duration time) const {
        pollfd poll_for{session_.s, POLLIN, 0};
        poll(&poll_for, 1, static_cast<int>(std::max<std::int64_t>(1, time.count() / 1000)));
    }

    natpmp_t session_{};
    Duration time_max_;
    const std::atomic<bool>& stopping_;
    bool is_open_ = false;
};

}  // namespace

Gateway::Answer<std::unique_ptr<Gateway>> find_nat_pmp(const PortMapperOptions& options,
                                                       const std::atomic<bool>& stopping) {
    auto gateway = std::make_unique<NatPmpGateway>(options.nat_pmp_time_max, stopping);
    TRY(gateway->open(options.nat_pmp_gateway));
    TRY(gateway->external_address());
    return gateway;
}

}  // namespace leither::io
