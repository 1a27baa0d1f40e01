#include "leither/sim/deliveries.h"

#include "leither/base/check.h"
#include "leither/base/prng.h"
#include "leither/codec/bcs.h"

namespace leither::sim {

protocol::EnvelopePost Deliveries::message_of(const Mark& mark) {
    Prng prng(mark.sent_us << 20 ^ std::uint64_t{mark.from} << 40 ^ std::uint64_t{mark.to} << 32 ^
              mark.number);
    protocol::EnvelopePost out;
    protocol::Envelope& envelope = out.envelope.envelope;
    const Bytes head = bcs::encode(mark);
    CHECK(head.size() == kMarkBytes);
    envelope.sealed.assign(head.begin(), head.end());
    const std::size_t more = prng.below(protocol::kSealedLetterBytesMax - kMarkBytes) + 1;
    envelope.sealed.resize(kMarkBytes + more);
    prng.fill(std::span(envelope.sealed).subspan(kMarkBytes));
    prng.fill(envelope.recipient.span());
    prng.fill(envelope.node.span());
    prng.fill(out.envelope.signature.span());
    envelope.validity = {1, 2};
    return out;
}

std::optional<Deliveries::Mark> Deliveries::mark_of(const protocol::PeerMessage& message) {
    const auto* post = std::get_if<protocol::EnvelopePost>(&message);
    if (post == nullptr) return std::nullopt;
    const ByteView bytes(post->envelope.envelope.sealed);
    if (bytes.size() < kMarkBytes) return std::nullopt;
    const auto mark = bcs::decode<Mark>(bytes.first(kMarkBytes));
    if (!mark || *post != message_of(*mark)) return std::nullopt;
    return *mark;
}

void Deliveries::connected(Member from, Member to) {
    Way& way = ways_[{from, to}];
    ++way.connection;
    way.sent = 0;
}

protocol::EnvelopePost Deliveries::next(Member from, Member to, Duration now) const {
    const auto found = ways_.find({from, to});
    CHECK(found != ways_.end(), "there is no connection");
    const Way& way = found->second;
    return message_of(
        {from, to, way.connection, way.sent + 1, static_cast<std::uint64_t>(now.count())});
}

void Deliveries::sent(Member from, Member to) {
    ++ways_[{from, to}].sent;
    ++sent_;
}

void Deliveries::received(Member receiver, Member sender, const protocol::PeerMessage& message,
                          Duration now) {
    const auto mark = mark_of(message);
    if (!mark || mark->to != receiver || mark->from != sender) {
        ++altered_;
        return;
    }
    Way& way = ways_[{mark->from, mark->to}];
    const bool is_same = mark->connection == way.got_connection;
    if (mark->connection < way.got_connection || (is_same && mark->number <= way.got)) {
        ++repeated_;
        return;
    }
    const std::uint32_t due = is_same ? way.got + 1 : 1;
    if (mark->number != due) ++skipped_;
    way.got_connection = mark->connection;
    way.got = mark->number;
    ++delivered_;
    took_.add(now - Duration(static_cast<Duration::rep>(mark->sent_us)));
}

void Deliveries::report(Report& report) const {
    report.at_most("altered", 0, static_cast<std::int64_t>(altered_));
    report.at_most("repeated or out of order", 0, static_cast<std::int64_t>(repeated_));
    report.at_most("skipped within a connection", 0, static_cast<std::int64_t>(skipped_));
    report.at_least("delivered", 900, per_mille(delivered_, sent_), Unit::per_mille);
}

}  // namespace leither::sim
