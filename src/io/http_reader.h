// One HTTP request out of a stream of bytes, piece by piece. Beast parses; what it lets pass and we
// do not (two Host headers, odd transfer codings, ...) is refused here. Knows no socket, so that
// vectors and fuzzers meet exactly the code that the network meets.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "leither/base/result.h"
#include "leither/io/http_guard.h"

namespace leither::io {

struct UpgradeRequest;  // http_upgrade.h

class RequestReader {
 public:
    struct Limits {
        std::size_t header_bytes_max;
        std::size_t body_bytes_max;
    };
    enum class Progress : std::uint8_t {
        needs_more,  // feed again, beginning with what was left over
        head,        // the head has just become complete; feed again for the body
        complete,
    };

    explicit RequestReader(Limits limits);
    RequestReader(RequestReader&&) noexcept;
    RequestReader& operator=(RequestReader&&) noexcept;
    ~RequestReader();

    // Takes what it can from the front of `bytes`. After a denial the stream is beyond repair.
    Result<Progress, Denial> feed(std::string_view& bytes);

    // REQUIRES for all below: the head is complete.
    const RequestHead& head() const;
    bool keep_alive() const;
    bool is_websocket_upgrade() const;
    bool expects_continue() const;
    // REQUIRES: complete.
    std::string take_body();
    // Shared only so that holders need not know the type.
    std::shared_ptr<UpgradeRequest> take_upgrade();

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::io
