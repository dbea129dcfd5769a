// Items of a DynamoDB table of checkpoints: of a run, of one of its segments, and of a process
// that shares it. The first line has the run's token, the rest is an item in JSON. Whatever is
// accepted is read again as it is written.
#include <exception>
#include <optional>
#include <string>

#include <boost/json.hpp>

#include "base/error.h"
#include "checkpoint/run_item_format.h"
#include "fuzz_target.h"

namespace everyitem::checkpoint {
namespace {

namespace json = boost::json;
using fuzz::require;

const std::string kLocation = "dynamodb:checkpoints/nightly";

/// What `parse` makes of an item; nothing if it refuses it, in one of our own words.
template <typename Parse>
auto accepted(Parse parse) -> std::optional<decltype(parse())> {
  try {
    return parse();
  } catch (const Error& refused) {
    require(!refused.message().empty(), "what is refused has a reason");
    return std::nullopt;
  }
}

void read_run(const json::object& item) {
  const auto record = accepted([&] { return parse_run_item(item, kLocation); });
  if (record) {
    require(record->segments > 0, "a run has segments");
    require(parse_run_item(run_item({}, *record), kLocation) == record, "a run is kept");
  }
}

void read_segment(const json::object& item, const std::string& token) {
  const auto read = accepted([&] { return parse_segment_item(item, token, kLocation); });
  if (read && *read) {
    const StoredSegment& segment = **read;
    const json::object key{
        {"item", json::object{{"S", segment_name(token, segment.progress.segment)}}}};
    require(key.at("item") == item.at("item"), "the segment's number is in its key");
    require(parse_segment_item(segment_item(key, token, segment), token, kLocation) == segment,
            "a segment is kept");
  }
}

void read_sharer(const json::object& item, const std::string& token) {
  const auto sharer = accepted([&] { return parse_sharer_item(item, token, kLocation); });
  if (sharer) {
    require(
        sharer->read_units >= 0 && sharer->rate.value_or(0) >= 0 && sharer->wanted.value_or(0) >= 0,
        "units are not negative");
    const json::object key{{"item", json::object{{"S", sharer_prefix(token) + sharer->name}}}};
    require(key.at("item") == item.at("item"), "the sharer's name is in its key");
    const Sharer again = parse_sharer_item(sharer_item(key, *sharer), token, kLocation);
    require(again.name == sharer->name && again.turn == sharer->turn &&
                again.lease == sharer->lease && again.parts == sharer->parts &&
                again.wants_parts == sharer->wants_parts,
            "a sharer is kept");
    require(parse_sharer_item(sharer_item(key, again), token, kLocation) == again,
            "its units, once rounded, are kept");
  }
}

}  // namespace
}  // namespace everyitem::checkpoint

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = everyitem::fuzz::as_text(data, size);
  const std::string token(everyitem::fuzz::take_line(rest));
  boost::system::error_code not_json;
  const boost::json::value item = boost::json::parse(rest, not_json);
  if (!not_json && item.is_object()) {
    everyitem::checkpoint::read_run(item.get_object());
    everyitem::checkpoint::read_segment(item.get_object(), token);
    everyitem::checkpoint::read_sharer(item.get_object(), token);
  }
  return 0;
}
