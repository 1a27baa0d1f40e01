#include "leither/protocol/org_messages.h"

#include "leither/base/check.h"

#include "rising.h"

namespace leither::protocol {

static_assert(kSignedDelegationBytes == 32 + 32 + 16 + 64);
static_assert(kSignedPassBytes == 20 + 32 + 16 + 64);

const char* to_string(EnvelopeOutcome outcome) {
    switch (outcome) {
        case EnvelopeOutcome::wanted: return "wanted";
        case EnvelopeOutcome::delivered: return "delivered";
        case EnvelopeOutcome::held: return "held";
        case EnvelopeOutcome::full: return "full";
        case EnvelopeOutcome::refused: return "refused";
    }
    UNREACHABLE();
}

bool ChatHave::is_canonical() const {
    const bool within =
        tips.empty() || (first <= tips.front().author && tips.back().author <= last);
    return strictly_rising(tips, &ChatTip::author) && within && first <= last;
}

bool ChatLines::is_canonical() const {
    for (std::size_t i = 1; i < lines.size(); ++i) {
        const ChatLine& line = lines[i].line;
        const ChatLine& before = lines[i - 1].line;
        if (line.author != before.author || line.number != before.number + 1) return false;
    }
    return true;
}

}  // namespace leither::protocol
