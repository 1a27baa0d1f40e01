#include "leither/tree/proof.h"

#include "tree_fixture.h"

namespace leither::tree::testing {
namespace {

using Claim = std::optional<std::pair<Id, std::optional<Bytes>>>;

// What a proof's bytes establish about which account, if anything.
Claim claim_of(const Bytes& encoded, const Synopsis& root, Amount supply) {
    const auto proof = bcs::decode<AccountProof>(encoded);
    if (!proof) return std::nullopt;
    const auto record = verify(*proof, root, supply, test_sum_of);
    if (!record) return std::nullopt;
    if (!*record) return std::pair{proof->id, std::optional<Bytes>{}};
    return std::pair{proof->id, std::optional<Bytes>{**record}};
}

TreeWorld world_of(std::uint64_t seed, std::size_t accounts) {
    TreeWorld world(seed);
    world.advance({.inserts = accounts});
    return world;
}

TEST(TreeProof, NoMutationOfAnyByteProvesAnythingFalse) {
    TreeWorld world = world_of(1, 40);
    const Synopsis root = world.tree->head().root;
    for (int round = 0; round < 8; ++round) {
        const Id id = world.next_id();
        const Bytes encoded = bcs::encode(*world.tree->prove(id));
        ASSERT_TRUE(claim_of(encoded, root, kTestSupply).has_value());
        for (std::size_t at = 0; at < encoded.size(); ++at) {
            for (const unsigned flip : {1U, 2U, 0x10U, 0x80U, 0xffU}) {
                Bytes mutated = encoded;
                mutated[at] = static_cast<std::uint8_t>(mutated[at] ^ flip);
                const auto claim = claim_of(mutated, root, kTestSupply);
                if (!claim) continue;
                // A path also proves that neighbours of an absent id are absent: true, so allowed.
                const auto known = world.model.find(claim->first);
                ASSERT_EQ(claim->second.has_value(), known != world.model.end());
                if (known != world.model.end()) {
                    EXPECT_EQ(*claim->second, known->second.record);
                }
            }
        }
    }
}

TEST(TreeProof, AnotherRootIsRefused) {
    TreeWorld world = world_of(2, 30);
    const auto proof = *world.tree->prove(world.some_id());
    Synopsis root = world.tree->head().root;
    root.hash[0] ^= 1;
    EXPECT_EQ(verify(proof, root, kTestSupply, test_sum_of).error(), ProofError::root_mismatch);
    root = world.tree->head().root;
    root.sum = *root.sum.plus(Amount::of(1));
    EXPECT_EQ(verify(proof, root, kTestSupply, test_sum_of).error(), ProofError::root_mismatch);
}

TEST(TreeProof, DepthsMustRise) {
    TreeWorld world = world_of(3, 30);
    const Synopsis root = world.tree->head().root;
    auto proof = *world.tree->prove(world.some_id());
    ASSERT_GE(proof.path.size(), 2u);
    std::swap(proof.path[0], proof.path[1]);
    EXPECT_EQ(verify(proof, root, kTestSupply, test_sum_of).error(), ProofError::depths_not_rising);
    proof = *world.tree->prove(world.some_id());
    proof.path.back().depth = 160;
    EXPECT_EQ(verify(proof, root, kTestSupply, test_sum_of).error(), ProofError::depths_not_rising);
}

TEST(TreeProof, APartialSumAboveTheSupplyIsRefused) {
    TreeWorld world = world_of(4, 30);
    const auto proof = *world.tree->prove(world.some_id());
    const Synopsis root = world.tree->head().root;
    const Amount too_small = *root.sum.minus(Amount::of(1));
    EXPECT_EQ(verify(proof, root, too_small, test_sum_of).error(), ProofError::sum_overflow);
}

TEST(TreeProof, ARecordWithoutAReadableSumIsRefused) {
    TreeWorld world = world_of(5, 30);
    auto proof = *world.tree->prove(world.some_id());
    std::get<Presence>(proof.end).record.resize(3);
    EXPECT_EQ(verify(proof, world.tree->head().root, kTestSupply, test_sum_of).error(),
              ProofError::bad_record);
}

// Collects which kinds of end proofs of absence have, and that each convinces.
TEST(TreeProof, AbsenceIsProvenByTheNeighbourLeafOrByADepartingNode) {
    TreeWorld world = world_of(6, 200);
    std::map<std::size_t, int> ends;
    for (int i = 0; i < 400; ++i) {
        const Id id = world.next_id();
        if (world.model.contains(id)) continue;
        const auto proof = *world.tree->prove(id);
        ++ends[proof.end.index()];
        const auto verdict = verify(proof, world.tree->head().root, kTestSupply, test_sum_of);
        ASSERT_TRUE(verdict.has_value()) << to_string(verdict.error());
        EXPECT_FALSE(verdict->has_value());
    }
    EXPECT_GT(ends[2], 10);  // OtherLeaf
    EXPECT_GT(ends[3], 10);  // OtherNode
}

TEST(TreeProof, ANeighbourThatLiesElsewhereProvesNothing) {
    TreeWorld world = world_of(7, 30);
    const Synopsis root = world.tree->head().root;
    const Id present = world.some_id();
    Id absent = present;
    absent[19] ^= 1;
    if (world.model.contains(absent)) absent[19] ^= 3;
    auto proof = *world.tree->prove(absent);
    proof.id = present;
    EXPECT_FALSE(verify(proof, root, kTestSupply, test_sum_of).has_value());
}

TEST(TreeProof, AnEmptyTreeProvesAbsenceOfAll) {
    TreeWorld world(8);
    const auto proof = *world.tree->prove(random_id(world.prng));
    EXPECT_TRUE(std::holds_alternative<EmptyTree>(proof.end));
    EXPECT_TRUE(verify(proof, empty_synopsis(), kTestSupply, test_sum_of).has_value());
    TreeWorld other = world_of(9, 3);
    EXPECT_EQ(verify(proof, other.tree->head().root, kTestSupply, test_sum_of).error(),
              ProofError::root_mismatch);
}

TEST(TreeProof, NoMutationOfAPrefixProofProvesAnotherSynopsis) {
    TreeWorld world = world_of(10, 40);
    const Synopsis root = world.tree->head().root;
    for (const unsigned bits : {0U, 2U, 5U, 9U, 30U, 160U}) {
        const Prefix prefix{prefix_of(world.next_id(), bits), static_cast<std::uint8_t>(bits)};
        const Bytes encoded = bcs::encode(*world.tree->prove(prefix));
        for (std::size_t at = 0; at < encoded.size(); ++at) {
            Bytes mutated = encoded;
            mutated[at] = static_cast<std::uint8_t>(mutated[at] ^ (1U << (at % 8)));
            const auto proof = bcs::decode<PrefixProof>(mutated);
            if (!proof || !verify(*proof, root, kTestSupply)) continue;
            world.expect_prefix(world.tree->head(), world.model, proof->prefix, *proof);
        }
    }
}

}  // namespace
}  // namespace leither::tree::testing
