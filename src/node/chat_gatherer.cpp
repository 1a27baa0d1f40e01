#include "chat_gatherer.h"

#include <algorithm>
#include <tuple>

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"

namespace leither::node {

void ChatGatherer::begin(std::vector<Source> sources) {
    sources_ = std::move(sources);
    if (sources_.size() > kChatHeadsMax) sources_.resize(kChatHeadsMax);
    named_.clear();
    lines_.clear();
    open_ = sources_.size();
    ++round_;
}

std::vector<protocol::ChatPointer> ChatGatherer::on_head(std::size_t source, ByteView content) {
    CHECK(open_ > 0 && source < sources_.size());
    --open_;
    std::vector<protocol::ChatPointer> wanted;
    const auto head = bcs::decode<protocol::ChatHead>(content);
    if (!head) return wanted;
    for (const protocol::ChatPointer& pointer : head->lines) {
        const auto [named, is_new] = named_.emplace(pointer.target, sources_[source].voucher);
        named->second = std::max(named->second, sources_[source].voucher);
        if (is_new) wanted.push_back(pointer);
    }
    open_ += wanted.size();
    return wanted;
}

void ChatGatherer::on_line(const protocol::ChatPointer& pointer, ByteView content,
                           const crypto::X25519KeyPair& read_key) {
    CHECK(open_ > 0);
    --open_;
    // The target is of SHA-1 only: another item may stand there.
    if (crypto::blake2b_256(content) != pointer.content) return;
    auto opened = protocol::open_line(content, read_key);
    if (opened) lines_.emplace(pointer.target, *std::move(opened));
}

std::vector<org::FoundLine> ChatGatherer::take() {
    CHECK(open_ == 0);
    std::vector<org::FoundLine> found;
    for (auto& [target, line] : lines_) found.push_back({std::move(line), named_.at(target)});
    lines_.clear();
    std::ranges::sort(found, {}, [](const org::FoundLine& one) {
        return std::tuple(one.line.line.author, one.line.line.number);
    });
    return found;
}

}  // namespace leither::node
