// The wall around a network (docs/protocol/dht.md): Mainline has no network number, so one node
// that knows two networks would merge them for good. Our datagrams carry a tag, which is a filter
// against accidents; the list of ranges is the one against strangers.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "leither/base/endpoint.h"
#include "leither/dht/krpc.h"

namespace leither::dht {

// The addresses that share their first `bits` bits with `address`.
struct AddressRange {
    IpAddress address;
    std::uint8_t bits = 32;

    // "10.0.0.0/8", "2001:db8::/32", or one address.
    static std::optional<AddressRange> parse(std::string_view text);
    bool contains(const IpAddress& other) const;
    friend bool operator==(const AddressRange&, const AddressRange&) = default;
};

// Which world we belong to: Mainline's, or one of our own.
enum class Network : std::uint8_t { separate, mainline };
const char* to_string(Network network);

// What becomes of datagrams without the tag in a separate network.
enum class Admission : std::uint8_t {
    tagged,  // they are not read
    guests,  // answered; their senders count as nodes only on our own host or site
    any,     // foreign clients are nodes like ours
};
const char* to_string(Admission admission);

class Wall {
 public:
    static constexpr std::size_t kRangesMax = 256;

    struct Options {
        Network network = Network::separate;
        Admission admission = Admission::guests;
        // If any, nobody outside them is read, asked or named. At most kRangesMax.
        std::vector<AddressRange> allow;
    };

    explicit Wall(const Options& options);

    // What our own datagrams carry.
    VersionTag tag() const;

    // Whether we have to do with this address at all.
    bool open_to(const IpAddress& address) const;
    // Whether a datagram with this tag is read. REQUIRES: open_to its source.
    bool reads(const std::optional<VersionTag>& tag) const;
    // Whether its sender may be counted among our nodes.
    bool counts(const IpAddress& source, const std::optional<VersionTag>& tag) const;
    // Whether such a sender is believed when it names the node at `named`.
    bool believes(const std::optional<VersionTag>& tag, const IpAddress& named) const;

 private:
    bool is_ours(const std::optional<VersionTag>& tag) const;

    Options options_;
};

}  // namespace leither::dht
