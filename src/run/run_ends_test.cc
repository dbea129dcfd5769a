#include "run/run_ends.h"

#include <memory>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/usable_cores.h"
#include "support/described_end.h"
#include "support/test_ends.h"

namespace everyitem::run {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

/// The ends of a run, and what a test changes of them.
struct TestEnds {
  TestEnds() {
    auto made_source = std::make_unique<TestSource>();
    auto made_destination = std::make_unique<TestDestination>();
    source = made_source.get();
    destination = made_destination.get();
    ends = {.source = std::move(made_source), .destination = std::move(made_destination)};
  }

  std::vector<std::string> opening(std::uint64_t items_before = 0) const {
    return texts_of(opening_notices(ends, settings, items_before));
  }

  RunEnds ends;
  TestSource* source;
  TestDestination* destination;
  ScanSettings settings;
};

TEST(TermsOf, BothEndsAndSettings) {
  TestEnds test;
  test.settings.segments = 7;
  test.settings.restart = true;
  FakeClock clock{std::chrono::system_clock::time_point()};
  const RunContext context{
      .environment = {}, .clock = clock, .restart_asked_at = 99, .only_resumes = true};
  const RunTerms terms = terms_of(test.ends, test.settings, context);
  EXPECT_EQ(terms.identity,
            (checkpoint::RunIdentity{{"table", "orders"}, {"stream", "backfill"}, {"format", ""}}));
  EXPECT_EQ(terms.parts, 7U);
  EXPECT_TRUE(terms.restart);
  EXPECT_EQ(terms.restart_asked_at, 99);
  EXPECT_TRUE(terms.only_resumes);
}

TEST(ChooseParts, CoresUnlessShared) {
  TestEnds test;
  const PartsChoice choice = choose_parts(test.ends, test.settings);
  EXPECT_EQ(choice.parts, 8U);
  EXPECT_EQ(choice.notice.text(), "using 8 segments (enough); set --segments N to override");
  EXPECT_EQ(test.source->cores_asked, usable_cores());
  test.settings.share = true;
  choose_parts(test.ends, test.settings);
  EXPECT_EQ(test.source->cores_asked, std::nullopt);
}

TEST(OpeningNotices, FromToHowFast) {
  TestEnds test;
  EXPECT_THAT(test.opening(),
              ElementsAre("from table orders", "to stream backfill", HasSubstr("no read rate set"),
                          "of the source", "of the destination"));
}

TEST(OpeningNotices, ForecastOfRest) {
  TestEnds test;
  test.source->items = 1'000'000;
  test.destination->limits.records_per_second = 1000;
  EXPECT_THAT(test.opening(), Contains(HasSubstr("at least 16 min 40 s")));
  EXPECT_THAT(test.opening(400'000), Contains(HasSubstr("at least 10 min")));
  test.settings.limit = 60'000;
  EXPECT_THAT(test.opening(400'000), Contains(HasSubstr("at least 1 min 0 s")));
  test.settings.limit.reset();
  test.destination->retention = std::chrono::hours(24);
  EXPECT_THAT(test.opening(), testing::Not(Contains(HasSubstr("24 h"))));
  test.source->items = 1'000'000'000;
  EXPECT_THAT(test.opening(), Contains(HasSubstr("24 h")));
  test.ends.rate = 0.5;
  EXPECT_THAT(test.opening(), Contains(HasSubstr("read rate")));
}

}  // namespace
}  // namespace everyitem::run
