#include "lambda/round_report.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace everyitem::lambda {
namespace {

RoundReport half_way() {
  return {.summary = {.status = run::SummaryStatus::handed_over,
                      .table = "orders",
                      .destination = "backfill",
                      .progress = {.counters = {.read_units = 12.5,
                                                .items_delivered = 40,
                                                .bytes_delivered = 4000,
                                                .segments_complete = 1},
                                   .segments = 8,
                                   .items_before = 100,
                                   .bytes_before = 10'000,
                                   .throttled_requests = 2},
                      .elapsed = std::chrono::seconds(9),
                      .checkpoint = "sqlite:/mnt/run",
                      .dead_letters_location = "/mnt/run.dead-letters.ndjson"},
          .round = 3,
          .next = "round 4 has been started",
          .function = "scanner"};
}

TEST(RoundReport, AnswerSummaryAndRound) {
  const RoundReport report = half_way();
  boost::json::object expected = run::to_json(report.summary);
  expected["round"] = 3;
  expected["next"] = "round 4 has been started";
  EXPECT_EQ(answer_json(report), expected);
  EXPECT_EQ(expected.at("status"), "handed-over");
  EXPECT_EQ(expected.at("items_total"), 140);
}

TEST(RoundReport, FailureSaysRemedyOnce) {
  RoundReport report = half_way();
  report.summary.status = run::SummaryStatus::failed;
  report.error_type = "NoProgress";
  report.error_message = "nothing could be checkpointed";
  report.next = "to resume: aws lambda invoke";
  const boost::json::object answer = answer_json(report);
  EXPECT_EQ(answer.at("status"), "failed");
  EXPECT_EQ(answer.at("errorMessage"), "nothing could be checkpointed");
  EXPECT_EQ(answer.at("next"), "to resume: aws lambda invoke");
}

TEST(RoundReport, ProgressCountsSavedItems) {
  EXPECT_EQ(rounds_without_progress(2, {.saved = true}, false), 0U);
  EXPECT_EQ(rounds_without_progress(1, {.saved = false}, false), 2U);
  EXPECT_EQ(rounds_without_progress(1, {.counters = {.pages_checkpointed = 5}}, false), 2U)
      << "taken note of, and not written";
}

TEST(RoundReport, ThrottledRoundsNotCounted) {
  EXPECT_EQ(rounds_without_progress(2, {.throttled_requests = 1}, false), 2U);
  EXPECT_EQ(rounds_without_progress(2, {.records_sent_again = 1}, false), 2U);
  EXPECT_EQ(rounds_without_progress(2, {.throttled_requests = 1, .saved = true}, false), 0U);
}

TEST(RoundReport, WaitingRoundsNotCounted) { EXPECT_EQ(rounds_without_progress(2, {}, true), 2U); }

TEST(RoundReport, MetricsInEmbeddedFormat) {
  const boost::json::object line =
      metrics_json(half_way(), std::chrono::system_clock::time_point(std::chrono::seconds(1795)));
  EXPECT_EQ(line.at("_aws").at("Timestamp"), 1'795'000);
  const boost::json::array& directives = line.at("_aws").at("CloudWatchMetrics").as_array();
  ASSERT_EQ(directives.size(), 1U);
  EXPECT_EQ(directives[0].at("Namespace"), "everyitem");
  for (const boost::json::value& dimension :
       directives[0].at("Dimensions").as_array().at(0).as_array()) {
    EXPECT_TRUE(line.at(dimension.as_string()).is_string());
  }
  std::set<std::string> names;
  for (const boost::json::value& metric : directives[0].at("Metrics").as_array()) {
    names.emplace(metric.at("Name").as_string());
    EXPECT_TRUE(line.at(metric.at("Name").as_string()).is_number());
  }
  EXPECT_TRUE(names.contains("ItemsDelivered"));
  EXPECT_EQ(line.at("ItemsDelivered"), 40.0);
  EXPECT_EQ(line.at("ReadUnits"), 12.5);
  EXPECT_EQ(line.at("ThrottledRequests"), 2.0);
  EXPECT_EQ(line.at("RoundsComplete"), 0.0);
}

TEST(RoundReport, EarlierCompletionIsComplete) {
  for (const auto status : {run::SummaryStatus::complete, run::SummaryStatus::already_complete}) {
    RoundReport report = half_way();
    report.summary.status = status;
    EXPECT_EQ(metrics_json(report, {}).at("RoundsComplete"), 1.0);
  }
}

}  // namespace
}  // namespace everyitem::lambda
