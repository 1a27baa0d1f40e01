#include "app/wallet_files.h"

#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "app/cli_error.h"
#include "support/shared_data.h"
#include "support/temp_dir.h"

namespace leither::app {
namespace {

using testing::TempDir;

constexpr std::uint64_t kNowMs = 1'700'000'000'000;

class WalletFilesTest : public ::testing::Test {
 protected:
    static wallet::NotTaken record(std::uint8_t number) {
        return {kNowMs, Hash::copy_of(Bytes(32, number)), Hash{}, protocol::Text("bad_nonce")};
    }
    void append(std::uint8_t number) {
        const auto guard = files_.lock();
        auto journal = files_.journal();
        files_.append(journal, record(number), kNowMs);
    }
    std::size_t records() const { return files_.journal().records().size(); }
    void write(const char* name, const std::string& text, mode_t mode = 0600) {
        const std::string path = files_.directory() + "/" + name;
        std::ofstream(path) << text;
        ::chmod(path.c_str(), mode);
    }
    template <class Act>
    static std::string error_of(Act&& act) {
        try {
            act();
        } catch (const CliError& error) {
            return error.name();
        }
        return "none";
    }
    std::string policy_error(const std::string& text) {
        write("policy.json", text);
        return error_of([this] { files_.policy(); });
    }

    TempDir dir_;
    WalletFiles files_{dir_ / "wallet"};
};

TEST_F(WalletFilesTest, AnEmptyDirectoryHasPromisedNothing) {
    EXPECT_EQ(records(), 0u);
    EXPECT_TRUE(files_.policy().empty());
}

TEST_F(WalletFilesTest, WhatIsAppendedIsThereForTheNextRunAndForTheOwnerAlone) {
    append(1);
    append(2);
    EXPECT_EQ(records(), 2u);
    struct stat status {};
    ASSERT_EQ(::stat((files_.directory() + "/journal").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    ASSERT_EQ(::stat(files_.directory().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST_F(WalletFilesTest, ATornLineIsReplacedByTheNextOne) {
    append(1);
    const std::string path = files_.directory() + "/journal";
    const std::string whole = testing::load_text(path);
    for (const std::size_t torn : {1u, 17u, 40u}) {
        write("journal", whole + wallet::to_line(record(2)).substr(0, torn));
        EXPECT_EQ(records(), 1u);
        append(3);
        EXPECT_EQ(records(), 2u);
        EXPECT_EQ(testing::load_text(path), whole + wallet::to_line(record(3)));
    }
    write("journal", std::string(wallet::kJournalHeading).substr(0, 5));
    append(1);
    EXPECT_EQ(testing::load_text(path), whole);
}

TEST_F(WalletFilesTest, ADamagedJournalIsNamed) {
    append(1);
    write("journal", "leither-wallet-journal-1\nno record\n");
    EXPECT_EQ(error_of([this] { files_.journal(); }), "bad_journal");
    write("journal", "leither-wallet-journal-1\n", 0644);
    EXPECT_EQ(error_of([this] { files_.journal(); }), "bad_wallet");
}

TEST_F(WalletFilesTest, APolicyReadsBack) {
    wallet::Policy policy;
    policy.push_back({ChainId::copy_of(Bytes(32, 7)), Id::copy_of(Bytes(20, 1)), Amount::of(5),
                      Amount::of(Amount::kMax)});
    const auto guard = files_.lock();
    files_.set_policy(policy);
    EXPECT_EQ(files_.policy(), policy);
    files_.set_policy({});
    EXPECT_TRUE(files_.policy().empty());
}

TEST_F(WalletFilesTest, WhatIsNoPolicyIsRefused) {
    append(1);
    const std::string rule = R"({"chain_id": ")" + std::string(64, '7') + R"(", "from": ")" +
                             std::string(40, '1') + R"(", "amount_max": "5", "per_day": "9"})";
    const auto file = [](const std::string& rules) {
        return R"({"leither_policy": 1, "rules": [)" + rules + "]}";
    };
    EXPECT_EQ(policy_error(file(rule)), "none");
    for (const std::string& text :
         {std::string("{"), std::string("[]"), std::string(R"({"leither_policy": 2, "rules": []})"),
          std::string(R"({"leither_policy": 1})"), file("1"), file(R"({"from": "x"})"),
          file(rule.substr(0, rule.size() - 4) + R"(9.5"})"),
          file(rule.substr(0, rule.size() - 4) + R"(9})")}) {
        EXPECT_EQ(policy_error(text), "bad_policy") << text;
    }
    std::string many = rule;
    for (std::size_t i = 1; i < wallet::kPolicyRulesMax; ++i) many += "," + rule;
    EXPECT_EQ(policy_error(file(many)), "none");
    EXPECT_EQ(policy_error(file(many + "," + rule)), "bad_policy");
}

TEST_F(WalletFilesTest, ContactsReadBackAndWhatIsNoneIsRefused) {
    const wallet::Contacts contacts = {{"bea", Id::copy_of(Bytes(20, 1))},
                                       {"carl", Id::copy_of(Bytes(20, 2))}};
    const auto guard = files_.lock();
    EXPECT_TRUE(files_.contacts().empty());
    files_.set_contacts(contacts);
    EXPECT_EQ(files_.contacts(), contacts);
    const auto named = [](const std::string& name, char digit) {
        return R"({"name": ")" + name + R"(", "account": ")" + std::string(40, digit) + R"("})";
    };
    const auto error = [&](const std::string& items) {
        write("contacts.json", R"({"leither_contacts": 1, "contacts": [)" + items + "]}");
        return error_of([this] { files_.contacts(); });
    };
    EXPECT_EQ(error(named("bea", '1') + "," + named("carl", '2')), "none");
    for (const std::string& items :
         {named("Bea", '1'), named("bea", 'x'), named("bea", '1') + "," + named("bea", '2'),
          named("bea", '1') + "," + named("ben", '1'), std::string("1"), std::string("{}")}) {
        EXPECT_EQ(error(items), "bad_contacts") << items;
    }
}

TEST_F(WalletFilesTest, WhatIsKnownIsWrittenOnlyWhenItIsAnother) {
    const std::string path = files_.directory() + "/known";
    const auto inode = [&path] {
        struct stat status {};
        return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
    };
    const auto guard = files_.lock();
    EXPECT_TRUE(files_.known().organizations().empty());
    wallet::Known known;
    wallet::KnownOrganization market;
    market.charter.name = BoundedText<64>("Market");
    known.learn(market);
    files_.set_known(known);
    const auto first = inode();
    files_.set_known(known);
    EXPECT_EQ(inode(), first) << "nothing has changed";
    market.learned_ms = kNowMs;
    known.learn(market);
    files_.set_known(known);
    EXPECT_NE(inode(), first);
    ASSERT_NE(files_.known().find(market.chain()), nullptr);
    EXPECT_EQ(files_.known().find(market.chain())->learned_ms, kNowMs);
    write("known", "leither-wallet-known-1\nfoo");
    EXPECT_EQ(error_of([this] { (void)files_.known(); }), "bad_known");
}

TEST_F(WalletFilesTest, TheLockIsOneProgramsAtATime) {
    {
        const auto held = files_.lock();
        const WalletFiles other(files_.directory());
        EXPECT_EQ(error_of([&other] { (void)other.lock(); }), "wallet_busy");
    }
    EXPECT_EQ(error_of([this] { (void)files_.lock(); }), "none");
}

}  // namespace
}  // namespace leither::app
