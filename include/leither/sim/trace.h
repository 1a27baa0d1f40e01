// What happens in a world: one line each for the eyes, one record each for the audit hash.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

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
    clock_set,
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

// The last things that happened, for who looks only after something has gone wrong. Notes are kept
// longer than the rest, which is mostly traffic.
class Recent {
 public:
    static constexpr std::size_t kNotesMax = 60;
    static constexpr std::size_t kOthersMax = 60;

    void add(const Happening& happening, Duration since_start);
    // Oldest first.
    std::vector<std::string> lines() const;

 private:
    struct Entry {
        std::uint64_t number = 0;
        Duration at{0};
        Kind kind = Kind::note;
        Endpoint from;
        Endpoint to;
        std::size_t bytes = 0;
        std::string text;  // of a note
    };
    static std::string line_of(const Entry& entry);

    std::deque<Entry> notes_;
    std::vector<Entry> others_;  // a ring
    std::uint64_t added_ = 0;
    std::uint64_t others_added_ = 0;
};

class TraceSink {
 public:
    virtual ~TraceSink() = default;
    virtual void line(std::string_view text) = 0;
};

}  // namespace leither::sim
