// Messages out of a stream of plain bytes, however it is cut.
#pragma once

#include <vector>

#include "leither/peer/close_reason.h"

namespace leither::peer {

// Holds at most the beginning of one message besides what it is fed.
class MessageStream {
 public:
    // Appends what `plain` completes. A reason if the stream is no stream of messages: what came
    // before is delivered, nothing may be fed after.
    std::optional<CloseReason> feed(ByteView plain, std::vector<protocol::PeerMessage>& messages);
    std::size_t pending() const { return partial_.size(); }

 private:
    Bytes partial_;
};

}  // namespace leither::peer
