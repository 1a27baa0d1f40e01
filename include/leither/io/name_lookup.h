// Finds the addresses behind host names, again and again, without ever holding up the reactor.
//
// Specification
//   * All names are looked up one after the other when told to, again after retry_min, doubling to
//     retry_max, as long as one of them is not found, and every `renew` after that.
//   * What is found is told each time, also if it is what was told before.
//   * The system's resolver may take as long as it likes: nobody waits for it, not even at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "leither/base/endpoint.h"
#include "leither/base/log.h"
#include "leither/base/time.h"
#include "leither/io/host_name.h"
#include "leither/io/reactor.h"

namespace leither::io {

class NameLookup {
 public:
    // All addresses of one host; empty: not found. On a thread of its own, for as long as it takes.
    using Resolve = std::function<std::vector<IpAddress>(const std::string& host)>;
    // getaddrinfo(3).
    static std::vector<IpAddress> ask_system(const std::string& host);

    // On the reactor's thread.
    using OnFound = std::function<void(const std::vector<Endpoint>& endpoints)>;
    struct Options {
        std::vector<HostName> names;
        Resolve resolve = ask_system;
        std::size_t addresses_max = 8;  // of one name
        Duration retry_min = std::chrono::seconds(5);
        Duration retry_max = std::chrono::minutes(5);
        Duration renew = std::chrono::hours(1);
    };

    // The reactor outlives the lookup.
    NameLookup(Options options, Reactor& reactor, OnFound on_found, Log log);
    ~NameLookup();
    NameLookup(const NameLookup&) = delete;
    NameLookup& operator=(const NameLookup&) = delete;

    // Looks up now. What is under way is waited for, then done again.
    void refresh();

 private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace leither::io
