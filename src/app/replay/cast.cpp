#include "app/replay/cast.h"

#include <cstring>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"

namespace leither::app {

namespace {

// Members of the family of keys.
constexpr std::uint64_t kOrganization = 0;
constexpr std::uint64_t kFounder = 1;
constexpr std::uint64_t kFirstAccount = 2;

crypto::KeyPair::Seed family_of(std::uint64_t seed) {
    const Hash hash = crypto::blake2b_256(as_bytes("leither replay " + std::to_string(seed)));
    crypto::KeyPair::Seed family{};
    std::memcpy(family.data(), hash.data(), family.size());
    return family;
}

// The hard bound of a parameter, from the table that the ledger itself checks by.
std::uint32_t bound_of(std::uint32_t protocol::Params::*member,
                       std::uint32_t protocol::ParamInfo::*side) {
    for (const auto& row : protocol::kParamTable) {
        if (row.member == member) return row.*side;
    }
    UNREACHABLE();
}

protocol::Params open_params() {
    using protocol::ParamInfo;
    using protocol::Params;
    Params params;
    for (const auto member : {&Params::member_transactions_per_cycle,
                              &Params::member_transactions_per_pulse, &Params::block_bytes_max,
                              &Params::expiry_pulses_max, &Params::reward_daily_basis_points}) {
        params.*member = bound_of(member, &ParamInfo::max);
    }
    params.publicity_pulses = bound_of(&Params::publicity_pulses, &ParamInfo::min);
    return params;
}

}  // namespace

Cast::Cast(std::uint64_t seed, std::size_t accounts)
    : founder_(crypto::derive_key(family_of(seed), kFounder)),
      organization_(crypto::derive_key(family_of(seed), kOrganization)),
      accounts_(accounts) {
    const auto family = family_of(seed);
    on_all_cores(accounts, [&](std::size_t i) {
        accounts_[i] = crypto::derive_key(family, kFirstAccount + i);
    });
}

protocol::Genesis Cast::found(Amount supply, std::span<const PublicKey> node_keys,
                              std::uint64_t time_ms) const {
    protocol::Charter charter;
    charter.name = BoundedText<64>("Replay");
    charter.unit = BoundedText<16>("unit");
    charter.decimals = 0;
    charter.time_ms = time_ms;
    charter.founder = founder_.public_key();
    for (const PublicKey& key : node_keys) charter.bookkeepers.push_back(key);
    charter.supply = supply;
    charter.announcement = protocol::LongText("The balances before the replayed history.");
    charter.params = open_params();
    return wallet::found(std::move(charter), {}, organization_);
}

protocol::Transaction Acts::join(AccountIndex applicant, std::uint64_t counter) const {
    const crypto::KeyPair& key = cast_.account(applicant);
    protocol::Application application;
    application.applicant = key.public_key();
    application.expiry = expiry_;
    return wallet::admit(draft(counter), wallet::sign_application(chain_, application, key),
                         cast_.founder());
}

protocol::Transaction Acts::fund(AccountIndex member, Amount amount, std::uint64_t counter) const {
    protocol::Reward reward;
    reward.kind = protocol::RewardKind::service;
    reward.member = cast_.account(member).id();
    reward.amount = amount;
    reward.reason = protocol::LongText("balance before the replay");
    return wallet::sign(draft(counter), reward, cast_.founder(), nullptr);
}

protocol::Transaction Acts::transfer(const HistoryTransfer& transfer, std::uint64_t counter) const {
    const crypto::KeyPair& payee = cast_.account(transfer.payee);
    protocol::PaymentRequest request;
    request.payee = payee.id();
    request.amount = transfer.amount;
    request.expiry = expiry_;
    return wallet::pay(draft(counter), wallet::sign_request(chain_, request, payee),
                       cast_.account(transfer.payer));
}

SignedTransaction Acts::seal(std::uint64_t row, const protocol::Transaction& transaction) const {
    const protocol::EncodedTransaction encoded(transaction);
    return {row, encoded.id(chain_), to_hex(encoded.bytes())};
}

}  // namespace leither::app
