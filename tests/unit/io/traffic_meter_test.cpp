#include "../../../src/io/traffic_meter.h"

#include <gtest/gtest.h>

#include "support/temp_dir.h"

namespace leither::io {
namespace {

TEST(TrafficMeter, WhatHasPassedIsKeptBeforeTheEnd) {
    const testing::TempDir dir;
    const std::string file = (dir.path() / "traffic").string();
    TrafficMeter meter({}, file, Log());
    meter.upload().charge(TrafficMeter::kSaveEvery - 1);
    EXPECT_EQ(TrafficMeter({}, file, Log()).usage().up_bytes, 0U);
    meter.download().charge(1);
    const auto kept = TrafficMeter({}, file, Log()).usage();
    EXPECT_EQ(kept.up_bytes, TrafficMeter::kSaveEvery - 1);
    EXPECT_EQ(kept.down_bytes, 1U);
}

}  // namespace
}  // namespace leither::io
