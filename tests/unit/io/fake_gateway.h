// A home router on loopback: NAT-PMP on port 5351 of an address of its own, UPnP IGD over HTTP.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "loopback.h"

namespace leither::io::testing {

class FakeGateway {
 public:
    // How it behaves; by `with`.
    struct State {
        IpAddress external = *IpAddress::parse("203.0.113.7");
        struct Mapping {
            int internal = 0;
            unsigned lifetime_s = 0;
            friend bool operator==(const Mapping&, const Mapping&) = default;
        };
        std::map<std::pair<std::string, int>, Mapping> mappings;  // by ("UDP", external port)
        std::set<int> taken;                                      // external ports that others hold
        std::set<std::string> never;                              // protocols not mapped
        int nat_pmp_code = 0;                                     // instead of granting
        int upnp_code = 0;
        bool permanent_only = false;
        bool hangs = false;  // takes requests and answers none
        int maps = 0;        // requests so far
        int unmaps = 0;
        int hung = 0;
    };

    FakeGateway() {
        for (int i = 1; i < 255 && address_.is_unspecified(); ++i) {
            const IpAddress address = IpAddress::v4({127, 53, 51, static_cast<std::uint8_t>(i)});
            sockaddr_in at = raw(address, 5351);
            if (bind(udp_, reinterpret_cast<sockaddr*>(&at), sizeof(at)) == 0) address_ = address;
        }
        sockaddr_in at = raw(kLoopback, 0);
        socklen_t size = sizeof(at);
        bind(http_, reinterpret_cast<sockaddr*>(&at), size);
        listen(http_, 16);
        getsockname(http_, reinterpret_cast<sockaddr*>(&at), &size);
        http_port_ = ntohs(at.sin_port);
        if (pipe(wake_) != 0) std::abort();
        thread_ = std::thread([this] { serve(); });
    }
    ~FakeGateway() {
        if (write(wake_[1], "x", 1) != 1) std::abort();
        thread_.join();
        for (const int descriptor : {udp_, http_, wake_[0], wake_[1]}) close(descriptor);
        for (const int descriptor : held_) close(descriptor);
    }
    FakeGateway(const FakeGateway&) = delete;
    FakeGateway& operator=(const FakeGateway&) = delete;

    IpAddress address() const { return address_; }
    std::string description_url() const {
        return "http://127.0.0.1:" + std::to_string(http_port_) + "/igd.xml";
    }

