// The files of a wallet as a broken disk or a strange hand may leave them: refused by name, or read
// as what was written, never a crash.
#include <algorithm>

#include "leither/crypto/sign.h"
#include "leither/wallet/handed.h"
#include "leither/wallet/known.h"

#include "support/codec_fuzz.h"

using namespace leither;

namespace {

constexpr std::uint64_t kNowMs = 1'800'000'000'000;

// Whole lines only; read again they are the same, and nothing is lost on the way.
void check_journal(std::string_view text) {
    const auto journal = wallet::Journal::parse(text);
    if (!journal) {
        CHECK(*wallet::to_string(journal.error()) != '\0');
        return;
    }
    std::string written(wallet::kJournalHeading);
    for (const auto& record : journal->records()) written += wallet::to_line(record);
    const auto again = wallet::Journal::parse(written);
    CHECK(again && again->records().size() == journal->records().size());
    if (!journal->records().empty()) {
        CHECK(text.starts_with(written));
        // What a cut has left of it is a journal too, and shorter by the last line.
        const auto cut =
            wallet::Journal::parse(std::string_view(written).substr(0, written.size() - 1));
        CHECK(cut && cut->records().size() + 1 == journal->records().size());
    }
    static_cast<void>(journal->compacted(kNowMs));
    static_cast<void>(journal->unposted(ChainId{}));
    CHECK(journal->payments().size() <= journal->records().size());
    CHECK(journal->own_requests().size() <= journal->records().size());
}

void check_known(ByteView file, const wallet::Journal& journal) {
    const auto known = wallet::Known::parse(file);
    if (!known) return;
    CHECK(file.empty() || std::ranges::equal(known->encode(), file));
    for (const auto& one : known->organizations()) {
        for (const auto& account : one.accounts) {
            const auto draft =
                wallet::offline_draft(one, journal, account.id, Amount::of(1), one.learned_ms);
            CHECK(!draft || (account.is_member() && wallet::is_offline_lane(draft->nonce.lane)));
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    crypto::initialise();
    const ByteView input(data, size);
    check_journal(as_text(input));
    check_journal(std::string(wallet::kJournalHeading) + std::string(as_text(input)));
    testing::check_canonical<wallet::JournalRecord>(input);
    check_known(input, {});
    testing::check_canonical_any<wallet::KnownOrganization, wallet::HandedPayment>(input);
    return 0;
}
