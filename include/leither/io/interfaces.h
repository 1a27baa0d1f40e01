// The host's own addresses, and word of their change.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "leither/base/endpoint.h"
#include "leither/base/result.h"
#include "leither/base/time.h"
#include "leither/io/reactor.h"

namespace leither::io {

// Addresses of interfaces that are up, by which another host might reach this one: neither loopback
// nor link-local. Sorted, each once.
std::vector<IpAddress> own_addresses();

// Calls back when own_addresses() has changed (netlink, rtnetlink(7)); costs nothing in between.
class AddressWatch {
 public:
    // On the reactor's thread, with the addresses as they are now.
    using OnChange = std::function<void(const std::vector<IpAddress>& addresses)>;
    struct Options {
        // A change is looked at when it is so old: lines come up address by address.
        Duration settle_time = std::chrono::seconds(2);
    };

    // The reactor outlives the watch.
    AddressWatch(Options options, Reactor& reactor, OnChange on_change);
    ~AddressWatch();
    AddressWatch(const AddressWatch&) = delete;
    AddressWatch& operator=(const AddressWatch&) = delete;

    // Once; what the operator reads if the system refuses. Changes from now on are told.
    Result<void, std::string> start();

 private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace leither::io
