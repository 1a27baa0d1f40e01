#include "leither/node/node.h"

#include <algorithm>

#include "node_impl.h"
#include "opening.h"

namespace leither::node {

namespace {

// The tree at the newest seal and everything that goes with it.
Result<OrgInstance::Parts, OpenError> parts_of(StoredLedger&& ledger, const Options& options,
                                               const store::Reader& store,
                                               const PublicKey& node_key) {
    // Who founded alone has certified the founding; who learned of it from others has not.
    const auto& founders = ledger.organization.charter.bookkeepers;
    const auto founding = TRY(ledger::read_seal(store, Sequence(0)).map_error(fault_of));
    const bool was_founded_here = founding && !founding->certificate.signatures.empty();
    if (was_founded_here && founders.front() != node_key) {
        return fail(OpenError{OpenError::Kind::wrong_key,
                              "the charter names another node key: " + founders.front().hex()});
    }
    if (options.pin) TRY(check_pin(ledger, store, *options.pin));
    const Sequence oldest = ledger.span.oldest.header.sequence;
    tree::Tree tree(options.tree, store, version_of(ledger.span.newest), oldest);
    TRY(check_newest(ledger, store, tree));
    return OrgInstance::Parts{std::move(ledger.genesis.charter), std::move(ledger.span.newest),
                              oldest, std::move(tree)};
}

}  // namespace

Node::Node(std::unique_ptr<NodeImpl> impl) : impl_(std::move(impl)) {}
Node::Node(Node&&) noexcept = default;
Node::~Node() = default;

Result<Node, OpenError> Node::open(Options options, const store::Reader& store,
                                   crypto::KeyPair node_key, Log log) {
    auto ledger = TRY(read_ledger(store));
    auto impl = std::make_unique<NodeImpl>(options, store, std::move(node_key), std::move(log));
    if (!ledger) return Node(std::move(impl));
    auto parts = TRY(parts_of(*std::move(ledger), options, store, impl->node_key()));
    const Sequence head = parts.head.header.sequence;
    TRY(impl->adopt(std::move(parts)).map_error(fault_of));
    impl->log().info("ledger_opened", "sequence={} oldest={}", head.value(),
                     impl->organization()->oldest().value());
    return Node(std::move(impl));
}

Result<Node, OpenError> Node::open(Options options, const store::Reader& store,
                                   crypto::KeyPair node_key, Log log, const NetworkSetup& network) {
    Node node = TRY(open(std::move(options), store, std::move(node_key), std::move(log)));
    TRY(node.impl_->join_network(network).map_error(fault_of));
    return node;
}

Effects Node::step(Input&& input, Instant now) {
    return impl_->step(std::move(input), now);
}

Effects Node::step(NetworkInput&& input, Instant now) {
    return impl_->step(std::move(input), now);
}

Effects Node::start_network(Instant now) {
    return impl_->start_network(now);
}

std::optional<Instant> Node::next_deadline() const {
    return impl_->next_deadline();
}

void Node::check_invariants() const {
    impl_->check_invariants();
}

const PublicKey& Node::node_key() const {
    return impl_->node_key();
}

Queries Node::queries() const {
    return Queries(*impl_);
}

}  // namespace leither::node
