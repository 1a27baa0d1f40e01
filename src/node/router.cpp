// One function per kind of input, each handing it to the one machine concerned.
#include "leither/codec/bcs.h"

#include "node_impl.h"

namespace leither::node {

namespace {

using protocol::Refusal;
using protocol::Refused;
using store::Fault;

SubmitReply refuse_submit(const Submit& submit, Refusal code) {
    return {submit.token, std::vector<Verdict>(submit.transactions.size(), fail(Refused{code}))};
}

NetworkReply no_ledger(Token token) {
    return {token,
            fail(NetworkFailure{NetworkError::no_organization, "this node keeps no ledger yet"})};
}

// Whose inputs are answered by a NetworkReply.
struct AwaitsNetworkReply {
    std::optional<Token> operator()(const NetworkCall& call) const { return call.token; }
    std::optional<Token> operator()(const KeepReceipts& wish) const { return wish.token; }
    std::optional<Token> operator()(const Endorse& wish) const { return wish.token; }
    std::optional<Token> operator()(const SignTakeover& wish) const { return wish.token; }
    std::optional<Token> operator()(const TakeOver& input) const { return input.token; }
    std::optional<Token> operator()(const auto&) const { return std::nullopt; }
};

}  // namespace

NodeImpl::NodeImpl(Options options, const store::Reader& store, crypto::KeyPair key, Log log)
    : options_(options), store_(store), key_(std::move(key)), log_(std::move(log)) {}

Result<void, Fault> NodeImpl::adopt(OrgInstance::Parts parts) {
    organization_ = TRY(OrgInstance::make(options_, store_, key_, log_, std::move(parts)));
    return {};
}

Effects NodeImpl::step(Input&& input, Instant now) {
    Effects fx;
    if (stopped_) {
        answer_stopping(std::move(input), fx);
        return fx;
    }
    auto done =
        std::visit([&](auto&& event) { return on(std::move(event), now, fx); }, std::move(input));
    return finish(std::move(done), now, std::move(fx));
}

Effects NodeImpl::step(NetworkInput&& input, Instant now) {
    CHECK(network_);
    Effects fx;
    if (stopped_) return fx;
    auto done = network_->step(std::move(input), now, fx);
    return finish(std::move(done), now, std::move(fx));
}

Effects NodeImpl::start_network(Instant now) {
    CHECK(network_);
    Effects fx;
    auto done = network_->start(now, fx);
    if (done && organization_) {
        done = network_->follow(organization_->organization().treasury, now, fx);
    }
    return finish(std::move(done), now, std::move(fx));
}

// What an input has led to on the other side, and the end of the node if there was a fault.
Effects NodeImpl::finish(Result<void, Fault>&& done, Instant now, Effects&& fx) {
    if (done) done = settle(now, fx);
    if (done && fx.fatal) done = fail(*fx.fatal);
    if (!done) stop(std::move(done).error(), fx);
    return std::move(fx);
}

Result<void, Fault> NodeImpl::join_network(const NetworkSetup& network) {
    network_ = TRY(NetworkNode::open({network.options, network.store, network.entropy, network.now},
                                     key_, *this, log_));
    meddler_ = network.meddler;
    return {};
}

std::optional<bool> NodeImpl::is_member(const Id& account) const {
    if (!organization_) return std::nullopt;
    const auto leaf = organization_->tree().read(account);
    if (leaf && *leaf) {
        const auto record = bcs::decode<protocol::Record>((*leaf)->record);
        return record && std::holds_alternative<protocol::MemberRecord>(*record);
    }
    // A ledger that is behind may not know of it yet. (Nobody has the empty id.)
    const bool is_behind = pursuit_ && pursuit_->machine.progress().is_behind();
    if (is_behind && account != Id{}) return std::nullopt;
    return false;
}

bool NodeImpl::is_bookkeeper(const PublicKey& node) const {
    return organization_ && organization_->is_bookkeeper(node);
}

Result<void, Fault> NodeImpl::on(const Tick&, Instant now, Effects& fx) {
    if (network_) TRY(network_->tick(now, fx));
    TRY(catch_up(sync::CatchUp::Tick{}, now, fx));
    if (!organization_) return {};
    return organization_->on_tick(now, fx);
}

Result<void, Fault> NodeImpl::on(const KeepReceipts& wish, Instant, Effects& fx) {
    if (organization_) {
        organization_->keep_receipts(wish, fx);
    } else {
        fx.replies.push_back(no_ledger(wish.token));
    }
    return {};
}

Result<void, Fault> NodeImpl::on(const Endorse& wish, Instant now, Effects& fx) {
    if (organization_)
        return organization_->endorse(Endorsing::Wanted{wish.token, wish.ask}, now, fx);
    fx.replies.push_back(no_ledger(wish.token));
    return {};
}

Result<void, Fault> NodeImpl::on(const SignTakeover& wish, Instant now, Effects& fx) {
    if (!organization_) {
        fx.replies.push_back(no_ledger(wish.token));
        return {};
    }
    if (pursuit_ && pursuit_->machine.progress().is_behind()) {
        fx.replies.emplace_back(NetworkReply{
            wish.token,
            fail(NetworkFailure{NetworkError::refused,
                                "this node is behind its neighbours, who know later blocks: nobody "
                                "is silent; wait until `leither node status` says that it is up to "
                                "date",
                                "node_behind"})});
        return {};
    }
    return organization_->sign_takeover(wish, now, fx);
}

Result<void, Fault> NodeImpl::on(const TakeOver& input, Instant now, Effects& fx) {
    if (organization_) return organization_->take_over(input, now, fx);
    fx.replies.push_back(no_ledger(input.token));
    return {};
}

// Whoever lets this node serve an account wants its receipts kept as well.
void NodeImpl::keep_receipts_of_served(Instant now, Effects& fx) {
    if (!organization_ || !network_ || network_->community() == nullptr) return;
    if (!std::exchange(has_served_changed_, false)) return;
    for (const ServedAccount& served : network_->community()->status(now).accounts) {
        organization_->keep_receipts({kNobody, served.account, KeepReceipts::Wish::keep}, fx);
    }
}

Result<void, Fault> NodeImpl::on(NetworkCall&& call, Instant now, Effects& fx) {
    has_served_changed_ = true;
    if (network_) return network_->call(std::move(call), now, fx);
    fx.replies.emplace_back(NetworkReply{call.token, fail(no_network())});
    return {};
}

Result<void, Fault> NodeImpl::on(Submit&& submit, Instant now, Effects& fx) {
    if (!organization_) {
        fx.replies.emplace_back(refuse_submit(submit, Refusal::no_organization));
        return {};
    }
    return organization_->on_submit(std::move(submit), now, fx);
}

Result<void, Fault> NodeImpl::on(const SignaturesChecked& checked, Instant now, Effects& fx) {
    if (!organization_) return {};  // of a ledger that a later state is about to replace
    return organization_->on_checked(checked, now, fx);
}

Result<void, Fault> NodeImpl::on(const Persisted& persisted, Instant now, Effects& fx) {
    if (!persisted.result) return fail(persisted.result.error());
    switch (std::exchange(writer_, Writer::none)) {
        case Writer::founding: return finish_founding(now, fx);
        case Writer::ledger: return organization_->on_durable(now, fx);
        case Writer::none: break;
    }
    UNREACHABLE();
}

// What was told before stays true; what was not durable was never told. So stopping at once is
// safe, and going on is not: nobody knows what the device holds.
void NodeImpl::stop(Fault&& fault, Effects& fx) {
    stopped_ = true;
    log_.error("node_stopping", "fault={} detail=\"{}\"", store::to_string(fault.kind),
               fault.detail);
    fx.durable.reset();
    fx.vote_keys.reset();
    fx.verify.clear();
    fx.prune.reset();
    if (founding_ && founding_->token != kNobody) {
        fx.replies.emplace_back(
            FoundReply{founding_->token, fail(FoundError::stopping), std::nullopt});
    }
    if (organization_) organization_->refuse_all(Refusal::stopping, fx);
    fx.fatal = std::move(fault);
}

void NodeImpl::answer_stopping(Input&& input, Effects& fx) const {
    if (const auto* submit = std::get_if<Submit>(&input)) {
        fx.replies.emplace_back(refuse_submit(*submit, Refusal::stopping));
    } else if (const auto* found = std::get_if<Found>(&input)) {
        fx.replies.emplace_back(FoundReply{found->token, fail(FoundError::stopping), std::nullopt});
    } else if (const auto token = std::visit(AwaitsNetworkReply{}, input)) {
        fx.replies.emplace_back(
            NetworkReply{*token, fail(NetworkFailure{NetworkError::stopping, "the node stops"})});
    }
}

std::optional<Instant> NodeImpl::next_deadline() const {
    if (stopped_) return std::nullopt;
    auto next = organization_ ? organization_->next_deadline() : std::nullopt;
    const auto consider = [&next](const std::optional<Instant>& at) {
        if (at && (!next || *at < *next)) next = at;
    };
    if (organization_) consider(serving_.next_deadline());
    if (network_) consider(network_->next_deadline());
    if (pursuit_) consider(pursuit_->machine.next_deadline());
    return next;
}

void NodeImpl::check_invariants() const {
    if (organization_ && !stopped_) organization_->check_invariants();
    if (network_ && !stopped_) network_->check_invariants();
    CHECK(!(organization_ && founding_));
    if (pursuit_) pursuit_->machine.check_invariants();
    serving_.check_invariants();
}

}  // namespace leither::node
