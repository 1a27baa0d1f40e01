#include "opening.h"

#include <fmt/format.h>

#include "leither/ledger/cycle.h"
#include "leither/ledger/kept_cycles.h"

namespace leither::node {

namespace {

using ledger::Seal;

constexpr const char* kRemedy = "restore a backup, or fetch the ledger anew";

template <class T>
Result<T, OpenError> readable(Result<T, store::Fault>&& result) {
    return std::move(result).map_error(fault_of);
}

// The signed charter and the founding seal's place in its chain are what everything else rests on.
Result<void, OpenError> check_genesis(const protocol::Genesis& genesis) {
    if (const auto valid = ledger::check(genesis); !valid) {
        return fail(inconsistent(Sequence(0), ledger::to_string(valid.error())));
    }
    return {};
}

}  // namespace

OpenError fault_of(const store::Fault& fault) {
    return {OpenError::Kind::fault,
            fmt::format("{}: {}", store::to_string(fault.kind), fault.detail)};
}

OpenError inconsistent(Sequence sequence, std::string_view what) {
    return {OpenError::Kind::inconsistent,
            fmt::format("sequence {}: {}; {}", sequence.value(), what, kRemedy)};
}

Result<void, OpenError> check_certificate(const ledger::Organization& organization,
                                          tree::Tree& tree, const Seal& seal) {
    const auto valid =
        TRY(readable(ledger::verify_head(organization, tree, seal.header, seal.certificate)));
    if (valid) return {};
    return fail(inconsistent(seal.header.sequence,
                             fmt::format("certificate: {}", protocol::to_string(valid.error()))));
}

Result<std::optional<StoredLedger>, OpenError> read_ledger(const store::Reader& store) {
    auto genesis = TRY(readable(ledger::read_genesis(store)));
    auto span = TRY(readable(ledger::read_span(store)));
    if (!genesis && !span) return std::nullopt;
    if (!genesis) return fail(inconsistent(Sequence(0), "the genesis is missing"));
    if (!span) return fail(inconsistent(Sequence(0), "no sequence is sealed"));
    TRY(check_genesis(*genesis));

    ledger::Organization organization = ledger::organization_of(genesis->charter.charter);
    return StoredLedger{*std::move(genesis), std::move(organization), *std::move(span)};
}

Result<void, OpenError> check_newest(const StoredLedger& ledger, const store::Reader& store,
                                     tree::Tree& tree) {
    const protocol::BlockHeader& header = ledger.span.newest.header;
    const auto block = TRY(readable(ledger::read_block(store, header.sequence)));
    // A ledger may begin with a state that came from others, without the block that led to it.
    const bool is_beginning = header.sequence == ledger.span.oldest.header.sequence;
    if (!block && !is_beginning) {
        return fail(inconsistent(header.sequence, "the block is missing"));
    }
    const ChainId& chain = ledger.organization.chain;
    if (block && protocol::transactions_hash(chain, *block) != header.transactions) {
        return fail(inconsistent(header.sequence, "the block is not the one sealed"));
    }
    const auto proof = TRY(readable(tree.prove(ledger.organization.bookkeeping)));
    const auto record = tree::verify(proof, header.root, ledger.organization.charter.supply,
                                     protocol::sum_of_encoded);
    if (!record || !*record) {
        return fail(inconsistent(header.sequence, "the tree does not lead to its sealed root"));
    }
    return check_certificate(ledger.organization, tree, ledger.span.newest);
}

Result<void, OpenError> check_pin(const StoredLedger& ledger, const store::Reader& store,
                                  const protocol::BlockName& pin) {
    std::optional<protocol::BlockHeader> header;
    const Sequence oldest = ledger.span.oldest.header.sequence;
    if (pin.sequence >= oldest && pin.sequence <= ledger.span.newest.header.sequence) {
        const auto seal = TRY(readable(ledger::read_seal(store, pin.sequence)));
        if (seal) header = seal->header;
    } else if (pin.sequence < oldest) {
        const auto block = TRY(readable(ledger::kept_cycle_block(store, pin.sequence)));
        if (block) header = block->header;
    }
    if (!header || hash_as_parent(ledger.organization.chain, *header) == pin.hash) return {};
    return fail(OpenError{
        OpenError::Kind::wrong_chain,
        fmt::format("the ledger here has another block at sequence {} than the pinned checkpoint "
                    "{}: correct history.checkpoint in the configuration, or, if members you trust "
                    "confirm it, move the ledger away and fetch it anew",
                    pin.sequence.value(), protocol::to_text(pin))});
}

}  // namespace leither::node
