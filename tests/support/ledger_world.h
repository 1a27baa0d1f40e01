// A small organization on a store in memory, with keys by name: the ledger's tests build and commit
// blocks in it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "leither/base/prng.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/ledger/block_store.h"
#include "leither/ledger/cycle.h"
#include "leither/ledger/execute.h"
#include "leither/ledger/receipt.h"
#include "leither/store/memory_store.h"
#include "leither/wallet/payment.h"

namespace leither::testing {

struct NamedAmount {
    std::string name;
    std::uint64_t units = 0;
};

struct Founding {
    protocol::Params params;
    std::uint64_t supply = 1'000'000;
    std::vector<NamedAmount> allocations;
};

inline crypto::KeyPair key_of(const std::string& name) {
    const Hash hash = crypto::blake2b_256(as_bytes(name));
    crypto::KeyPair::Seed seed{};
    std::ranges::copy(hash.view(), seed.begin());
    return crypto::KeyPair::from_seed(seed);
}
inline Id id_of(const std::string& name) {
    return key_of(name).id();
}

// The founder is "fay", the organization's key "org", the one bookkeeper "node".
inline protocol::Genesis genesis_of(const Founding& founding) {
    protocol::Charter charter;
    charter.name = BoundedText<64>("World");
    charter.unit = BoundedText<16>("hour");
    charter.time_ms = 1'700'000'000'000;
    charter.founder = key_of("fay").public_key();
    charter.bookkeepers.push_back(key_of("node").public_key());
    charter.supply = Amount::of(founding.supply);
    charter.params = founding.params;
    protocol::Allocations allocations;
    for (const NamedAmount& line : founding.allocations) {
        allocations.push_back({key_of(line.name).public_key(), Amount::of(line.units),
                               protocol::Text("founding work")});
    }
    return wallet::found(charter, allocations, key_of("org"));
}

template <class T, class E>
T must(Result<T, E> result) {
    CHECK(result.has_value());
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

class LedgerWorld {
 public:
    explicit LedgerWorld(const Founding& founding)
        : genesis(genesis_of(founding)),
          organization(ledger::organization_of(genesis.charter.charter)),
          tree(tree::Options{}, store) {
        voters.push_back(key_of("node"));
        CHECK(ledger::check(genesis).has_value());
        commit(must(ledger::execute_genesis(organization, tree, genesis)), {});
    }

    // Writes block, seal and pages in one batch and makes the version the head.
    void commit(ledger::Executed executed, const protocol::Transactions& transactions) {
        ledger::Seal seal{executed.header, certify(executed.header, office_for(transactions)),
                          executed.update.version().location};
        store::WriteBatch batch = executed.update.take_writes();
        if (executed.header.sequence == Sequence(0)) ledger::put_genesis(batch, genesis);
        put_seal(batch, seal);
        ledger::put_block(batch, executed.header.sequence, transactions);
        must(store.write(batch));
        tree.commit(std::move(executed.update));
        seals.push_back(std::move(seal));
    }

    // Who certifies a block on the head, and in which term.
    struct Office {
        std::uint64_t cycle = 0;
        protocol::Seats seats;
    };
    Office office_for(const protocol::Transactions& transactions) {
        if (seals.empty()) return {0, election::trusted_from(genesis.charter.charter).seats};
        const protocol::ElectionRecord before = election();
        if (transactions.empty() || !is_takeover(transactions.front().body.action)) {
            return {before.cycle, before.present};
        }
        const auto* act = std::get_if<protocol::HandOver>(&transactions.front().body.action);
        if (act == nullptr) return {before.cycle + 1, before.next.seats};
        return {before.cycle + 1, protocol::Seats(act->seats.begin(), act->seats.end())};
    }

    // By all seats whose keys are known; "node" is the charter's.
    protocol::Certificate certify(const protocol::BlockHeader& header, const Office& office) const {
        protocol::Certificate certificate;
        certificate.slot.cycle = office.cycle;
        certificate.slot.height = header.sequence;
        certificate.block = block_hash(organization.chain, header);
        const Bytes message =
            precommit_message(organization.chain, certificate.slot, certificate.block);
        for (std::uint16_t seat = 0; seat < office.seats.size(); ++seat) {
            for (const crypto::KeyPair& key : voters) {
                if (key.public_key() != office.seats[seat].vote_key) continue;
                certificate.signatures.push_back({seat, key.sign(message)});
            }
        }
        return certificate;
    }

    ledger::Parent parent() const {
        const protocol::BlockHeader& header = seals.back().header;
        return {header, hash_as_parent(organization.chain, header)};
    }
    // As the one bookkeeper stamps the next block.
    ledger::Stamp stamp(Pulse pulse) const {
        const bool on_founding = seals.back().header.sequence == Sequence(0);
        return {pulse, 0, on_founding ? 0 : signers_of(seals.back().certificate)};
    }
    Pulse next_pulse() const { return seals.back().header.pulse.next(); }

    ledger::Built build(const std::vector<protocol::Transaction>& candidates, Pulse pulse) {
        std::vector<const protocol::Transaction*> pointers;
        for (const auto& candidate : candidates) pointers.push_back(&candidate);
        return must(ledger::build(organization, tree, parent(), stamp(pulse), pointers));
    }
    // Builds and commits; what the rules skip is left out.
    std::vector<ledger::Skipped> seal(const std::vector<protocol::Transaction>& candidates,
                                      Pulse pulse) {
        ledger::Built built = build(candidates, pulse);
        commit(std::move(built.executed), built.transactions);
        return built.skipped;
    }

    std::optional<protocol::Record> record(const Id& id) {
        const auto leaf = must(tree.read(id));
        if (!leaf) return std::nullopt;
        return must(bcs::decode<protocol::Record>(leaf->record));
    }
    std::optional<protocol::MemberRecord> member(const std::string& name) {
        const auto found = record(id_of(name));
        if (!found) return std::nullopt;
        return std::get<protocol::MemberRecord>(*found);
    }
    protocol::TreasuryRecord treasury() {
        return std::get<protocol::TreasuryRecord>(*record(organization.treasury));
    }

    protocol::ElectionRecord election() {
        return std::get<protocol::ElectionRecord>(*record(organization.election));
    }

    // The next draft of `name`: first lane, next counter on the head, a minute to expiry.
    wallet::Draft draft(const std::string& name) {
        const auto signer = member(name);
        const std::uint64_t counter = signer ? signer->next_counter(0) : 0;
        return {organization.chain, {0, counter}, Pulse(next_pulse().value() + 60)};
    }
    wallet::SignedRequest request(const std::string& payee, std::uint64_t units) const {
        protocol::PaymentRequest request;
        request.payee = id_of(payee);
        request.amount = Amount::of(units);
        request.expiry = Pulse(next_pulse().value() + 60);
        return wallet::sign_request(organization.chain, request, key_of(payee));
    }
    protocol::Transaction transfer(const std::string& payer, const std::string& payee,
                                   std::uint64_t units, std::uint64_t behind = 0) {
        wallet::Draft next = draft(payer);
        next.nonce.counter += behind;
        return wallet::pay(next, request(payee, units), key_of(payer));
    }

    protocol::Genesis genesis;
    ledger::Organization organization;
    store::MemoryStore store;
    tree::Tree tree;
    std::vector<ledger::Seal> seals;
    std::vector<crypto::KeyPair> voters;
};

inline bool holds(const ledger::SignatureCheck& check) {
    return crypto::verify(check.key, check.message, check.signature);
}

}  // namespace leither::testing
