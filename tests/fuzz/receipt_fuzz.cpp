// Receipts from strangers: whatever the bytes, verification answers and never proves an account of
// an organization whose key did not sign.
#include "leither/ledger/receipt.h"

#include "support/codec_fuzz.h"
#include "support/ledger_world.h"

using namespace leither;

namespace {

testing::LedgerWorld& world() {
    static testing::LedgerWorld made(
        {.params = {}, .supply = 1'000, .allocations = {{"alice", 100}, {"bob", 50}}});
    return made;
}

// A claim that nobody has signed, with the certificate's own signature under it.
void check_claimed(ByteView input) {
    auto claim = bcs::decode<protocol::EndorsementClaim>(input);
    if (!claim) return;
    const ledger::Seal& seal = world().seals[0];
    const ledger::EndorsedReceipt receipt{
        world().genesis.charter,    {}, seal.header, seal.certificate, *std::move(claim), {},
        seal.certificate.signatures};
    CHECK(!ledger::verify(receipt, world().organization.treasury));
}

// Grafts fuzzed parts on a true receipt, so that the input gets past the signatures.
void check_grafted(ByteView input) {
    const auto proof = bcs::decode<tree::AccountProof>(input);
    if (!proof) return;
    const ledger::Seal& seal = world().seals[0];
    const ledger::Receipt receipt{
        world().genesis.charter, {}, seal.header, seal.certificate, *proof};
    const auto proven = ledger::verify(receipt, world().organization.treasury);
    if (proven) CHECK(proven->record == world().record(proof->id));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    testing::check_canonical_any<ledger::Receipt, ledger::ChildReceipt, ledger::EndorsedReceipt>(
        input);
    const auto receipt = bcs::decode<ledger::Receipt>(input);
    if (receipt) CHECK(!ledger::verify(*receipt, testing::id_of("org")));
    const auto endorsed = bcs::decode<ledger::EndorsedReceipt>(input);
    if (endorsed) CHECK(!ledger::verify(*endorsed, testing::id_of("org")));
    check_grafted(input);
    check_claimed(input);
    return 0;
}
