#include "leither/sim/disk.h"

#include <gtest/gtest.h>

namespace leither::sim {
namespace {

using std::chrono::milliseconds;
using Part = Disk::Part;

store::WriteBatch batch_of(std::uint8_t key) {
    store::WriteBatch batch;
    batch.put({key}, {key});
    return batch;
}

class DiskTest : public ::testing::Test {
 protected:
    Disk disk{{}, Prng(1)};

    bool holds(std::uint8_t key, Part part = Part::ledger) const {
        const Bytes bytes{key};
        return disk.reader(part).get(bytes)->has_value();
    }
    Result<void, store::Fault> write(std::uint8_t key, Part part = Part::ledger) {
        disk.write(part, batch_of(key));
        return disk.finish(part);
    }
};

TEST_F(DiskTest, ABatchTakesTimeAndIsSeenWhenItIsSynced) {
    const Duration time = disk.write(Part::ledger, batch_of(1));
    EXPECT_GE(time, Disk::Latency().min);
    EXPECT_LE(time, Disk::Latency().max);
    EXPECT_TRUE(disk.is_busy(Part::ledger));
    EXPECT_FALSE(disk.is_busy(Part::network));
    EXPECT_FALSE(holds(1));
    EXPECT_TRUE(disk.finish(Part::ledger));
    EXPECT_TRUE(holds(1));
    disk.crash();
    EXPECT_TRUE(holds(1));
}

TEST_F(DiskTest, WhatIsNotSyncedIsThereWholeOrNotAtAllAfterACrash) {
    for (const auto tear : {Disk::Tear::lost, Disk::Tear::kept}) {
        disk.set_tear(tear);
        disk.write(Part::ledger, batch_of(2));
        disk.crash();
        EXPECT_EQ(holds(2), tear == Disk::Tear::kept);
        EXPECT_FALSE(disk.is_busy(Part::ledger));
    }
    disk.set_tear(Disk::Tear::by_chance);
    int kept = 0;
    for (std::uint8_t key = 10; key < 110; ++key) {
        disk.write(Part::ledger, batch_of(key));
        disk.crash();
        if (holds(key)) ++kept;
    }
    EXPECT_GT(kept, 30);
    EXPECT_LT(kept, 70);
}

TEST_F(DiskTest, TheWatcherIsToldOfAllThatBecomesVisibleAndOfNothingElse) {
    std::vector<std::uint8_t> told;
    disk.watch([&](Part part, const store::WriteBatch& batch) {
        EXPECT_EQ(part, Part::ledger);
        told.push_back(batch.puts().front().key.front());
    });
    EXPECT_TRUE(write(1));
    disk.set_tear(Disk::Tear::lost);
    disk.write(Part::ledger, batch_of(2));
    disk.crash();
    disk.set_tear(Disk::Tear::kept);
    disk.write(Part::ledger, batch_of(3));
    disk.crash();
    disk.fail_next(Part::ledger, Disk::Kept::all);
    EXPECT_FALSE(write(4));
    EXPECT_EQ(told, (std::vector<std::uint8_t>{1, 3}));
    disk.crash();
    EXPECT_EQ(told, (std::vector<std::uint8_t>{1, 3, 4}));
    EXPECT_TRUE(holds(4));
}

TEST_F(DiskTest, AFullDiskTakesNothingUntilThereIsSpaceAlsoOverACrash) {
    disk.fill_up();
    EXPECT_EQ(write(1).error().kind, store::Fault::Kind::full);
    EXPECT_EQ(write(1, Part::network).error().kind, store::Fault::Kind::full);
    disk.crash();
    EXPECT_FALSE(write(1));
    disk.free_space();
    disk.crash();
    EXPECT_TRUE(write(1));
}

TEST_F(DiskTest, AWriteThatFailsFailsAllLaterOnesUntilTheProgramEnds) {
    disk.fail_next(Part::ledger);
    EXPECT_TRUE(write(1, Part::network));
    EXPECT_FALSE(write(1));
    EXPECT_FALSE(write(2));
    disk.close();
    EXPECT_FALSE(holds(1));
    EXPECT_TRUE(write(3));
}

TEST_F(DiskTest, AFailureThatIsMendedBeforeItIsMetIsNone) {
    disk.fail_next(Part::ledger, Disk::Kept::all);
    disk.mend();
    EXPECT_TRUE(write(1));
}

TEST_F(DiskTest, ADeviceThatLiesLosesATailOfWhatItAcknowledged) {
    bool has_lost_all = false;
    bool has_lost_some = false;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        disk = Disk({}, Prng(seed));
        EXPECT_TRUE(write(1));
        disk.begin_lying();
        for (std::uint8_t key = 2; key < 6; ++key) EXPECT_TRUE(write(key));
        EXPECT_TRUE(holds(5));
        disk.crash();
        EXPECT_TRUE(holds(1));
        for (std::uint8_t key = 3; key < 6; ++key) EXPECT_LE(holds(key), holds(key - 1));
        has_lost_all = has_lost_all || !holds(2);
        has_lost_some = has_lost_some || (holds(2) && !holds(5));
    }
    EXPECT_TRUE(has_lost_all);
    EXPECT_TRUE(has_lost_some);
}

TEST_F(DiskTest, WhatWasSyncedAfterALieIsKept) {
    disk.begin_lying();
    EXPECT_TRUE(write(1));
    disk.end_lying();
    disk.crash();
    EXPECT_TRUE(holds(1));
}

TEST_F(DiskTest, ABackupBringsBackBothStoresAsTheyWere) {
    EXPECT_TRUE(write(1));
    EXPECT_TRUE(write(1, Part::network));
    const Disk::Image image = disk.image();
    EXPECT_TRUE(write(2));
    EXPECT_TRUE(write(2, Part::network));
    disk.crash();
    disk.restore(image);
    EXPECT_TRUE(holds(1));
    EXPECT_FALSE(holds(2));
    EXPECT_TRUE(holds(1, Part::network));
    EXPECT_FALSE(holds(2, Part::network));
}

node::SecretFile keys_of(std::uint8_t key) {
    return node::SecretFile(Bytes{key});
}

TEST_F(DiskTest, VoteKeysAreThereBeforeTheBatchTheyCameWith) {
    disk.put_in(keys_of(1));
    disk.write(Part::ledger, batch_of(2), keys_of(2));
    EXPECT_EQ(disk.vote_keys(), keys_of(1));
    EXPECT_TRUE(disk.finish(Part::ledger));
    EXPECT_EQ(disk.vote_keys(), keys_of(2));
    const auto crash_with = [this](Disk::Tear tear, std::uint8_t key) {
        disk.set_tear(tear);
        disk.write(Part::ledger, batch_of(key), keys_of(key));
        disk.crash();
    };
    crash_with(Disk::Tear::lost, 3);
    EXPECT_EQ(disk.vote_keys(), keys_of(2));
    EXPECT_FALSE(holds(3));
    crash_with(Disk::Tear::keys_only, 4);
    EXPECT_EQ(disk.vote_keys(), keys_of(4));
    EXPECT_FALSE(holds(4));
    crash_with(Disk::Tear::kept, 5);
    EXPECT_EQ(disk.vote_keys(), keys_of(5));
    EXPECT_TRUE(holds(5));
}

TEST_F(DiskTest, ADeviceThatLiedLosesVoteKeysTogetherWithTheirBatch) {
    for (int run = 0; run < 20; ++run) {
        disk.put_in(keys_of(1));
        disk.begin_lying();
        disk.write(Part::ledger, batch_of(2), keys_of(2));
        EXPECT_TRUE(disk.finish(Part::ledger));
        disk.crash();
        EXPECT_EQ(disk.vote_keys(), keys_of(holds(2) ? 2 : 1));
        if (holds(2)) disk = Disk({}, Prng(static_cast<std::uint64_t>(run)));
    }
}

TEST_F(DiskTest, ABackupHoldsNoVoteKeys) {
    disk.put_in(keys_of(1));
    const Disk::Image image = disk.image();
    disk.restore(image, Disk::KeyFile::stays);
    EXPECT_EQ(disk.vote_keys(), keys_of(1));
    disk.restore(image);
    EXPECT_FALSE(disk.vote_keys());
}

}  // namespace
}  // namespace leither::sim
