#include "call.h"

#include "leither/base/check.h"

namespace leither::rpc {
namespace {

const char* to_string(node::FoundError error) {
    switch (error) {
        case node::FoundError::malformed: return "malformed";
        case node::FoundError::exists: return "exists";
        case node::FoundError::not_bookkeeper: return "not_bookkeeper";
        case node::FoundError::invalid: return "invalid";
        case node::FoundError::stopping: return "stopping";
    }
    UNREACHABLE();
}

const char* remedy(node::FoundError error) {
    switch (error) {
        case node::FoundError::malformed:
            return "the bytes are no canonical genesis; make them with `leither org create`";
        case node::FoundError::exists:
            return "this node keeps an organization already; make room for another with `leither "
                   "org "
                   "open NAME`, then use --org NAME";
        case node::FoundError::not_bookkeeper:
            return "the charter must name this node's key (node.status) among its bookkeepers";
        case node::FoundError::invalid: return "the genesis breaks a rule; data.detail names it";
        case node::FoundError::stopping: return "the node is stopping; start it again and retry";
    }
    UNREACHABLE();
}

}  // namespace

CallOutcome outcome_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::parse_error:
        case ErrorCode::invalid_request:
        case ErrorCode::unknown_method:
        case ErrorCode::invalid_params: return CallOutcome::invalid;
        case ErrorCode::refusal:
        case ErrorCode::no_organization:
        case ErrorCode::no_version:
        case ErrorCode::not_found:
        case ErrorCode::founding:
        case ErrorCode::busy:
        case ErrorCode::network:
        case ErrorCode::wallet:
        case ErrorCode::place: return CallOutcome::refused;
        case ErrorCode::internal:
        case ErrorCode::fault: return CallOutcome::failed;
    }
    UNREACHABLE();
}

CallError named_error(ErrorCode code, std::string_view name, std::string message) {
    return {code, std::move(message), Json{{"name", name}}};
}

CallError network_error(const node::NetworkFailure& failure) {
    const bool by_rule = failure.error == node::NetworkError::refused && !failure.rule.empty();
    return named_error(ErrorCode::network, by_rule ? failure.rule : node::to_string(failure.error),
                       failure.detail);
}

CallError refusal_error(const protocol::Refused& refused) {
    return {ErrorCode::refusal,
            explain(refused),
            {{"name", protocol::to_string(refused.code)},
             {"actual", refused.actual},
             {"limit", refused.limit}}};
}

CallError founding_error(const node::FoundReply& reply) {
    const auto error = reply.organization.error();
    auto out = named_error(ErrorCode::founding, to_string(error), remedy(error));
    if (reply.genesis) out.data["detail"] = ledger::to_string(*reply.genesis);
    return out;
}

CallError query_error(node::QueryError error) {
    const auto named = [error](ErrorCode code, const char* message) {
        return named_error(code, node::to_string(error), message);
    };
    switch (error) {
        case node::QueryError::no_organization:
            return named(ErrorCode::no_organization,
                         "this node keeps no ledger yet; found one with `leither org create`");
        case node::QueryError::unknown_sequence:
            return named(ErrorCode::no_version, "that sequence is not sealed yet");
        case node::QueryError::pruned:
            return named(ErrorCode::no_version,
                         "that sequence lies behind the history window of this node");
        case node::QueryError::uncertified:
            return named(ErrorCode::no_version,
                         "the founding has no certificate of its own; ask again when the first "
                         "block is sealed");
        case node::QueryError::fault:
            return named(ErrorCode::fault, "the store failed; the daemon's log has the detail");
    }
    UNREACHABLE();
}

}  // namespace leither::rpc
