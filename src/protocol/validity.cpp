#include "leither/protocol/validity.h"

#include "leither/base/check.h"

namespace leither::protocol {

namespace {

std::uint64_t ms_of(Duration duration) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
    return static_cast<std::uint64_t>(ms);
}

}  // namespace

Validity Validity::from(Instant now, Duration lifetime) {
    CHECK(lifetime >= std::chrono::milliseconds(1));
    return {unix_ms(now), unix_ms(now) + ms_of(lifetime)};
}

const char* to_string(RecordError error) {
    switch (error) {
        case RecordError::wrong_key: return "wrong_key";
        case RecordError::too_long_lived: return "too_long_lived";
        case RecordError::from_the_future: return "from_the_future";
        case RecordError::expired: return "expired";
        case RecordError::bad_signature: return "bad_signature";
        case RecordError::not_for_us: return "not_for_us";
        case RecordError::bad_content: return "bad_content";
    }
    UNREACHABLE();
}

Result<void, RecordError> check(const Validity& validity, Duration lifetime_max, Instant now) {
    // A value built, not decoded, may be out of order; then the difference wraps and is too long.
    if (validity.expires_ms - validity.issued_ms > ms_of(lifetime_max)) {
        return fail(RecordError::too_long_lived);
    }
    if (validity.issued_ms > unix_ms(now + kClockTolerance)) {
        return fail(RecordError::from_the_future);
    }
    if (!validity.holds(now)) return fail(RecordError::expired);
    return {};
}

}  // namespace leither::protocol
