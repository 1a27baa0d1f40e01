// The worked messages and the table of docs/protocol/peers.md.
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "leither/protocol/peer_message.h"

#include "support/shared_data.h"
#include "support/worked_bytes.h"

namespace leither::peer {
namespace {

using namespace protocol;

void expect_worked(const char* name, const PeerMessage& message) {
    EXPECT_EQ(encode_peer_message(message), testing::worked_bytes("protocol/peers.md", name))
        << name;
}

TEST(PeerDocs, MessagesEncodeAsShown) {
    Hello hello;
    hello.agent = decltype(hello.agent)("leither 1");
    hello.listen_port = 7400;
    hello.observed = WireEndpoint::of(Endpoint::parse("203.0.113.5:53566").value());
    expect_worked("hello", hello);
    expect_worked("ping", Ping{0x0123456789abcdef});
    expect_worked("pong", Pong{0x0123456789abcdef});
    expect_worked("goodbye", Goodbye{GoodbyeReason::duplicate});
    expect_worked("ask dial back", AskDialBack{7400, 7});
    expect_worked("dial back result", DialBackResult{7, DialBackOutcome::reached});
    const Bytes id = from_hex("f0a594d2978da8803f696325ea0aaa5045cf2e94").value();
    expect_worked("ask manifest", AskManifest{Id::copy_of(id)});
    expect_worked("manifest reply", ManifestReply{});
}

std::string with_commas(std::uint32_t number) {
    const std::string digits = std::to_string(number);
    std::string out;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
        out += digits[i];
    }
    return out;
}

const char* name_of(Urgency urgency) {
    switch (urgency) {
        case Urgency::low: return "low";
        case Urgency::normal: return "normal";
        case Urgency::vital: return "vital";
    }
    return nullptr;
}

TEST(PeerDocs, EachKindStandsInTheTableWithItsMaximumAndUrgency) {
    const std::string page =
        testing::load_text(testing::source_dir() / "docs" / "protocol" / "peers.md");
    for (const PeerMessageKind& kind : kPeerMessageKinds) {
        const std::string begin = fmt::format("| {} | `{}` | ", kind.wire, kind.name);
        const std::string end =
            fmt::format(" | {} | {} |", with_commas(kind.body_bytes_max), name_of(kind.urgency));
        std::istringstream lines(page);
        bool found = false;
        for (std::string line; std::getline(lines, line);) {
            found = found || (line.starts_with(begin) && line.ends_with(end));
        }
        EXPECT_TRUE(found) << begin << "..." << end;
    }
}

}  // namespace
}  // namespace leither::peer
