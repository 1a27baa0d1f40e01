// What the mailbox asks about nodes: a read-only view of the address book.
#pragma once

#include <vector>

#include "leither/base/fixed_bytes.h"
#include "leither/base/time.h"

namespace leither::org {

class Directory {
 public:
    virtual ~Directory() = default;
    virtual bool is_member(const Id& account, Instant now) const = 0;
    // One of the accounts it serves is a member's.
    virtual bool is_members_node(const Id& node, Instant now) const = 0;
    // The nodes that serve the account, the latest delegated first.
    virtual std::vector<Id> nodes_of(const Id& account, Instant now) const = 0;
};

}  // namespace leither::org
