#include "leither/wallet/application.h"

#include <gtest/gtest.h>

#include "desk_world.h"

namespace leither::wallet {
namespace {

using testing::kChain;
using testing::kNowMs;
using testing::kOtherChain;

// Letters to the payer's account; the payee and a stranger apply.
class Applications : public ::testing::Test, protected testing::DeskWorld {
 protected:
    Applications() {
        invitation.introduction.chain = kChain;
        protocol::Keeper entry;
        entry.endpoints.push_back({{192, 0, 2, 1}, std::uint16_t{4242}});
        invitation.introduction.entries.push_back(entry);
        invitation.name = BoundedText<64>("Mill");
        invitation.time_ms = kNowMs;
        invitation.pulse_ms = 1'000;
        invitation.member = stranger.public_key();
        invitation.expires_ms = kNowMs + kDayMs;
    }
    SignedApplication application(const crypto::KeyPair& applicant,
                                  const ChainId& chain = kChain) const {
        protocol::Application application;
        application.applicant = applicant.public_key();
        application.expiry = Pulse(600);
        return sign_application(chain, application, applicant);
    }
    // Of the payer, to the payer.
    OpenedLetter own_note() { return letter(note_of(application(payer), invitation), payer); }
    std::vector<Application> found() const { return applications_in(letters, kChain); }

    Invitation invitation;
    std::vector<OpenedLetter> letters;
};

TEST_F(Applications, TheNewestOfEachApplicantWithAllItsLetters) {
    letters.push_back(letter("Hello.\n" + to_text(application(payee)), payee));
    letters.push_back(letter("I speak for them.\n" + to_text(application(payee)), stranger));
    letters.push_back(letter(to_text(application(stranger)), stranger));
    const auto all = found();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].applicant(), payee.id());
    EXPECT_EQ(all[0].carrier, stranger.public_key());
    EXPECT_EQ(all[0].letters, (std::vector{letters[0].message, letters[1].message}));
    EXPECT_EQ(all[1].applicant(), stranger.id());
}

TEST_F(Applications, ForgedOnesThoseOfOthersAndOwnNotesDoNotCount) {
    auto forged = application(payee);
    forged.application.note = protocol::Text("let me in at once");
    letters = {letter(to_text(forged), payee),
               letter(to_text(application(payee, kOtherChain)), payee), own_note(),
               letter("no application", payee)};
    EXPECT_TRUE(found().empty());
}

TEST_F(Applications, ANoteToOneselfIsResumedWithItsInvitation) {
    EXPECT_FALSE(own_application(letters, payer.id(), kChain));
    letters = {own_note(), letter(note_of(application(payee), invitation), payee)};
    const auto own = own_application(letters, payer.id(), kChain);
    ASSERT_TRUE(own);
    EXPECT_EQ(own->invitation, invitation);
    EXPECT_EQ(own->letter, letters[0].message);
    EXPECT_EQ(own->text, to_text(application(payer)));
    EXPECT_FALSE(own_application(letters, payee.id(), kChain)) << "another's is no note";
}

TEST_F(Applications, ItStillAsksUntilItExpiresIsDeclinedOrGoesElsewhere) {
    letters = {own_note()};
    const auto own = *own_application(letters, payer.id(), kChain);
    EXPECT_TRUE(still_asks(own, letters, invitation, kNowMs));
    EXPECT_TRUE(still_asks(own, letters, invitation, kNowMs + 599'999));
    EXPECT_FALSE(still_asks(own, letters, invitation, kNowMs + 600'000));
    Invitation other = invitation;
    other.member = payee.public_key();
    EXPECT_FALSE(still_asks(own, letters, other, kNowMs));
    letters.push_back(
        letter(to_text(Decline{kChain, name_of(own.text), protocol::Text("not yet")}), stranger));
    EXPECT_FALSE(still_asks(own, letters, invitation, kNowMs));
    const auto declined = find_decline(letters, kChain, own.text);
    ASSERT_TRUE(declined);
    EXPECT_EQ(declined->reason, "not yet");
    EXPECT_EQ(declined->by, stranger.public_key());
    EXPECT_FALSE(find_decline(letters, kChain, "leither:join:00"));
}

}  // namespace
}  // namespace leither::wallet
