#include "checkpoint/run_item_format.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <exception>
#include <limits>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/unix_time.h"
#include "checkpoint/dynamodb_attributes.h"
#include "checkpoint/lease.h"

namespace everyitem::checkpoint {

namespace json = boost::json;

namespace {

constexpr std::string_view kSegmentPrefix = "segment-";

/// What both a segment's item and that of a finished run have.
void add_progress(json::object& item, const SegmentProgress& progress) {
  item["complete"] = json::object{{"BOOL", progress.position.complete}};
  item["items"] = number_attribute(progress.items);
  item["bytes"] = number_attribute(progress.bytes);
  item["dead_letters"] = number_attribute(progress.dead_letters);
}

SegmentProgress progress_of(const json::object& item) {
  return {.segment = 0,
          .position = {.last_evaluated_key = optional_text_of(item, "last_evaluated_key"),
                       .complete = flag_of(item, "complete")},
          .items = number_of<std::uint64_t>(item, "items"),
          .bytes = number_of<std::uint64_t>(item, "bytes"),
          .dead_letters = number_of<std::uint64_t>(item, "dead_letters")};
}

/// Seconds since 1970, as `finished_at` is.
std::int64_t expiry_of(std::int64_t finished_at) {
  const auto expires_at = unix_time<std::chrono::seconds>(finished_at) + kFinishedRunLifetime;
  return std::chrono::duration_cast<std::chrono::seconds>(expires_at.time_since_epoch()).count();
}

/// In as many digits as it takes to read the same number: users of the same rate must not seem to
/// have different ones. DynamoDB refuses numbers nearer to 0 than 1e-130.
json::object decimal_attribute(double number) {
  return {{"N", fmt::format("{}", number < 1e-100 ? 0 : number)}};
}

/// In read units per second: the most that a user may set.
constexpr double kMaxUnits = 1e9;

double decimal_of(const json::object& item, std::string_view name) {
  const json::string& digits = typed_value(item, name, "N").as_string();
  double number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size() || !(number >= 0) ||
      number > kMaxUnits) {
    throw std::out_of_range(fmt::format("{} is not a number of units", name));
  }
  return number;
}

/// What follows `prefix` in a sort key.
std::string name_after(const std::string& prefix, const std::string& key) {
  if (!key.starts_with(prefix)) {
    throw std::out_of_range("no sharer of this run");
  }
  return key.substr(prefix.size());
}

std::optional<double> optional_decimal_of(const json::object& item, std::string_view name) {
  return item.contains(name) ? std::optional(decimal_of(item, name)) : std::nullopt;
}

std::optional<double> rate_of(const json::object& item) {
  const std::optional<double> rate = optional_decimal_of(item, "rate");
  if (rate == 0) {
    throw std::out_of_range("a rate of 0");
  }
  return rate;
}

/// One more is written by whoever changes the item.
std::uint64_t version_of(const json::object& item) {
  const auto version = number_of<std::uint64_t>(item, "version");
  if (version == 0 || version == std::numeric_limits<std::uint64_t>::max()) {
    throw std::out_of_range("no version");
  }
  return version;
}

}  // namespace

std::string segment_prefix(std::string_view token) {
  return token.empty() ? std::string(kSegmentPrefix) : fmt::format("{}{}-", kSegmentPrefix, token);
}

std::string segment_name(std::string_view token, std::uint32_t segment) {
  return fmt::format("{}{:07}", segment_prefix(token), segment);  // so that they sort by number
}

json::object run_item(json::object key, const RunRecord& record) {
  json::object item = std::move(key);
  item["format"] = number_attribute(kRemoteFormat);
  item["token"] = text_attribute(record.token);
  item["version"] = number_attribute(record.version);
  item["generation"] = number_attribute(record.generation);
  item["owner"] = text_attribute(record.owner);
  item["owned"] = json::object{{"BOOL", record.owned}};
  item["renewed_at"] = number_attribute(record.renewed_at);
  item["segments"] = number_attribute(record.segments);
  item["identity"] = text_attribute(record.identity);
  if (record.shared) {
    item["shared"] = json::object{{"BOOL", true}};
  }
  if (record.finished) {
    add_progress(item, record.finished->totals);
    item["finished_at"] = number_attribute(record.finished->finished_at);
    item["expires_at"] = number_attribute(expiry_of(record.finished->finished_at));
  }
  return item;
}

