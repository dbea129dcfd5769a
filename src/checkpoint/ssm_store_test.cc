#include "checkpoint/ssm_store.h"

#include <gtest/gtest.h>

#include "base/mutated_text.h"
#include "checkpoint/checkpoint_store_conformance.h"
#include "checkpoint/remote_store_conformance.h"
#include "emulator/emulated_parameters.h"

namespace everyitem::checkpoint {
namespace {

class SsmUnderTest final : public RemoteUnderTest {
 public:
  SsmUnderTest() : RemoteUnderTest(aws::kSsm) { ssm.parameters_per_page = 3; }

  std::unique_ptr<CheckpointStore> open() override {
    return std::make_unique<SsmStore>(SsmLocation{.prefix = "/everyitem/nightly"}, context());
  }
  void damage() override { ssm.parameters.at("/everyitem/nightly/run").value = "[1"; }
  void set_format(int format) {
    std::string& run = ssm.parameters.at("/everyitem/nightly/run").value;
    constexpr std::string_view kFormat = R"("format":1)";
    run.replace(run.find(kFormat), kFormat.size(), "\"format\":" + std::to_string(format));
  }
  auto& content() { return ssm.parameters; }
  /// Some parameter.
  void mutate(std::uint64_t seed) {
    auto& [name, parameter] = *std::next(ssm.parameters.begin(),
                                         static_cast<std::ptrdiff_t>(seed % ssm.parameters.size()));
    parameter.value = mutated(parameter.value, seed);
  }
  std::size_t count_named(std::string_view part) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        ssm.parameters, [&](const auto& one) { return one.first.find(part) != one.first.npos; }));
  }

  emulator::EmulatedParameters ssm;

 protected:
  emulator::ServiceReply answer(std::string_view operation, std::string_view body) override {
    return ssm.answer(operation, body);
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Ssm, CheckpointStoreConformance, SsmUnderTest);
INSTANTIATE_TYPED_TEST_SUITE_P(Ssm, RemoteStoreConformance, SsmUnderTest);

class SsmStoreTest : public RemoteStoreConformance<SsmUnderTest> {
 protected:
  static RunState with_segments(std::uint32_t count) {
    RunState state{.identity = {{"table", "t"}}, .segments = {}};
    for (std::uint32_t i = 0; i < count; ++i) {
      state.segments.push_back({.segment = i});
    }
    return state;
  }
};

TEST_F(SsmStoreTest, SavesAreWrittenEveryTenSecondsAtMost) {
  auto store = backend_.open();
  begin(*store, with_segments(32));
  const std::uint64_t before = backend_.count("PutParameter");
  for (int look = 1; look <= 50; ++look) {
    for (std::uint32_t segment = 0; segment < 32; ++segment) {
      save(*store,
           {{.segment = segment,
             .position = {.last_evaluated_key = R"({"pk":{"S":"some-usual-key-0123456789"}})"},
             .items = static_cast<std::uint64_t>(look)}});
    }
    keep(*store, 2);  // looks once, and takes two seconds
  }
  // Two groups of segments and the lease, each every ten seconds of a hundred.
  EXPECT_LE(backend_.count("PutParameter") - before, 3U * 11);
  EXPECT_GE(backend_.count("PutParameter") - before, 3U * 8);
  end(store);
  EXPECT_EQ(found()->items(), 32U * 50);
}

TEST_F(SsmStoreTest, SavesAreWrittenAsRarelyAsTheUserSays) {
  backend_.interval = std::chrono::seconds(60);
  auto store = backend_.open();
  begin(*store, example());
  save(*store, {{.segment = 0, .items = 1}});
  keep(*store, 50);
  EXPECT_EQ(backend_.count_named("segments-"), 0U);
  keep(*store, 20);
  EXPECT_EQ(backend_.count_named("segments-"), 1U);
  end(store);
}

TEST_F(SsmStoreTest, AKillCostsWhatWasPutOffAndNoMore) {
  auto store = backend_.open();
  begin(*store, example());
  save(*store, {{.segment = 0, .items = 1}});
  keep(*store, 12);
  save(*store, {{.segment = 0, .items = 2}});
  store.reset();
  backend_.pass_lease();
  EXPECT_EQ(found()->items(), 1U);
}

