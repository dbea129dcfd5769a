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

boost::json::object answer_json(const RoundReport& report) {
  const pipeline::RunCounters& counters = report.progress.counters;
  boost::json::object answer{{"status", report.status},
                             {"table", report.table},
                             {"stream", report.stream},
                             {"items", report.progress.items_before + counters.items_delivered},
                             {"bytes", report.progress.bytes_before + counters.bytes_delivered},
                             {"rounds", report.round},
                             {"itemsThisRound", counters.items_delivered},
                             {"deadLetters", report.progress.dead_letters()},
                             {"segmentsDone", counters.segments_complete},
                             {"segments", report.progress.segments},
                             {"checkpoint", report.checkpoint},
                             {"next", report.next}};
  if (report.progress.dead_letters() > 0) {
    answer["deadLettersFile"] = report.dead_letters_file;
  }
  return answer;
}

boost::json::object metrics_json(const RoundReport& report,
                                 std::chrono::system_clock::time_point now) {
  const pipeline::RunCounters& counters = report.progress.counters;
  const std::array metrics = {
      Metric{"ItemsDelivered", "Count", static_cast<double>(counters.items_delivered)},
      Metric{"BytesDelivered", "Bytes", static_cast<double>(counters.bytes_delivered)},
      Metric{"ReadUnits", "Count", counters.read_units},
      Metric{"DeadLetters", "Count", static_cast<double>(counters.dead_letters)},
      Metric{"ThrottledRequests", "Count", static_cast<double>(report.progress.throttled_requests)},
      Metric{"RetriedRequests", "Count", static_cast<double>(report.progress.requests_retried)},
      Metric{"RoundSeconds", "Seconds", report.elapsed.count()},
      Metric{"RoundsComplete", "Count", report.status == "complete" ? 1.0 : 0.0},
      Metric{"RoundsFailed", "Count", report.status == "failed" ? 1.0 : 0.0}};
  boost::json::array definitions;
  boost::json::object line;
  for (const Metric& metric : metrics) {
    definitions.push_back(boost::json::object{{"Name", metric.name}, {"Unit", metric.unit}});
    line[metric.name] = metric.value;
  }
  // No initializer lists: one that holds a single array is taken for that array itself.
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
  line["Table"] = report.table;
  line["Round"] = report.round;
  return line;
}

}  // namespace everyitem::lambda
