// Transactions from outside: refused, or canonical, with the same id however it is computed.
#include "leither/ledger/rules.h"

#include "support/codec_fuzz.h"

using namespace leither;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    testing::check_canonical_any<protocol::Transaction, protocol::TransactionBody, protocol::Action,
                                 protocol::PaymentRequest, protocol::Application>(input);
    const auto transaction = ledger::read_transaction(input);
    if (!transaction) return 0;
    const protocol::EncodedTransaction encoded(*transaction);
    CHECK(std::ranges::equal(encoded.bytes(), input));
    CHECK(encoded.id(ChainId{}) == protocol::transaction_id(ChainId{}, transaction->body));
    return 0;
}
