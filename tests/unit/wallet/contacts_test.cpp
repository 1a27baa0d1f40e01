#include "leither/wallet/contacts.h"

#include <gtest/gtest.h>

namespace leither::wallet {
namespace {

Id account(std::uint8_t number) {
    return Id::copy_of(Bytes(20, number));
}

TEST(Contacts, AreFoundByNameAndByAccount) {
    Contacts contacts;
    ASSERT_TRUE(set_contact(contacts, {"bea", account(1)}));
    ASSERT_TRUE(set_contact(contacts, {"carl", account(2)}));
    ASSERT_NE(find_contact(contacts, "bea"), nullptr);
    EXPECT_EQ(find_contact(contacts, "bea")->account, account(1));
    EXPECT_EQ(find_contact(contacts, account(2))->name, "carl");
    EXPECT_EQ(find_contact(contacts, "dora"), nullptr);
    EXPECT_EQ(find_contact(contacts, account(3)), nullptr);
}

TEST(Contacts, AnAccountHasOneNameAndANameOneAccount) {
    Contacts contacts;
    ASSERT_TRUE(set_contact(contacts, {"bea", account(1)}));
    EXPECT_TRUE(set_contact(contacts, {"bea", account(1)}));
    EXPECT_EQ(set_contact(contacts, {"bea", account(2)}), fail(ContactError::name_taken));
    ASSERT_TRUE(set_contact(contacts, {"beatrix", account(1)}));
    EXPECT_EQ(contacts, (Contacts{{"beatrix", account(1)}}));
    EXPECT_TRUE(set_contact(contacts, {"bea", account(2)}));
}

TEST(Contacts, NamesAreThoseOfKeysAndNoAccountNumbers) {
    Contacts contacts;
    for (const std::string& name : {std::string(), std::string("Bea"), std::string(".bea"),
                                    std::string("be a"), std::string(65, 'a'), account(1).hex()}) {
        EXPECT_EQ(set_contact(contacts, {name, account(1)}), fail(ContactError::bad_name)) << name;
    }
    EXPECT_TRUE(contacts.empty());
}

TEST(Contacts, AreBoundedAndGoOneByOne) {
    Contacts contacts;
    for (std::size_t i = 0; i < kContactsMax; ++i) {
        Bytes id(20, 0);
        id[0] = static_cast<std::uint8_t>(i);
        id[1] = static_cast<std::uint8_t>(i >> 8);
        ASSERT_TRUE(set_contact(contacts, {"c" + std::to_string(i), Id::copy_of(id)}));
    }
    EXPECT_EQ(set_contact(contacts, {"more", account(9)}), fail(ContactError::too_many));
    EXPECT_TRUE(set_contact(contacts, {"renamed", contacts[3].account}));
    EXPECT_TRUE(remove_contact(contacts, contacts[3].account));
    EXPECT_FALSE(remove_contact(contacts, account(9)));
    EXPECT_TRUE(set_contact(contacts, {"more", account(9)}));
}

}  // namespace
}  // namespace leither::wallet
