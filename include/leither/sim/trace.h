// What happens in a world: one line each for the eyes, one record each for the audit hash.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "leither/base/bytes.h"
#include "leither/base/endpoint.h"
#include "leither/base/time.h"

namespace leither::sim {

// Part of the audit hash: a hash is compared only with one of the same program.
enum class Kind : std::uint8_t {
    note,     // a scenario says what it does; the text is in the bytes
    started,  // a host's program
    stopped,  // its program ended, its kernel lives
    crashed,  // all at once
    suspended,
    resumed,
    woken,     // at its deadline
    datagram,  // arrived
    lost,      // by chance
    cut,       // at a partition
    dropped,   // nobody is there, or a NAT lets nobody in
    accepted,  // a stream
    refused,   // a dial: nobody listens, or nobody answers
    bytes,     // of a stream, arrived
    ended,     // a stream: the other side has said all
    reset,     // a stream
};
const char* to_string(Kind kind);

struct Happening {
    Kind kind = Kind::note;
    Endpoint from;
    Endpoint to;
    ByteView bytes;
};

// "+12.345678 datagram 20.0.0.1:6881 > 20.0.1.1:6881 98 bytes"
std::string line_of(const Happening& happening, Duration since_start);

class TraceSink {
 public:
    virtual ~TraceSink() = default;
    virtual void line(std::string_view text) = 0;
};

}  // namespace leither::sim
