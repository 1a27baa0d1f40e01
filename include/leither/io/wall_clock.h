// The system's clock, made monotone: a step backwards repeats the last instant.
#pragma once

#include <algorithm>

#include "leither/base/time.h"

namespace leither::io {

class WallClock {
 public:
    virtual ~WallClock() = default;
    Instant now() {
        last_ = std::max(last_, read());
        return last_;
    }

 protected:
    virtual Instant read() const {
        return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    }

 private:
    Instant last_{};
};

}  // namespace leither::io
