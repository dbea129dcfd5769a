#include "run/run_summary.h"

#include <set>

#include <gtest/gtest.h>

namespace everyitem::run {
namespace {

using pipeline::RunStatus;

RunSummary resumed() {
  return {.status = SummaryStatus::complete,
          .table = "orders",
          .destination = "backfill",
          .progress = {.counters = {.pages_read = 3,
                                    .items_scanned = 50,
                                    .read_units = 12.25,
                                    .items_delivered = 40,
                                    .records_delivered = 2,
                                    .bytes_delivered = 4000,
                                    .batches_delivered = 1,
                                    .segments_complete = 8},
                       .segments = 8,
                       .items_before = 100,
                       .bytes_before = 10'000},
          .elapsed = std::chrono::milliseconds(2500),
          .checkpoint = "sqlite:/tmp/c",
          .dead_letters_location = "/tmp/d"};
}

TEST(RunSummary, FieldsOfARun) {
  EXPECT_EQ(to_line(to_json(resumed())),
            R"({"status":"complete","table":"orders","destination":"backfill","items":40,)"
            R"("items_before":100,"items_total":140,"items_scanned":50,"bytes":4000,)"
            R"("bytes_total":14000,"records":2,"batches":1,"pages":3,"seconds":2.5,)"
            R"("read_units":12.3,"read_units_per_second":4.9,"read_rate":null,)"
            R"("throttled_requests":0,"retried_requests":0,"records_sent_again":0,)"
            R"("segments_done":8,"segments_failed":0,"segments":8,"shared":false,)"
            R"("checkpoint":"sqlite:/tmp/c","dead_letters":0,"dead_letters_location":null,)"
            R"("finished_at":null})");
}

TEST(RunSummary, EarlierDeadLettersCount) {
  RunSummary summary = resumed();
  summary.progress.dead_letters_before = 2;
  summary.progress.counters.dead_letters = 1;
  EXPECT_EQ(to_json(summary).at("dead_letters"), 3);
  EXPECT_EQ(to_json(summary).at("dead_letters_location"), "/tmp/d");
}

TEST(RunSummary, UnknownWhileOthersRead) {
  RunSummary summary = resumed();
  summary.progress.shared = true;
  summary.progress.others_known = false;
  const boost::json::object json = to_json(summary);
  for (const char* field : {"items_before", "items_total", "bytes_total", "segments_done"}) {
    EXPECT_TRUE(json.at(field).is_null()) << field;
  }
  EXPECT_EQ(json.at("items"), 40);
  EXPECT_EQ(numbers_text(summary),
            "40 items (4.0 kB) delivered in 2.5 s: 16 items/s, 1.6 kB/s, 13 read units");
}

TEST(RunSummary, NumbersForPeople) {
  EXPECT_EQ(numbers_text(resumed()),
            "40 items (4.0 kB) delivered in 2.5 s: 16 items/s, 1.6 kB/s, 13 read units; 100 "
            "before");
  RunSummary busy = resumed();
  busy.progress.items_before = 0;
  busy.progress.read_rate = 5;
  busy.progress.throttled_requests = 1;
  busy.progress.requests_retried = 1;
  busy.progress.records_sent_again = 1;
  EXPECT_EQ(numbers_text(busy),
            "40 items (4.0 kB) delivered in 2.5 s: 16 items/s, 1.6 kB/s, 13 read units (4.9 per "
            "second of 5); 1 request throttled; 1 request retried; 1 record sent again");
}

TEST(RunSummary, CompleteSinceThen) {
  RunSummary summary = resumed();
  EXPECT_EQ(since_text(summary), "");
  summary.finished_at = std::chrono::system_clock::time_point(std::chrono::seconds(1'800'000'000));
  EXPECT_EQ(since_text(summary), " (since 2027-01-15T08:00:00Z)");
  EXPECT_EQ(to_json(summary).at("finished_at"), "2027-01-15T08:00:00Z");
}

TEST(RunSummary, StatusWordsAreDistinct) {
  std::set<std::string_view> words;
  for (const SummaryStatus status : kSummaryStatuses) {
    words.insert(status_word(status));
  }
  EXPECT_EQ(words.size(), kSummaryStatuses.size());
}

TEST(RunSummary, EachOutcomeHasStatus) {
  EXPECT_EQ(status_of({.status = RunStatus::complete}), SummaryStatus::complete);
  EXPECT_EQ(status_of({.status = RunStatus::complete, .nothing_to_do = true}),
            SummaryStatus::already_complete);
  EXPECT_EQ(status_of({.status = RunStatus::limit_reached}), SummaryStatus::limit_reached);
  EXPECT_EQ(status_of({.status = RunStatus::closed}), SummaryStatus::closed);
  EXPECT_EQ(status_of({.status = RunStatus::interrupted}), SummaryStatus::interrupted);
}

}  // namespace
}  // namespace everyitem::run
