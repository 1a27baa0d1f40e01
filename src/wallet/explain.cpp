#include "leither/wallet/explain.h"

#include <fmt/format.h>

#include "leither/base/check.h"

namespace leither::wallet {

namespace {

using State = TransactionFate::State;

class Chain {
 public:
    void add(std::string_view name, std::string_view source, std::string text) {
        facts_.push_back({std::string(name), std::move(text), std::string(source)});
    }
    std::vector<Fact> take() { return std::move(facts_); }

 private:
    std::vector<Fact> facts_;
};

bool is_behind(const std::optional<Pulse>& expiry, Pulse at) {
    return expiry && at > *expiry;
}

void tell_request(Chain& chain, const Case& facts) {
    if (!facts.request_expiry) return;
    chain.add(
        facts.request_signature_holds ? "signed_by_payee" : "signature_unchecked", "signature",
        facts.request_signature_holds
            ? fmt::format("{} has signed a request for {}{}.", facts.payee, facts.amount,
                          facts.reference.empty() ? "" : fmt::format(" (\"{}\")", facts.reference))
            : fmt::format("A request for {} names {} as payee, whose key is not known here.",
                          facts.amount, facts.payee));
    chain.add("request_expiry", "signature",
              fmt::format("It can be paid up to pulse {} ({}).", facts.request_expiry->value(),
                          facts.request_expiry_time));
    if (facts.asked_by_letter) {
        const std::string how =
            !facts.letter_posted           ? "is not posted yet: the daemon posts it when it can"
            : facts.letter_state.empty()   ? "was posted; its way is no longer known"
            : facts.letter_state == "held" ? "is held by other members' nodes, for the payer's"
            : facts.letter_state == "delivered"
                ? "has arrived at the payer's node"
                : "waits here until the payer's node, or a holder, can be reached";
        chain.add("letter", "letter", fmt::format("The letter with it {}.", how));
    }
    if (facts.declined) {
        chain.add("declined", facts.declined_here ? "journal" : "letter",
                  fmt::format("{} declined it{}.",
                              facts.declined_here ? "This wallet has" : "The payer has",
                              facts.declined->empty() ? ", without a reason"
                                                      : fmt::format(": \"{}\"", *facts.declined)));
    }
}

void tell_policy(Chain& chain, const Case& facts) {
    if (!facts.policy) return;
    const bool has_numbers = facts.policy->verdict == PolicyVerdict::above_amount_max ||
                             facts.policy->verdict == PolicyVerdict::above_per_day;
    chain.add(
        "policy", "journal",
        fmt::format("By itself this wallet does not pay it: {}{}.", words_of(facts.policy->verdict),
                    has_numbers
                        ? fmt::format(" ({} against {})", facts.policy_actual, facts.policy_limit)
                        : ""));
}

void tell_transaction(Chain& chain, const Case& facts) {
    if (!facts.transaction) return;
    if (facts.cause) {
        chain.add("signed_by_payer", "journal",
                  fmt::format("{} has signed transaction {} with this wallet, {}.", facts.payer,
                              facts.transaction->hex(),
                              *facts.cause == Cause::by_policy ? "by the policy" : "by hand"));
    } else if (!facts.payer.empty()) {
        chain.add(
            "signed_by_payer", "block",
            fmt::format("{} has signed transaction {}.", facts.payer, facts.transaction->hex()));
    }
    if (facts.nonce) {
        chain.add(
            "nonce", "signature",
            fmt::format("It is number {} of lane {}: it waits for those before it, and another "
                        "with that number keeps it out.",
                        facts.nonce->counter, facts.nonce->lane));
    }
    if (facts.expiry) {
        chain.add("expiry", "signature",
                  fmt::format("It can be committed up to pulse {} ({}).", facts.expiry->value(),
                              facts.expiry_time));
    }
    if (facts.is_handed_over) {
        chain.add("handed_over", "journal",
                  "It was signed without a node, in a lane of its own: whoever has its text hands "
                  "it in.");
    }
    switch (facts.fate.state) {
        case State::pending:
            chain.add("in_mempool", "mempool",
                      "It waits in this node's mempool and has been told to the bookkeepers that "
                      "are connected.");
            break;
        case State::committed:
            chain.add("committed", "block",
                      fmt::format("It is in block {}, which the bookkeepers have certified.",
                                  facts.sequence ? facts.sequence->value() : 0));
            if (!facts.finality.empty()) chain.add("finality", "block", facts.finality);
            break;
        case State::refused:
            chain.add("refused", "mempool",
                      fmt::format("This node has refused it: {}: {}", facts.fate.refusal,
                                  facts.refusal_text));
            break;
        case State::unknown:
            chain.add("unknown", "block",
                      fmt::format("This node has it neither in its mempool nor in a block up to "
                                  "pulse {}.",
                                  facts.time.head.value()));
            break;
    }
}

std::string after_expiry(const LedgerTime& time, Pulse expiry) {
    if (time.head > expiry) {
        return fmt::format(
            "It was not committed, and never will be: the newest block is of pulse {}, behind its "
            "expiry {}, and no block up to there holds it. Both sides are free.",
            time.head.value(), expiry.value());
    }
    return fmt::format(
        "Its time is over by the clock (pulse {}, expiry {}). No block holds it so far; that it "
        "never will is proven by the next block that is decided (the newest is of pulse {}).",
        time.now.value(), expiry.value(), time.head.value());
}

std::string conclusion(const Case& facts) {
    const State state = facts.fate.state;
    const bool has_transaction = facts.transaction.has_value();
    if (has_transaction && state == State::committed) {
        switch (facts.fate.standing) {
            case PaymentState::settled: return "It is paid and settled: nothing is left to do.";
            case PaymentState::secured:
                return "It is paid and secured: hand over what it is for. It settles by itself.";
            case PaymentState::pending:
            case PaymentState::committed:
            case PaymentState::refused:
            case PaymentState::expired:
                return "It is committed. Take it as done when it is secured.";
        }
    }
    if (has_transaction && state == State::pending) {
        return "It will be in the next block unless something before it in line takes what it "
               "needs. If the bookkeepers are silent: leither takeover status.";
    }
    if (has_transaction && is_behind(facts.expiry, facts.time.now)) {
        return after_expiry(facts.time, *facts.expiry);
    }
    if (has_transaction && state == State::refused) {
        return "It was not committed. Mend what the refusal names, and pay again.";
    }
    if (has_transaction && facts.is_handed_over) {
        return fmt::format(
            "Nobody this node hears has handed it in yet; it must be by {}: leither hand-in TEXT. "
            "By both sides, or twice, does no harm. To take it back: leither cancel {} --from {}.",
            facts.expiry_time, facts.transaction->hex(), facts.payer);
    }
    if (has_transaction) {
        return "Nobody this node hears has taken it yet. Submitting it again does no harm: it can "
               "be committed once only.";
    }
    if (facts.declined) return "It was declined. Ask again if that was a mistake.";
    if (is_behind(facts.request_expiry, facts.time.now)) {
        return after_expiry(facts.time, *facts.request_expiry);
    }
    return facts.policy ? "It waits for its owner: leither accept, or leither decline."
                        : "It waits for the payer.";
}

}  // namespace

const char* words_of(PolicyVerdict verdict) {
    switch (verdict) {
        case PolicyVerdict::pays: return "the policy pays it";
        case PolicyVerdict::no_rule: return "no rule of the policy is about this payee";
        case PolicyVerdict::foreign_letter:
            return "the letter is not the payee's own, so no rule is asked";
        case PolicyVerdict::above_amount_max: return "it is above what the rule pays at once";
        case PolicyVerdict::above_per_day: return "it is above what the rule pays in 24 hours";
    }
    UNREACHABLE();
}

std::vector<Fact> explain(const Case& facts) {
    Chain chain;
    tell_request(chain, facts);
    tell_policy(chain, facts);
    tell_transaction(chain, facts);
    chain.add("so", "clock", conclusion(facts));
    return chain.take();
}

std::vector<Audience> who_sees(const Place& place) {
    return {
        {place.payer.empty() ? "the payer" : place.payer,
         "everything: amount, reference, who, when"},
        {place.payee.empty() ? "the payee" : place.payee,
         "everything: amount, reference, who, when"},
        {fmt::format("the {} bookkeepers' nodes", place.bookkeepers),
         "everything: they put it into a block"},
        {fmt::format("members' nodes that keep the ledger (up to {} members)", place.members),
         "everything: they execute each block again, and whoever runs such a node can look"},
        {"nodes that carried the request as a letter",
         "that a letter went to the payee's or payer's account, not what it says or from whom"},
        {"holders of a receipt you hand out", "the balance it proves, and a neighbour's sum"},
        {"everybody else", "nothing of it: at most the organization's sums"},
    };
}

}  // namespace leither::wallet
