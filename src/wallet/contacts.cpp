#include "leither/wallet/contacts.h"

#include <algorithm>

#include "leither/base/check.h"
#include "leither/wallet/keyring.h"

namespace leither::wallet {

const char* to_string(ContactError error) {
    switch (error) {
        case ContactError::bad_name: return "bad_name";
        case ContactError::name_taken: return "name_taken";
        case ContactError::too_many: return "too_many";
    }
    UNREACHABLE();
}

const Contact* find_contact(const Contacts& contacts, const std::string& name) {
    const auto found = std::ranges::find(contacts, name, &Contact::name);
    return found == contacts.end() ? nullptr : &*found;
}

const Contact* find_contact(const Contacts& contacts, const Id& account) {
    const auto found = std::ranges::find(contacts, account, &Contact::account);
    return found == contacts.end() ? nullptr : &*found;
}

Result<void, ContactError> set_contact(Contacts& contacts, const Contact& contact) {
    if (!Keyring::is_valid_name(contact.name) || Id::parse(contact.name)) {
        return fail(ContactError::bad_name);
    }
    const Contact* holder = find_contact(contacts, contact.name);
    if (holder != nullptr && holder->account != contact.account) {
        return fail(ContactError::name_taken);
    }
    const auto known = std::ranges::find(contacts, contact.account, &Contact::account);
    if (known != contacts.end()) {
        known->name = contact.name;
        return {};
    }
    if (contacts.full()) return fail(ContactError::too_many);
    contacts.push_back(contact);
    return {};
}

bool remove_contact(Contacts& contacts, const Id& account) {
    const auto known = std::ranges::find(contacts, account, &Contact::account);
    if (known == contacts.end()) return false;
    contacts.erase(known);
    return true;
}

}  // namespace leither::wallet
