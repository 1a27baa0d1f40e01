// Links of whatever kind, to and from text.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "leither/base/result.h"
#include "leither/codec/bcs.h"
#include "leither/wallet/link.h"

namespace leither::wallet {

// `prefix` ends in a colon.
std::string link_of(std::string_view prefix, Bytes&& bytes);
Result<Bytes, LinkFault> bytes_of_link(std::string_view prefix, std::string_view text);

template <class T>
std::string link_to(std::string_view prefix, const T& value) {
    return link_of(prefix, bcs::encode(value));
}

template <class T>
Result<T, LinkFault> value_of_link(std::string_view prefix, std::string_view text) {
    const Bytes bytes = TRY(bytes_of_link(prefix, text));
    auto value = bcs::decode<T>(bytes);
    if (!value) return fail(LinkFault::not_readable);
    return *std::move(value);
}

}  // namespace leither::wallet
