// Whatever decodes as bencode is its value's one encoding.
#include "leither/base/check.h"
#include "leither/codec/bencode.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = leither::as_text({data, size});
    const auto value = leither::bencode::decode(input);
    if (value) CHECK(leither::bencode::encode(*value) == input);
    return 0;
}
