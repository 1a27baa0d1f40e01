// How much room a directory takes, and how much is left beside it.
#pragma once

#include <string>

#include "leither/base/time.h"
#include "leither/rpc/front.h"

namespace leither::io {

class DiskMeter {
 public:
    static constexpr std::size_t kFilesMax = 200'000;  // that are counted
    static constexpr Duration kValid = std::chrono::seconds(10);

    explicit DiskMeter(std::string dir) : dir_(std::move(dir)) {}

    // Nothing if the directory cannot be read. Counts again at most every `kValid`.
    std::optional<rpc::DiskUse> read(Instant now);

 private:
    std::string dir_;
    std::optional<rpc::DiskUse> last_;
    std::optional<Instant> last_read_;
};

}  // namespace leither::io
