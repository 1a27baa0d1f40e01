#include "app/replay/history.h"

#include <fstream>
#include <numeric>

#include <gtest/gtest.h>

#include "app/csv.h"
#include "app/replay/community.h"
#include "support/shared_data.h"
#include "support/temp_dir.h"

namespace leither::app {
namespace {

const std::string kA(40, 'a');
const std::string kB(40, 'b');
constexpr const char* kBalanceHeading = "account_hex20,balance_uint64\n";
constexpr const char* kTransferHeading =
    "time_or_block,tx_index,payer_hex20,payee_hex20,amount_uint64\n";

class HistoryTest : public ::testing::Test {
 protected:
    void write(const std::string& name, const std::string& text) {
        std::ofstream(dir_ / name) << text;
    }
    void write_two_accounts() {
        write("balances.csv", kBalanceHeading + kA + ",10\n" + kB + ",0\n");
    }
    HistorySource source() const {
        HistorySource source;
        source.directory = dir_.path();
        return source;
    }
    // The fault, its place shortened to file name and line.
    std::string fault() const {
        try {
            load_history(source());
        } catch (const CsvError& error) {
            const std::string text = error.what();
            return text.substr(dir_.path().string().size() + 1);
        }
        return "";
    }
    testing::TempDir dir_;
};

TEST_F(HistoryTest, BalancesAloneAreAHistory) {
    write_two_accounts();
    const History history = load_history(source());
    EXPECT_EQ(history.accounts.size(), 2u);
    EXPECT_EQ(history.total.units(), 10u);
    EXPECT_TRUE(history.transfers.empty());
    EXPECT_FALSE(history.expected);
}

TEST_F(HistoryTest, TransfersNameAccountsByIndex) {
    write_two_accounts();
    write("transfers.csv", kTransferHeading + ("1,0," + kA) + "," + kB + ",7\r\n\n");
    const History history = load_history(source());
    ASSERT_EQ(history.transfers.size(), 1u);
    EXPECT_EQ(history.transfers[0].payer, 0u);
    EXPECT_EQ(history.transfers[0].payee, 1u);
    EXPECT_EQ(history.transfers[0].amount.units(), 7u);
}

TEST_F(HistoryTest, ALimitLeavesTheExpectationOut) {
    write_two_accounts();
    const std::string row = "1,0," + kA + "," + kB + ",1\n";
    write("transfers.csv", kTransferHeading + row + row);
    write("expected.csv", kBalanceHeading + kA + ",8\n" + kB + ",2\n");
    HistorySource limited = source();
    EXPECT_TRUE(load_history(limited).expected);
    limited.limit = 1;
    EXPECT_FALSE(load_history(limited).expected);
    limited.limit = 2;
    EXPECT_TRUE(load_history(limited).expected);
}

TEST_F(HistoryTest, FaultsNameFileAndLine) {
    EXPECT_EQ(fault(), "balances.csv: No such file or directory");
    write("balances.csv", "account,balance\n");
    EXPECT_EQ(fault(), "balances.csv:1: the first line must be \"account_hex20,balance_uint64\"");
    write("balances.csv", "");
    EXPECT_EQ(fault(),
              "balances.csv:0: the file is empty; its first line must be "
              "\"account_hex20,balance_uint64\"");
    write("balances.csv", kBalanceHeading + kA + "\n");
    EXPECT_EQ(fault(),
              "balances.csv:2: 1 fields, but 2 are expected: account_hex20,balance_uint64");
    write("balances.csv", kBalanceHeading + ("xyz,1\n" + kA));
    EXPECT_EQ(fault(),
              "balances.csv:2: account_hex20 is \"xyz\", but must be 40 hexadecimal digits");
    write("balances.csv", kBalanceHeading + kA + ",1\n" + kA + ",1\n");
    EXPECT_EQ(fault(), "balances.csv:3: account " + kA + " is listed twice");
}

TEST_F(HistoryTest, AmountsReachTwoToTheSixtyThirdLessOne) {
    write("balances.csv", kBalanceHeading + kA + ",9223372036854775807\n");
    EXPECT_EQ(fault(), "");
    write("balances.csv", kBalanceHeading + kA + ",9223372036854775808\n");
    EXPECT_EQ(fault(),
              "balances.csv:2: balance_uint64 is \"9223372036854775808\", but must be a "
              "whole number from 0 to 9223372036854775807");
    write("balances.csv", kBalanceHeading + kA + ",9223372036854775807\n" + kB + ",1\n");
    EXPECT_EQ(fault(), "balances.csv:3: the balances add up to more than 9223372036854775807");
}

TEST_F(HistoryTest, AnAccountWithoutBalanceNamesTheTransfersLine) {
    write_two_accounts();
    write("transfers.csv", kTransferHeading + ("1,0," + kA) + "," + std::string(40, 'c') + ",7\n");
    EXPECT_EQ(fault(), "transfers.csv:2: account " + std::string(40, 'c') +
                           " is not listed in balances.csv");
}

TEST(Forecast, RefusesWhatTheRulesRefuseAndMovesTheRest) {
    using protocol::Refusal;
    History history;
    history.accounts.resize(2);
    history.balances = {Amount::of(10), Amount::of(0)};
    history.transfers = {{0, 1, Amount::of(4)}, {0, 0, Amount::of(1)}, {1, 0, Amount::of(5)},
                         {0, 1, Amount::of(0)}, {0, 0, Amount::of(0)}, {1, 0, Amount::of(4)}};
    const Forecast out = forecast(history);
    const std::vector<std::optional<Refusal>> refusals = {
        std::nullopt,         Refusal::self_payment, Refusal::insufficient_balance,
        Refusal::zero_amount, Refusal::zero_amount,  std::nullopt};
    EXPECT_EQ(out.refusals, refusals);
    EXPECT_EQ(out.balances, history.balances);
}

std::vector<bool> barriers_of(std::vector<std::uint64_t> balances,
                              const std::vector<HistoryTransfer>& transfers) {
    History history;
    for (const std::uint64_t units : balances) {
        history.balances.push_back(*Amount::from(units));
        history.accounts.push_back(Id());
    }
    history.transfers = transfers;
    return barriers(history, forecast(history));
}

HistoryTransfer transfer_of(AccountIndex payer, AccountIndex payee, std::uint64_t units) {
    return {payer, payee, *Amount::from(units)};
}

TEST(Barriers, NoneWherePayersSpendWhatTheyHadBefore) {
    EXPECT_EQ(
        barriers_of({10, 10}, {transfer_of(0, 1, 7), transfer_of(1, 0, 10), transfer_of(0, 1, 3)}),
        std::vector<bool>({false, false, false}));
}

TEST(Barriers, OneBeforeWhoSpendsWhatItWasJustPaid) {
    EXPECT_EQ(barriers_of({10, 0, 0}, {transfer_of(0, 1, 7), transfer_of(1, 2, 5),
                                       transfer_of(1, 2, 2), transfer_of(2, 0, 7)}),
              std::vector<bool>({false, true, false, true}));
}

TEST(Barriers, WhatMustBeRefusedForWantOfCreditStandsAlone) {
    EXPECT_EQ(barriers_of({10, 0}, {transfer_of(0, 1, 1), transfer_of(1, 0, 2),
                                    transfer_of(0, 1, 5), transfer_of(0, 1, 1)}),
              std::vector<bool>({false, true, true, false}));
}

TEST(SharedHistories, ForecastMatchesTheExpectedBalances) {
    REQUIRE_SHARED_DATA();
    for (const char* name : {"bitcoin_blocks", "ethereum_mainnet_blocks", "g1_libre_currency",
                             "xrp_ledger", "ethereum_genesis_balances"}) {
        HistorySource source;
        source.directory = *testing::shared_data_dir() / "transfers" / name;
        const History history = load_history(source);
        // The genesis balances have no transfers, so nothing is expected to change.
        EXPECT_EQ(forecast(history).balances, history.expected.value_or(history.balances)) << name;
    }
}

TEST(Community, SpecificationsAreReadStrictly) {
    EXPECT_EQ(parse_community("community:7")->seed, 7u);
    EXPECT_EQ(parse_community("community:7:500")->rows, 500u);
    for (const char* wrong : {"community", "community:", "community:x", "community:1:",
                              "community:1:2:3", "village:1", "community:1:100000001"}) {
        EXPECT_FALSE(parse_community(wrong)) << wrong;
    }
}

TEST(Community, AGeneratedHistoryIsAffordableAndReproducible) {
    const testing::TempDir dir;
    const testing::TempDir again;
    write_community({.seed = 3, .rows = 2000}, dir.path());
    write_community({.seed = 3, .rows = 2000}, again.path());
    EXPECT_EQ(testing::load_text(dir / "transfers.csv"),
              testing::load_text(again / "transfers.csv"));
    HistorySource source;
    source.directory = dir.path();
    const History history = load_history(source);
    const Forecast out = forecast(history);
    EXPECT_EQ(history.transfers.size(), 2000u);
    EXPECT_EQ(out.balances, history.expected);
    for (const auto& refusal : out.refusals) EXPECT_FALSE(refusal);
}

TEST(Community, MeanPaymentIsAboutThePublishedOne) {
    const testing::TempDir dir;
    write_community({.seed = 1, .rows = 20'000}, dir.path());
    HistorySource source;
    source.directory = dir.path();
    const History history = load_history(source);
    const auto sum = std::accumulate(
        history.transfers.begin(), history.transfers.end(), std::uint64_t{0},
        [](std::uint64_t total, const auto& transfer) { return total + transfer.amount.units(); });
    const std::uint64_t mean = sum / history.transfers.size() / 100;
    EXPECT_GT(mean, 350u);
    EXPECT_LT(mean, 1050u);
}

}  // namespace
}  // namespace leither::app
