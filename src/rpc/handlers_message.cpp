// account.serve, account.key, message.*, chat.*: signed and sealed by the caller, whose keys never
// come here.
#include <algorithm>

#include <fmt/format.h>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"

#include "handlers.h"

namespace leither::rpc {
namespace {

constexpr std::uint64_t kLinesDefault = 50;

// At least the newest `limit` of those asked for, oldest first.
std::vector<protocol::SignedLine> lines_of(Call& call, std::uint64_t limit) {
    const bool all = call.args.has("author") || call.args.has("before");
    auto lines = call.host.queries().chat(all ? SIZE_MAX : static_cast<std::size_t>(limit));
    if (const auto author = call.args.find<Id>("author")) {
        std::erase_if(lines, [&](const protocol::SignedLine& one) {
            return crypto::id_of(one.line.author) != *author;
        });
    }
    return lines;
}

}  // namespace

std::optional<CallError> not_ready(const Call& call) {
    const auto queries = call.host.queries();
    if (!queries.network(call.host.now())) {
        return network_error(node::no_network());
    }
    if (queries.chain()) return std::nullopt;
    return named_error(ErrorCode::network, "no_organization",
                       "this node follows no organization whose manifest it knows");
}

Json line_json(const protocol::SignedLine& signed_, const ChainId& chain) {
    const protocol::ChatLine& line = signed_.line;
    return {{"id", protocol::line_hash(chain, line).hex()},
            {"author", crypto::id_of(line.author).hex()},
            {"key", line.author.hex()},
            {"number", line.number},
            {"time_ms", line.time_ms},
            {"text", line.text}};
}

Json letter_json(const Hash& message, const protocol::SignedEnvelope& signed_) {
    const protocol::Envelope& envelope = signed_.envelope;
    return {{"id", message.hex()},
            {"posted_ms", envelope.validity.issued_ms},
            {"expires_ms", envelope.validity.expires_ms},
            {"node_key", envelope.node.hex()},
            {"sealed", to_hex(envelope.sealed)}};
}

Outcome account_serve(Call& call) {
    auto delegation = bcs::decode<protocol::SignedDelegation>(call.args.get<Bytes>("delegation"));
    if (!delegation) {
        return bad_bytes("delegation", "signed delegation; make it with `leither node serve`");
    }
    return ask_network(call, node::ServeAccount{*std::move(delegation)});
}

Outcome account_key(Call& call) {
    const Id account = call.args.get<Id>("account");
    const auto key = call.host.queries().account_key(account);
    if (!key) {
        return named_error(ErrorCode::not_found, "unknown_account",
                           "no account of that id is known here: its owner's node has not been "
                           "heard of yet, or there is none");
    }
    return Json{{"account", account.hex()}, {"key", key->hex()}};
}

Outcome message_post(Call& call) {
    const Bytes& sealed = call.args.get<Bytes>("sealed");
    if (sealed.size() <= crypto::kSealOverhead || sealed.size() > protocol::kSealedLetterBytesMax) {
        return bad_bytes("sealed",
                         fmt::format("sealed letter, which has at most {} bytes ({} of text)",
                                     protocol::kSealedLetterBytesMax, protocol::kLetterTextMax));
    }
    node::PostLetter letter;
    letter.recipient = call.args.get<Id>("recipient");
    letter.sealed.assign(sealed.begin(), sealed.end());
    if (const auto seconds = call.args.find<std::uint64_t>("lifetime_s")) {
        letter.lifetime = std::chrono::seconds(*seconds);
    }
    return ask_network(call, std::move(letter));
}

Outcome message_inbox(Call& call) {
    if (auto error = not_ready(call)) return *std::move(error);
    const Id account = call.args.get<Id>("account");
    const auto queries = call.host.queries();
    const auto status = queries.network(call.host.now());
    const auto& served = status->community->accounts;
    if (std::ranges::find(served, account, &node::ServedAccount::account) == served.end()) {
        return named_error(ErrorCode::network, "not_served",
                           "this node keeps no messages of that account; its owner asks it to with "
                           "`leither node serve`");
    }
    Json out = Json::array();
    for (const auto& letter : queries.letters(account)) {
        out.push_back(letter_json(letter.message, letter.envelope));
    }
    return out;
}

Outcome message_outbox(Call& call) {
    if (auto error = not_ready(call)) return *std::move(error);
    Json out = Json::array();
    for (const auto& letter : call.host.queries().outgoing_letters()) {
        out.push_back({{"id", letter.message.hex()},
                       {"recipient", letter.recipient.hex()},
                       {"state", org::to_string(letter.state)},
                       {"holders", letter.holders},
                       {"posted_ms", letter.posted_ms},
                       {"expires_ms", letter.expires_ms}});
    }
    return out;
}

Outcome message_forget(Call& call) {
    return ask_network(call, node::ForgetLetter{call.args.get<Hash>("message")});
}

Outcome chat_next(Call& call) {
    if (auto error = not_ready(call)) return *std::move(error);
    const auto next = call.host.queries().next_line(call.args.get<Id>("author")).value();
    return Json{{"number", next.number},
                {"previous", next.previous.hex()},
                {"time_ms_min", next.time_ms_min}};
}

Outcome chat_post(Call& call) {
    auto line = bcs::decode<protocol::SignedLine>(call.args.get<Bytes>("line"));
    if (!line) {
        return bad_bytes("line", fmt::format("signed line, which has at most {} bytes of text",
                                             decltype(protocol::ChatLine::text)::kMax));
    }
    return ask_network(call, node::SayLine{*std::move(line)});
}

Outcome chat_read(Call& call) {
    if (auto error = not_ready(call)) return *std::move(error);
    const ChainId chain = call.host.queries().chain().value();
    const auto limit = call.args.find<std::uint64_t>("limit").value_or(kLinesDefault);
    const auto lines = lines_of(call, limit);
    auto end = lines.end();
    if (const auto before = call.args.find<Hash>("before")) {
        end = std::ranges::find_if(lines, [&](const protocol::SignedLine& one) {
            return protocol::line_hash(chain, one.line) == *before;
        });
        if (end == lines.end()) {
            return named_error(ErrorCode::not_found, "not_found",
                               "there is no such line (any more); begin with the newest again");
        }
    }
    const auto before_end = static_cast<std::uint64_t>(end - lines.begin());
    const auto count = static_cast<std::ptrdiff_t>(std::min(limit, before_end));
    Json out = Json::array();
    for (auto line = end - count; line != end; ++line) {
        out.push_back(line_json(*line, chain));
    }
    return out;
}

}  // namespace leither::rpc
