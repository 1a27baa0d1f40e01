#include "app/replay/community.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <vector>

#include <fmt/format.h>

#include "leither/base/amount.h"
#include "leither/base/fixed_bytes.h"
#include "leither/base/prng.h"

#include "app/cli_error.h"

namespace leither::app {

namespace {

constexpr std::uint64_t kPaymentsPerAccount = 12;
constexpr std::uint64_t kGroupSize = 25;
// In hundredths of a Sarafu.
constexpr std::uint64_t kFirstCredit = 400'00;
constexpr std::uint64_t kMedianAmount = 400'00;  // the spread below makes the mean about 700
constexpr std::uint64_t kAmountMin = 1'00;
constexpr unsigned kDoublings = 5;
constexpr std::uint64_t kRowsMax = 100'000'000;
constexpr int kPayerTries = 16;

struct Payment {
    std::size_t payer = 0;
    std::size_t payee = 0;
    std::uint64_t amount = 0;
};

class Community {
 public:
    explicit Community(const CommunityOptions& options) : prng_(options.seed) {
        const std::size_t count =
            std::max<std::uint64_t>(2 * kGroupSize, options.rows / kPaymentsPerAccount);
        for (std::size_t i = 0; i < count; ++i) {
            Id id;
            prng_.fill(id.span());
            accounts_.push_back(id);
            // The first of each group is its savings group, which holds as much as all others.
            balances_.push_back(i % kGroupSize == 0 ? kGroupSize * kFirstCredit : kFirstCredit);
        }
    }

    const Id& account(std::size_t index) const { return accounts_[index]; }

    Payment next() {
        Payment payment;
        payment.payer = solvent_payer();
        payment.payee = partner_of(payment.payer);
        payment.amount = std::min(balances_[payment.payer], draw_amount());
        balances_[payment.payer] -= payment.amount;
        balances_[payment.payee] += payment.amount;
        return payment;
    }

    std::string balances_csv() const {
        std::string out = "account_hex20,balance_uint64\n";
        for (std::size_t i = 0; i < accounts_.size(); ++i) {
            out += fmt::format("{},{}\n", accounts_[i].hex(), balances_[i]);
        }
        return out;
    }

 private:
    // The cube of a uniform draw prefers low indexes, the most active accounts.
    std::size_t active_account() {
        const Uint128 draw = prng_.below(std::uint64_t{1} << 20);
        return static_cast<std::size_t>(draw * draw * draw * accounts_.size() >> 60);
    }

    std::size_t solvent_payer() {
        for (int i = 0; i < kPayerTries; ++i) {
            const std::size_t payer = active_account();
            if (balances_[payer] >= kAmountMin) return payer;
        }
        return static_cast<std::size_t>(std::ranges::max_element(balances_) - balances_.begin());
    }

    std::size_t partner_of(std::size_t payer) {
        for (;;) {
            std::size_t payee = active_account();
            if (prng_.chance(3, 4)) {
                const std::size_t group = payer - payer % kGroupSize;
                payee = group + prng_.below(std::min(kGroupSize, accounts_.size() - group));
            }
            // A last group of one has nobody to pay within.
            if (payee != payer) return payee;
        }
    }

    // The median, doubled or halved by fair coins.
    std::uint64_t draw_amount() {
        unsigned heads = 0;
        for (unsigned i = 0; i < 2 * kDoublings; ++i) heads += prng_.chance(1, 2) ? 1 : 0;
        return (kMedianAmount << heads) >> kDoublings;
    }

    Prng prng_;
    std::vector<Id> accounts_;
    std::vector<std::uint64_t> balances_;
};

void write_file(const std::filesystem::path& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << text << std::flush;
    if (file) return;
    throw CliError(CliExit::local, "io", fmt::format("{} cannot be written.", path.string()),
                   "Check permissions and free space of the temporary directory.");
}

std::optional<std::uint64_t> parse_digits(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

}  // namespace

std::optional<CommunityOptions> parse_community(const std::string& text) {
    constexpr std::string_view kPrefix = "community:";
    if (!text.starts_with(kPrefix)) return std::nullopt;
    const std::string_view rest = std::string_view(text).substr(kPrefix.size());
    const auto colon = rest.find(':');
    CommunityOptions options;
    const auto seed = parse_digits(rest.substr(0, colon));
    if (!seed) return std::nullopt;
    options.seed = *seed;
    if (colon == rest.npos) return options;
    const auto rows = parse_digits(rest.substr(colon + 1));
    if (!rows || *rows > kRowsMax) return std::nullopt;
    options.rows = *rows;
    return options;
}

void write_community(const CommunityOptions& options, const std::filesystem::path& directory) {
    Community community(options);
    write_file(directory / "balances.csv", community.balances_csv());
    std::string rows = "time_or_block,tx_index,payer_hex20,payee_hex20,amount_uint64\n";
    for (std::uint64_t i = 0; i < options.rows; ++i) {
        const Payment payment = community.next();
        rows += fmt::format("{},0,{},{},{}\n", i, community.account(payment.payer).hex(),
                            community.account(payment.payee).hex(), payment.amount);
    }
    write_file(directory / "transfers.csv", rows);
    write_file(directory / "expected.csv", community.balances_csv());
}

}  // namespace leither::app
