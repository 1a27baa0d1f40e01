// Texts that people hand to each other: refused by name, or one value with one text.
#include "leither/codec/base32.h"
#include "leither/wallet/handed.h"
#include "leither/wallet/invitation.h"
#include "leither/wallet/offer.h"
#include "leither/wallet/task.h"

#include "support/codec_fuzz.h"

using namespace leither;

namespace {

constexpr Instant kNow = instant_from_unix_ms(1'800'000'000'000);

template <class T, class Read>
void check_link(std::string_view text, Read read) {
    const Result<T, wallet::LinkFault> value = read(text);
    if (!value) {
        CHECK(!wallet::explain(value.error(), "text").empty());
        return;
    }
    const std::string again = to_text(*value);
    CHECK(text == again || text == wallet::in_capitals(again));
}

void check_links(std::string_view text) {
    check_link<wallet::Invitation>(text, wallet::invitation_from_text);
    check_link<wallet::SignedTask>(text, wallet::task_from_text);
    check_link<wallet::SignedWork>(text, wallet::claim_from_text);
    check_link<wallet::SignedWork>(text, wallet::submission_from_text);
    check_link<wallet::Offer>(text, wallet::offer_from_text);
    check_link<wallet::HandedPayment>(text, wallet::handed_from_text);
}

// Behind a checksum that fits, so that the decoders are reached.
void check_values(ByteView input) {
    testing::check_canonical_any<wallet::Invitation, wallet::SignedTask, wallet::SignedWork,
                                 wallet::Offer, wallet::HandedPayment>(input);
    if (const auto handed = bcs::decode<wallet::HandedPayment>(input)) {
        static_cast<void>(wallet::is_signed_by_payer(*handed));
        CHECK(wallet::hand_in_until(handed->transaction) <= handed->transaction.body.expiry);
    }
    if (const auto work = bcs::decode<wallet::SignedWork>(input)) {
        static_cast<void>(wallet::check(*work, ChainId{}));
    }
    if (const auto task = bcs::decode<wallet::SignedTask>(input)) {
        static_cast<void>(wallet::check(*task, ChainId{}, kNow));
    }
    if (const auto offer = bcs::decode<wallet::Offer>(input)) {
        CHECK(offer->missing().empty() == wallet::completed(*offer).has_value() ||
              !wallet::completed(*offer));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    const std::string text(input.begin(), input.end());
    check_links(text);
    for (const auto prefix :
         {wallet::kInvitationPrefix, wallet::kTaskPrefix, wallet::kClaimPrefix,
          wallet::kSubmissionPrefix, wallet::kOfferPrefix, wallet::kHandedPrefix}) {
        check_links(std::string(prefix) + text);
        CHECK(wallet::find_link(text, prefix).size() <= text.size());
    }
    if (const auto bytes = from_base32(text)) {
        const std::string again = to_base32(*bytes);
        CHECK(text == again || text == wallet::in_capitals(again));
    }
    check_values(input);
    return 0;
}
