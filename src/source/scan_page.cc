#include "source/scan_page.h"

#include <array>
#include <charconv>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "aws/client.h"
#include "source/json_structure.h"

namespace everyitem::source {

namespace {

[[noreturn]] void fail(const std::string& reason) {
  throw aws::MalformedResponse("the response to Scan cannot be read: " + reason);
}

// Out of line, so that what is called for every item is small enough to be inlined.
[[noreturn, gnu::noinline]] void fail_at(std::string_view missing, std::uint32_t place) {
  fail(fmt::format("there is no {} at byte {}", missing, place));
}
[[noreturn, gnu::noinline]] void fail_without(char c, std::uint32_t place) {
  fail_at(fmt::format("'{}'", c), place);
}
[[noreturn, gnu::noinline]] void fail_twice(std::string_view name) {
  fail(fmt::format("it has \"{}\" twice", name));
}

void require_first(bool is_first, std::string_view name) {
  if (!is_first) [[unlikely]] {
    fail_twice(name);
  }
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// By how much a byte of the structure changes the depth.
constexpr auto kDeeper = [] {
  std::array<std::int8_t, 256> deeper{};
  deeper['{'] = deeper['['] = 1;
  deeper['}'] = deeper[']'] = -1;
  return deeper;
}();

/// Walks through a JSON text along its structure. It only looks for the ends of skipped values; the
/// checksum has shown that the text is what DynamoDB sent.
class Walk {
 public:
  /// The text and its structure must outlive this object.
  Walk(const PaddedBuffer& text, std::span<const std::uint32_t> places)
      : text_(text.data()),
        size_(static_cast<std::uint32_t>(text.size())),
        at_(places.data()),
        end_(places.data() + places.size()) {}

  bool at_end() const { return at_ == end_; }
  /// The next byte of the structure; zero at the end.
  char next() const { return at_end() ? '\0' : text_[*at_]; }
  std::uint32_t place() const { return at_end() ? size_ : *at_; }

  bool take_if(char c) {
    const bool is_next = next() == c;
    at_ += is_next ? 1 : 0;
    return is_next;
  }
  void take(char c) {
    if (!take_if(c)) [[unlikely]] {
      fail_without(c, place());
    }
  }

  /// Reads the raw name of a member, and its colon. Strings end, and nothing but spaces is behind
  /// one before the next place: whatever else there was would be a place of its own.
  std::string_view name() {
    const std::uint32_t begin = place() + 1;
    take('"');
    const std::uint32_t end = behind(begin, place());
    take(':');
    return between(begin, end - 1);
  }

  /// The text of a value, from its first byte to its last.
  std::string_view value() {
    const std::uint32_t begin = place();
    const char first = next();
    if (first == ',' || first == ':') [[unlikely]] {
      fail_at("value", begin);
    }
    int depth = 0;
    do {
      depth += kDeeper[static_cast<unsigned char>(next())];
      if (at_end() || depth < 0) {
        fail("a value does not end");
      }
      ++at_;
    } while (depth > 0);
    if (first != '{' && first != '[') {
      return between(begin, behind(begin, place()));
    }
    if (text_[at_[-1]] != (first == '{' ? '}' : ']')) {
      fail(fmt::format("mismatched brackets at byte {}", begin));
    }
    return between(begin, at_[-1] + 1);
  }
  std::string_view object() {
    if (is_next_plain()) {
      at_ += kPlainPlaces;
      return between(at_[-kPlainPlaces], at_[-1] + 1);
    }
    if (next() != '{') [[unlikely]] {
      fail_at("object", place());
    }
    return value();
  }

  /// Calls `member(name)` for each member of the next object; it must read exactly the value.
  /// Returns the text of the object.
  template <typename Member>
  std::string_view members(Member member) {
    const std::uint32_t begin = place();
    take('{');
    if (!take_if('}')) {
      do {
        member(name());
      } while (take_if(','));
      take('}');
    }
    return between(begin, at_[-1] + 1);
  }

 private:
  /// The structure positions of an object with one scalar member: {"S":"text"}.
  static constexpr std::ptrdiff_t kPlainPlaces = 5;

  /// Whether it is such an object, as most attributes are. False if that is not certain.
  bool is_next_plain() const {
    return end_ - at_ >= kPlainPlaces && text_[at_[0]] == '{' && text_[at_[1]] == '"' &&
           text_[at_[2]] == ':' && kDeeper[static_cast<unsigned char>(text_[at_[3]])] == 0 &&
           text_[at_[4]] == '}';
  }

  /// The end of the text between two positions, without trailing white space.
  std::uint32_t behind(std::uint32_t begin, std::uint32_t end) const {
    while (end > begin && is_space(text_[end - 1])) {
      --end;
    }
    return end;
  }
  std::string_view between(std::uint32_t begin, std::uint32_t end) const {
    return {text_ + begin, end - begin};
  }

  const char* text_;
  std::uint32_t size_;
  const std::uint32_t* at_;
  const std::uint32_t* end_;
};

/// Finds the key attributes of items by their names.
class KeyFinder {
 public:
  /// `text` contains the items. Names have escapes only if it has any.
  KeyFinder(const KeyNames& keys, std::string_view text)
      : keys_(keys), escapes_(text.find('\\') != std::string_view::npos) {}

  Item slice_item(Walk& walk) const {
    Item item;
    item.json =
        walk.members([&](std::string_view name) { take_member(name, walk.object(), item); });
    return item;
  }

  /// The same without the attributes of KeyNames::added: the others are copied to `kept`, which has
  /// room for the whole page. Out of line, so that the usual path stays as fast as without it.
  [[gnu::noinline]] Item slice_kept(Walk& walk, PaddedBuffer& kept) const {
    Item item;
    const std::size_t begin = kept.size();
    kept.append("{");
    walk.members([&](std::string_view name) {
      const std::string_view value = walk.object();
      if (!take_member(name, value, item)) {
        kept.append(kept.size() > begin + 1 ? "," : "");
        const char* const quote = name.data() - 1;
        kept.append({quote, static_cast<std::size_t>(value.data() + value.size() - quote)});
      }
    });
    kept.append("}");
    item.json = kept.view().substr(begin);
    return item;
  }

 private:
  /// True if it is part of the key, and was read only for that.
  bool take_member(std::string_view name, std::string_view value, Item& item) const {
    if (is(name, keys_.hash)) {
      require_first(item.hash_key.empty(), name);
      item.hash_key = value;
      return keys_.added.hash;
    }
    if (!keys_.range.empty() && is(name, keys_.range)) {
      require_first(item.range_key.empty(), name);
      item.range_key = value;
      return keys_.added.range;
    }
    return false;
  }

  bool is(std::string_view name, const std::string& key) const {
    if (!escapes_ || name.find('\\') == std::string_view::npos) {
      return name == key;
    }
    boost::system::error_code not_json;
    const auto unescaped = boost::json::parse(fmt::format("\"{}\"", name), not_json);
    return !not_json && unescaped.as_string() == key;
  }

  const KeyNames& keys_;
  bool escapes_;
};

std::uint64_t to_count(std::string_view text) {
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) {
    fail("a count is not a number");
  }
  return count;
}

/// A page of 1 MB costs at most 256, and some local servers count generously.
constexpr double kMaxPageUnits = 1'000'000;

/// A small object, of which there is one per page.
double capacity_units(std::string_view consumed_capacity) {
  boost::system::error_code error;
  const auto parsed = boost::json::parse(consumed_capacity, error);
  const auto* units =
      !error && parsed.is_object() ? parsed.get_object().if_contains("CapacityUnits") : nullptr;
  if (units == nullptr || !units->is_number()) {
    fail("ConsumedCapacity has no CapacityUnits");
  }
  const double number = units->to_number<double>();
  if (!(number >= 0 && number <= kMaxPageUnits)) {
    fail("CapacityUnits are not the cost of a page");
  }
  return number;
}

/// The structure buffer of this thread.
JsonStructure& structure() {
  thread_local JsonStructure made;
  return made;
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

std::string key_of(const Item& item, const KeyNames& keys) {
  auto position = position_behind(item, keys);
  return position ? std::move(position->last_evaluated_key) : std::string();
}

std::string key_of(std::string_view json, const KeyNames& keys) {
  const PaddedBuffer text(json);
  Walk walk(text, structure().find(text));
  const Item item = KeyFinder(keys, json).slice_item(walk);
  if (!walk.at_end()) {
    fail("an item has bytes after its end");
  }
  return key_of(item, keys);
}

ScanPage ScanPage::parse(PaddedBuffer body, const KeyNames& keys) {
  // The pages of a table are similar, so the list of items rarely has to grow.
  thread_local std::size_t items_expected = 0;

  ScanPage page;
  page.body_ = std::move(body);
  page.items_.reserve(items_expected + items_expected / 8);
  std::optional<std::uint64_t> count;
  bool has_items = false;
  Walk walk(page.body_, structure().find(page.body_));
  const KeyFinder finder(keys, page.body_.view());
  const bool adds_keys = keys.added.any();
  if (adds_keys) {
    page.kept_.reserve(page.body_.size());
  }
  walk.members([&](std::string_view name) {
    if (name == "Items") {
      require_first(!has_items, name);
      has_items = true;
      walk.take('[');
      if (!walk.take_if(']')) {
        do {
          const Item item =
              adds_keys ? finder.slice_kept(walk, page.kept_) : finder.slice_item(walk);
          page.items_.emplace_back(item, adds_keys ? page.kept_.data() : page.body_.data(),
                                   page.body_.data());
        } while (walk.take_if(','));
        walk.take(']');
      }
    } else if (name == "LastEvaluatedKey") {
      require_first(page.last_evaluated_key_.empty(), name);
      page.last_evaluated_key_ = walk.object();
    } else if (name == "Count") {
      require_first(!count, name);
      count = to_count(walk.value());
    } else if (name == "ScannedCount") {
      page.scanned_count_ = to_count(walk.value());
    } else if (name == "ConsumedCapacity") {
      require_first(!page.consumed_read_units_, name);
      page.consumed_read_units_ = capacity_units(walk.object());
    } else {
      walk.value();
    }
  });
  if (!walk.at_end()) {
    throw aws::MalformedResponse("the response to Scan has bytes after its end");
  }
  items_expected = page.items_.size();
  if (adds_keys) {
    page.kept_.finish();
  }
  if (!has_items) {
    throw aws::MalformedResponse("the response to Scan has no Items");
  }
  if (count && *count != page.items_.size()) {
    throw aws::MalformedResponse(fmt::format("the response to Scan has a Count of {} but {} items",
                                             *count, page.items_.size()));
  }
  return page;
}

}  // namespace everyitem::source
