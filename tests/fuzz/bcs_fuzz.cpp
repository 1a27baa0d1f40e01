// Whatever decodes as a value of a type with every construct is that value's one encoding.
#include "leither/base/check.h"

#include "support/bcs_sample.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const leither::ByteView input(data, size);
    const auto value = leither::bcs::decode<leither::testing::Sample>(input);
    if (value) CHECK(leither::bcs::encode(*value) == leither::Bytes(input.begin(), input.end()));
    return 0;
}
