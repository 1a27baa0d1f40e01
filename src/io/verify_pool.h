// Checks signatures on all cores. A job is cut into pieces, so that one client's five thousand
// transactions use every core too.
#pragma once

#include <functional>

#include "leither/io/reactor.h"
#include "leither/node/effects.h"
#include "leither/node/input.h"

#include "workers.h"

namespace leither::io {

class VerifyPool {
 public:
    // Called on the reactor's thread, once per job.
    using Done = std::function<void(node::SignaturesChecked)>;

    // `threads` 0: one per core. The reactor outlives it.
    VerifyPool(unsigned threads, Reactor& reactor);
    void check(node::SignatureJob job, Done done);

 private:
    Reactor& reactor_;
    Workers workers_;
};

}  // namespace leither::io
