// How many bytes may move: the owner's caps on upload and download, asked before bytes are moved.
#pragma once

#include <cstddef>

#include "leither/base/time.h"

namespace leither::io {

// One budget serves all connections of one direction. On the reactor's thread.
class Budget {
 public:
    virtual ~Budget() = default;
    // Takes what may move now of `wanted` bytes. 0: nothing, ask again after refill_in().
    virtual std::size_t take(std::size_t wanted) = 0;
    // Bytes taken and not moved.
    virtual void give_back(std::size_t bytes) = 0;
    // Bytes that moved without being asked for, as datagrams do; those who ask wait for it.
    virtual void charge(std::size_t bytes) = 0;
    // Until take() may give something again; more than 0.
    virtual Duration refill_in() = 0;
};

}  // namespace leither::io
