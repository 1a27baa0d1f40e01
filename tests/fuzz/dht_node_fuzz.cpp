// A whole node fed by a script: bytes from a few endpoints, replies to what it really asked with
// contents of the script's choosing, requests, and time. Its invariants hold after every step, no
// reply to an unproven address is an amplifier, and every datagram it sends can be read.
#include "leither/base/check.h"
#include "leither/base/prng.h"
#include "leither/crypto/sign.h"
#include "leither/dht/dht_node.h"

namespace {

using namespace leither;
using namespace leither::dht;

constexpr std::size_t kStepsMax = 200;
constexpr std::size_t kOpenMax = 32;

class Script {
 public:
    explicit Script(ByteView bytes) : bytes_(bytes) {}
    bool empty() const { return bytes_.empty(); }
    std::uint8_t byte() {
        if (bytes_.empty()) return 0;
        const std::uint8_t out = bytes_.front();
        bytes_ = bytes_.subspan(1);
        return out;
    }
    ByteView run() {
        const std::size_t wanted = byte() * 4U;
        const ByteView out = bytes_.first(std::min(wanted, bytes_.size()));
        bytes_ = bytes_.subspan(out.size());
        return out;
    }
    Id id() {
        Id out;
        out[0] = byte();
        out[19] = byte();
        return out;
    }
    Endpoint endpoint() {
        const std::uint8_t number = byte();
        if (number >= 250) return {IpAddress::v4({127, 0, 0, number}), 1000};
        if (number >= 200) {
            return {IpAddress::v6({0x20, 1, 0, number, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}), 1000};
        }
        return {IpAddress::v4({20, 0, static_cast<std::uint8_t>(number / 4), number}), 1000};
    }

 private:
    ByteView bytes_;
};

class Run {
 public:
    explicit Run(ByteView bytes) : script_(bytes), node_(options(), prng_, Log(), now_) {}

    void all() {
        for (std::size_t i = 0; i < kStepsMax && !script_.empty(); ++i) one();
    }

 private:
    Options options() {
        Options out;
        out.own_id = script_.id();
        const std::uint8_t choice = script_.byte();
        if (choice & 1) out.wall.network = Network::mainline;
        if (choice & 2) out.role = Role::reader;
        if (choice & 4) out.wall.admission = Admission::any;
        if (choice & 8) out.local = LocalSources::exempt;
        out.queries_max = 16;
        out.store.items_max = 4;
        out.requests_max = 4;
        out.kept_max = 3;
        return out;
    }

    void one() {
        switch (script_.byte() % 8) {
            case 0: step(Datagram{script_.endpoint(), script_.run()}); break;
            case 1: reply(); break;
            case 2: query(); break;
            case 3:
                now_ += std::chrono::milliseconds(script_.byte() * 8U);
                step(Tick{});
                break;
            case 4:
                now_ += std::chrono::seconds(script_.byte() * 16U);
                step(Tick{});
                break;
            case 5: step(Start{{script_.endpoint()}, {{script_.id(), script_.endpoint()}}}); break;
            case 6: request(); break;
            case 7: step(NetworkChanged{}); break;
        }
    }

    void reply() {
        if (open_.empty()) return;
        const std::size_t chosen = script_.byte() % open_.size();
        const auto [to, query] = open_[chosen];
        open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(chosen));
        Response out;
        out.transaction = query.transaction;
        out.version = kPrivateNetworkTag;
        out.sender = script_.id();
        out.node_lists = {true, true};
        for (std::uint8_t i = script_.byte() % 20; i > 0; --i) {
            out.nodes.push_back({script_.id(), script_.endpoint()});
        }
        if (query.method != Method::ping) out.token = Token::copy_of(as_bytes("a token"));
        if (script_.byte() % 2 == 0) out.found.value = item(script_.byte()).value;
        if (script_.byte() % 4 == 0) out.external = script_.endpoint();
        hand(to, write(out));
    }

    void query() {
        Query out;
        out.method = static_cast<Method>(script_.byte() % 6);
        out.transaction = Transaction::copy_of(as_bytes("q"));
        out.sender = script_.id();
        out.version = kPrivateNetworkTag;
        out.target = script_.id();
        out.port = 1000;
        out.token = token_;
        out.item = item(script_.byte());
        out.want = {script_.byte() % 2 == 0, true};
        const bool writes = out.method == Method::put || out.method == Method::announce_peer;
        if (writes && out.token.empty()) return;
        hand(script_.endpoint(), write(out));
    }

    Item item(std::uint8_t number) {
        if (number % 2 == 0) return Item{value_of(Bytes(number, number)), std::nullopt};
        return sign_item(key_, {}, number, value_of(Bytes(number, 1)));
    }

    void request() {
        const RequestId id(script_.byte());
        switch (script_.byte() % 10) {
            case 0: step(Ask{id, FindNode{script_.id()}}); break;
            case 1: step(Ask{id, GetPeers{script_.id()}}); break;
            case 2: step(Ask{id, GetImmutable{target_of(item(script_.byte() & 0xfe))}}); break;
            case 3: step(Ask{id, GetMutable{key_.public_key(), {}}}); break;
            case 4: step(Ask{id, Announce{script_.id(), script_.byte()}}); break;
            case 5: step(Ask{id, Put{item(script_.byte()), std::nullopt}}); break;
            case 6: step(Ask{id, Put{item(script_.byte()), script_.byte()}}); break;
            case 7: step(Cancel{id}); break;
            case 8: step(Keep{Put{item(script_.byte()), std::nullopt}}); break;
            case 9: step(Forget{target_of(item(script_.byte()))}); break;
        }
    }

    void hand(const Endpoint& from, const Bytes& bytes) { step(Datagram{from, bytes}); }

    void step(Input input) {
        const Effects effects = node_.step(std::move(input), now_);
        node_.check_invariants();
        for (const Outgoing& send : effects.sends) {
            CHECK(send.bytes.size() <= kReplyBytesMax);
            const auto message = parse(send.bytes);
            CHECK(message);
            if (const auto* query = std::get_if<Query>(&*message)) {
                if (open_.size() >= kOpenMax) open_.erase(open_.begin());
                open_.emplace_back(send.to, *query);
            } else if (const auto* response = std::get_if<Response>(&*message)) {
                if (!response->token.empty()) token_ = response->token;
            }
        }
        const auto next = node_.next_deadline();
        // Nothing that is due stays due: the host would spin.
        CHECK(!next || *next > now_);
    }

    Script script_;
    Prng prng_{1};
    Instant now_ = instant_from_unix_ms(1'700'000'000'000);
    crypto::KeyPair key_ = crypto::derive_key({}, 1);
    std::vector<std::pair<Endpoint, Query>> open_;
    Token token_;
    DhtNode node_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    crypto::initialise();
    Run(ByteView(data, size)).all();
    return 0;
}
