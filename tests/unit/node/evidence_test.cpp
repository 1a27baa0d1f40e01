// Bookkeepers who sign twice, as a node meets them: recorded, reported, and their pledge taken.
#include <set>

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"
#include "leither/store/memory_store.h"

#include "node/org_instance.h"
#include "support/candidates.h"
#include "support/node/community.h"

namespace leither::node {
namespace {

using protocol::Conflict;
using protocol::StatementKind;
using protocol::Vote;
using protocol::VoteKind;
using testing::Candidates;
using testing::id_of;
using testing::key_of;
using testing::LedgerWorld;
using testing::must;
using testing::Names;

// One organization's machines with a disk and a host that checks signatures, without a network:
// what they tell neighbours is kept for the test.
class Keeper {
 public:
    Keeper(const store::MemoryStore& disk, const protocol::SignedCharter& charter,
           const ledger::Seal& head, const crypto::KeyPair& key, Instant now)
        : store_(disk), id_(key.id()) {
        tree::Tree tree(Options{}.tree, store_, version_of(head), Sequence(0));
        org_ = must(OrgInstance::make(Options{}, store_, key, Log(),
                                      {charter, head, Sequence(0), std::move(tree)}));
        tick(now);
    }

    OrgInstance& org() { return *org_; }
    store::MemoryStore& store() { return store_; }
    const Id& id() const { return id_; }

    void tick(Instant now) {
        run(now, [&](Effects& fx) { must(org_->on_tick(now, fx)); });
    }
    void meet(const Id& neighbour, Instant now) {
        run(now, [&](Effects& fx) { must(org_->on(NeighbourUp{neighbour}, now, fx)); });
        // One that votes is sent what waits.
        protocol::Status status;
        status.interest = protocol::Interest::votes;
        hear(neighbour, status, now);
    }
    template <class Message>
    void hear(const Id& from, Message message, Instant now) {
        run(now, [&](Effects& fx) {
            if constexpr (std::is_same_v<Message, protocol::TransactionPost>) {
                must(org_->on_message(from, std::move(message), now, fx));
            } else {
                must(org_->on_message(from, protocol::AgreementMessage(std::move(message)), now,
                                      fx));
            }
        });
    }
    std::vector<ToNeighbour> take_sent() { return std::exchange(sent_, {}); }

    // The transactions told to neighbours since they were asked for last, each once.
    std::vector<protocol::Transaction> take_posted() {
        std::vector<protocol::Transaction> posted;
        for (const ToNeighbour& sent : take_sent()) {
            const auto* post = std::get_if<protocol::TransactionPost>(&sent.message);
            if (post == nullptr) continue;
            for (const auto& one : post->transactions) {
                if (std::ranges::count(posted, one) == 0) posted.push_back(one);
            }
        }
        return posted;
    }
    protocol::MemberRecord member(const Id& id) {
        const auto leaf = must(org_->tree().read(id));
        CHECK(leaf.has_value());
        return std::get<protocol::MemberRecord>(*bcs::decode<protocol::Record>(leaf->record));
    }
    Sequence head() const { return org_->head().header.sequence; }
    void serve(const protocol::SignedDelegation& delegation) { served_.push_back(delegation); }

 private:
    // The input and all that follows from it, as a node and its host carry it out.
    template <class Input>
    void run(Instant now, const Input& input) {
        Effects fx;
        input(fx);
        for (bool busy = true; busy;) {
            must(org_->report_evidence(served_, now, fx));
            busy = false;
            for (SignatureJob& job : std::exchange(fx.verify, {})) {
                SignaturesChecked checked{job.job, {}};
                for (const auto& check : job.checks) checked.holds.push_back(testing::holds(check));
                must(org_->on_checked(checked, now, fx));
                busy = true;
            }
            if (auto handed = org_->take_batch()) {
                must(store_.write(handed->batch));
                must(org_->on_durable(now, fx));
                busy = true;
            }
        }
        for (auto& send : org_->take_sends()) sent_.push_back(std::move(send));
        org_->check_invariants();
    }

    store::MemoryStore store_;
    Id id_;
    std::unique_ptr<OrgInstance> org_;
    std::vector<ToNeighbour> sent_;
    protocol::Delegations served_;
};

// An elected committee of five in term 3; a node whose key stands for the candidate on seat 0 keeps
// the ledger with them. Their votes are the test's to cast.
class ElectedEvidence : public ::testing::Test {
 protected:
    ElectedEvidence() : all(testing::numbered(5)) {
        const Names names = testing::numbered(5);
        all.pass_cycle({}, names);
        all.pass_cycle({}, names);
        all.pass_cycle(names, names);
        world.seal({}, world.next_pulse());
        keeper = open(Candidates::node(name_of_seat(0)));
    }

