#include "app/publishing.h"

#include <chrono>

#include <nlohmann/json.hpp>

#include "leither/codec/bcs.h"
#include "leither/dht/item.h"

#include "app/session.h"

namespace leither::app {

protocol::Manifest manifest_of_draft(const nlohmann::json& draft) {
    const auto bytes = from_hex(draft.at("manifest").get<std::string>()).value();
    return bcs::decode<protocol::Manifest>(bytes).value();
}

nlohmann::json sign_manifest(protocol::Manifest manifest, const crypto::KeyPair& key) {
    const auto read_key = protocol::read_key_of(key);
    manifest.read_key = read_key.public_key();
    manifest.validity = protocol::Validity::from(instant_from_unix_ms(unix_ms_now()),
                                                 std::chrono::hours(24 * kManifestDays));
    protocol::ManifestItem item;
    item.content = protocol::sign(manifest, key);
    const auto salt = dht::ItemSalt::copy_of(as_bytes(protocol::kManifestSalt));
    const auto sequence = static_cast<std::int64_t>(manifest.validity.issued_ms);
    const Bytes value = dht::value_of(bcs::encode(item.content));
    item.item_signature = key.sign(dht::signed_bytes(salt, sequence, value));
    return {{"manifest", to_hex(bcs::encode(item))},
            {"read_secret", to_hex(read_key.secret().view())}};
}

}  // namespace leither::app
