// Charters, headers, certificates and blocks of transactions, from peers or disk.
#include "leither/ledger/block_store.h"
#include "leither/ledger/execute.h"

#include "support/codec_fuzz.h"

using namespace leither;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    testing::check_canonical_any<protocol::BlockHeader, protocol::Certificate, protocol::Slot,
                                 protocol::Transactions, protocol::SignedCharter, protocol::Genesis,
                                 ledger::Seal>(input);
    const auto genesis = bcs::decode<protocol::Genesis>(input);
    if (genesis) static_cast<void>(ledger::check(*genesis));
    return 0;
}