TEST_F(SsmStoreTest, LongKeysAreInSeveralParametersOfTwoPlacesAtMost) {
  auto store = backend_.open();
  begin(*store, example());
  for (std::uint64_t i = 1; i <= 7; ++i) {
    save(*store, {{.segment = 0,
                   .position = {.last_evaluated_key = std::string(4000 * (1 + i % 3), 'k')},
                   .items = i}});
    run(store->flush());
  }
  EXPECT_LE(backend_.count_named("segments-0.a-"), 3U + 1);
  EXPECT_LE(backend_.count_named("segments-0.b-"), 3U + 1);
  // The parts of a text that is not the one that is named are noticed.
  end(store);
  ASSERT_EQ(found()->items(), 7U);
  for (auto& [name, parameter] : backend_.ssm.parameters) {
    if (name.ends_with("-1") && name.find("segments-0.") != std::string::npos) {
      parameter.value[100] = 'K';
    }
  }
  backend_.pass_lease();
  EXPECT_NE(load_failure().find("the parts of segments-0"), std::string::npos);
}

TEST_F(SsmStoreTest, WhatAnEarlierRunLeftIsRemoved) {
  auto store = backend_.open();
  begin(*store, with_segments(500));
  std::vector<SegmentProgress> all = with_segments(500).segments;
  for (SegmentProgress& segment : all) {
    segment.items = 1;
  }
  save(*store, all);
  run(store->flush());
  EXPECT_EQ(backend_.ssm.parameters.size(), 2U + 32);
  begin(*store, example());
  EXPECT_EQ(backend_.ssm.parameters.size(), 2U);
  end(store);
}

TEST_F(SsmStoreTest, ParametersAreSecureOnRequest) {
  backend_.kms_key = "alias/mine";
  auto store = backend_.open();
  begin(*store, example());
  save(*store, {{.segment = 0, .items = 4}});
  end(store);
  ASSERT_EQ(backend_.ssm.parameters.size(), 3U);
  for (const auto& [name, parameter] : backend_.ssm.parameters) {
    EXPECT_EQ(parameter.type, "SecureString") << name;
    EXPECT_EQ(parameter.key_id, "alias/mine") << name;
  }
  EXPECT_EQ(found()->items(), 4U);
}

TEST_F(SsmStoreTest, AHistoryThatALabelHoldsIsToldWithWhatToDo) {
  auto store = backend_.open();
  begin(*store, example());
  backend_.ssm.parameters.at("/everyitem/nightly/run").labelled.insert(1);
  try {
    for (int i = 0; i < 200; ++i) {
      keep(*store, 11);
    }
    ADD_FAILURE() << "101 versions";
  } catch (const Error& error) {
    EXPECT_EQ(error.details().code, "ParameterMaxVersionLimitExceeded");
    EXPECT_NE(std::string(error.what()).find("label"), std::string::npos);
  }
}

TEST_F(SsmStoreTest, WhoseClaimIsWrittenOverInTheSameInstantReadsNothing) {
  {
    auto before = backend_.open();
    begin(*before, example());
    end(before);
  }
  // The other reads that nobody owns the run, and writes behind this one.
  backend_.on_answered = [this](std::string_view operation) {
    if (operation == "PutParameter") {
      std::string& run = backend_.ssm.parameters.at("/everyitem/nightly/run").value;
      constexpr std::string_view kOwner = R"("owner":"process 2")";
      run.replace(run.find(kOwner), kOwner.size(), R"("owner":"the other")");
      backend_.on_answered = {};
    }
  };
  const std::string failure = load_failure();
  EXPECT_NE(failure.find("another process is working on this run: the other"), std::string::npos)
      << failure;
}

TEST_F(SsmStoreTest, OfTwoThatBeginAtOnceOneOwnsTheRun) {
  auto first = backend_.open();
  auto second = backend_.open();
  ASSERT_FALSE(run(first->load()).has_value());
  ASSERT_FALSE(run(second->load()).has_value());
  begin(*first, example());
  EXPECT_THROW(begin(*second, example()), OwnedByAnother);
  end(first);
}

}  // namespace
}  // namespace everyitem::checkpoint
