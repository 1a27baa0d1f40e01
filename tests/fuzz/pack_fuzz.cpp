// Packs, tags and contributions from strangers: canonical or refused, no path that leaves its
// folder, nothing that holds without having been signed. Then the input as the list of files of a
// pack that its publisher has signed, and as the bytes that a provider gives: kept within bounds,
// or dropped.
#include "leither/crypto/hash.h"
#include "leither/org/content_exchange.h"

#include "support/codec_fuzz.h"
#include "support/org/org_world.h"

using namespace leither;

namespace {

const testing::OrgSample& sample() {
    static const testing::OrgSample all;
    return all;
}

void check_signed(ByteView input) {
    if (const auto pack = bcs::decode<protocol::SignedPack>(input)) {
        const bool holds = protocol::check(*pack, sample().chain, testing::kSampleNow).has_value();
        CHECK(!holds || pack->pack.publisher == sample().alice.public_key());
        for (const auto& one : pack->pack.applications) CHECK(protocol::is_safe_path(one.entry));
    }
    if (const auto tag = bcs::decode<protocol::SignedTag>(input)) {
        const bool holds = protocol::check(*tag, sample().chain, testing::kSampleNow).has_value();
        CHECK(!holds || tag->entry.author == sample().alice.public_key());
    }
}

// Of nobody's but alice's, which the seeds hold; and every proof is read.
void check_contribution(ByteView input) {
    if (const auto one = bcs::decode<protocol::SignedContribution>(input)) {
        const bool holds = protocol::check(*one, sample().chain, testing::kSampleNow).has_value();
        CHECK(!holds || one->contribution.author == sample().alice.public_key());
    }
    if (const auto one = bcs::decode<protocol::SignedWithdrawal>(input)) {
        const bool holds = protocol::check(*one, sample().chain, testing::kSampleNow).has_value();
        CHECK(!holds || one->withdrawal.author == sample().alice.public_key());
    }
    const auto named = protocol::contributions_in(as_text(input));
    CHECK(protocol::contributions_in(protocol::proof_text(named, {})) == named);
}

void check_paths(ByteView input) {
    const auto contents = bcs::decode<protocol::PackContents>(input);
    if (!contents) return;
    for (const auto& file : contents->files) {
        const std::string path = "/" + file.path + "/";
        CHECK(path.find("/../") == std::string::npos && path.find("/./") == std::string::npos);
        CHECK(path.find("//") == std::string::npos && path.find('\0') == std::string::npos);
        CHECK(path.find('\\') == std::string::npos);
    }
}

// A pack whose list of files is the input, whatever that says.
protocol::SignedPack pack_with(ByteView list) {
    protocol::Pack pack;
    pack.publisher = sample().alice.public_key();
    pack.name = decltype(pack.name)("fuzz");
    pack.version = decltype(pack.version)("1");
    pack.published_ms = testing::kSampleMs;
    pack.contents = crypto::blake2b_256(list);
    pack.contents_bytes = static_cast<std::uint32_t>(list.size());
    const auto contents = bcs::decode<protocol::PackContents>(list);
    const bool can_be =
        contents && contents->bytes() > 0 && contents->bytes() <= protocol::kPackBytesMax;
    pack.bytes = can_be ? contents->bytes() : 1;
    pack.applications.push_back({});
    pack.applications[0].entry =
        can_be ? decltype(protocol::PackApplication::entry)(std::string(contents->files[0].path))
               : decltype(protocol::PackApplication::entry)("a");
    return protocol::sign(sample().chain, pack, sample().alice);
}

class Play {
 public:
    explicit Play(ByteView input) : input_(input) {}

    void go() {
        if (input_.empty() || input_.size() > protocol::kContentPieceMax) return;
        const Id node = sample().node.id();
        give(org::ContentExchange::NodeUp{node});
        give(org::ContentExchange::Fetch{pack_with(input_)});
        answer(node, input_);
        // What comes next is asked for by hashes the input has chosen.
        for (std::size_t i = 0; i < 8 && !asked_.empty(); ++i) {
            answer(node, input_.first(i % input_.size() + 1));
        }
        give(org::ContentExchange::NodeDown{node});
        CHECK(exchange_.bytes_reserved() <= exchange_.options().bytes_max);
    }

 private:
    void give(org::ContentExchange::Input&& input) {
        auto effects = exchange_.step(std::move(input), testing::kSampleNow);
        exchange_.check_invariants();
        testing::write(disk_, effects.writes);
        for (const auto& send : effects.sends) {
            asked_.push_back(std::get<protocol::ContentAsk>(send.message).piece);
        }
    }
    void answer(const Id& node, ByteView bytes) {
        if (asked_.empty()) return;
        protocol::ContentReply reply{asked_.back(), protocol::ContentOutcome::here, {}};
        asked_.pop_back();
        reply.bytes.assign(bytes.begin(), bytes.end());
        give(org::ContentExchange::Answered{node, std::move(reply)});
    }

    ByteView input_;
    store::MemoryStore disk_;
    org::ContentExchange exchange_{{}, {sample().chain, {'t'}, &disk_}, Log()};
    std::vector<Hash> asked_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace protocol;
    const ByteView input(data, size);
    testing::check_canonical_any<SignedPack, PackContents, SignedTag, CatalogueHave, CatalogueOffer,
                                 CatalogueAsk, CatalogueEntries, ContentAsk, ContentReply,
                                 SignedContribution, SignedWithdrawal>(input);
    if (input.empty()) return 0;
    const ByteView body = input.subspan(1);
    check_signed(body);
    check_contribution(body);
    check_paths(body);
    Play(body).go();
    return 0;
}
