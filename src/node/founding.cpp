// How a ledger begins: with its genesis, founded here or learned from others, or with a later
// state.
#include <algorithm>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"

#include "node_impl.h"

namespace leither::node {

namespace {

using store::Fault;

FoundReply refuse(Token token, FoundError error,
                  std::optional<ledger::GenesisError> genesis = std::nullopt) {
    return {token, fail(error), genesis};
}

bool is_bookkeeper_of(const protocol::Charter& charter, const PublicKey& node_key) {
    return std::ranges::find(charter.bookkeepers, node_key) != charter.bookkeepers.end();
}

}  // namespace

Result<void, Fault> NodeImpl::on(Found&& found, Instant, Effects& fx) {
    const auto refused = [&](FoundError error, std::optional<ledger::GenesisError> genesis =
                                                   std::nullopt) -> Result<void, Fault> {
        fx.replies.emplace_back(refuse(found.token, error, genesis));
        return {};
    };
    if (organization_ || founding_) return refused(FoundError::exists);
    auto genesis = bcs::decode<protocol::Genesis>(found.genesis);
    if (!genesis) return refused(FoundError::malformed);
    if (const auto valid = ledger::check(*genesis); !valid) {
        return refused(FoundError::invalid, valid.error());
    }
    if (!is_bookkeeper_of(genesis->charter.charter, node_key())) {
        return refused(FoundError::not_bookkeeper);
    }
    return this->found(found.token, *std::move(genesis));
}

Result<void, Fault> NodeImpl::found(Token token, protocol::Genesis&& genesis) {
    const auto organization = ledger::organization_of(genesis.charter.charter);
    tree::Tree tree(options_.tree, store_);
    ledger::Executed executed = TRY(ledger::execute_genesis(organization, tree, genesis));
    // One bookkeeper certifies alone. For several the charter's signature stands: its chain has
    // only this one beginning.
    protocol::Certificate certificate;
    const auto& bookkeepers = genesis.charter.charter.bookkeepers;
    if (bookkeepers.size() == 1 && bookkeepers.front() == node_key()) {
        certificate = consensus::certify_founding(organization, executed.header, key_);
    }
    ledger::Seal seal{executed.header, std::move(certificate), executed.update.version().location};

    store::WriteBatch batch = executed.update.take_writes();
    ledger::put_genesis(batch, genesis);
    ledger::put_seal(batch, seal);
    ledger::put_block(batch, executed.header.sequence, {});
    founding_.emplace(Founding{token, std::move(batch), std::move(genesis.charter), std::move(seal),
                               std::move(tree), std::move(executed.update), 0});
    return {};
}

Result<void, Fault> NodeImpl::finish_founding(Instant now, Effects& fx) {
    Founding& done = *founding_;
    done.tree.commit(std::move(done.update));
    const Id id = crypto::id_of(done.charter.charter.organization);
    const Token token = done.token;
    const Sequence sequence = done.seal.header.sequence;
    const std::string root = done.seal.header.root.hash.hex();
    if (sequence == Sequence(0)) {
        log_.info("organization_founded", "organization={} root={}", id.hex(), root);
    } else {
        log_.info("state_adopted", "sequence={} root={}", sequence.value(), root);
    }
    TRY(adopt({std::move(done.charter), std::move(done.seal), sequence, std::move(done.tree),
               done.first_job, std::move(done.acknowledged)}));
    founding_.reset();
    for (const auto& [node, features] : neighbours_) {
        TRY(organization_->on(NeighbourUp{node, features}, now, fx));
    }
    if (network_) {
        TRY(network_->follow(id, now, fx));
        network_->review_neighbours(now, fx);
    }
    if (token == kNobody) return {};
    fx.replies.emplace_back(FoundReply{token, id, std::nullopt});
    return {};
}

}  // namespace leither::node
