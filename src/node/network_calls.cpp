#include <algorithm>

#include "leither/codec/bcs.h"

#include "acquaintances.h"
#include "network_node_impl.h"

namespace leither::node {

void NetworkNode::Impl::answer(Token token, NetworkAnswer given, Effects& fx) const {
    fx.replies.emplace_back(NetworkReply{token, std::move(given)});
}
void NetworkNode::Impl::refuse(Token token, NetworkFailure failure, Effects& fx) const {
    fx.replies.emplace_back(NetworkReply{token, fail(std::move(failure))});
}
void NetworkNode::Impl::answer_when_durable(Token token, NetworkAnswer given, Effects& fx) {
    if (pending.empty()) return answer(token, std::move(given), fx);
    pending.back().then.replies.push_back({token, std::move(given)});
}

void NetworkNode::Impl::answer_finds(const protocol::ManifestItem& item, Instant now, Effects& fx) {
    bool any = false;
    for (auto find = finds.begin(); find != finds.end();) {
        if (!protocol::check(item.content, find->organization, now)) {
            ++find;
            continue;
        }
        answer(find->token, item, fx);
        find = finds.erase(find);
        any = true;
    }
    if (any) serve_contexts(now, fx);
}

void NetworkNode::Impl::go_on_finding(Instant now, Effects& fx) {
    for (Find& find : finds) {
        if (find.ask_at > now) continue;
        find.ask_at = now + kSeekAgain;
        ask_dht(ForPeers{find.organization}, dht::GetPeers{find.organization}, now, fx);
    }
}

void NetworkNode::Impl::end_finds(Instant now, Effects& fx) {
    const auto over = [now](const Find& find) { return find.deadline <= now; };
    for (const Find& find : finds) {
        if (!over(find)) continue;
        refuse(find.token,
               failure_of(NetworkError::not_found,
                          "no node that could be reached knows this organization"),
               fx);
    }
    if (std::erase_if(finds, over) > 0) serve_contexts(now, fx);
}

void NetworkNode::Impl::on(Token token, dht::Request&& request, Instant now, Effects& fx) {
    ask_dht(ForCaller{token}, std::move(request), now, fx);
}

void NetworkNode::Impl::on(Token token, FindOrganization&& find, Instant now, Effects& fx) {
    const bool is_ours = community && community->organization() == find.organization;
    if (is_ours && community->manifest()) {
        const auto& item = *community->manifest();
        if (protocol::check(item.content, find.organization, now)) return answer(token, item, fx);
    }
    if (finds.size() >= kFindsMax) {
        return refuse(token, failure_of(NetworkError::full, "too many searches are under way"), fx);
    }
    finds.push_back({token, find.organization, now + options.find_timeout, now});
    serve_contexts(now, fx);
    for (const Id& node : std::set<Id>(connected)) {  // a step may end a connection
        hub_step(peer::SendMessage{node, protocol::AskManifest{find.organization}}, now, fx);
    }
    go_on_finding(now, fx);
}

void NetworkNode::Impl::on(Token token, FollowOrganization&& order, Instant now, Effects& fx) {
    const bool is_known = community && community->organization() == order.organization;
    if (is_known && !order.introduction) return answer(token, std::monostate{}, fx);
    if (!is_known && community && source.is_member(Id{}).has_value()) {
        return refuse(
            token,
            failure_of(NetworkError::refused, "this node keeps the ledger of another organization"),
            fx);
    }
    store::GatheredWrites writes;
    if (order.introduction) {
        writes.put(introduction_key(), bcs::encode(*order.introduction));
        introduction = std::move(order.introduction);
    }
    if (!is_known) {
        if (const auto adopted = adopt(order.organization, now); !adopted) {
            fx.fatal = adopted.error();
            return;
        }
        const auto bytes = order.organization.view();
        writes.put(followed_key(), Bytes(bytes.begin(), bytes.end()));
    }
    write(std::move(writes), {}, now, fx);
    answer_when_durable(token, std::monostate{}, fx);
    if (is_known) {
        learn_entries(now, fx);
    } else {
        begin(now, fx);
    }
    dht_step(dht::Bootstrap{entry_endpoints()}, now, fx);
}

void NetworkNode::Impl::on(Token token, PublishManifest&& order, Instant now, Effects& fx) {
    ask_community(
        token,
        [&](auto& ours, auto& theirs) { return ours.publish(std::move(order), now, theirs); }, now,
        fx);
}

void NetworkNode::Impl::on(Token token, ServeAccount&& order, Instant now, Effects& fx) {
    ask_community(
        token, [&](auto& ours, auto& theirs) { return ours.serve(std::move(order), now, theirs); },
        now, fx);
}

void NetworkNode::Impl::on(Token token, PostLetter&& letter, Instant now, Effects& fx) {
    ask_community(
        token, [&](auto& ours, auto& theirs) { return ours.post(std::move(letter), now, theirs); },
        now, fx);
}

void NetworkNode::Impl::on(Token token, ForgetLetter&& letter, Instant now, Effects& fx) {
    ask_community(
        token, [&](auto& ours, auto& theirs) { return ours.forget(letter, now, theirs); }, now, fx);
}

void NetworkNode::Impl::on(Token token, SayLine&& line, Instant now, Effects& fx) {
    ask_community(
        token, [&](auto& ours, auto& theirs) { return ours.say(std::move(line), now, theirs); },
        now, fx);
}

void NetworkNode::Impl::on(Token token, PublishPack&& order, Instant now, Effects& fx) {
    ask_community(
        token,
        [&](auto& ours, auto& theirs) { return ours.publish_pack(std::move(order), now, theirs); },
        now, fx);
}

void NetworkNode::Impl::on(Token token, PutPiece&& order, Instant now, Effects& fx) {
    ask_community(
        token,
        [&](auto& ours, auto& theirs) { return ours.put_piece(std::move(order), now, theirs); },
        now, fx);
}

void NetworkNode::Impl::on(Token token, FetchPack&& order, Instant now, Effects& fx) {
    ask_community(
        token, [&](auto& ours, auto& theirs) { return ours.fetch_pack(order, now, theirs); }, now,
        fx);
}

void NetworkNode::Impl::on(Token token, DropPack&& order, Instant now, Effects& fx) {
    ask_community(
        token, [&](auto& ours, auto& theirs) { return ours.drop_pack(order, now, theirs); }, now,
        fx);
}

void NetworkNode::Impl::on(Token token, AddEntry&& order, Instant now, Effects& fx) {
    ask_community(
        token,
        [&](auto& ours, auto& theirs) { return ours.add_entry(std::move(order), now, theirs); },
        now, fx);
}

void NetworkNode::Impl::on(Token token, SeekTag&& order, Instant now, Effects& fx) {
    ask_community(
        token, [&](auto& ours, auto& theirs) { return ours.seek_tag(order, now, theirs); }, now,
        fx);
}

void NetworkNode::Impl::on(Token token, AddPeer&& order, Instant now, Effects& fx) {
    if (!community) {
        return refuse(token, failure_of(NetworkError::no_organization, "follow one first"), fx);
    }
    learn_configured(order.endpoint, now, fx);
    answer(token, std::monostate{}, fx);
}

void NetworkNode::Impl::on(Token token, BanPeer&& order, Instant now, Effects& fx) {
    if (order.duration > Duration{}) {
        hub_step(peer::Ban{order.node, order.duration}, now, fx);
    } else {
        hub_step(peer::Pardon{order.node}, now, fx);
    }
    store::GatheredWrites writes;
    put_bans(writes, hub.bans(now));
    write(std::move(writes), {}, now, fx);
    answer_when_durable(token, std::monostate{}, fx);
}

}  // namespace leither::node
