#include "source/scan_page.h"

#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <simdjson.h>

#include "aws/client.h"

namespace everyitem::source {

namespace ondemand = simdjson::ondemand;

static_assert(PaddedBuffer::kPadding >= simdjson::SIMDJSON_PADDING);

namespace {

/// The object's text. raw_json() reaches to the next token: white space before that is not ours.
std::string_view text_of(ondemand::object& object) {
  const std::string_view text = object.raw_json();
  return text.substr(0, text.rfind('}') + 1);
}

std::string_view text_of(ondemand::field& field) {
  ondemand::object object = field.value().get_object();
  return text_of(object);
}

/// The field's name. It stands in the answer as it is unless it holds escapes, which few names do
/// and which alone are worth unescaping: every attribute of every item comes by here.
std::string_view name_of(ondemand::field& field) {
  const char* const raw = field.key().raw();
  for (const char* end = raw;; ++end) {  // stage 1 made sure that there is a closing quote
    if (*end == '"') {
      return {raw, static_cast<std::size_t>(end - raw)};
    }
    if (*end == '\\') {
      return field.unescaped_key();
    }
  }
}

Item slice_item(ondemand::object object, const KeyNames& keys) {
  Item item;
  for (ondemand::field field : object) {
    const std::string_view name = name_of(field);
    if (name == keys.hash) {
      item.hash_key = text_of(field);
    } else if (name == keys.range && !keys.range.empty()) {
      item.range_key = text_of(field);
    }
  }
  item.json = text_of(object);
  return item;
}

}  // namespace

std::optional<ScanPosition> position_behind(const Item& item, const KeyNames& keys) {
  if (item.hash_key.empty() || (!keys.range.empty() && item.range_key.empty())) {
    return std::nullopt;
  }
  const auto quoted = [](const std::string& name) {
    return boost::json::serialize(boost::json::string(name));
  };
  std::string key = fmt::format("{{{}:{}", quoted(keys.hash), item.hash_key);
  if (!keys.range.empty()) {
    key += fmt::format(",{}:{}", quoted(keys.range), item.range_key);
  }
  return ScanPosition{.last_evaluated_key = key + "}"};
}

std::string key_of(std::string_view json, const KeyNames& keys) {
  ondemand::parser parser;
  const PaddedBuffer padded(json);
  try {
    ondemand::document document = parser.iterate(padded.data(), padded.size(), padded.capacity());
    const auto position = position_behind(slice_item(document.get_object(), keys), keys);
    return position ? position->last_evaluated_key : std::string();
  } catch (const simdjson::simdjson_error& error) {
    throw aws::MalformedResponse(fmt::format("an item cannot be read: {}", error.what()));
  }
}

ScanPage ScanPage::parse(PaddedBuffer body, const KeyNames& keys) {
  // Its buffers grow to the largest page and stay: one for each event loop.
  thread_local ondemand::parser parser;

  // The pages of a table are much alike: the list of items seldom has to grow.
  thread_local std::size_t items_expected = 0;

  ScanPage page;
  page.body_ = std::move(body);
  page.items_.reserve(items_expected + items_expected / 8);
  std::optional<std::uint64_t> count;
  bool has_items = false;
  try {
    ondemand::document document =
        parser.iterate(page.body_.data(), page.body_.size(), page.body_.capacity());
    for (ondemand::field field : document.get_object()) {
      const std::string_view name = name_of(field);
      if (name == "Items") {
        has_items = true;
        for (ondemand::value item : field.value().get_array()) {
          page.items_.push_back(slice_item(item.get_object(), keys));
        }
      } else if (name == "LastEvaluatedKey") {
        page.last_evaluated_key_ = text_of(field);
      } else if (name == "Count") {
        count = field.value().get_uint64();
      } else if (name == "ScannedCount") {
        page.scanned_count_ = field.value().get_uint64();
      } else if (name == "ConsumedCapacity") {
        page.consumed_read_units_ = field.value()["CapacityUnits"].get_double();
      }
    }
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
      throw aws::MalformedResponse("the answer to Scan has bytes behind its end");
    }
  } catch (const simdjson::simdjson_error& error) {
    throw aws::MalformedResponse(
        fmt::format("the answer to Scan cannot be read: {}", error.what()));
  }
  items_expected = page.items_.size();
  if (!has_items) {
    throw aws::MalformedResponse("the answer to Scan has no Items");
  }
  if (count && *count != page.items_.size()) {
    throw aws::MalformedResponse(
        fmt::format("the answer to Scan counts {} items and holds {}", *count, page.items_.size()));
  }
  return page;
}

}  // namespace everyitem::source
