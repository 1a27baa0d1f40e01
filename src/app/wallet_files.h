// What lies in a wallet's directory beside its keys: the journal of what was promised, the policy,
// the contacts, what is known of its organizations, and the lock that makes several programs decide
// one after the other.
#pragma once

#include <string>

#include "leither/wallet/contacts.h"
#include "leither/wallet/journal.h"
#include "leither/wallet/known.h"
#include "leither/wallet/policy.h"

namespace leither::app {

class WalletFiles {
 public:
    explicit WalletFiles(std::string directory) : directory_(std::move(directory)) {}

    // Held while something is decided and written down; the kernel drops it with the process.
    class Guard {
     public:
        explicit Guard(int descriptor) : descriptor_(descriptor) {}
        Guard(Guard&& other) noexcept;
        Guard& operator=(Guard&&) = delete;
        ~Guard();

     private:
        int descriptor_ = -1;
    };
    // Waits some seconds for others. Throws CliError `wallet_busy`, or `bad_wallet` if there is no
    // such directory.
    Guard lock() const;

    // What was promised so far. Throws CliError `bad_journal`: nothing may be signed then.
    wallet::Journal journal() const;
    // Durable when it returns, and added to `journal`. Throws CliError. REQUIRES: locked, and
    // `journal` was read since.
    void append(wallet::Journal& journal, const wallet::JournalRecord& record,
                std::uint64_t now_ms) const;

    // No file is a policy without rules. Throws CliError `bad_policy`.
    wallet::Policy policy() const;
    // Durable when it returns. Throws CliError.
    void set_policy(const wallet::Policy& policy) const;

    // No file is nobody known by name. Throws CliError `bad_contacts`.
    wallet::Contacts contacts() const;
    // Durable when it returns. Throws CliError. REQUIRES: locked, and `contacts` are what was read
    // since, changed.
    void set_contacts(const wallet::Contacts& contacts) const;

    // What is remembered for when no node can be reached; no file is nothing. Throws CliError
    // `bad_known`.
    wallet::Known known() const;
    // Written only if it is something else than what is there. Durable when it returns. Throws
    // CliError. REQUIRES: locked.
    void set_known(const wallet::Known& known) const;

    const std::string& directory() const { return directory_; }

 private:
    std::string path(const char* name) const { return directory_ + "/" + name; }
    std::string directory_;
};

}  // namespace leither::app
