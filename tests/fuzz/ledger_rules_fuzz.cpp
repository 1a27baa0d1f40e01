// A block of whatever transactions on a small ledger: the rules keep its invariants (build() CHECKs
// them), and what was built executes to the same root.
#include "support/codec_fuzz.h"
#include "support/ledger_world.h"

using namespace leither;

namespace {

using Bodies = Bounded<protocol::TransactionBody, 64>;

const std::vector<std::string>& names() {
    static const std::vector<std::string> all = {"fay", "alice", "bob", "carol"};
    return all;
}

testing::Founding founding() {
    testing::Founding founding;
    founding.supply = 1'000;
    founding.allocations = {{"alice", 100}, {"bob", 50}};
    founding.params.publicity_pulses = 0;
    founding.params.member_transactions_per_pulse = 100;
    return founding;
}

// Random ids hit no account, so a fuzzed one stands for one of ours by its first byte.
Id known(const Id& id) {
    return testing::id_of(names()[id[0] % names().size()]);
}

struct NameKnownAccounts {
    void operator()(protocol::Transfer& act) const { act.request.payee = known(act.request.payee); }
    void operator()(protocol::Join& act) const { (*this)(act.application); }
    void operator()(protocol::Earn& act) const { (*this)(act.application); }
    void operator()(protocol::Application& application) const {
        const std::string& name = names()[application.applicant[0] % names().size()];
        application.applicant = testing::key_of(name).public_key();
        if (application.sponsor) application.sponsor = known(*application.sponsor);
    }
    void operator()(protocol::Leave& act) const { act.member = known(act.member); }
    void operator()(protocol::SetRole& act) const { act.member = known(act.member); }
    void operator()(protocol::Reward& act) const { act.member = known(act.member); }
    void operator()(auto&) const {}
};

protocol::Transaction plausible(protocol::TransactionBody body) {
    body.signer = known(body.signer);
    std::visit(NameKnownAccounts{}, body.action);
    protocol::Transaction transaction;
    transaction.body = std::move(body);
    transaction.signatures.resize(protocol::signatures_needed(transaction.body));
    return transaction;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bodies = bcs::decode<Bodies>({data, size});
    if (!bodies) return 0;
    testing::LedgerWorld world(founding());
    std::vector<protocol::Transaction> candidates;
    for (const auto& body : *bodies) candidates.push_back(plausible(body));

    ledger::Built built = world.build(candidates, Pulse(1));
    const auto executed =
        ledger::execute(world.organization, world.tree, world.parent(), built.executed.header,
                        built.transactions, [](const ledger::SignatureCheck&) { return true; });
    CHECK(executed.has_value());
    CHECK(executed->header == built.executed.header);
    return 0;
}
