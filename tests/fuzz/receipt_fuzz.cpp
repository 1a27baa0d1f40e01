// Receipts from strangers: whatever the bytes, verification answers and never proves an account of
// an organization whose key did not sign.
#include "leither/ledger/receipt.h"

#include "support/codec_fuzz.h"
#include "support/ledger_world.h"

using namespace leither;

namespace {

// Grafts fuzzed parts on a true receipt, so that the input gets past the signatures.
void check_grafted(ByteView input) {
    static testing::LedgerWorld world(
        {.params = {}, .supply = 1'000, .allocations = {{"alice", 100}, {"bob", 50}}});
    const auto proof = bcs::decode<tree::AccountProof>(input);
    if (!proof) return;
    const ledger::Seal& seal = world.seals[0];
    const ledger::Receipt receipt{world.genesis.charter, {}, seal.header, seal.certificate, *proof};
    const auto proven = ledger::verify(receipt, world.organization.treasury);
    if (proven) CHECK(proven->record == world.record(proof->id));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    testing::check_canonical_any<ledger::Receipt, ledger::ChildReceipt>(input);
    const auto receipt = bcs::decode<ledger::Receipt>(input);
    if (receipt) CHECK(!ledger::verify(*receipt, testing::id_of("org")));
    check_grafted(input);
    return 0;
}
