// Scan responses: accepted ones consist of slices of the input, and match what Boost.JSON reads.
#include <string>

#include <boost/json.hpp>

#include "aws/client.h"
#include "fuzz_target.h"
#include "source/scan_page.h"

namespace everyitem::source {
namespace {

namespace json = boost::json;
using fuzz::require;

std::optional<json::value> read_json(std::string_view text) {
  json::error_code error;
  json::value value = json::parse(text, error, {}, {.max_depth = 2000});
  return error ? std::nullopt : std::optional(std::move(value));
}

void require_slice(std::string_view slice, std::string_view bytes) {
  require(fuzz::within(slice, bytes), "a slice lies within what came");
  require(slice.size() >= 2 && slice.front() == '{' && slice.back() == '}',
          "a slice is from { to }");
}

void require_position(const Item& item, const KeyNames& keys) {
  const bool whole_key = !item.hash_key.empty() && (keys.range.empty() || !item.range_key.empty());
  const std::optional<ScanPosition> position = position_behind(item, keys);
  require(position.has_value() == whole_key, "an item with its whole key is a position");
  if (!position || !read_json(item.hash_key) ||
      (!keys.range.empty() && !read_json(item.range_key))) {
    return;
  }
  const auto key = read_json(position->last_evaluated_key);
  require(key && key->is_object() && key->get_object().size() == (keys.range.empty() ? 1 : 2),
          "a position is an object of the key's attributes");
  require(key->get_object().at(keys.hash) == *read_json(item.hash_key), "a position has the key");
}

void require_slices(const ScanPage& page, const KeyNames& keys, std::string_view bytes) {
  std::string_view rest = bytes;
  for (const Item item : page.items()) {
    require_slice(item.json, rest);
    rest.remove_prefix(static_cast<std::size_t>(item.json.end() - rest.begin()));
    for (const std::string_view key : {item.hash_key, item.range_key}) {
      if (!key.empty()) {
        require_slice(key, item.json);
      }
    }
    require(item.range_key.empty() || !keys.range.empty(), "a key has the parts that it has");
    require_position(item, keys);
  }
  if (!page.last_evaluated_key().empty()) {
    require_slice(page.last_evaluated_key(), bytes);
  }
}

/// Whether it is unambiguous which member is meant: none is repeated or written with escapes.
bool unambiguous(std::string_view text) {
  const std::size_t items = text.find("\"Items\"");
  return items != std::string_view::npos &&
         text.find("\"Items\"", items + 1) == std::string_view::npos &&
         text.find('\\') == std::string_view::npos;
}

void require_same_as_boost(const ScanPage& page, const KeyNames& keys, std::string_view text) {
  const auto document = read_json(text);
  if (!document || !unambiguous(text)) {
    return;
  }
  const json::array& items = document->as_object().at("Items").as_array();
  require(items.size() == page.items().size(), "every item is found");
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Item item = page.items()[i];
    require(read_json(item.json) == items[i], "an item is the one that came");
    const json::value* hash = items[i].as_object().if_contains(keys.hash);
    require((hash != nullptr) == !item.hash_key.empty(), "a key that came is found");
    require(hash == nullptr || read_json(item.hash_key) == *hash, "a key is the one that came");
  }
}

/// Of a page with the same text.
ScanPage without_keys(std::string_view text, KeyNames keys, AddedKeys added) {
  keys.added = added;
  return ScanPage::parse(PaddedBuffer(text), keys);
}

void require_others_kept(const ScanPage& page, const KeyNames& keys, std::string_view text) {
  const AddedKeys added{.hash = true, .range = !keys.range.empty()};
  const ScanPage rest = without_keys(text, keys, added);
  require(rest.items().size() == page.items().size(), "no item goes with its key");
  for (std::size_t i = 0; i < rest.items().size(); ++i) {
    const Item item = rest.items()[i];
    require(key_of(item, keys) == key_of(page.items()[i], keys), "the key is still known");
    auto whole = read_json(page.items()[i].json);
    if (!whole || !unambiguous(text)) {
      continue;
    }
    whole->get_object().erase(keys.hash);
    if (!keys.range.empty()) {
      whole->get_object().erase(keys.range);
    }
    require(read_json(item.json) == whole, "an item loses its key and nothing else");
  }
}

void parse(std::string_view text, const KeyNames& keys) {
  PaddedBuffer body(text);
  const std::string_view bytes = body.view();
  try {
    const ScanPage page = ScanPage::parse(std::move(body), keys);
    require(page.size_bytes() == text.size(), "a page has the size of what came");
    require_slices(page, keys, bytes);
    require_same_as_boost(page, keys, text);
    require_others_kept(page, keys, text);
  } catch (const aws::MalformedResponse&) {
    return;
  }
}

}  // namespace
}  // namespace everyitem::source

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = everyitem::fuzz::as_text(data, size);
  everyitem::source::parse(text, {.hash = "pk", .range = "sk"});
  everyitem::source::parse(text, {.hash = "sk", .range = ""});
  return 0;
}
