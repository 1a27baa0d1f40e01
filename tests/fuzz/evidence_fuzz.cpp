// Evidence from strangers: whatever the bytes, judging answers, and convicts nobody whose key has
// not signed twice.
#include "leither/ledger/evidence_record.h"

#include "support/codec_fuzz.h"
#include "support/ledger_world.h"

using namespace leither;

namespace {

// A fuzzed offence on a true charter, so that the input gets past the organization's signature.
void judge_grafted(ByteView input) {
    static const testing::LedgerWorld world({.params = {}, .supply = 1'000, .allocations = {}});
    const auto offence = bcs::decode<ledger::Offence>(input);
    if (!offence) return;
    ledger::EvidenceRecord record;
    record.charter = world.genesis.charter;
    record.offence = *offence;
    const auto judged = ledger::judge(record, {});
    if (!judged) return;
    for (const protocol::Conflict& conflict : judged->conflicts) {
        CHECK(is_proven(conflict, world.organization.chain, testing::key_of("node").public_key()));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    testing::check_canonical<ledger::EvidenceRecord>(input);
    testing::check_canonical<ledger::Offence>(input);
    const auto record = ledger::read_evidence(input);
    if (record) {
        const auto judged = ledger::judge(*record, {});
        if (judged) CHECK(judged->guilty.size() == judged->conflicts.size());
    }
    judge_grafted(input);
    return 0;
}
