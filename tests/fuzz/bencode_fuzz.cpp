// Whatever decodes as bencode is its value's one encoding, and skipping it judges it alike.
#include "leither/base/check.h"
#include "leither/codec/bencode.h"
#include "leither/codec/bencode_cursor.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = leither::as_text({data, size});
    const auto value = leither::bencode::decode(input);
    if (value) CHECK(leither::bencode::encode(*value) == input);
    CHECK(leither::bencode::is_canonical(input) == value.has_value());
    return 0;
}