    template <class Act>
    auto with(Act act) {
        const std::lock_guard lock(mutex_);
        return act(state_);
    }
    // Until `reached(state)`, or 20 s.
    template <class Reached>
    bool await(Reached reached) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, kPatience, [&] { return reached(state_); });
    }

 private:
    static sockaddr_in raw(const IpAddress& address, std::uint16_t port) {
        sockaddr_in out{};
        out.sin_family = AF_INET;
        out.sin_port = htons(port);
        std::copy_n(address.bytes().data(), 4, reinterpret_cast<std::uint8_t*>(&out.sin_addr));
        return out;
    }
    void serve() {
        for (;;) {
            pollfd waits[3] = {{wake_[0], POLLIN, 0}, {udp_, POLLIN, 0}, {http_, POLLIN, 0}};
            poll(waits, 3, -1);
            if (waits[0].revents != 0) return;
            const std::lock_guard lock(mutex_);
            if (waits[1].revents != 0) serve_nat_pmp();
            if (waits[2].revents != 0) serve_upnp();
            changed_.notify_all();
        }
    }

    // ---- NAT-PMP: RFC 6886 section 3
    void serve_nat_pmp() {
        std::uint8_t in[64] = {};
        sockaddr_in from{};
        socklen_t from_size = sizeof(from);
        const auto size = recvfrom(udp_, in, sizeof(in), MSG_DONTWAIT,
                                   reinterpret_cast<sockaddr*>(&from), &from_size);
        if (size < 2 || (state_.hangs && ++state_.hung > 0)) return;
        Bytes out = {0, static_cast<std::uint8_t>(128 + in[1]),
                     0, static_cast<std::uint8_t>(state_.nat_pmp_code),
                     0, 0,
                     0, 1};
        if (in[1] == 0) {
            const ByteView address = state_.external.bytes();
            out.insert(out.end(), address.begin(), address.end());
        } else {
            map_by_nat_pmp(in, out);
        }
        sendto(udp_, out.data(), out.size(), 0, reinterpret_cast<sockaddr*>(&from), from_size);
    }
    void map_by_nat_pmp(const std::uint8_t* in, Bytes& out) {
        const std::string protocol = in[1] == 1 ? "UDP" : "TCP";
        const int internal = in[4] * 256 + in[5];
        int external = in[6] * 256 + in[7];
        const auto lifetime = static_cast<unsigned>(in[10] * 256 + in[11]);
        if (lifetime == 0) {
            ++state_.unmaps;
            std::erase_if(state_.mappings, [&](const auto& entry) {
                return entry.first.first == protocol && entry.second.internal == internal;
            });
        } else {
            ++state_.maps;
            while (state_.taken.contains(external)) ++external;
            if (state_.never.contains(protocol)) out[3] = 4;
            if (out[3] == 0) state_.mappings[{protocol, external}] = {internal, lifetime};
        }
        for (const int number : {internal, external}) {
            out.push_back(static_cast<std::uint8_t>(number / 256));
            out.push_back(static_cast<std::uint8_t>(number % 256));
        }
        out.insert(out.end(), {0, 0, in[10], in[11]});
    }

    // ---- UPnP: one request a connection
    void serve_upnp() {
        const int client = accept(http_, nullptr, nullptr);
        if (state_.hangs) {
            ++state_.hung;
            held_.push_back(client);
            return;
        }
        std::string request;
        char buffer[4096];
        while (!is_complete(request)) {
            const auto size = recv(client, buffer, sizeof(buffer), 0);
            if (size <= 0) break;
            request.append(buffer, static_cast<std::size_t>(size));
        }
        const auto [status, body] = answer(request);
        const std::string response =
            "HTTP/1.1 " + status + "\r\nContent-Type: text/xml\r\nConnection: close\r\n" +
            "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
        send(client, response.data(), response.size(), MSG_NOSIGNAL);
        close(client);
    }
    static bool is_complete(const std::string& request) {
        const auto head = request.find("\r\n\r\n");
        if (head == std::string::npos) return false;
        const auto length = request.find("Content-Length: ");
        if (length == std::string::npos) return true;
        return request.size() >= head + 4 + std::stoul(request.substr(length + 16));
    }
    static std::string element(const std::string& xml, const std::string& name) {
        const auto begin = xml.find("<" + name + ">");
        if (begin == std::string::npos) return "";
        const auto from = begin + name.size() + 2;
        return xml.substr(from, xml.find("</" + name, from) - from);
    }
    std::pair<std::string, std::string> answer(const std::string& request) {
        if (request.starts_with("GET ")) return {"200 OK", description()};
        if (request.find("#GetExternalIPAddress") != std::string::npos) {
            return soap("<NewExternalIPAddress>" + state_.external.text() +
                        "</NewExternalIPAddress>");
        }
        const std::pair key(element(request, "NewProtocol"),
                            std::stoi(element(request, "NewExternalPort")));
        if (request.find("#DeletePortMapping") != std::string::npos) {
            ++state_.unmaps;
            state_.mappings.erase(key);
            return soap("");
        }
        ++state_.maps;
        const auto lifetime = std::stoul(element(request, "NewLeaseDuration"));
        if (state_.upnp_code != 0) return error(state_.upnp_code);
        if (state_.never.contains(key.first)) return error(606);
        if (state_.taken.contains(key.second)) return error(718);
        if (state_.permanent_only && lifetime != 0) return error(725);
        state_.mappings[key] = {std::stoi(element(request, "NewInternalPort")),
                                static_cast<unsigned>(lifetime)};
        return soap("");
    }
    static std::pair<std::string, std::string> soap(const std::string& inner) {
        return {"200 OK",
                "<?xml version=\"1.0\"?><s:Envelope "
                "xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">"
                "<s:Body><u:Response xmlns:u=\"urn:schemas-upnp-org:service:WANIPConnection:1\">" +
                    inner + "</u:Response></s:Body></s:Envelope>"};
    }
    static std::pair<std::string, std::string> error(int code) {
        return {"500 Internal Server Error",
                soap("<UPnPError><errorCode>" + std::to_string(code) + "</errorCode></UPnPError>")
                    .second};
    }
    static std::string description() {
        const std::string urn = "urn:schemas-upnp-org:";
        const auto device = [&](const std::string& type, const std::string& inner) {
            return "<device><deviceType>" + urn + "device:" + type + ":1</deviceType>" + inner +
                   "</device>";
        };
        const std::string service =
            "<serviceList><service><serviceType>" + urn +
            "service:WANIPConnection:1</serviceType><controlURL>/control</controlURL>"
            "<SCPDURL>/scpd.xml</SCPDURL></service></serviceList>";
        return "<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\">" +
               device(
                   "InternetGatewayDevice",
                   "<deviceList>" +
                       device("WANDevice", "<deviceList>" + device("WANConnectionDevice", service) +
                                               "</deviceList>") +
                       "</deviceList>") +
               "</root>";
    }

    IpAddress address_;
    int udp_ = socket(AF_INET, SOCK_DGRAM, 0);
    int http_ = socket(AF_INET, SOCK_STREAM, 0);
    int wake_[2] = {-1, -1};
    std::uint16_t http_port_ = 0;
    std::vector<int> held_;
    std::mutex mutex_;
    std::condition_variable changed_;
    State state_;
    std::thread thread_;
};

}  // namespace leither::io::testing
