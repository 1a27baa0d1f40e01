// The conversation as the DHT has it, for a node that nobody tells: members' nodes name their last
// lines in a head each, and the lines are items of their own. One round at a time; the questions
// are its owner's to ask.
#pragma once

#include <map>
#include <vector>

#include "leither/org/chat_log.h"
#include "leither/protocol/chat.h"

namespace leither::node {

inline constexpr std::size_t kChatHeadsMax = 8;  // of a round

class ChatGatherer {
 public:
    struct Source {
        PublicKey node;
        org::Voucher voucher = org::Voucher::nobody;
    };
    // Begins a round; each source's head is to be asked for, at most kChatHeadsMax.
    void begin(std::vector<Source> sources);
    // What is still to come no longer matters.
    void abandon() { begin({}); }
    bool is_gathering() const { return open_ > 0; }
    std::uint64_t round() const { return round_; }
    const std::vector<Source>& sources() const { return sources_; }

    // A source's head has come (or nothing: empty content). The lines to be asked for.
    std::vector<protocol::ChatPointer> on_head(std::size_t source, ByteView content);
    // An item has come, or nothing.
    void on_line(const protocol::ChatPointer& pointer, ByteView content,
                 const crypto::X25519KeyPair& read_key);
    // What the round has brought, each author's lines in rising order. REQUIRES: the round is over.
    std::vector<org::FoundLine> take();

 private:
    std::vector<Source> sources_;
    std::map<Id, org::Voucher> named_;  // by target: the best voucher of those that name it
    std::map<Id, protocol::SignedLine> lines_;
    std::size_t open_ = 0;  // questions without an answer
    std::uint64_t round_ = 0;
};

}  // namespace leither::node
