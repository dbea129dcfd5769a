#include "cli/progress_display.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <numeric>
#include <utility>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/human_format.h"

namespace everyitem::cli {

namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

/// After this long without a delivery, the line says so.
constexpr std::chrono::seconds kStandingStill{10};
/// Nothing is foretold from less.
constexpr std::chrono::seconds kFirstMoments{5};

/// Of the line. Parts are shown in the order they are listed in.
struct Part {
  int importance = 0;  ///< 0 is the most important
  std::string text = {};
  std::string shorter = {};  ///< for where the text does not fit
};

/// What is less important is shown only if all the rest has its full text.
constexpr int kMuchImportance = 6;

/// As many parts as fit, the important ones first; set off by two spaces.
class FittedLine {
 public:
  FittedLine(const std::vector<Part>& parts, std::size_t columns)
      : columns_(columns), shown_(parts.size()) {
    std::vector<std::size_t> order(parts.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&parts](std::size_t i) { return parts[i].importance; });
    const auto less_important = std::ranges::find_if(
        order, [&parts](std::size_t i) { return parts[i].importance > kMuchImportance; });
    for (auto i = order.begin(); i != less_important; ++i) {
      show(*i, parts[*i].shorter.empty() ? parts[*i].text : parts[*i].shorter);
    }
    for (const std::size_t i : order) {
      if (!show(i, parts[i].text) && shown_[i].empty()) {
        show(i, parts[i].shorter);
      }
    }
  }

  std::string text() const {
    std::string line;
    for (const std::string_view part : shown_) {
      line += line.empty() || part.empty() ? "" : "  ";
      line += part;
    }
    return line;
  }

 private:
  /// In place of what is shown of the part. False if that does not fit.
  bool show(std::size_t part, std::string_view text) {
    const std::string_view before = std::exchange(shown_[part], text);
    if (this->text().size() > columns_) {
      shown_[part] = before;
      return false;
    }
    return true;
  }

  std::size_t columns_;
  std::vector<std::string_view> shown_;
};

std::string whole(double number) { return grouped(static_cast<std::uint64_t>(number)); }

/// Rounded down, because 100 is said when all is done.
std::string percent_text(double percent) {
  if (percent > 0 && percent < 0.1) {
    return "<0.1%";
  }
  return percent < 10 ? fmt::format("{:.1f}%", std::floor(percent * 10) / 10)
                      : fmt::format("{:.0f}%", std::floor(percent));
}

/// "18:42", "Sat 18:42" within a week, otherwise "Dec 24".
std::string time_of_day(system_clock::time_point time, system_clock::time_point now) {
  const auto local = [](system_clock::time_point point) {
    const std::time_t seconds = system_clock::to_time_t(point);
    std::tm fields{};
    localtime_r(&seconds, &fields);
    return fields;
  };
  const std::tm then = local(time);
  if (time - now > std::chrono::days(6)) {
    return fmt::format("{:%b} {}", then, then.tm_mday);
  }
  return then.tm_yday == local(now).tm_yday ? fmt::format("{:%H:%M}", then)
                                            : fmt::format("{:%a %H:%M}", then);
}

Part count_part(const run::ScanProgress& progress, const run::Estimate& left) {
  const pipeline::RunCounters& counters = progress.counters;
  const std::uint64_t before = progress.others_known ? progress.items_before : 0;
  const std::uint64_t items = before + counters.items_delivered;
  if (progress.filtered) {
    return {0, fmt::format("{} of {} match", grouped(counters.items_delivered),
                           counted(counters.items_scanned, "item"))};
  }
  Part part{0, counted(items, "item"), counted(items, "item")};
  if (left.percent) {
    part.text += fmt::format(" of ~{}", grouped(progress.estimated_items));
  } else if (left.exceeded) {
    part.text += fmt::format(" (more than the ~{} expected)", grouped(progress.estimated_items));
  }
  return part;
}

Part left_part(double seconds_left, system_clock::time_point now) {
  const std::chrono::duration<double> left(seconds_left);
  std::string text = fmt::format("~{} left", duration(left));
  const auto end = now + std::chrono::duration_cast<system_clock::duration>(left);
  return {4, fmt::format("{}, until {}", text, time_of_day(end, now)), text};
}

Part read_units_part(const run::ScanProgress& progress, const run::Rates& rates) {
  const double limit = progress.read_limit();
  const std::string units = whole(rates.read_units);
  return {10, limit > 0 ? fmt::format("{} of {} RU/s", units, whole(limit)) : units + " RU/s",
          units + " RU/s"};
}

