// Checks signatures on all cores. A job is cut into pieces, so that one client's five thousand
// transactions use every core too. However many wait, the node's own thread goes first: what has
// been admitted is to be agreed upon in time, and what has not can wait.
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
