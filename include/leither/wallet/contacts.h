// What the owner of a wallet calls other people's accounts. Nobody else is told. Pure.
#pragma once

#include <string>

#include "leither/base/bounded.h"
#include "leither/base/fixed_bytes.h"
#include "leither/base/result.h"

namespace leither::wallet {

struct Contact {
    std::string name;  // as a key may be named
    Id account;
    friend bool operator==(const Contact&, const Contact&) = default;
};
inline constexpr std::size_t kContactsMax = 256;
// One name for each account, one account for each name.
using Contacts = Bounded<Contact, kContactsMax>;

// In order of precedence.
enum class ContactError : std::uint8_t {
    bad_name,    // a key could not be named so either, or it reads like an account number
    name_taken,  // by another account
    too_many,
};
const char* to_string(ContactError error);

// Nullptr if there is none.
const Contact* find_contact(const Contacts& contacts, const std::string& name);
const Contact* find_contact(const Contacts& contacts, const Id& account);
// `contact` is added, or that account's name is changed.
Result<void, ContactError> set_contact(Contacts& contacts, const Contact& contact);
// Whether there was one.
bool remove_contact(Contacts& contacts, const Id& account);

}  // namespace leither::wallet