    std::unique_ptr<Keeper> open(const crypto::KeyPair& key) {
        auto made = std::make_unique<Keeper>(world.store, world.genesis.charter, world.seals.back(),
                                             key, now());
        made->meet(voter, now());
        made->take_sent();
        return made;
    }
    // A moment of the first pulse in which the next height may open.
    Instant now() const {
        const auto& charter = world.organization.charter;
        return instant_from_unix_ms(charter.time_ms + world.next_pulse().value() * 1000 + 10);
    }
    std::string name_of_seat(std::uint16_t seat) {
        for (const auto& name : testing::numbered(5)) {
            if (world.election().present[seat].member == id_of(name)) return name;
        }
        CHECK(false, "nobody sits there");
        return {};
    }
    crypto::KeyPair key_of_seat(std::uint16_t seat) {
        return key_of(name_of_seat(seat) + "'s vote 3");
    }
    protocol::Slot slot(std::uint32_t round = 0) const {
        return {3, Prefix{}, world.seals.back().header.sequence.next(), round};
    }
    Vote vote(std::uint16_t seat, VoteKind kind, std::optional<Hash> block) {
        Vote cast{slot(), kind, block, seat, {}};
        cast.signature =
            key_of_seat(seat).sign(protocol::signing_message(world.organization.chain, cast));
        return cast;
    }
    void vote_twice(Keeper& by, std::uint16_t seat, VoteKind kind = VoteKind::prevote) {
        by.hear(voter, vote(seat, kind, std::nullopt), now());
        by.hear(voter, vote(seat, kind, Hash::copy_of(Bytes(32, 0x11))), now());
    }
    // The newest block of the world, as decided.
    protocol::Decision decision() {
        const ledger::Seal& seal = world.seals.back();
        return {seal.header, seal.certificate,
                must(ledger::read_block(world.store, seal.header.sequence))};
    }
    // Another block of that height, decided by four of the seats in some round.
    protocol::Decision rival(const ledger::Seal& seal, std::uint32_t round) {
        protocol::Decision made{seal.header, {}, std::nullopt};
        made.header.root.sum = Amount::of(1);
        made.certificate.slot = seal.certificate.slot;
        made.certificate.slot.round = round;
        made.certificate.block = block_hash(world.organization.chain, made.header);
        const Bytes message = precommit_message(world.organization.chain, made.certificate.slot,
                                                made.certificate.block);
        for (std::uint16_t seat = 0; seat < 4; ++seat) {
            made.certificate.signatures.push_back({seat, key_of_seat(seat).sign(message)});
        }
        return made;
    }

