// What an owner does with a wallet: ask, pay, answer. The same for the command line, which brings
// its calls over a socket, and for the daemon that holds a wallet, which calls itself. What must
// hold is decided by room `wallet`; here are the calls and the files. Whatever is promised is in
// the journal before anybody is told.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "leither/wallet/explain.h"
#include "leither/wallet/handed.h"
#include "leither/wallet/inbox.h"

#include "app/session.h"
#include "app/wallet_files.h"

namespace leither::app {

class WalletDesk {
 public:
    using Json = nlohmann::json;

    // `session` outlives the desk.
    explicit WalletDesk(Session& session)
        : session_(session), files_(session.keyring().directory()) {}

    struct Order {
        std::string account;  // payee's key: name or id
        Amount amount;
        std::string reference;
        std::uint64_t expires_pulses = 600;
        std::string payer;  // account whom it is sent to; empty: nobody
    };
    // Signs a request, and sends it: {text, id, expires_ms, letter?}.
    Json request(const Order& order);
    // What a request says: docs/rpc.md, wallet.read.
    Json read(const std::string& text);
    // Pays a request once: {id, state}. `already_paid`, `undecided` and the ledger's refusals are
    // thrown.
    Json pay(const std::string& account, const std::string& text);
    // Pays another key of this wallet, which signs the request here and now: payees sign first.
    Json pay_own(const std::string& account, const Order& order);
    // What was signed without a node, here or elsewhere: {id, state}. Of what is there already, the
    // same. The ledger's refusals are thrown.
    Json hand_in(const wallet::HandedPayment& payment);

    // All accounts served by the node whose keys are at hand.
    Json inbox();
    // Pays a request, or admits an applicant as the only supervisor who signs: {id, state}.
    Json accept(const std::string& id);
    // Tells who asked that it will not be.
    Json decline(const std::string& id, const std::string& reason);
    // Requests made with this wallet, payments that it has signed without a node, and what became
    // of them, newest last.
    Json requests();
    // Of an account, signed without a node and in no block yet.
    Json waiting_payments(const Id& account);
    // A chain of facts about a transaction, or a request: {id, facts: [{name, text, source}]}.
    // `signer` finds older transactions that this wallet has not signed.
    Json why(const std::string& id, const std::optional<Id>& signer);
    Json who_sees(const Id& payee, const std::optional<Id>& payer);

    Json policy();
    // Rules as in docs/rpc.md, for the daemon's organization; those of others stay.
    Json set_policy(const Json& rules);

    // {contacts: [{name, account}]}, by name.
    Json contacts();
    // Gives an account a name, or another one; none: forgets it.
    Json set_contact(const Id& account, const std::string& name);

    // What the policy has tried to pay, at which head: a refusal is not asked for again before a
    // block has changed something.
    using TriedAt = std::map<Hash, Pulse>;
    // Posts what a crash kept from being posted, submits what it kept from being submitted, and,
    // if the keys are at hand, notes answers that have arrived and pays what the policy allows.
    // Whether something is still on its way.
    bool work(TriedAt& tried);
    // Nothing was ever asked or signed, and there is no rule: `work` has nothing to do.
    bool is_idle() const;

 private:
    // All that the inbox is made of, as it was at one moment.
    struct View {
        wallet::Journal journal;
        wallet::Policy policy;
        wallet::LedgerTime time;
        std::vector<wallet::OpenedLetter> letters;
        std::vector<wallet::InboxItem> items;
    };

    // ---- What the ledger says
    wallet::LedgerTime time();
    std::uint64_t time_ms_of(Pulse pulse);
    wallet::TransactionFate fate_of(const Hash& id, const Id& signer);
    std::optional<std::uint64_t> counter_of(const Id& account, std::uint8_t lane);
    std::optional<PublicKey> known_key(const Id& account);
    std::map<Hash, wallet::PaymentFound> payments_of(const Id& payee, std::uint64_t since_ms);

    // ---- Requests
    wallet::SignedRequest parse_request(const std::string& text);
    wallet::SignedRequest sign_request(const Order& order, const crypto::KeyPair& payee,
                                       const wallet::Journal& journal);
    void check_payable(const wallet::SignedRequest& request, const wallet::LedgerTime& now);
    Json submit(const protocol::Transaction& transaction, const Hash& id);
    Json submit(wallet::Journal& journal, const wallet::Paying& paying);
    Json pay_request(const std::string& account, const wallet::SignedRequest& request,
                     wallet::Cause cause);
    Json pay_once(wallet::Journal& journal, const crypto::KeyPair& payer,
                  const wallet::SignedRequest& request, wallet::Cause cause);
    Json note_posted(wallet::Journal& journal, const Hash& request, const wallet::SealedTo& letter);

    // ---- The inbox
    enum class Reach : std::uint8_t {
        all,      // asks for the passphrase, and says what is in the way
        at_hand,  // what can be opened without; perhaps nothing
    };
    std::vector<wallet::OpenedLetter> all_letters();
    std::vector<wallet::OpenedLetter> letters(Reach reach);
    View view(Reach reach);
    wallet::InboxItem find(const std::string& id);
    Json admit(const wallet::InboxItem& item);
    Json item_json(const wallet::InboxItem& item);
    std::string why_text(const wallet::PolicyAnswer& answer);

    // ---- Explanations
    Json request_json(const wallet::Journal::OwnRequest& own, const wallet::LedgerTime& now,
                      const std::map<Hash, wallet::PaymentFound>& payments);
    Json payment_json(const wallet::Paying& paying, const wallet::LedgerTime& now);
    std::string letter_state(const Hash& message);
    std::optional<wallet::InboxItem> arrived(const std::string& id);
    void tell_own(wallet::Case& facts, const wallet::Journal::OwnRequest& own);
    void tell_arrived(wallet::Case& facts, const wallet::InboxItem& item);
    void tell_paying(wallet::Case& facts, const wallet::Paying& paying,
                     const wallet::Journal& journal);
    void tell_request(wallet::Case& facts, const wallet::SignedRequest& request);
    void tell_transaction(wallet::Case& facts, const Hash& id, const std::optional<Id>& signer);
    std::optional<Hash> known_id(const std::string& text, const wallet::Journal& journal);

    bool resume(wallet::Journal& journal);
    bool pay_by_policy(TriedAt& tried);

    Session& session_;
    WalletFiles files_;
};

}  // namespace leither::app
