// cosign: adds a signature to an act that others have offered, and submits it once it is complete.
#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/crypto/hash.h"

#include "app/commands/acts.h"
#include "app/commands/commands.h"
#include "app/letters.h"
#include "app/served.h"
#include "app/supervising.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;

constexpr std::size_t kDigitsMin = 4;
constexpr std::size_t kShortIdDigits = 12;

struct Arrived {
    wallet::Offer offer;
    Hash id;
    std::vector<Hash> letters;
};

Hash id_of(const wallet::Offer& offer) {
    return protocol::transaction_id(offer.chain, offer.body);
}

// Of this organization, one a transaction: the one that lacks fewest signatures.
std::vector<Arrived> offers_in(Session& session) {
    std::vector<Arrived> all;
    const ChainId chain = session.organization().chain;
    for (const OpenedLetter& mail : read_mail(session)) {
        auto offer = wallet::offer_from_text(wallet::find_link(mail.text, wallet::kOfferPrefix));
        if (!offer || offer->chain != chain) continue;
        const Hash id = id_of(*offer);
        const auto known = std::ranges::find(all, id, &Arrived::id);
        if (known == all.end()) {
            all.push_back({*std::move(offer), id, {mail.message}});
            continue;
        }
        known->letters.push_back(mail.message);
        if (offer->missing().size() < known->offer.missing().size()) {
            known->offer = *std::move(offer);
        }
    }
    return all;
}

bool is_over(Session& session, const wallet::Offer& offer) {
    return offer.body.expiry < session.pulse_now();
}

std::string names_of(Session& session, const std::vector<Id>& ids) {
    std::string names;
    for (const Id& id : ids) names += (names.empty() ? "" : ", ") + session.short_name(id);
    return names;
}
}  // namespace

void list_offers(Session& session) {
    json all = json::array();
    TextTable table({{"ID"}, {"WHAT"}, {"BY"}, {"TO SIGN"}, {"UNTIL"}});
    const auto& charter = session.organization().charter;
    for (const Arrived& one : offers_in(session)) {
        if (is_over(session, one.offer)) {
            forget_mail(session, one.letters);  // nobody can use it any more
            continue;
        }
        const std::vector<Id> missing = one.offer.missing();
        json to = json::array();
        for (const Id& id : missing) to.push_back(id.hex());
        const std::string what = describe(session, one.offer.body);
        const std::uint64_t until_ms =
            charter.time_ms + one.offer.body.expiry.value() * charter.params.pulse_ms;
        all.push_back({{"id", one.id.hex()},
                       {"kind", protocol::kind_name(one.offer.body.action)},
                       {"what", what},
                       {"signer", one.offer.body.signer.hex()},
                       {"missing", std::move(to)},
                       {"until_ms", until_ms},
                       {"offer", wallet::to_text(one.offer)}});
        table.add({one.id.hex().substr(0, kShortIdDigits), what,
                   session.short_name(one.offer.body.signer), names_of(session, missing),
                   format_time(until_ms)});
    }
    session.print(all, table.empty() ? "Nothing to sign has arrived.\n"
                                     : table.text() + "Sign with: leither cosign ID\n");
}

namespace {

Arrived find_offer(Session& session, const std::string& what) {
    if (what.starts_with("leither:") || what.starts_with("LEITHER:")) {
        auto offer = wallet::offer_from_text(what);
        if (!offer) {
            throw CliError(CliExit::usage, std::string("offer_") + wallet::to_string(offer.error()),
                           wallet::explain(offer.error(), "offer to sign"),
                           "Ask for the text that ends in leither cosign once more.");
        }
        if (offer->chain != session.organization().chain) {
            throw CliError(CliExit::refused, "wrong_organization",
                           "The offer is of another organization.", "Sign it at its node.");
        }
        const Hash id = id_of(*offer);
        return {*std::move(offer), id, {}};
    }
    std::vector<Arrived> matching;
    for (Arrived& one : offers_in(session)) {
        if (one.id.hex().starts_with(what)) matching.push_back(std::move(one));
    }
    if (what.size() < kDigitsMin || matching.size() > 1) {
        throw CliError(CliExit::usage, "ambiguous_id",
                       fmt::format("\"{}\" names {}.", what, count_of(matching.size(), "offer")),
                       "Write more digits of it.");
    }
    if (!matching.empty()) return std::move(matching.front());
    throw CliError(CliExit::refused, "not_found", fmt::format("No offer {} has arrived.", what),
                   "See what has with: leither cosign");
}

// The key named, else the wallet's first that is to sign.
crypto::KeyPair signing_key(Session& session, const wallet::Offer& offer, const std::string& name) {
    if (!name.empty()) return session.key(name);
    const std::vector<Id> missing = offer.missing();
    for (const auto& known : session.keyring().list()) {
        if (std::ranges::count(missing, known.id) > 0) return session.key(known.name);
    }
    throw CliError(CliExit::local, "not_asked", "No key of this wallet is asked to sign this.",
                   "Those who are: " + names_of(session, missing));
}
}  // namespace

void cosign_offer(Session& session, const CosignOptions& options) {
    Arrived arrived = find_offer(session, options.what);
    if (is_over(session, arrived.offer)) {
        forget_mail(session, arrived.letters);
        throw CliError(CliExit::refused, "expired", "The offer can be committed no more.",
                       "Ask the supervisor who made it for another one.");
    }
    const std::string what = describe(session, arrived.offer.body);
    if (arrived.offer.missing().empty()) {
        throw CliError(CliExit::usage, "complete", "All have signed this.",
                       "It has been submitted; see: leither transaction show " + arrived.id.hex());
    }
    const crypto::KeyPair key = signing_key(session, arrived.offer, options.act.by);
    if (!wallet::cosign(arrived.offer, key)) {
        throw CliError(CliExit::refused, "not_asked",
                       fmt::format("{} is not asked to sign this.", session.display(key.id())),
                       "Those who are: " + names_of(session, arrived.offer.missing()));
    }
    if (const auto transaction = wallet::completed(arrived.offer)) {
        carry_out(session, *transaction, options.act, fmt::format("Signed: {}.", what));
    } else {
        hand_on(session, arrived.offer, key);
    }
    forget_mail(session, arrived.letters);
}

void add_cosign_command(CLI::App& cli, Session& session) {
    const auto options = std::make_shared<CosignOptions>();
    auto* command = cli.add_subcommand("cosign", "Sign what another supervisor has offered");
    command->add_option("OFFER", options->what,
                        "leither:cosign:... text, or the first digits of one that has arrived; "
                        "none: list them");
    command->add_option("--by", options->act.by, "Key that signs")->type_name("KEY");
    add_wait_option(*command, options->act);
    command->footer(
        "Examples:\n"
        "  leither cosign\n"
        "  leither cosign 1f0c\n"
        "  leither cosign leither:cosign:qpzr... --by anna");
    command->callback([&session, options] {
        options->what.empty() ? list_offers(session) : cosign_offer(session, *options);
    });
}

}  // namespace leither::app