Part bottleneck_part(run::Bottleneck limit) {
  switch (limit) {
    case run::Bottleneck::read_rate:
      return {6, "limited by the read rate"};
    case run::Bottleneck::table:
      return {6, "limited by the table's capacity", "limited by the table"};
    case run::Bottleneck::destination_records:
      return {6, "limited by the records that the stream takes (--aggregate)",
              "limited by the stream"};
    case run::Bottleneck::destination_bytes:
      return {6, "limited by the bytes that the stream takes", "limited by the stream"};
  }
  return {};
}

}  // namespace

std::string progress_text(const run::ScanProgress& progress, const run::Rates& rates,
                          const Moment& moment, std::size_t columns) {
  const pipeline::RunCounters& counters = progress.counters;
  const bool reads = progress.segments > 0;
  const run::Estimate left = run::estimate(progress, rates);
  std::vector<Part> parts{reads ? count_part(progress, left) : Part{0, "connecting"}};
  if (reads && left.percent) {
    parts.push_back({3, percent_text(*left.percent)});
  }
  if (moment.standing_still >= kStandingStill) {
    parts.push_back({1, "nothing delivered for " + duration(moment.standing_still)});
  }
  if (counters.segments_failed > 0) {
    parts.push_back({1, counted(counters.segments_failed, "segment") + " failed"});
  }
  if (progress.dead_letters() > 0) {
    parts.push_back({2, counted(progress.dead_letters(), "dead letter")});
  }
  if (reads) {
    parts.push_back({5, whole(rates.items) + " items/s"});
    parts.push_back({11, bytes(rates.bytes) + "/s"});
    parts.push_back({7, duration(moment.elapsed) + " so far"});
    if (left.seconds_left && moment.elapsed >= kFirstMoments) {
      parts.push_back(left_part(*left.seconds_left, moment.now));
    }
    if (const auto limit = run::bottleneck(progress, rates)) {
      parts.push_back(bottleneck_part(*limit));
    }
  }
  if (progress.throttled_requests > 0) {
    parts.push_back({8, grouped(progress.throttled_requests) + " throttled"});
  }
  if (progress.requests_retried > 0) {
    parts.push_back({9, grouped(progress.requests_retried) + " retried"});
  }
  if (reads) {
    parts.push_back(read_units_part(progress, rates));
    const std::string complete =
        progress.others_known ? grouped(counters.segments_complete) + " of " : std::string();
    parts.push_back({12, fmt::format("{}{} segments", complete, grouped(progress.segments))});
  }
  return FittedLine(parts, columns).text();
}

boost::json::object summary_json(const run::RunSummary& summary, std::string_view text) {
  boost::json::object object{{"event", "summary"}};
  object["message"] = text.empty() ? boost::json::value() : boost::json::value(text);
  for (const auto& [name, value] : run::to_json(summary)) {
    object[name] = value;
  }
  return object;
}

ProgressDisplay::ProgressDisplay(DisplayMode mode, StandardError& out, const Clock& clock,
                                 std::optional<milliseconds> interval)
    : mode_(mode),
      out_(out),
      clock_(clock),
      interval_(interval),
      started_(clock.now()),
      last_delivery_(started_),
      window_(started_) {}

milliseconds ProgressDisplay::interval() const {
  return mode_ == DisplayMode::terminal ? milliseconds(200)
                                        : interval_.value_or(milliseconds(5000));
}

void ProgressDisplay::update(const run::ScanProgress& progress) {
  const auto now = clock_.now();
  if (progress.counters.items_delivered > delivered_) {
    delivered_ = progress.counters.items_delivered;
    last_delivery_ = now;
  }
  const run::Rates rates = window_.update(progress, now);
  const Moment moment{
      .elapsed = now - started_, .standing_still = now - last_delivery_, .now = clock_.wall_now()};
  if (mode_ == DisplayMode::lines) {
    out_.passing(progress_text(progress, rates, moment, std::string::npos),
                 run::progress_json(progress, rates, moment.elapsed));
  } else if (mode_ == DisplayMode::terminal) {
    out_.rewrite(progress_text(progress, rates, moment, out_.columns() - 1));
  }
}

void ProgressDisplay::notice(std::string_view text) {
  if (mode_ != DisplayMode::quiet) {
    out_.message(text.starts_with("warning: ") ? LogLevel::warning : LogLevel::info, text);
  }
}

void ProgressDisplay::summarise(const run::RunSummary& summary, std::string_view text) {
  if (out_.format() == LogFormat::json) {
    out_.object(summary_json(summary, text));
  } else if (!text.empty()) {
    out_.message(LogLevel::info, text);
  }
}

}  // namespace everyitem::cli
