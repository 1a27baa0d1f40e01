#include "leither/dht/krpc.h"

#include <gtest/gtest.h>

#include "leither/base/prng.h"

#include "support/dht_messages.h"
#include "support/shared_data.h"

namespace leither::dht {
namespace {

using leither::testing::load_vectors;
using leither::testing::MessageMaker;
using Json = nlohmann::json;

constexpr std::string_view kId = "abcdefghij0123456789";
constexpr std::string_view kOtherId = "mnopqrstuvwxyz123456";

Result<Message, ParseFault> parse_text(std::string_view text) {
    return parse(as_bytes(text));
}

template <class T>
T parsed_as(std::string_view text) {
    auto message = parse_text(text);
    if (!message) ADD_FAILURE() << text << ": " << to_string(message.error().error);
    return message ? std::get<T>(*message) : T{};
}

std::optional<ParseError> error_of(std::string_view text) {
    const auto message = parse_text(text);
    if (message) return std::nullopt;
    return message.error().error;
}

std::string text_of(const Bytes& bytes) {
    return std::string(as_text(bytes));
}
std::string string_of(std::string_view content) {
    return std::to_string(content.size()) + ":" + std::string(content);
}
Id id_of(std::string_view text) {
    return Id::copy_of(as_bytes(text));
}
Endpoint endpoint(const char* text) {
    return Endpoint::parse(text).value();
}

// A query whose arguments behind `id` and whose method are given.
std::string query(std::string_view method, std::string_view arguments) {
    return "d1:ad2:id20:" + std::string(kId) + std::string(arguments) + "e1:q" + string_of(method) +
           "1:t2:aa1:y1:qe";
}
std::string response(std::string_view fields) {
    return "d1:rd2:id20:" + std::string(kId) + std::string(fields) + "e1:t2:aa1:y1:re";
}

// ---- The six methods, each way

TEST(Krpc, PingIsTheExampleOfBep5) {
    const std::string text = "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe";
    const auto ping = parsed_as<Query>(text);
    EXPECT_EQ(ping.method, Method::ping);
    EXPECT_EQ(ping.sender, id_of(kId));
    EXPECT_EQ(as_text(ping.transaction.view()), "aa");
    EXPECT_FALSE(ping.read_only);
    EXPECT_FALSE(ping.version);
    EXPECT_EQ(text_of(write(ping)), text);
}

TEST(Krpc, FindNodeNamesTargetFamiliesVersionAndReadOnly) {
    const std::string text =
        "d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz1234564:wantl2:n42:n6ee"
        "1:q9:find_node2:roi1e1:t2:aa1:v4:LT011:y1:qe";
    const auto find = parsed_as<Query>(text);
    EXPECT_EQ(find.method, Method::find_node);
    EXPECT_EQ(find.target, id_of(kOtherId));
    EXPECT_EQ(find.want, (Want{true, true}));
    EXPECT_TRUE(find.read_only);
    EXPECT_EQ(find.version, (VersionTag{'L', 'T', '0', '1'}));
    EXPECT_EQ(text_of(write(find)), text);
}

TEST(Krpc, GetPeersAndAnnounceNameAnInfoHash) {
    const std::string get = query("get_peers", "9:info_hash20:mnopqrstuvwxyz123456");
    EXPECT_EQ(parsed_as<Query>(get).target, id_of(kOtherId));
    EXPECT_EQ(text_of(write(parsed_as<Query>(get))), get);

    const std::string announce =
        query("announce_peer", "9:info_hash20:mnopqrstuvwxyz1234564:porti6881e5:token8:aoeusnth");
    const auto announced = parsed_as<Query>(announce);
    EXPECT_EQ(announced.port, 6881);
    EXPECT_FALSE(announced.implied_port);
    EXPECT_EQ(as_text(announced.token.view()), "aoeusnth");
    EXPECT_EQ(text_of(write(announced)), announce);
}

TEST(Krpc, AnImpliedPortNeedsNoOther) {
    const std::string text =
        query("announce_peer", "12:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234565:token1:x");
    EXPECT_TRUE(parsed_as<Query>(text).implied_port);
    EXPECT_TRUE(parsed_as<Query>(query("announce_peer",
                                       "12:implied_porti1e9:info_hash20:mnopqrstuvwxyz123456"
                                       "4:porti0e5:token1:x"))
                    .implied_port);
}

TEST(Krpc, GetAsksForATargetAndPerhapsForNews) {
    const std::string text = query("get", "3:seqi7e6:target20:mnopqrstuvwxyz123456");
    EXPECT_EQ(parsed_as<Query>(text).newer_than, 7);
    EXPECT_EQ(text_of(write(parsed_as<Query>(text))), text);
}

TEST(Krpc, ASearchMayShowAToken) {
    for (const std::string& text : {query("find_node", "6:target20:mnopqrstuvwxyz1234565:token1:x"),
                                    query("get", "6:target20:mnopqrstuvwxyz1234565:token1:x")}) {
        EXPECT_EQ(as_text(parsed_as<Query>(text).token.view()), "x");
        EXPECT_EQ(text_of(write(parsed_as<Query>(text))), text);
    }
}

TEST(Krpc, PutCarriesTheRawBytesOfItsValue) {
    const std::string key(32, 'k');
    const std::string signature(64, 's');
    const std::string text = "d1:ad3:casi4e2:id20:abcdefghij01234567891:k32:" + key +
                             "4:salt6:foobar3:seqi5e3:sig64:" + signature +
                             "5:token8:aoeusnth1:vd1:ali1ei2eeee1:q3:put1:t2:aa1:y1:qe";
    const auto put = parsed_as<Query>(text);
    EXPECT_EQ(as_text(put.item.value), "d1:ali1ei2eee");
    ASSERT_TRUE(put.item.author);
    EXPECT_EQ(as_text(put.item.author->salt.view()), "foobar");
    EXPECT_EQ(put.item.author->sequence, 5);
    EXPECT_EQ(put.cas, 4);
    EXPECT_EQ(text_of(write(put)), text);
    const std::string immutable = query("put", "5:token1:x1:v5:hello");
    EXPECT_FALSE(parsed_as<Query>(immutable).item.author);
    EXPECT_EQ(text_of(write(parsed_as<Query>(immutable))), immutable);
}

TEST(Krpc, AResponseCarriesWhateverWasAsked) {
    Response out;
    out.transaction = Transaction::copy_of(as_bytes("aa"));
    out.version = kPrivateNetworkTag;
    out.sender = id_of(kId);
    out.node_lists = {true, true};
    out.nodes = {{id_of(kOtherId), endpoint("192.0.2.1:1")},
                 {id_of(kId), endpoint("[2001:db8::1]:258")}};
    out.token = Token::copy_of(as_bytes("tok"));
    out.peers = {endpoint("192.0.2.9:513"), endpoint("[2001:db8::2]:2")};
    out.found.value = Bytes{'i', '1', 'e'};
    out.found.sequence = 3;
    out.external = endpoint("192.0.2.7:77");
    const Bytes bytes = write(out);
    EXPECT_EQ(text_of(bytes).substr(0, 75), std::string("d2:ip6:\xc0\x00\x02\x07\x00\x4d", 13) +
                                                "1:rd2:id20:" + std::string(kId) + "5:nodes26:" +
                                                std::string(kOtherId).substr(0, 21) + "\xc0");
    EXPECT_EQ(parsed_as<Response>(as_text(bytes)), out);
}

TEST(Krpc, AnErrorHasACodeAndPerhapsAText) {
    const std::string text = "d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee";
    const auto error = parsed_as<ErrorReply>(text);
    EXPECT_EQ(error.code, 201);
    EXPECT_EQ(error.message, "A Generic Error Ocurred");
    EXPECT_EQ(text_of(write(error)), text);
    EXPECT_EQ(parsed_as<ErrorReply>("d1:eli204ee1:t2:aa1:y1:ee").code, 204);
    const std::string longer(kErrorTextBytesMax + 1, 'x');
    EXPECT_EQ(parsed_as<ErrorReply>("d1:eli204e" + string_of(longer) + "e1:t2:aa1:y1:ee").message,
              std::string(kErrorTextBytesMax, 'x'));
}

// ---- What real clients send

TEST(KrpcLiberal, UnknownKeysFamiliesAndVersionsArePassedOver) {
    EXPECT_EQ(error_of("d1:ad1:ai1e2:id20:abcdefghij01234567891:xdee2:hi1:x1:q4:ping1:t2:aa"
                       "1:v3:abc1:y1:q1:zlee"),
              std::nullopt);
    const auto wants =
        parsed_as<Query>(query("find_node", "6:target20:mnopqrstuvwxyz1234564:wantl2:n42:n92:i2e"));
    EXPECT_EQ(wants.want, (Want{true, false}));
}

TEST(KrpcLiberal, AnExternalAddressMayComeWithoutItsPort) {
    const auto of = [](std::string_view ip) {
        return parsed_as<Response>("d2:ip" + string_of(ip) +
                                   "1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re")
            .external;
    };
    EXPECT_EQ(of("\x01\x02\x03\x04"), (Endpoint{IpAddress::v4({1, 2, 3, 4}), 0}));
    EXPECT_EQ(of(std::string("\x01\x02\x03\x04\x00\x05", 6)), endpoint("1.2.3.4:5"));
    EXPECT_EQ(of("12345"), std::nullopt);
}

TEST(KrpcLiberal, NodesAndPeersThatNobodyCanReachAreLeftOut) {
    const std::string id(kOtherId);
    const std::string nodes = id + std::string("\x01\x02\x03\x04\x00\x00", 6) + id +
                              std::string("\x00\x00\x00\x00\x00\x09", 6) + id +
                              std::string("\xe0\x00\x00\x01\x00\x09", 6) + id +
                              std::string("\x01\x02\x03\x04\x00\x09", 6);
    const auto found = parsed_as<Response>(response("5:nodes" + string_of(nodes)));
    EXPECT_EQ(found.nodes, (std::vector<Contact>{{id_of(id), endpoint("1.2.3.4:9")}}));

    const std::string mapped = id + std::string(10, '\0') + "\xff\xff\x01\x02\x03\x04\x01\x02";
    const auto six = parsed_as<Response>(response("6:nodes6" + string_of(mapped)));
    EXPECT_TRUE(six.nodes.empty());
    EXPECT_EQ(six.node_lists, (Want{false, true})) << "nodes6 may come alone";

    const auto peers =
        parsed_as<Response>(response(std::string("6:valuesl6:\x01\x02\x03\x04\x00\x00", 17) +
                                     "6:\x01\x02\x03\x04\x01\x01"
                                     "e"));
    EXPECT_EQ(peers.peers, std::vector<Endpoint>{endpoint("1.2.3.4:257")});
}

TEST(KrpcVectors, CapturedDatagrams) {
    REQUIRE_SHARED_DATA();
    int read = 0;
    for (const Json& vector : load_vectors("krpc/captured_datagrams.json")) {
        const Bytes datagram = from_hex(vector["datagram"].get<std::string>()).value();
        const auto message = parse(datagram);
        // The shortened example of BEP 5 among them, a query without `t`, a method of BEP 51.
        const bool shortened = as_text(datagram).find("def456...") != std::string_view::npos;
        const bool expected = !shortened && vector["has_t"].get<bool>() &&
                              vector.value("q", "") != "sample_infohashes";
        EXPECT_EQ(message.has_value(), expected)
            << vector << (message ? "" : to_string(message.error().error));
        if (!message) continue;
        ++read;
        constexpr std::string_view kKinds = "qre";
        EXPECT_EQ(vector["y"].get<std::string>()[0], kKinds[message->index()]);
        if (const auto* r = std::get_if<Response>(&*message)) {
            const auto& keys = vector["r_keys"];
            const auto has = [&](const char* key) {
                return std::find(keys.begin(), keys.end(), key) != keys.end();
            };
            EXPECT_EQ(r->node_lists.v4, has("nodes"));
            EXPECT_EQ(!r->token.empty(), has("token"));
            EXPECT_EQ(!r->peers.empty(), has("values"));
        }
    }
    EXPECT_GE(read, 60);
}

TEST(KrpcVectors, ExamplesOfTheBeps) {
    REQUIRE_SHARED_DATA();
    for (const Json& vector : load_vectors("krpc/bep_text_examples.json")) {
        const auto text = vector["text"].get<std::string>();
        const bool shortened = text.find("def456...") != std::string::npos;
        const auto message = parse_text(text);
        ASSERT_EQ(message.has_value(), !shortened) << text;
        if (message) {
            EXPECT_EQ(text_of(std::visit([](const auto& m) { return write(m); }, *message)), text);
        }
    }
}

// ---- Refusals

TEST(KrpcRefusal, EachErrorHasItsDatagrams) {
    const std::string target = "6:target20:mnopqrstuvwxyz123456";
    const std::string hash = "9:info_hash20:mnopqrstuvwxyz123456";
    const std::string key = "1:k32:" + std::string(32, 'k');
    const std::string sig = "3:sig64:" + std::string(64, 's');
    const std::string token_and_value = "5:token1:x1:v1:a";
    const std::vector<std::pair<std::string, ParseError>> rows = {
        {"", ParseError::bad_syntax},
        {"x", ParseError::bad_syntax},
        {"le", ParseError::bad_syntax},
        {"i1e", ParseError::bad_syntax},
        {"d", ParseError::bad_syntax},
        {"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:q", ParseError::bad_syntax},
        {query("find_node", target + "4:wantl2:n4e").substr(0, 90), ParseError::bad_syntax},
        {query("ping", "1:x" + std::string(15, 'l') + std::string(15, 'e')),
         ParseError::bad_syntax},
        {"d1:q4:ping1:ad2:id20:abcdefghij0123456789e1:t2:aa1:y1:qe", ParseError::not_canonical},
        {"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:t2:aa1:y1:qe",
         ParseError::not_canonical},
        {"d1:ad2:id20:abcdefghij01234567892:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe",
         ParseError::not_canonical},
        {query("put", "5:token1:x1:vi-0e"), ParseError::not_canonical},
        {query("put", "5:token1:x1:vi01e"), ParseError::not_canonical},
        {query("put", "5:token1:x1:vd1:b0:1:a0:e"), ParseError::not_canonical},
        {query("get", "3:seqi9223372036854775808e" + target), ParseError::not_canonical},
        {query("ping", "") + "x", ParseError::trailing},
        {query("ping", "") + "de", ParseError::trailing},
        {"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:y1:qe", ParseError::bad_transaction},
        {"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:ti7e1:y1:qe", ParseError::bad_transaction},
        {"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t65:" + std::string(65, 't') + "1:y1:qe",
         ParseError::bad_transaction},
        {"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aae", ParseError::unknown_kind},
        {"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:xe", ParseError::unknown_kind},
        {"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:yi1ee", ParseError::unknown_kind},
        {query("pong", ""), ParseError::unknown_method},
        {query("", ""), ParseError::unknown_method},
        {query("sample_infohashes", target), ParseError::unknown_method},
        {"d1:ad2:id20:abcdefghij0123456789e1:qi1e1:t2:aa1:y1:qe", ParseError::wrong_type},
        {"d1:ale1:q4:ping1:t2:aa1:y1:qe", ParseError::wrong_type},
        {"d1:ad2:idi1ee1:q4:ping1:t2:aa1:y1:qe", ParseError::wrong_type},
        {"d1:ad2:id20:abcdefghij0123456789e1:q4:ping2:ro1:11:t2:aa1:y1:qe", ParseError::wrong_type},
        {query("find_node", "6:targeti1e"), ParseError::wrong_type},
        {query("find_node", target + "4:want2:n4"), ParseError::wrong_type},
        {query("find_node", target + "4:wantli4ee"), ParseError::wrong_type},
        {query("announce_peer", hash + "4:port4:68815:token1:x"), ParseError::wrong_type},
        {query("announce_peer", hash + "4:porti1e5:tokeni1e"), ParseError::wrong_type},
        {query("put", key + "3:seq1:1" + sig + token_and_value), ParseError::wrong_type},
        {query("put", key + "4:salti1e3:seqi1e" + sig + token_and_value), ParseError::wrong_type},
        {"d1:q4:ping1:t2:aa1:y1:qe", ParseError::missing_field},
        {"d1:ade1:q4:ping1:t2:aa1:y1:qe", ParseError::missing_field},
        {"d1:ad2:id20:abcdefghij0123456789e1:t2:aa1:y1:qe", ParseError::missing_field},
        {query("find_node", hash), ParseError::missing_field},
        {query("get_peers", target), ParseError::missing_field},
        {query("get", ""), ParseError::missing_field},
        {query("announce_peer", hash + "4:porti1e"), ParseError::missing_field},
        {query("announce_peer", hash + "5:token1:x"), ParseError::missing_field},
        {query("put", "1:v1:a"), ParseError::missing_field},
        {query("put", "5:token1:x"), ParseError::missing_field},
        {"d1:ad2:id19:abcdefghij012345678e1:q4:ping1:t2:aa1:y1:qe", ParseError::bad_length},
        {query("get", "6:target21:mnopqrstuvwxyz1234567"), ParseError::bad_length},
        {query("put", "5:token65:" + std::string(65, 'x') + "1:v1:a"), ParseError::bad_length},
        {query("put", "1:k31:" + std::string(31, 'k') + "3:seqi1e" + sig + token_and_value),
         ParseError::bad_length},
        {query("put", key + "3:seqi1e3:sig63:" + std::string(63, 's') + token_and_value),
         ParseError::bad_length},
        {query("announce_peer", hash + "4:porti0e5:token1:x"), ParseError::out_of_range},
        {query("announce_peer", hash + "4:porti-1e5:token1:x"), ParseError::out_of_range},
        {query("announce_peer", hash + "4:porti65536e5:token1:x"), ParseError::out_of_range},
        {query("get", "3:seqi-1e" + target), ParseError::out_of_range},
        {query("put", key + "3:seqi-1e" + sig + token_and_value), ParseError::out_of_range},
        {"d1:ad3:casi-1e2:id20:abcdefghij0123456789" + key + "3:seqi1e" + sig + token_and_value +
             "e1:q3:put1:t2:aa1:y1:qe",
         ParseError::out_of_range},
        {query("put",
               key + "4:salt65:" + std::string(65, 's') + "3:seqi1e" + sig + token_and_value),
         ParseError::salt_too_big},
        {query("put", "5:token1:x1:v997:" + std::string(997, 'v')), ParseError::value_too_big},
        {query("put", key + sig + token_and_value), ParseError::unsigned_author},
        {query("put", key + "3:seqi1e" + token_and_value), ParseError::unsigned_author},
        {query("put", sig + token_and_value), ParseError::unsigned_author},
        {response("5:nodesi1e"), ParseError::wrong_type},
        {response("6:values6:abcdef"), ParseError::wrong_type},
        {response("6:valuesli1ee"), ParseError::wrong_type},
        {response("1:ki1e"), ParseError::wrong_type},
        {response("5:nodes25:" + std::string(25, 'n')), ParseError::bad_length},
        {response("6:nodes626:" + std::string(26, 'n')), ParseError::bad_length},
        {response("6:valuesl5:abcdee"), ParseError::bad_length},
        {response("6:valuesl12:abcdefabcdefe"), ParseError::bad_length},
        {response("1:k3:abc"), ParseError::bad_length},
        {response("3:seqi-1e"), ParseError::out_of_range},
        {response("1:v997:" + std::string(997, 'v')), ParseError::value_too_big},
        {"d1:t2:aa1:y1:re", ParseError::missing_field},
        {"d1:rde1:t2:aa1:y1:re", ParseError::missing_field},
        {"d1:t2:aa1:y1:ee", ParseError::missing_field},
        {"d1:ele1:t2:aa1:y1:ee", ParseError::missing_field},
        {"d1:e3:abc1:t2:aa1:y1:ee", ParseError::wrong_type},
        {"d1:el3:abce1:t2:aa1:y1:ee", ParseError::wrong_type},
        {"d1:eli201ei1ee1:t2:aa1:y1:ee", ParseError::wrong_type},
        {"d1:eli-1ee1:t2:aa1:y1:ee", ParseError::out_of_range},
    };
    for (const auto& [text, error] : rows) {
        const auto found = error_of(text);
        EXPECT_EQ(found, error) << text << (found ? to_string(*found) : " was read");
    }
}

TEST(KrpcRefusal, EachLimitHoldsAtItsMaximum) {
    EXPECT_EQ(error_of(query("put", "5:token1:x1:v996:" + std::string(996, 'v'))), std::nullopt);
    EXPECT_EQ(error_of(query("put", "5:token64:" + std::string(64, 'x') + "1:v1:a")), std::nullopt);
    EXPECT_EQ(error_of("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t64:" + std::string(64, 't') +
                       "1:y1:qe"),
              std::nullopt);
    EXPECT_EQ(error_of("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t0:1:y1:qe"), std::nullopt);
    const std::string nested = "1:v" + std::string(14, 'l') + std::string(14, 'e');
    EXPECT_EQ(error_of(query("put", "5:token1:x" + nested)), std::nullopt);
    const auto padded = [](std::size_t size) {
        const std::size_t rest = size - query("ping", "1:x1000:").size();
        return query("ping", "1:x" + string_of(std::string(rest, 'x')));
    };
    ASSERT_EQ(padded(kDatagramBytesMax).size(), kDatagramBytesMax);
    EXPECT_EQ(error_of(padded(kDatagramBytesMax)), std::nullopt);
    EXPECT_EQ(error_of(padded(kDatagramBytesMax + 1)), ParseError::too_long);
}

TEST(KrpcRefusal, AFaultyQueryIsAnswerableIfItsTransactionIsKnown) {
    const auto fault = [](std::string_view text) { return parse_text(text).error(); };
    const auto unknown = fault(query("pong", ""));
    ASSERT_TRUE(unknown.answerable);
    EXPECT_EQ(as_text(unknown.answerable->view()), "aa");
    EXPECT_TRUE(fault(query("put", "5:token1:x1:vi-0e")).answerable);
    EXPECT_TRUE(fault(query("ping", "") + "x").answerable);
    EXPECT_EQ(fault("d1:q4:ping1:t2:aa1:v4:Lr011:y1:qe").version, (VersionTag{'L', 'r', '0', '1'}));

    EXPECT_FALSE(fault(response("3:seqi-1e")).answerable) << "a reply is never answered";
    EXPECT_FALSE(fault("d1:t2:aa1:y1:ee").answerable);
    EXPECT_FALSE(fault("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:y1:qe").answerable);
    EXPECT_FALSE(fault("d1:q4:ping1:t2:aa1:y1:q").answerable);
}

TEST(KrpcRefusal, EveryErrorHasItsCode) {
    EXPECT_EQ(error_code(ParseError::unknown_method), ErrorCode::method_unknown);
    EXPECT_EQ(error_code(ParseError::salt_too_big), ErrorCode::salt_too_big);
    EXPECT_EQ(error_code(ParseError::value_too_big), ErrorCode::value_too_big);
    EXPECT_EQ(error_code(ParseError::unsigned_author), ErrorCode::protocol);
}

// ---- Trimming

Response full_response() {
    MessageMaker maker(17);
    Response response = maker.response();
    response.node_lists = {true, true};
    response.nodes.clear();
    for (int i = 0; i < 8; ++i) {
        response.nodes.push_back({maker.id(), maker.endpoint_v4()});
        response.nodes.push_back({maker.id(), maker.endpoint_v6()});
    }
    response.transaction = Transaction::copy_of(Bytes(64, 't'));
    response.token = Token::copy_of(Bytes(64, 't'));
    response.external = maker.endpoint_v6();
    response.version = kPrivateNetworkTag;
    response.found.value = value_of(Bytes(kContentBytesMax, 'v'));
    response.found.key = PublicKey{};
    response.found.signature = Signature{};
    response.found.sequence = kSequenceMax;
    response.peers = {maker.endpoint_v4(), maker.endpoint_v6()};
    return response;
}

TEST(KrpcTrim, AResponseThatFitsStaysWhole) {
    Response response = full_response();
    const std::size_t size = written_size(response);
    EXPECT_EQ(write(response).size(), size);
    const Response before = response;
    trim(response, size);
    EXPECT_EQ(response, before);
    trim(response, size - 1);
    EXPECT_EQ(response.nodes.size(), 15u) << "one node of IPv6 goes";
}

TEST(KrpcTrim, NodesMakeWayForAValueThatFits) {
    Response response = full_response();
    trim(response, kReplyBytesMax);
    EXPECT_LE(written_size(response), kReplyBytesMax);
    EXPECT_FALSE(response.found.value.empty());
    EXPECT_LT(response.nodes.size(), 16u);
}

TEST(KrpcTrim, AValueThatCannotFitMakesWayForNodes) {
    Response response = full_response();
    trim(response, 400);
    EXPECT_LE(written_size(response), 400u);
    EXPECT_TRUE(response.found.value.empty());
    EXPECT_FALSE(response.found.key || response.found.signature);
    EXPECT_EQ(response.found.sequence, kSequenceMax);
    EXPECT_FALSE(response.nodes.empty());
}

TEST(KrpcTrim, WhatRemainsAtTheLeastHasALimit) {
    Response response = full_response();
    trim(response, 0);
    EXPECT_LE(written_size(response), kTrimmedBytesMax);
    EXPECT_TRUE(response.nodes.empty() && response.peers.empty());
    EXPECT_TRUE(parse(write(response)));
}

TEST(KrpcTrim, EveryLimitIsKeptWithAsMuchAsFits) {
    for (std::size_t limit = kTrimmedBytesMax; limit < 2000; limit += 13) {
        Response response = full_response();
        trim(response, limit);
        const std::size_t size = written_size(response);
        ASSERT_LE(size, limit);
        ASSERT_TRUE(parse(write(response)));
    }
}

// ---- Properties

TEST(KrpcProperty, EveryMessageReadsBackAsItself) {
    MessageMaker maker(1);
    for (int round = 0; round < 5000; ++round) {
        const Message message = maker.message();
        const Bytes bytes = std::visit([](const auto& m) { return write(m); }, message);
        const auto back = parse(bytes);
        ASSERT_TRUE(back) << as_text(bytes) << to_string(back.error().error);
        ASSERT_EQ(*back, message) << "round " << round;
    }
}

TEST(KrpcProperty, WhateverIsReadIsWrittenShorterOrAlike) {
    MessageMaker maker(2);
    Prng& prng = maker.prng();
    int read = 0;
    for (int round = 0; round < 50000; ++round) {
        Bytes bytes = std::visit([](const auto& m) { return write(m); }, maker.message());
        for (auto n = prng.below(3) + 1; n > 0; --n) {
            bytes[prng.below(bytes.size())] =
                static_cast<std::uint8_t>("0123456789ilde:-"[prng.below(16)]);
        }
        if (prng.chance(1, 4)) bytes.resize(prng.below(bytes.size()));
        const auto message = parse(bytes);
        if (!message) continue;
        ++read;
        const Bytes again = std::visit([](const auto& m) { return write(m); }, *message);
        const auto back = parse(again);
        ASSERT_TRUE(back) << as_text(again);
        ASSERT_EQ(*back, *message) << "round " << round;
    }
    EXPECT_GT(read, 1000);
}

}  // namespace
}  // namespace leither::dht