    Candidates all;
    LedgerWorld& world = all.world;
    Id voter = id_of("a bookkeeper's node");
    std::unique_ptr<Keeper> keeper;
};

TEST_F(ElectedEvidence, WhoVotesTwiceIsReportedByTheNodeAndLosesThePledge) {
    const std::string accused = name_of_seat(2);
    const std::string reporter = name_of_seat(0);
    vote_twice(*keeper, 2);
    ASSERT_EQ(keeper->org().evidence().items().size(), 1u);
    EXPECT_TRUE(keeper->org().evidence().items().front().is_durable);

    const auto posted = keeper->take_posted();
    ASSERT_EQ(posted.size(), 1u);
    EXPECT_EQ(posted[0].body.signer, id_of(reporter));
    EXPECT_EQ(posted[0].body.nonce.lane, protocol::kNodeLane);
    const auto& act = std::get<protocol::Evidence>(posted[0].body.action);
    EXPECT_EQ(act.accused, id_of(accused));

    const Amount before = world.member(reporter)->balance;
    EXPECT_TRUE(world.seal({posted[0]}, world.next_pulse()).empty()) << "the rules skip nothing";
    keeper->hear(voter, decision(), now());
    ASSERT_EQ(keeper->head(), world.seals.back().header.sequence);
    EXPECT_TRUE(keeper->member(id_of(accused)).locks.empty());
    EXPECT_FALSE(keeper->member(id_of(accused)).candidacy);
    EXPECT_EQ(keeper->member(id_of(reporter)).balance, Amount::of(before.units() + 100));

    // That is the end of it.
    world.seal({}, world.next_pulse());
    keeper->hear(voter, decision(), now());
    EXPECT_TRUE(keeper->take_posted().empty());
    EXPECT_FALSE(keeper->org().evidence().items().front().open);
}

TEST_F(ElectedEvidence, TheRecordProvesItselfAndIsThereAfterARestart) {
    vote_twice(*keeper, 2, VoteKind::precommit);
    Keeper reopened(keeper->store(), world.genesis.charter, world.seals.back(),
                    Candidates::node(name_of_seat(0)), now());
    const auto& items = reopened.org().evidence().items();
    ASSERT_EQ(items.size(), 1u);
    EXPECT_TRUE(items.front().is_durable);
    const auto record = must(ledger::read_evidence_at(reopened.store(), items.front().index));
    ASSERT_TRUE(record.has_value());
    const auto judged = ledger::judge(*record, {world.organization.treasury, std::nullopt});
    ASSERT_TRUE(judged.has_value()) << ledger::to_string(judged.error());
    EXPECT_EQ(judged->name.kind, ledger::OffenceKind::double_precommit);
    EXPECT_EQ(judged->guilty.at(0).who.member, id_of(name_of_seat(2)));

    // What was not carried out before is reported now, and the same fault is not recorded again.
    reopened.meet(voter, now());
    EXPECT_EQ(reopened.take_posted().size(), 1u);
    vote_twice(reopened, 2, VoteKind::precommit);
    EXPECT_EQ(items.size(), 1u);
}

TEST_F(ElectedEvidence, ANodeThatStandsForNobodyKeepsTheRecordAndReportsNothing) {
    const auto other = open(key_of("a follower"));
    vote_twice(*other, 2);
    EXPECT_EQ(other->org().evidence().items().size(), 1u);
    EXPECT_TRUE(other->take_posted().empty());
    EXPECT_TRUE(other->org().evidence().items().front().open);
}

// The seats that it serves by delegation, not as their node.
protocol::SignedDelegation delegation_to(const crypto::KeyPair& node, const std::string& member,
                                         const LedgerWorld& world, Instant now) {
    const protocol::Delegation given{key_of(member).public_key(), node.public_key(),
                                     protocol::Validity::from(now, std::chrono::hours(1))};
    return protocol::sign(world.organization.chain, given, key_of(member));
}

TEST_F(ElectedEvidence, ANodeThatStandsForNobodyReportsForAMemberItServesAfterATimeOfItsOwn) {
    std::set<std::uint64_t> waits;
    for (const char* name : {"a follower", "another", "a third"}) {
        const auto node = key_of(name);
        const auto other = open(node);
        const std::string served = name_of_seat(1);
        other->serve(delegation_to(node, served, world, now()));
        vote_twice(*other, 2);
        EXPECT_TRUE(other->take_posted().empty()) << "candidates' nodes come first";

        std::vector<protocol::Transaction> posted;
        std::uint64_t waited = 0;
        while (posted.empty() && waited < 2 * EvidenceKeeper::kSpreadPulses) {
            ++waited;
            other->tick(now() + std::chrono::seconds(waited));
            posted = other->take_posted();
        }
        ASSERT_EQ(posted.size(), 1u);
        EXPECT_GE(waited, EvidenceKeeper::kPatiencePulses - 1);
        EXPECT_LE(waited, EvidenceKeeper::kPatiencePulses + EvidenceKeeper::kSpreadPulses);
        waits.insert(waited);
        EXPECT_EQ(posted[0].body.signer, id_of(served));
        EXPECT_EQ(posted[0].body.nonce.lane, protocol::kNodeLane);

        EXPECT_TRUE(other->org().mempool().contains(
            protocol::transaction_id(world.organization.chain, posted[0].body)));
        // Once, whatever becomes of it.
        world.seal({}, world.next_pulse());
        other->hear(voter, decision(), now());
        other->tick(now() + std::chrono::seconds(400));
        EXPECT_TRUE(other->take_posted().empty());
    }
    EXPECT_GT(waits.size(), 1u) << "all together";
}

TEST_F(ElectedEvidence, AReportByDelegationTakesThePledgeAndRewardsTheMember) {
    const auto node = key_of("a follower");
    const auto other = open(node);
    const std::string served = name_of_seat(1);
    other->serve(delegation_to(node, served, world, now()));
    vote_twice(*other, 2);
    std::vector<protocol::Transaction> posted;
    for (std::uint64_t waited = 1; posted.empty() && waited < 300; ++waited) {
        other->tick(now() + std::chrono::seconds(waited));
        posted = other->take_posted();
    }
    ASSERT_EQ(posted.size(), 1u);
    const Amount before = world.member(served)->balance;
    EXPECT_TRUE(world.seal({posted[0]}, world.next_pulse()).empty());
    EXPECT_EQ(world.member(served)->balance, Amount::of(before.units() + 100));
    EXPECT_FALSE(world.member(name_of_seat(2))->candidacy);
}

TEST_F(ElectedEvidence, WhoComesLateIsRefusedByNameAndSaysNoMore) {
    const auto node = key_of("a follower");
    const auto other = open(node);
    other->serve(delegation_to(node, name_of_seat(1), world, now()));
    vote_twice(*keeper, 2);
    const auto first = keeper->take_posted();
    ASSERT_EQ(first.size(), 1u);
    vote_twice(*other, 2);
    EXPECT_TRUE(world.seal({first[0]}, world.next_pulse()).empty());
    other->hear(voter, decision(), now());
    EXPECT_FALSE(other->org().evidence().items().front().open) << "nothing_pledged";
    other->tick(now() + std::chrono::seconds(400));
    EXPECT_TRUE(other->take_posted().empty());
    EXPECT_FALSE(other->org().evidence().due());
}

TEST_F(ElectedEvidence, NobodyReportsItself) {
    vote_twice(*keeper, 0);
    EXPECT_EQ(keeper->org().evidence().items().size(), 1u);
    EXPECT_TRUE(keeper->take_posted().empty());
}

TEST_F(ElectedEvidence, ALostReportIsMadeAgainOnALaterHead) {
    vote_twice(*keeper, 2);
    ASSERT_EQ(keeper->take_posted().size(), 1u);
    // It waits in the node's own mempool: not twice.
    world.seal({}, world.next_pulse());
    keeper->hear(voter, decision(), now());
    EXPECT_TRUE(keeper->take_posted().empty());
    // A node that has lost its mempool.
    const auto restarted =
        std::make_unique<Keeper>(keeper->store(), world.genesis.charter, keeper->org().head(),
                                 Candidates::node(name_of_seat(0)), now());
    restarted->meet(voter, now());
    EXPECT_EQ(restarted->take_posted().size(), 1u);
}

TEST_F(ElectedEvidence, TwoBlocksOfTheHeadsHeightAreRecordedAndTold) {
    world.seal({}, world.next_pulse());
    keeper->hear(voter, decision(), now());
    const ledger::Seal head = world.seals.back();
    keeper->take_sent();
    keeper->hear(voter, rival(head, head.certificate.slot.round), now());
    const auto counts = keeper->org().evidence().counts();
    EXPECT_EQ(counts.forks, std::vector{head.header.sequence});
    EXPECT_EQ(counts.conflicts, 4u);
    bool is_told = false;
    for (const ToNeighbour& sent : keeper->take_sent()) {
        const auto* ours = std::get_if<protocol::Decision>(&sent.message);
        is_told |= ours != nullptr && ours->header == head.header && sent.to == voter;
    }
    EXPECT_TRUE(is_told) << "who stands on the other branch shall know";
    // Once.
    keeper->hear(voter, rival(head, head.certificate.slot.round), now());
    EXPECT_EQ(keeper->org().evidence().counts().forks.size(), 1u);
}

TEST_F(ElectedEvidence, TwoBlocksOfAnOlderHeightAreFoundToo) {
    world.seal({}, world.next_pulse());
    const ledger::Seal old = world.seals.back();
    keeper->hear(voter, decision(), now());
    for (int blocks = 0; blocks < 3; ++blocks) {
        world.seal({}, world.next_pulse());
        keeper->hear(voter, decision(), now());
    }
    ASSERT_EQ(keeper->head().value(), old.header.sequence.value() + 3);
    // In another round: nobody is convicted by that alone.
    keeper->hear(voter, rival(old, old.certificate.slot.round + 1), now());
    const auto counts = keeper->org().evidence().counts();
    EXPECT_EQ(counts.forks, std::vector{old.header.sequence});
    EXPECT_EQ(counts.conflicts, 0u);
    const auto& item = keeper->org().evidence().items().front();
    const auto record = must(ledger::read_evidence_at(keeper->store(), item.index));
    const auto judged = ledger::judge(*record, {});
    ASSERT_TRUE(judged.has_value()) << ledger::to_string(judged.error());
    EXPECT_EQ(judged->answerable.size(), 4u);
    EXPECT_TRUE(judged->guilty.empty());
    EXPECT_TRUE(keeper->take_posted().empty());
}

TEST_F(ElectedEvidence, ABlockThatNobodyDecidedIsNoFork) {
    world.seal({}, world.next_pulse());
    keeper->hear(voter, decision(), now());
    auto few = rival(world.seals.back(), 0);
    few.certificate.signatures.resize(3);
    keeper->hear(voter, few, now());
    auto forged = rival(world.seals.back(), 0);
    forged.certificate.signatures[1].signature[3] ^= 1;
    keeper->hear(voter, forged, now());
    EXPECT_TRUE(keeper->org().evidence().items().empty());
}

// A heartbeat or proposal that builds on another block is answered with ours, so that whoever
// stands there finds the fork.
TEST_F(ElectedEvidence, WhoSpeaksOfAnotherHeadIsShownOurs) {
    keeper->take_sent();
    protocol::Heartbeat beat{
        3, keeper->head(), Hash::copy_of(Bytes(32, 0x22)), Pulse(world.next_pulse().value()), 1,
        {}};
    beat.signature = key_of_seat(1).sign(protocol::signing_message(world.organization.chain, beat));
    keeper->hear(voter, beat, now());
    std::size_t shown = 0;
    for (const ToNeighbour& sent : keeper->take_sent()) {
        const auto* ours = std::get_if<protocol::Decision>(&sent.message);
        shown += ours != nullptr && ours->header == world.seals.back().header ? 1 : 0;
    }
    EXPECT_EQ(shown, 1u);
}

TEST_F(ElectedEvidence, RecordsAreBounded) {
    auto machine = must(EvidenceKeeper::open(keeper->store(), world.organization.chain,
                                             key_of("a follower"), Log()));
    const ledger::EvidenceSource source{world.genesis.charter, world.organization, keeper->store(),
                                        keeper->org().tree(), Sequence(0)};
    const auto note = [&](std::uint64_t cycle, std::uint16_t seat, std::uint32_t round) {
        Conflict conflict;
        conflict.slot = slot(round);
        conflict.slot.cycle = cycle;
        conflict.seat = seat;
        conflict.second.block = Hash{};
        store::WriteBatch batch;
        const std::size_t added = must(machine.note(source, conflict, batch));
        must(keeper->store().write(batch));
        return added;
    };
    // Of one seat and term.
    for (std::uint32_t round = 0; round < EvidenceKeeper::kPerSeatMax; ++round) {
        EXPECT_EQ(note(3, 0, round), 1u);
    }
    EXPECT_EQ(note(3, 0, 9), 0u);
    const Hash first = machine.items().front().id;
    while (machine.items().size() < EvidenceKeeper::kRecordsMax) {
        ASSERT_EQ(note(4 + machine.items().size(), 1, 0), 1u);
    }
    // What is not durable yet makes no room.
    EXPECT_EQ(note(3, 2, 0), 0u);
    machine.on_durable(2);
    EXPECT_EQ(note(3, 2, 0), 1u);
    EXPECT_EQ(machine.items().size(), EvidenceKeeper::kRecordsMax);
    EXPECT_EQ(machine.find(first), nullptr);
    EXPECT_EQ(must(ledger::evidence_indexes(keeper->store())).size(), EvidenceKeeper::kRecordsMax);
    machine.check_invariants();
}

// ---- The charter's committee -------------------------------------------------------------------

// Four bookkeepers of a charter, each with a ledger of its own; what they send arrives at once. The
// last one votes twice.
class LyingCommittee {
 public:
    LyingCommittee() : community_(options()) {
        const auto& genesis = community_.genesis();
        for (std::size_t n = 0; n < kSize; ++n) {
            store::MemoryStore disk;
            tree::Tree tree(tree::Options{}, disk);
            auto executed = must(ledger::execute_genesis(community_.organization(), tree, genesis));
            ledger::Seal seal{executed.header, {}, executed.update.version().location};
            store::WriteBatch batch = executed.update.take_writes();
            ledger::put_genesis(batch, genesis);
            ledger::put_seal(batch, seal);
            ledger::put_block(batch, executed.header.sequence, {});
            consensus::vote_log::put(batch, consensus::Vouch{});
            must(disk.write(batch));
            nodes_.push_back(std::make_unique<Keeper>(disk, genesis.charter, seal, key(n), now_));
        }
        for (std::size_t n = 0; n < kSize; ++n) {
            for (std::size_t other = 0; other < kSize; ++other) {
                if (other != n) nodes_[n]->meet(nodes_[other]->id(), now_);
            }
        }
        deliver();
    }

