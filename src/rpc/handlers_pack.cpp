// app.*, tag.*: packs and tags, signed by the caller, whose keys never come here.
#include <fmt/format.h>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"

#include "handlers.h"

namespace leither::rpc {
namespace {

CallError unknown_pack() {
    return named_error(ErrorCode::not_found, "unknown_pack",
                       "no pack of that id is known here; app.list names those that are");
}

Json pack_json(const node::PackItem& item) {
    const protocol::Pack& pack = item.pack.pack;
    Json applications = Json::array();
    for (const auto& one : pack.applications) {
        applications.push_back({{"kind", protocol::to_string(one.kind)}, {"entry", one.entry}});
    }
    return {{"id", item.id.hex()},
            {"publisher", crypto::id_of(pack.publisher).hex()},
            {"key", pack.publisher.hex()},
            {"name", pack.name},
            {"version", pack.version},
            {"text", pack.text},
            {"published_ms", pack.published_ms},
            {"applications", std::move(applications)},
            {"bytes", pack.bytes},
            {"local", item.progress ? progress_json(*item.progress) : Json(nullptr)}};
}

Json file_json(const protocol::PackFile& file) {
    Json pieces = Json::array();
    for (const Hash& piece : file.pieces) pieces.push_back(piece.hex());
    return {{"path", file.path}, {"bytes", file.bytes}, {"pieces", std::move(pieces)}};
}

Json target_json(const protocol::TagTarget& target) {
    struct Visit {
        Json operator()(const protocol::PackTarget& one) const {
            return {{"pack", one.pack.hex()}};
        }
        Json operator()(const protocol::AccountTarget& one) const {
            return {{"account", one.account.hex()}};
        }
        Json operator()(const protocol::TextTarget& one) const { return {{"text", one.text}}; }
    };
    return std::visit(Visit{}, target);
}

Json tag_json(const protocol::SignedTag& signed_, const ChainId& chain) {
    const protocol::TagEntry& entry = signed_.entry;
    return {{"id", protocol::tag_entry_id(chain, entry).hex()},
            {"author", crypto::id_of(entry.author).hex()},
            {"key", entry.author.hex()},
            {"tag", entry.tag},
            {"target", target_json(entry.target)},
            {"issued_ms", entry.validity.issued_ms},
            {"expires_ms", entry.validity.expires_ms}};
}

// Of the caller's parameter; nothing if it is no tag.
std::optional<std::string> tag_of(Call& call) {
    std::string tag = call.args.get<std::string>("tag");
    if (!protocol::is_tag(tag)) return std::nullopt;
    return tag;
}

CallError bad_tag() {
    return bad_bytes("tag",
                     fmt::format("tag, which has 1 to {} bytes: small letters, digits and -_. of "
                                 "ASCII, or UTF-8 of other scripts",
                                 protocol::kTagBytesMax));
}

}  // namespace

CallError bad_bytes(std::string_view field, std::string_view expected) {
    return {ErrorCode::invalid_params, fmt::format("\"{}\" is no {}", field, expected), nullptr};
}

Json progress_json(const org::ContentProgress& progress) {
    return {{"state", org::to_string(progress.state)},
            {"done_bytes", progress.done_bytes},
            {"total_bytes", progress.total_bytes},
            {"asked_nodes", progress.asked_nodes}};
}

Outcome app_publish(Call& call) {
    auto pack = bcs::decode<protocol::SignedPack>(call.args.get<Bytes>("pack"));
    if (!pack) return bad_bytes("pack", "signed pack; make it with `leither app publish`");
    return ask_network(
        call, node::PublishPack{*std::move(pack), std::move(call.args.get<Bytes>("contents"))});
}

Outcome app_put(Call& call) {
    Bytes& data = call.args.get<Bytes>("data");
    if (data.empty() || data.size() > protocol::kContentPieceMax) {
        return bad_bytes("data",
                         fmt::format("piece, which has 1 to {} bytes", protocol::kContentPieceMax));
    }
    return ask_network(call, node::PutPiece{call.args.get<Hash>("id"), std::move(data)});
}

Outcome app_list(Call& call) {
    if (auto error = not_ready(call)) return *std::move(error);
    Json out = Json::array();
    for (const auto& item : call.host.queries().packs()) out.push_back(pack_json(item));
    return out;
}

Outcome app_show(Call& call) {
    if (auto error = not_ready(call)) return *std::move(error);
    const Hash id = call.args.get<Hash>("id");
    const auto item = call.host.queries().pack(id);
    if (!item) return unknown_pack();
    Json out = pack_json(*item);
    out["files"] = nullptr;
    if (const auto contents = call.host.queries().pack_contents(id)) {
        out["files"] = Json::array();
        for (const auto& file : contents->files) out["files"].push_back(file_json(file));
    }
    return out;
}

Outcome app_fetch(Call& call) {
    return ask_network(call, node::FetchPack{call.args.get<Hash>("id")});
}

Outcome app_piece(Call& call) {
    if (auto error = not_ready(call)) return *std::move(error);
    const auto bytes = call.host.queries().piece(call.args.get<Hash>("piece"));
    if (!bytes) {
        return named_error(ErrorCode::not_found, "not_found",
                           "this piece is not here; app.fetch brings the pieces of a pack");
    }
    return Json{{"data", to_hex(*bytes)}};
}

Outcome app_remove(Call& call) {
    return ask_network(call, node::DropPack{call.args.get<Hash>("id")});
}

Outcome tag_add(Call& call) {
    auto entry = bcs::decode<protocol::SignedTag>(call.args.get<Bytes>("entry"));
    if (!entry) return bad_bytes("entry", "signed tag entry; make it with `leither tag add`");
    return ask_network(call, node::AddEntry{*std::move(entry)});
}

Outcome tag_remove(Call& call) {
    auto withdrawal = bcs::decode<protocol::SignedWithdrawal>(call.args.get<Bytes>("withdrawal"));
    if (!withdrawal) {
        return bad_bytes("withdrawal", "signed withdrawal; make it with `leither tag remove`");
    }
    return ask_network(call, node::AddEntry{*std::move(withdrawal)});
}

Outcome tag_search(Call& call) {
    if (auto error = not_ready(call)) return *std::move(error);
    const auto tag = tag_of(call);
    if (!tag) return bad_tag();
    const ChainId chain = call.host.queries().chain().value();
    Json out = Json::array();
    for (const auto& one : call.host.queries().tags()) {
        if (one.entry.tag == *tag) out.push_back(tag_json(one, chain));
    }
    return out;
}

Outcome tag_find(Call& call) {
    auto tag = tag_of(call);
    if (!tag) return bad_tag();
    return ask_network(call, node::SeekTag{*std::move(tag)});
}

}  // namespace leither::rpc
