#include "leither/rpc/dispatcher.h"

#include <algorithm>
#include <exception>
#include <unordered_map>

#include <fmt/format.h>

#include "call.h"
#include "envelope.h"
#include "handlers.h"
#include "json_text.h"
#include "subscriptions.h"

namespace leither::rpc {
namespace {

// One request text on its way to its answer.
struct Exchange {
    enum class Form : std::uint8_t { single, batch };

    Answer answer;
    Form form = Form::single;
    std::vector<std::string> replies;  // by call; empty: none (yet)
    std::size_t open = 0;              // calls without a reply, and one while calls are being made
    std::size_t reply_bytes = 0;
};

std::string joined(const Exchange& exchange) {
    if (exchange.form == Exchange::Form::single) return exchange.replies.front();
    std::string out;
    out.reserve(exchange.reply_bytes + exchange.replies.size() + 2);
    for (const auto& reply : exchange.replies) {
        if (reply.empty()) continue;
        out += out.empty() ? '[' : ',';
        out += reply;
    }
    if (!out.empty()) out += ']';
    return out;
}

// Where the reply of one call goes.
struct ReturnAddress {
    std::shared_ptr<Exchange> exchange;
    std::size_t slot = 0;
    std::string id;  // empty: a notification
    std::string_view method;
};
struct WaitingCall {
    ReturnAddress to;
    std::variant<Deferred, DhtQuestion> as = Deferred::one_transaction;
};

CallError invalid_request(std::string message) {
    return {ErrorCode::invalid_request, std::move(message), nullptr};
}

std::string sealed_json(const node::BlockSealed& event, const node::Queries& queries) {
    const auto& header = event.seal.header;
    const auto block = queries.block(header.sequence);
    Json out = {{"sequence", header.sequence.value()}, {"pulse", header.pulse.value()}};
    if (block && *block) out["hash"] = (*block)->hash.hex();
    out["root"] = to_json(header.root);
    out["transaction_count"] = header.transaction_count;
    return to_text(out);
}

std::optional<std::string> account_json(const Id& account, Sequence sequence,
                                        const node::Queries& queries) {
    const auto answer = queries.account(account, sequence);
    if (!answer) return std::nullopt;
    return to_text({{"account", account.hex()},
                    {"sequence", sequence.value()},
                    {"record", answer->record ? to_json(*answer->record) : Json(nullptr)}});
}

}  // namespace

struct Dispatcher::Impl {
    Impl(Options given, Host& its_host, Metrics& its_metrics)
        : options(given),
          host(its_host),
          metrics(its_metrics),
          subscriptions(given.subscriptions_max) {}

    void run_text(std::string_view text, std::optional<ConnectionId> connection, Answer answer);
    void run_request(const JsonValue& value, std::optional<ConnectionId> connection,
                     const std::shared_ptr<Exchange>& exchange, std::size_t slot);
    void run_method(const Method& method, const RequestObject& request,
                    std::optional<ConnectionId> connection, ReturnAddress to);
    std::optional<CallError> refuse_early(const Method& method, const Exchange& exchange) const;

    void succeed(const ReturnAddress& to, std::string_view result);
    void fail_call(const ReturnAddress& to, const CallError& error);
    void put(const ReturnAddress& to, std::string reply);
    void release(Exchange& exchange);

    void on(node::SubmitReply&& reply);
    void on(node::FoundReply&& reply);
    void on(node::NetworkReply&& reply);
    void on(const node::LetterArrived& event);
    void on(const node::LineTaken& event);
    void on(const node::BlocksFinal& event);
    void on(const node::BlockSealed& event);
    void on(const node::TransactionDropped& event);
    std::optional<WaitingCall> take_waiting(node::Token token);
    void count_verdicts(const std::vector<node::Verdict>& verdicts);
    void update_pulse_events();

