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

std::string text_of(const wallet::Journal& journal) {
    std::string text(wallet::kJournalHeading);
    for (const auto& record : journal.records()) text += wallet::to_line(record);
    return text;
}

// Each whole line is a record, a torn one none; read again they are the same.
void check_journal(std::string_view text) {
    const auto journal = wallet::Journal::parse(text);
    if (!journal) {
        CHECK(*wallet::to_string(journal.error()) != '\0');
        return;
    }
    const std::size_t records = journal->records().size();
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n'));
    CHECK(lines == (lines == 0 ? 0 : records + 1));
    const std::string written = text_of(*journal);
    const auto again = wallet::Journal::parse(written);
    CHECK(again && text_of(*again) == written);
    if (records > 0) {
        const auto torn = wallet::Journal::parse(written.substr(0, written.size() - 1));
        CHECK(torn && torn->records().size() + 1 == records);
    }
    static_cast<void>(journal->compacted(kNowMs));
    static_cast<void>(journal->unposted(ChainId{}));
    CHECK(journal->payments().size() <= records);
    CHECK(journal->own_requests().size() <= records);
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