    void pay(std::uint64_t counter) {
        const Pulse expiry(nodes_[0]->org().pulse(now_).value() + 100);
        protocol::TransactionPost post;
        post.transactions.push_back(
            community_.pay(community_.member(0), community_.member(1), 5, {counter, expiry}));
        nodes_[0]->hear(nodes_[1]->id(), post, now_);
        deliver();
    }
    void run(Duration duration) {
        const Instant until = now_ + duration;
        while (now_ < until) {
            now_ += std::chrono::milliseconds(50);
            for (auto& node : nodes_) node->tick(now_);
            deliver();
        }
    }
    Keeper& node(std::size_t n) { return *nodes_[n]; }
    static constexpr std::size_t kSize = 4;
    static constexpr std::size_t kLiar = 3;

 private:
    static crypto::KeyPair key(std::size_t n) { return crypto::derive_key({}, 200 + n); }
    static testing::CommunityOptions options() {
        testing::CommunityOptions options;
        options.node_key = key(0);
        options.params.block_bytes_max = 256 << 10;
        for (std::size_t n = 1; n < kSize; ++n) {
            options.other_bookkeepers.push_back(key(n).public_key());
        }
        return options;
    }

    void deliver() {
        for (bool busy = true; busy;) {
            busy = false;
            for (std::size_t from = 0; from < kSize; ++from) {
                for (ToNeighbour& sent : nodes_[from]->take_sent()) {
                    const auto to = std::ranges::find(
                        nodes_, sent.to, [](const auto& node) -> const Id& { return node->id(); });
                    CHECK(to != nodes_.end());
                    hand(**to, from, std::move(sent.message));
                    busy = true;
                }
            }
        }
    }
    void hand(Keeper& to, std::size_t from, protocol::PeerMessage&& message) {
        const Id sender = nodes_[from]->id();
        if (auto* vote = std::get_if<Vote>(&message)) {
            const bool is_own = vote->seat == kLiar;
            if (from == kLiar && is_own && vote->block) {
                Vote other = *vote;
                other.block.reset();
                other.signature =
                    key(kLiar).sign(protocol::signing_message(community_.chain(), other));
                to.hear(sender, other, now_);
            }
            to.hear(sender, *vote, now_);
        } else if (auto* proposal = std::get_if<protocol::Proposal>(&message)) {
            to.hear(sender, *proposal, now_);
        } else if (auto* status = std::get_if<protocol::Status>(&message)) {
            to.hear(sender, *status, now_);
        } else if (auto* beat = std::get_if<protocol::Heartbeat>(&message)) {
            to.hear(sender, *beat, now_);
        } else if (auto* decision = std::get_if<protocol::Decision>(&message)) {
            to.hear(sender, *decision, now_);
        } else if (auto* post = std::get_if<protocol::TransactionPost>(&message)) {
            to.hear(sender, *post, now_);
        }
    }

