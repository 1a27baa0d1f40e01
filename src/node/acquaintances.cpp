#include "acquaintances.h"

#include "leither/codec/bcs.h"
#include "leither/protocol/wire_endpoint.h"

namespace leither::node {

namespace {

using protocol::WireEndpoint;

constexpr std::size_t kSavedMax = 1024;

struct SavedContact {
    Id id;
    WireEndpoint endpoint;
    static void fields(auto& self, auto&& visit) { visit(self.id, self.endpoint); }
};
struct SavedAddress {
    WireEndpoint endpoint;
    std::uint8_t context_kind = 0;
    Hash context;  // 32 bytes, whatever they name
    std::optional<Id> node;
    std::optional<peer::StaticKey> static_key;
    static void fields(auto& self, auto&& visit) {
        visit(self.endpoint, self.context_kind, self.context, self.node, self.static_key);
    }
};
struct SavedBan {
    Id node;
    std::uint64_t until_ms = 0;
    static void fields(auto& self, auto&& visit) { visit(self.node, self.until_ms); }
};
template <class T>
using Saved = Bounded<T, kSavedMax>;

Bytes key_of(char what) {
    return {'n', static_cast<std::uint8_t>(what)};
}
constexpr char kContacts = 'c';
constexpr char kAddresses = 'a';
constexpr char kBans = 'b';

template <class T>
Result<Saved<T>, store::Fault> read_saved(const store::Reader& store, char what) {
    const auto bytes = TRY(store.get(key_of(what)));
    if (!bytes) return Saved<T>{};
    auto saved = bcs::decode<Saved<T>>(as_bytes(*bytes));
    return saved ? *std::move(saved) : Saved<T>{};
}

}  // namespace

void put_contacts(store::GatheredWrites& writes, const std::vector<dht::Contact>& contacts) {
    Saved<SavedContact> saved;
    for (const auto& contact : contacts) {
        if (!saved.full()) saved.push_back({contact.id, WireEndpoint::of(contact.endpoint)});
    }
    writes.put(key_of(kContacts), bcs::encode(saved));
}

void put_addresses(store::GatheredWrites& writes, const std::vector<peer::PeerAddress>& addresses) {
    Saved<SavedAddress> saved;
    for (const auto& address : addresses) {
        if (saved.full()) break;
        saved.push_back({WireEndpoint::of(address.endpoint),
                         static_cast<std::uint8_t>(address.context.kind()),
                         Hash::copy_of(address.context.id()), address.node, address.static_key});
    }
    writes.put(key_of(kAddresses), bcs::encode(saved));
}

void put_bans(store::GatheredWrites& writes, const std::vector<peer::BanStatus>& bans) {
    Saved<SavedBan> saved;
    for (const auto& ban : bans) {
        if (!saved.full()) saved.push_back({ban.node, unix_ms(ban.until)});
    }
    writes.put(key_of(kBans), bcs::encode(saved));
}

Result<std::vector<dht::Contact>, store::Fault> read_contacts(const store::Reader& store) {
    std::vector<dht::Contact> contacts;
    for (const auto& one : TRY(read_saved<SavedContact>(store, kContacts))) {
        contacts.push_back({one.id, one.endpoint.endpoint()});
    }
    return contacts;
}

Result<std::vector<peer::PeerAddress>, store::Fault> read_addresses(const store::Reader& store) {
    std::vector<peer::PeerAddress> addresses;
    for (const auto& one : TRY(read_saved<SavedAddress>(store, kAddresses))) {
        const auto context = peer::Context::from(one.context_kind, one.context.view());
        if (!context) continue;
        addresses.push_back(
            {one.endpoint.endpoint(), *context, one.node, one.static_key, peer::Source::told});
    }
    return addresses;
}

Result<std::vector<peer::BanStatus>, store::Fault> read_bans(const store::Reader& store) {
    std::vector<peer::BanStatus> bans;
    for (const auto& one : TRY(read_saved<SavedBan>(store, kBans))) {
        bans.push_back({one.node, instant_from_unix_ms(one.until_ms)});
    }
    return bans;
}

}  // namespace leither::node