RunRecord parse_run_item(const json::object& item, const std::string& location) {
  try {
    require_format(location, number_of<std::uint64_t>(item, "format"));
    RunRecord record{.token = text_of(item, "token"),
                     .version = version_of(item),
                     .generation = number_of<std::uint64_t>(item, "generation"),
                     .owner = text_of(item, "owner"),
                     .owned = flag_of(item, "owned"),
                     .renewed_at = number_of<std::int64_t>(item, "renewed_at"),
                     .segments = number_of<std::uint32_t>(item, "segments"),
                     .identity = text_of(item, "identity")};
    record.shared = item.contains("shared") && flag_of(item, "shared");
    if (item.contains("finished_at")) {
      record.finished =
          finished_run(progress_of(item), number_of<std::int64_t>(item, "finished_at"));
    }
    require_segments(record.segments);
    return record;
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {  // Boost.JSON's, of several types, and our own
    throw damaged_checkpoint(location, fmt::format("the item \"run\": {}", error.what()));
  }
}

json::object segment_item(json::object key, const std::string& token,
                          const StoredSegment& segment) {
  json::object item = std::move(key);
  item["token"] = text_attribute(token);
  item["version"] = number_attribute(segment.version);
  if (!segment.progress.position.last_evaluated_key.empty()) {
    item["last_evaluated_key"] = text_attribute(segment.progress.position.last_evaluated_key);
  }
  if (!segment.sharer.empty()) {
    item["sharer"] = text_attribute(segment.sharer);
  }
  add_progress(item, segment.progress);
  return item;
}

std::optional<StoredSegment> parse_segment_item(const json::object& item, const std::string& token,
                                                const std::string& location) {
  try {
    const std::string name = text_of(item, "item");
    const std::size_t digits = segment_prefix(token).size();
    std::uint32_t number = 0;
    std::from_chars(name.data() + std::min(digits, name.size()), name.data() + name.size(), number);
    if (segment_name(token, number) != name) {
      throw std::out_of_range("no segment of this run");
    }
    if (text_of(item, "token") != token) {
      return std::nullopt;
    }
    StoredSegment segment{.progress = progress_of(item),
                          .version = version_of(item),
                          .sharer = optional_text_of(item, "sharer")};
    segment.progress.segment = number;
    return segment;
  } catch (const std::exception& error) {  // Boost.JSON's, of several types, and our own
    throw damaged_segment(location, error.what());
  }
}

std::string sharer_prefix(std::string_view token) {
  return fmt::format("{}{}-", kSharerPrefix, token);
}

json::object sharer_item(json::object key, const Sharer& sharer) {
  json::object item = std::move(key);
  item["turn"] = number_attribute(sharer.turn);
  item["lease"] = number_attribute(sharer.lease.count());
  item["parts"] = number_attribute(sharer.parts);
  item["wants_parts"] = json::object{{"BOOL", sharer.wants_parts}};
  item["read_units"] = decimal_attribute(sharer.read_units);
  if (sharer.rate) {
    item["rate"] = decimal_attribute(*sharer.rate);
  }
  if (sharer.wanted) {
    item["wanted"] = decimal_attribute(*sharer.wanted);
  }
  return item;
}

Sharer parse_sharer_item(const json::object& item, std::string_view token,
                         const std::string& location) {
  try {
    return {.name = name_after(sharer_prefix(token), text_of(item, "item")),
            .turn = number_of<std::uint64_t>(item, "turn"),
            .lease = std::chrono::milliseconds(number_of<std::uint32_t>(item, "lease")),
            .parts = number_of<std::uint32_t>(item, "parts"),
            .wants_parts = flag_of(item, "wants_parts"),
            .rate = rate_of(item),
            .read_units = decimal_of(item, "read_units"),
            .wanted = optional_decimal_of(item, "wanted")};
  } catch (const std::exception& error) {  // Boost.JSON's, of several types, and our own
    throw damaged_checkpoint(location, fmt::format("the item of a sharer: {}", error.what()));
  }
}

DamagedCheckpoint damaged_segment(const std::string& location, std::string_view what) {
  return damaged_checkpoint(location, fmt::format("the item of a segment: {}", what));
}

}  // namespace everyitem::checkpoint
