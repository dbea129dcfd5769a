#include "lambda/round_report.h"

#include <array>
#include <string_view>
#include <utility>

namespace everyitem::lambda {

namespace {

struct Metric {
  std::string_view name;
  std::string_view unit;
  double value;
};

}  // namespace

boost::json::object start_json(const StartReport& report) {
  return {{"status", run::status_word(run::SummaryStatus::started)},
          {"table", report.table},
          {"destination", report.destination},
          {"run", report.run},
          {"checkpoint", report.checkpoint},
          {"log_group", report.log_group},
          {"follow", report.follow},
          {"next", report.next}};
}

std::uint32_t rounds_without_progress(std::uint32_t before, const run::ScanProgress& progress,
                                      bool waited) {
  if (progress.saved) {
    return 0;
  }
  const bool throttled = progress.throttled_requests > 0 || progress.records_sent_again > 0;
  return throttled || waited ? before : before + 1;
}

boost::json::object answer_json(const RoundReport& report) {
  boost::json::object answer = run::to_json(report.summary);
  answer["round"] = report.round;
  answer["next"] = report.next;
  if (!report.error_type.empty()) {
    answer["errorType"] = report.error_type;
    answer["errorMessage"] = report.error_message;
  }
  return answer;
}

boost::json::object metrics_json(const RoundReport& report,
                                 std::chrono::system_clock::time_point now) {
  using run::SummaryStatus;
  const run::RunSummary& summary = report.summary;
  const pipeline::RunCounters& counters = summary.progress.counters;
  const bool complete = summary.status == SummaryStatus::complete ||
                        summary.status == SummaryStatus::already_complete;
  const bool failed = summary.status == SummaryStatus::failed;
  const std::array metrics = {
      Metric{"ItemsDelivered", "Count", static_cast<double>(counters.items_delivered)},
      Metric{"BytesDelivered", "Bytes", static_cast<double>(counters.bytes_delivered)},
      Metric{"ReadUnits", "Count", counters.read_units},
      Metric{"DeadLetters", "Count", static_cast<double>(counters.dead_letters)},
      Metric{"ThrottledRequests", "Count",
             static_cast<double>(summary.progress.throttled_requests)},
      Metric{"RetriedRequests", "Count", static_cast<double>(summary.progress.requests_retried)},
      Metric{"RoundSeconds", "Seconds", summary.elapsed.count()},
      Metric{"RoundsComplete", "Count", complete ? 1.0 : 0.0},
      Metric{"RoundsFailed", "Count", failed ? 1.0 : 0.0}};
  boost::json::array definitions;
  boost::json::object line;
  for (const Metric& metric : metrics) {
    definitions.push_back(boost::json::object{{"Name", metric.name}, {"Unit", metric.unit}});
    line[metric.name] = metric.value;
  }
  // No initializer lists: one that holds a single array is treated as that array itself.
  boost::json::array dimension_set;
  dimension_set.emplace_back("FunctionName");
  dimension_set.emplace_back("Table");
  boost::json::array dimensions;
  dimensions.push_back(std::move(dimension_set));
  boost::json::object directive{{"Namespace", "everyitem"}};
  directive["Dimensions"] = std::move(dimensions);
  directive["Metrics"] = std::move(definitions);
  boost::json::array directives;
  directives.push_back(std::move(directive));
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
  boost::json::object metadata{{"Timestamp", milliseconds.count()}};
  metadata["CloudWatchMetrics"] = std::move(directives);
  line["_aws"] = std::move(metadata);
  line["FunctionName"] = report.function;
  line["Table"] = summary.table;
  line["Round"] = report.round;
  return line;
}

}  // namespace everyitem::lambda
