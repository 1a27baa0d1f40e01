// Arbitrary bytes as an HTTP connection: the reader never crashes, ends, and reads the same whole
// or in two pieces; every complete head goes through the guard.
#include <string>

#include "leither/base/bytes.h"
#include "leither/base/check.h"

#include "../../src/io/http_reader.h"

namespace {

using namespace leither;
using io::RequestReader;

struct Outcome {
    std::size_t requests = 0;
    std::size_t body_bytes = 0;
    bool denied = false;
    bool operator==(const Outcome&) const = default;
};

constexpr RequestReader::Limits kLimits = {.header_bytes_max = 512, .body_bytes_max = 1024};

class Connection {
 public:
    void receive(std::string_view bytes) {
        if (outcome_.denied) return;
        unread_ += bytes;
        std::string_view view = unread_;
        while (advance(view)) {
        }
        unread_.erase(0, unread_.size() - view.size());
    }
    const Outcome& outcome() const { return outcome_; }

 private:
    // False once no more can be done with these bytes.
    bool advance(std::string_view& view) {
        const auto progress = reader_.feed(view);
        if (!progress) {
            outcome_.denied = true;
            return false;
        }
        if (*progress == RequestReader::Progress::needs_more) return false;
        if (*progress == RequestReader::Progress::head) {
            if (!io::check_origin(reader_.head())) io::check_cookie(reader_.head(), "cookie");
            io::is_own_origin(reader_.head());
            io::browser_cookie(reader_.head(), "cookie");
            if (const auto& list = reader_.head().protocols) io::word_behind(*list, "key.");
            return true;
        }
        ++outcome_.requests;
        const std::string body = reader_.take_body();
        CHECK(body.size() <= kLimits.body_bytes_max);
        outcome_.body_bytes += body.size();
        reader_ = RequestReader(kLimits);
        return !view.empty();
    }

    RequestReader reader_{kLimits};
    std::string unread_;
    Outcome outcome_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes = as_text({data, size});
    Connection whole;
    whole.receive(bytes);
    const std::size_t cut = size == 0 ? 0 : data[size - 1] * size / 256;
    Connection parts;
    parts.receive(bytes.substr(0, cut));
    parts.receive(bytes.substr(cut));
    CHECK(whole.outcome().requests >= parts.outcome().requests);
    return 0;
}
