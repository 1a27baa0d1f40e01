// Records of leaves: canonical, and a sum that is the record's own or none.
#include "leither/protocol/record.h"

#include "support/codec_fuzz.h"

using namespace leither;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    testing::check_canonical_any<protocol::Record, protocol::MemberRecord, protocol::TreasuryRecord,
                                 protocol::BookkeepingRecord>(input);
    const auto sum = protocol::sum_of_encoded(input);
    const auto record = bcs::decode<protocol::Record>(input);
    CHECK(sum == (record ? protocol::sum_of(*record) : std::nullopt));
    return 0;
}