    testing::Community community_;
    Instant now_ = community_.start_of(Pulse(1));
    std::vector<std::unique_ptr<Keeper>> nodes_;
};

TEST(CharterEvidence, AChartersBookkeeperWhoVotesTwiceIsRecordedByAllOthers) {
    LyingCommittee committee;
    committee.pay(0);
    committee.run(std::chrono::seconds(10));
    for (std::size_t n = 0; n < LyingCommittee::kLiar; ++n) {
        Keeper& node = committee.node(n);
        EXPECT_GE(node.head(), Sequence(1)) << "one liar of four stops nobody";
        const auto& items = node.org().evidence().items();
        ASSERT_FALSE(items.empty()) << n;
        for (const EvidenceKeeper::Item& item : items) {
            EXPECT_TRUE(item.is_durable);
            const auto record = must(ledger::read_evidence_at(node.store(), item.index));
            const auto judged = ledger::judge(*record, {});
            ASSERT_TRUE(judged.has_value()) << ledger::to_string(judged.error());
            ASSERT_EQ(judged->guilty.size(), 1u);
            EXPECT_EQ(judged->guilty[0].who.member, committee.node(LyingCommittee::kLiar).id());
        }
    }
    EXPECT_TRUE(committee.node(LyingCommittee::kLiar).org().evidence().items().empty());
}

}  // namespace
}  // namespace leither::node
