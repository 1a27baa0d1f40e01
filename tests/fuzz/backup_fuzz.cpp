// A backup from a strange place: opened by its words or refused, never a crash; and whatever it
// holds is canonical, with no name that leads out of a directory.
#include "leither/base/prng.h"
#include "leither/crypto/sign.h"
#include "leither/wallet/backup.h"

#include "support/codec_fuzz.h"

using namespace leither;

namespace {

constexpr std::size_t kSaltEnd = 17 + 32;

void check_names(const wallet::Backup& backup) {
    for (const auto& file : backup.files) {
        CHECK(!file.name.empty() && file.name.find('/') == std::string::npos);
        CHECK(file.name != ".." && file.name != ".");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    crypto::RecoverySecret words;
    CHECK(!wallet::open_backup(input, words));
    testing::check_canonical<wallet::Backup>(input);
    static_cast<void>(crypto::unknown_recovery_word(as_text(input)));
    if (const auto read = crypto::read_recovery_words(as_text(input))) {
        const auto again = crypto::read_recovery_words(crypto::recovery_words(*read));
        CHECK(again && std::ranges::equal(again->view(), read->view()));
    }
    const auto backup = bcs::decode<wallet::Backup>(input);
    if (!backup) return 0;
    check_names(*backup);
    Prng entropy(1);
    Bytes file = wallet::seal_backup(*backup, words, entropy);
    CHECK(wallet::open_backup(file, words) == *backup);
    file[kSaltEnd] ^= 1;
    CHECK(!wallet::open_backup(file, words));
    return 0;
}
