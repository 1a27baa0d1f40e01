#include "leither/sim/community.h"

#include "leither/codec/bcs.h"

namespace leither::sim {

namespace {

// Numbers of the family's keys that are no members'.
constexpr std::uint64_t kOrganizationKey = 1'000'000'000;
constexpr std::uint64_t kFounderKey = kOrganizationKey + 1;
constexpr std::uint64_t kFirstNodeKey = kOrganizationKey + 2;

crypto::KeyPair::Seed family_of(std::uint64_t seed) {
    crypto::KeyPair::Seed family{};
    for (std::size_t i = 0; i < sizeof seed; ++i) {
        family[i] = static_cast<std::uint8_t>(seed >> (8 * i));
    }
    return family;
}

crypto::KeyPair node_key_of(const CommunityOptions& options, const crypto::KeyPair::Seed& family,
                            std::size_t seat) {
    if (seat == 0 && options.node_key) return *options.node_key;
    return crypto::derive_key(family, kFirstNodeKey + seat);
}

protocol::Genesis found(const CommunityOptions& options, const crypto::KeyPair::Seed& family) {
    protocol::Charter charter;
    charter.name = BoundedText<64>("Testers");
    charter.unit = BoundedText<16>("hour");
    charter.time_ms = options.time_ms;
    charter.founder = crypto::derive_key(family, kFounderKey).public_key();
    for (std::size_t seat = 0; seat < options.bookkeepers; ++seat) {
        charter.bookkeepers.push_back(node_key_of(options, family, seat).public_key());
    }
    for (const PublicKey& key : options.other_bookkeepers) charter.bookkeepers.push_back(key);
    charter.supply = Amount::of(options.supply);
    charter.announcement = protocol::LongText("Simulated.");
    charter.params = options.params;
    protocol::Allocations allocations;
    for (std::size_t n = 0; n < options.members; ++n) {
        allocations.push_back({crypto::derive_key(family, n).public_key(),
                               Amount::of(options.balance), protocol::Text("to begin with")});
    }
    return wallet::found(std::move(charter), std::move(allocations),
                         crypto::derive_key(family, kOrganizationKey));
}

}  // namespace

protocol::Params CommunityOptions::open_params() {
    protocol::Params params;
    params.member_transactions_per_cycle = 1'000'000;
    params.member_transactions_per_pulse = 1'000'000;
    params.block_bytes_max = 4 << 20;
    params.publicity_pulses = 0;
    return params;
}

Community::Community(CommunityOptions options)
    : options_(options),
      family_(family_of(options.seed)),
      founder_(crypto::derive_key(family_, kFounderKey)),
      genesis_(found(options, family_)),
      organization_(ledger::organization_of(genesis_.charter.charter)) {
    for (std::size_t seat = 0; seat < options_.bookkeepers; ++seat) {
        node_keys_.push_back(node_key_of(options_, family_, seat));
    }
}

crypto::KeyPair Community::organization_key() const {
    return crypto::derive_key(family_, kOrganizationKey);
}

crypto::KeyPair Community::member(std::size_t n) const {
    return crypto::derive_key(family_, n);
}

Bytes Community::encoded_genesis() const {
    return bcs::encode(genesis_);
}

Instant Community::start_of(Pulse pulse) const {
    return instant_from_unix_ms(options_.time_ms + pulse.value() * options_.params.pulse_ms);
}

wallet::Draft Community::draft(const Signing& signing) const {
    return {chain(), {0, signing.counter}, signing.expiry};
}

protocol::Transaction Community::pay(const crypto::KeyPair& payer, const crypto::KeyPair& payee,
                                     std::uint64_t amount, const Signing& signing) const {
    protocol::PaymentRequest request;
    request.payee = payee.id();
    request.amount = Amount::of(amount);
    request.expiry = signing.expiry;
    return wallet::pay(draft(signing), wallet::sign_request(chain(), request, payee), payer);
}

protocol::Transaction Community::join(const crypto::KeyPair& applicant,
                                      const Signing& signing) const {
    protocol::Application application;
    application.applicant = applicant.public_key();
    application.expiry = signing.expiry;
    return wallet::admit(draft(signing), wallet::sign_application(chain(), application, applicant),
                         founder_);
}

protocol::Transaction Community::leave(const crypto::KeyPair& member,
                                       const Signing& signing) const {
    return wallet::sign(draft(signing), protocol::Leave{member.id()}, founder_, &member);
}

protocol::Transaction Community::reward(const Id& member, std::uint64_t amount,
                                        const Signing& signing) const {
    protocol::Reward reward;
    reward.member = member;
    reward.amount = Amount::of(amount);
    reward.reason = protocol::LongText("kept the garden");
    return wallet::sign(draft(signing), reward, founder_, nullptr);
}

protocol::Transaction Community::act(const crypto::KeyPair& signer, protocol::Action action,
                                     const Signing& signing) const {
    return wallet::sign(draft(signing), std::move(action), signer, nullptr);
}

protocol::Transaction Community::cancel(const crypto::KeyPair& signer,
                                        const Signing& signing) const {
    return wallet::sign(draft(signing), protocol::Cancel{}, signer, nullptr);
}

node::PublishManifest Community::manifest(const node::Queries& queries, Instant now,
                                          Duration lifetime) const {
    const crypto::KeyPair key = organization_key();
    const auto read_key = protocol::read_key_of(key);
    protocol::Manifest manifest = queries.manifest_draft().value();
    manifest.read_key = read_key.public_key();
    manifest.validity = protocol::Validity::from(now, lifetime);
    node::PublishManifest order;
    order.item.content = protocol::sign(manifest, key);
    const auto salt = dht::ItemSalt::copy_of(as_bytes(protocol::kManifestSalt));
    const auto sequence = static_cast<std::int64_t>(manifest.validity.issued_ms);
    const Bytes value = dht::value_of(bcs::encode(order.item.content));
    order.item.item_signature = key.sign(dht::signed_bytes(salt, sequence, value));
    order.read_secret = read_key.secret();
    return order;
}

node::ServeAccount Community::delegate(const crypto::KeyPair& account, const PublicKey& node,
                                       Instant now) const {
    const auto validity = protocol::Validity::from(now, std::chrono::hours(24 * 90));
    return {protocol::sign(chain(), {account.public_key(), node, validity}, account)};
}

}  // namespace leither::sim
