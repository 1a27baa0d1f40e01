// Whatever is read as a datagram can be written and reads back as itself, and hardly in more bytes
// than it came in; what a store accepts is what the check of an item accepts.
#include <variant>

#include "leither/base/check.h"
#include "leither/crypto/sign.h"
#include "leither/dht/item_store.h"
#include "leither/dht/krpc.h"

namespace {

using namespace leither;
using namespace leither::dht;

// What senders may leave out and we write: an error's text, an external address's port.
constexpr std::size_t kAddedBytesMax = 2;

Bytes written(const Message& message) {
    return std::visit([](const auto& m) { return write(m); }, message);
}

void check_trim(Response response) {
    CHECK(written_size(response) == write(response).size());
    trim(response, kTrimmedBytesMax);
    CHECK(written_size(response) <= kTrimmedBytesMax);
    CHECK(parse(write(response)));
}

void check_put(const Query& query) {
    ItemStore store({.items_max = 1}, Id{});
    const IpAddress source = IpAddress::v4({192, 0, 2, 1});
    const auto stored = store.put(query.item, query.cas, source, Instant{});
    store.check_invariants();
    CHECK(stored.has_value() == check(query.item).has_value());
    if (!stored) return;
    const Item* found = store.find(target_of(query.item), Instant{});
    CHECK(found != nullptr && *found == query.item);
    CHECK(check(*found, target_of(query.item)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    crypto::initialise();
    const ByteView datagram(data, size);
    const auto message = parse(datagram);
    if (!message) return 0;
    const Bytes again = written(*message);
    CHECK(again.size() <= size + kAddedBytesMax);
    const auto back = parse(again);
    CHECK(back && *back == *message);
    if (const auto* response = std::get_if<Response>(&*message)) check_trim(*response);
    const auto* query = std::get_if<Query>(&*message);
    if (query != nullptr && query->method == Method::put) check_put(*query);
    return 0;
}
