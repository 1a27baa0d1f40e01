#include "leither/protocol/checkpoint.h"

#include <charconv>

#include <fmt/format.h>

#include "rising.h"

namespace leither::protocol {

bool CheckpointVotes::is_canonical() const {
    return strictly_rising(signatures, &CheckpointSignature::node_key);
}

std::string to_text(const BlockName& name) {
    return fmt::format("{}:{}", name.sequence.value(), name.hash.hex());
}

std::optional<BlockName> parse_block_name(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const std::string_view digits = text.substr(0, colon);
    std::uint64_t sequence = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), sequence);
    const bool is_number = read.ec == std::errc() && read.ptr == digits.data() + digits.size();
    const auto hash = Hash::parse(text.substr(colon + 1));
    if (!is_number || !hash) return std::nullopt;
    const BlockName name{Sequence(sequence), *hash};
    if (to_text(name) != text) return std::nullopt;
    return name;
}

}  // namespace leither::protocol