    Options options;
    Host& host;
    Metrics& metrics;
    Front* front = nullptr;
    Places* places = nullptr;
    std::string place;
    std::optional<PlaceFailure> absent;
    Subscriptions subscriptions;
    std::unordered_map<node::Token, WaitingCall> waiting;
    node::Token last_token = 0;
    WalletPort* wallet = nullptr;
    bool stopping = false;
};

void Dispatcher::Impl::run_text(std::string_view text, std::optional<ConnectionId> connection,
                                Answer answer) {
    const auto parsed = JsonText::parse(text);
    if (!parsed) {
        metrics.count_call("unknown", CallOutcome::invalid);
        const auto& [offset, what] = parsed.error();
        return answer(
            error_text("null", {ErrorCode::parse_error,
                                fmt::format("no JSON: {} at byte {}", what, offset), nullptr}));
    }
    const JsonValue root = parsed->root();
    const bool batch = root.is(JsonKind::array);
    if (batch && (root.size() == 0 || root.size() > options.batch_calls_max)) {
        metrics.count_call("unknown", CallOutcome::invalid);
        return answer(error_text(
            "null", invalid_request(fmt::format("a batch holds 1 to {} calls, this one {}",
                                                options.batch_calls_max, root.size()))));
    }
    const auto exchange = std::make_shared<Exchange>();
    exchange->answer = std::move(answer);
    exchange->form = batch ? Exchange::Form::batch : Exchange::Form::single;
    exchange->replies.resize(batch ? root.size() : 1);
    exchange->open = exchange->replies.size() + 1;
    if (batch) {
        std::size_t slot = 0;
        root.each_element(
            [&](const JsonValue& call) { run_request(call, connection, exchange, slot++); });
    } else {
        run_request(root, connection, exchange, 0);
    }
    release(*exchange);
}

void Dispatcher::Impl::run_request(const JsonValue& value, std::optional<ConnectionId> connection,
                                   const std::shared_ptr<Exchange>& exchange, std::size_t slot) {
    const auto request = read_request(value);
    if (!request) {
        return fail_call({exchange, slot, request.error().id, "unknown"}, request.error().error);
    }
    const Method* method = find_method(request->method);
    if (method == nullptr) {
        return fail_call(
            {exchange, slot, request->id, "unknown"},
            {ErrorCode::unknown_method,
             fmt::format("there is no method \"{}\"; rpc.discover lists them", request->method),
             nullptr});
    }
    run_method(*method, *request, connection, {exchange, slot, request->id, method->info.name});
}

std::optional<CallError> Dispatcher::Impl::refuse_early(const Method& method,
                                                        const Exchange& exchange) const {
    if (exchange.reply_bytes > options.reply_bytes_max) {
        return named_error(ErrorCode::busy, "busy",
                           "the replies of this batch are too long; send smaller ones");
    }
    if (method.timing == Timing::at_once) return std::nullopt;
    if (stopping) return refusal_error({protocol::Refusal::stopping, 0, 0});
    if (waiting.size() < options.waiting_calls_max) return std::nullopt;
    return named_error(ErrorCode::busy, "busy", "too many calls wait for the node; try again");
}

void Dispatcher::Impl::run_method(const Method& method, const RequestObject& request,
                                  std::optional<ConnectionId> connection, ReturnAddress to) {
    auto args = Args::read(method.info, request.params);
    if (!args) return fail_call(to, {ErrorCode::invalid_params, args.error(), nullptr});
    if (absent && method.needs == Needs::node) {
        return fail_call(to, named_error(ErrorCode::place, absent->name, absent->message));
    }
    if (const auto refused = refuse_early(method, *to.exchange)) return fail_call(to, *refused);

    Call call{std::move(*args), host,   subscriptions, connection, ++last_token,
              method.info.name, wallet, front,         places,     place};
    const auto outcome = [&]() -> Outcome {
        try {
            return method.handler(call);
        } catch (const std::exception& error) {  // what the JSON library or an allocation throws
            return CallError{ErrorCode::internal, error.what(), nullptr};
        }
    }();
    if (const auto* result = std::get_if<Json>(&outcome)) return succeed(to, to_text(*result));
    if (const auto* error = std::get_if<CallError>(&outcome)) return fail_call(to, *error);
    if (const auto* question = std::get_if<DhtQuestion>(&outcome)) {
        waiting.emplace(call.token, WaitingCall{std::move(to), *question});
        return;
    }
    waiting.emplace(call.token, WaitingCall{std::move(to), std::get<Deferred>(outcome)});
}

void Dispatcher::Impl::succeed(const ReturnAddress& to, std::string_view result) {
    metrics.count_call(to.method, CallOutcome::ok);
    put(to, to.id.empty() ? std::string() : result_text(to.id, result));
}

void Dispatcher::Impl::fail_call(const ReturnAddress& to, const CallError& error) {
    metrics.count_call(to.method, outcome_of(error.code));
    put(to, to.id.empty() ? std::string() : error_text(to.id, error));
}

void Dispatcher::Impl::put(const ReturnAddress& to, std::string reply) {
    to.exchange->reply_bytes += reply.size();
    to.exchange->replies[to.slot] = std::move(reply);
    release(*to.exchange);
}

void Dispatcher::Impl::release(Exchange& exchange) {
    if (--exchange.open == 0) exchange.answer(joined(exchange));
}

std::optional<WaitingCall> Dispatcher::Impl::take_waiting(node::Token token) {
    auto found = waiting.extract(token);
    if (found.empty()) return std::nullopt;  // answered by stop()
    return std::move(found.mapped());
}

void Dispatcher::Impl::count_verdicts(const std::vector<node::Verdict>& verdicts) {
    std::uint64_t admitted = 0;
    for (const auto& verdict : verdicts) {
        if (verdict) {
            ++admitted;
        } else {
            metrics.count_transactions(protocol::to_string(verdict.error().code), 1);
        }
    }
    if (admitted > 0) metrics.count_transactions("admitted", admitted);
}

void Dispatcher::Impl::on(node::SubmitReply&& reply) {
    count_verdicts(reply.verdicts);
    const auto call = take_waiting(reply.token);
    if (!call) return;
    const auto* deferred = std::get_if<Deferred>(&call->as);
    if (deferred != nullptr && *deferred == Deferred::many_transactions) {
        return succeed(call->to, verdicts_text(reply.verdicts));
    }
    CHECK(reply.verdicts.size() == 1);
    const auto& verdict = reply.verdicts.front();
    if (!verdict) return fail_call(call->to, refusal_error(verdict.error()));
    succeed(call->to, to_text({{"id", verdict->hex()}, {"state", "pending"}}));
}

void Dispatcher::Impl::on(node::FoundReply&& reply) {
    const auto call = take_waiting(reply.token);
    if (!call) return;
    if (!reply.organization) return fail_call(call->to, founding_error(reply));
    succeed(call->to, to_text({{"id", reply.organization->hex()}}));
}

void Dispatcher::Impl::on(node::NetworkReply&& reply) {
    const auto call = take_waiting(reply.token);
    if (!call) return;
    if (!reply.answer) return fail_call(call->to, network_error(reply.answer.error()));
    const auto* question = std::get_if<DhtQuestion>(&call->as);
    const auto* outcome = std::get_if<dht::Outcome>(&*reply.answer);
    if (question == nullptr || outcome == nullptr) {
        return succeed(call->to, to_text(answer_json(*reply.answer)));
    }
    const auto result = dht_result(*question, *outcome, host);
    if (!result) return fail_call(call->to, result.error());
    succeed(call->to, to_text(*result));
}

void Dispatcher::Impl::on(const node::BlockSealed& event) {
    metrics.count_block();
    metrics.count_transactions("committed", event.transactions.size());
    const auto queries = host.queries();
    if (subscriptions.any(Topic::block)) {
        const std::string data = sealed_json(event, queries);
        subscriptions.publish(Topic::block, [&data](const Id&) { return data; });
    }
    subscriptions.publish(Topic::account, [&](const Id& account) -> std::optional<std::string> {
        if (!std::binary_search(event.accounts.begin(), event.accounts.end(), account)) {
            return std::nullopt;
        }
        return account_json(account, event.seal.header.sequence, queries);
    });
}

void Dispatcher::Impl::on(const node::LetterArrived& event) {
    subscriptions.publish(Topic::message, [&](const Id& account) -> std::optional<std::string> {
        if (account != event.account) return std::nullopt;
        return to_text({{"account", account.hex()}, {"id", event.message.hex()}});
    });
}

void Dispatcher::Impl::on(const node::LineTaken& event) {
    if (!subscriptions.any(Topic::chat)) return;
    const auto chain = host.queries().chain();
    if (!chain) return;
    const std::string data = to_text(line_json(event.line, *chain));
    subscriptions.publish(Topic::chat, [&data](const Id&) { return data; });
}

void Dispatcher::Impl::on(const node::BlocksFinal& event) {
    if (!subscriptions.any(Topic::final_block)) return;
    Json data = to_json(event.finality);
    data["sequence"] = event.finality.sequence.value();
    const std::string text = to_text(data);
    subscriptions.publish(Topic::final_block, [&text](const Id&) { return text; });
}

void Dispatcher::Impl::on(const node::TransactionDropped& event) {
    metrics.count_transactions(protocol::to_string(event.refused.code), 1);
}

void Dispatcher::Impl::update_pulse_events() {
    host.set_pulse_events(subscriptions.any(Topic::pulse) ? PulseEvents::on : PulseEvents::off);
}

Dispatcher::Dispatcher(Options options, Host& host, Metrics& metrics)
    : impl_(std::make_unique<Impl>(options, host, metrics)) {}
Dispatcher::~Dispatcher() = default;

void Dispatcher::set_front(Front& front) {
    impl_->front = &front;
}

void Dispatcher::set_places(Places& places, std::string name) {
    impl_->places = &places;
    impl_->place = std::move(name);
}

void Dispatcher::set_absent(PlaceFailure why) {
    impl_->absent = std::move(why);
}

ConnectionId Dispatcher::connect(Push push) {
    return impl_->subscriptions.connect(std::move(push));
}

void Dispatcher::disconnect(ConnectionId connection) {
    impl_->subscriptions.disconnect(connection);
    impl_->update_pulse_events();
}

void Dispatcher::handle(std::string_view request, std::optional<ConnectionId> connection,
                        Answer answer) {
    impl_->run_text(request, connection, std::move(answer));
    if (connection) impl_->update_pulse_events();
}

void Dispatcher::on_reply(node::Reply&& reply) {
    std::visit([this](auto&& held) { impl_->on(std::move(held)); }, std::move(reply));
}

void Dispatcher::on_event(const node::Event& event) {
    std::visit([this](const auto& held) { impl_->on(held); }, event);
    if (impl_->wallet != nullptr) impl_->wallet->on_event(event);
}

void Dispatcher::set_wallet(WalletPort& wallet) {
    impl_->wallet = &wallet;
}

void Dispatcher::on_wallet_reply(node::Token token, const WalletResult& result) {
    const auto call = impl_->take_waiting(token);
    if (!call) return;  // answered by stop()
    if (result) return impl_->succeed(call->to, to_text(*result));
    const WalletFailure& failure = result.error();
    impl_->fail_call(call->to,
                     {static_cast<ErrorCode>(failure.code), failure.message, failure.data});
}

void Dispatcher::on_pulse() {
    const auto queries = impl_->host.queries();
    const auto status = queries.status();
    if (!status) return;
    const std::string data = to_text({{"pulse", queries.pulse(impl_->host.now()).value()},
                                      {"sequence", status->head.sequence.value()}});
    impl_->subscriptions.publish(Topic::pulse, [&data](const Id&) { return data; });
}

void Dispatcher::stop() {
    impl_->stopping = true;
    const auto waiting = std::exchange(impl_->waiting, {});
    for (const auto& [token, call] : waiting) {
        impl_->fail_call(call.to, refusal_error({protocol::Refusal::stopping, 0, 0}));
    }
}

}  // namespace leither::rpc
