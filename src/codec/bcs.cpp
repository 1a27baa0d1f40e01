#include "leither/codec/bcs.h"

namespace leither::bcs {

const char* to_string(DecodeError error) {
    switch (error) {
        case DecodeError::truncated: return "truncated";
        case DecodeError::trailing: return "trailing";
        case DecodeError::not_canonical: return "not_canonical";
        case DecodeError::too_long: return "too_long";
        case DecodeError::out_of_range: return "out_of_range";
        case DecodeError::bad_text: return "bad_text";
    }
    UNREACHABLE();
}

std::size_t Reader::length() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        const std::uint8_t next = byte();
        value |= std::uint64_t{next & 0x7fU} << shift;
        if ((next & 0x80) != 0) continue;
        if (next == 0 && shift > 0) fail(DecodeError::not_canonical);
        if (value > UINT32_MAX) fail(DecodeError::out_of_range);
        return ok() ? static_cast<std::size_t>(value) : 0;
    }
    fail(DecodeError::out_of_range);
    return 0;
}

namespace {

// Length of the sequence that `lead` begins and the range allowed for its second byte.
struct Utf8Form {
    unsigned length;
    std::uint8_t second_min;
    std::uint8_t second_max;
};

Utf8Form utf8_form(std::uint8_t lead) {
    if (lead < 0x80) return {1, 0, 0};
    if (lead >= 0xc2 && lead <= 0xdf) return {2, 0x80, 0xbf};
    if (lead == 0xe0) return {3, 0xa0, 0xbf};
    if (lead == 0xed) return {3, 0x80, 0x9f};
    if (lead >= 0xe1 && lead <= 0xef) return {3, 0x80, 0xbf};
    if (lead == 0xf0) return {4, 0x90, 0xbf};
    if (lead >= 0xf1 && lead <= 0xf3) return {4, 0x80, 0xbf};
    if (lead == 0xf4) return {4, 0x80, 0x8f};
    return {0, 0, 0};
}

}  // namespace

bool is_utf8(ByteView bytes) {
    for (std::size_t i = 0; i < bytes.size();) {
        const Utf8Form form = utf8_form(bytes[i]);
        if (form.length == 0 || form.length > bytes.size() - i) return false;
        if (form.length > 1 && (bytes[i + 1] < form.second_min || bytes[i + 1] > form.second_max)) {
            return false;
        }
        for (std::size_t k = 2; k < form.length; ++k) {
            if ((bytes[i + k] & 0xc0) != 0x80) return false;
        }
        i += form.length;
    }
    return true;
}

}  // namespace leither::bcs
