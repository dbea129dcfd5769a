#include "batch/plain_json.h"

#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include <fmt/format.h>

#include "base/error.h"
#include "base/setting_id.h"

namespace everyitem::batch {

namespace {

constexpr int kMaxDepth = 64;

constexpr std::string_view kTypes = "types";

/// Strings are copied in steps of this many bytes, the last of which goes too far.
constexpr std::size_t kStep = 16;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::uint64_t eight_bytes(const char* at) {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, at, sizeof bytes);
  return bytes;
}

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kTops = 0x8080808080808080;

/// The top bit of each byte that is zero, and perhaps of bytes after the first that is.
constexpr std::uint64_t zeros_in(std::uint64_t bytes) { return (bytes - kOnes) & ~bytes & kTops; }

/// The same of those that are a quote or a backslash.
constexpr std::uint64_t ends_in(std::uint64_t bytes) {
  return zeros_in(bytes ^ (kOnes * '"')) | zeros_in(bytes ^ (kOnes * '\\'));
}

/// Whether these characters are a number in JSON. DynamoDB's are; those of other servers that speak
/// its protocol may begin with a plus or a dot.
bool is_json_number(std::string_view text) {
  std::size_t at = 0;
  const auto take_any_of = [&](std::string_view any) {
    const bool is = at < text.size() && any.find(text[at]) != std::string_view::npos;
    at += is ? 1 : 0;
    return is;
  };
  const auto take_digits = [&] {
    const std::size_t begin = at;
    while (at < text.size() && is_digit(text[at])) {
      ++at;
    }
    return at > begin;
  };
  take_any_of("-");
  if (!take_any_of("0") && !take_digits()) {
    return false;
  }
  if (take_any_of(".") && !take_digits()) {
    return false;
  }
  if (take_any_of("eE")) {
    take_any_of("+-");
    if (!take_digits()) {
      return false;
    }
  }
  return at == text.size();
}

/// Whether the text after a backslash is the escape of this character: `u002F` for a slash.
bool is_escape_of(std::string_view escape, std::string_view lower, std::string_view upper) {
  return escape.starts_with(lower) || escape.starts_with(upper);
}

/// The name of a member as a step of a path, both as they are written in JSON strings.
void append_step(std::string_view raw, std::string& path) {
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const std::string_view escape = raw.substr(i + 1);
    if (raw[i] == '~') {
      path += "~0";
    } else if (raw[i] == '/') {
      path += "~1";
    } else if (raw[i] != '\\') {
      path += raw[i];
    } else if (escape.starts_with('/')) {
      path += "~1";
      i += 1;
    } else if (is_escape_of(escape, "u002f", "u002F")) {
      path += "~1";
      i += 5;
    } else if (is_escape_of(escape, "u007e", "u007E")) {
      path += "~0";
      i += 5;
    } else {
      path += raw.substr(i, 2);
      i += 1;
    }
  }
}

/// Whether it is "$types", or that after more dollars.
bool looks_like_types(std::string_view raw) {
  if (!raw.starts_with('$') && !raw.starts_with('\\')) {
    return false;
  }
  std::string name;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    unsigned code = static_cast<unsigned char>(raw[i]);
    if (raw[i] == '\\') {
      const bool is_code = raw.substr(i).starts_with("\\u") && raw.size() - i >= 6;
      code = 0;  // no letter of the name is the other kind of escape
      if (is_code) {
        std::from_chars(raw.data() + i + 2, raw.data() + i + 6, code, 16);
      }
      i += is_code ? 5 : 1;
    }
    name += code < 0x80 ? static_cast<char>(code) : '\0';
  }
  const std::size_t dollars = name.find_first_not_of('$');
  return dollars > 0 && dollars != std::string::npos && name.substr(dollars) == kTypes;
}

/// How far an item was read, and what was written of it. In registers: what is written through a
/// `char*` could be part of any object.
struct Place {
  const char* at;
  char* to;
};

/// Writes one item. What is written is never longer than what was read.
class Writer {
 public:
  Writer(std::string_view text, PlainJsonOptions options)
      : begin_(text.data()), end_(text.data() + text.size()), options_(options) {}

  /// `to` has room for all of the text, and kStep more. Returns the end of what was written.
  char* write(char* to) {
    Place place = members({.at = begin_, .to = to}, 0);
    place.at = skip_spaces(place.at);
    if (place.at != end_) {
      fail("end", place.at);
    }
    return place.to;
  }
  /// `"path":"SS","other":"B"`
  const std::string& types() const { return types_; }

 private:
  /// What leads to a value: a member, or an element of a list.
  struct PathStep {
    const char* name;  ///< in JSON, without quotes; null for an element
    std::size_t size;  ///< of the name; of an element, its index
    bool renamed;
  };

  [[noreturn, gnu::noinline]] void fail(std::string_view missing, const char* at) const {
    throw Error(ErrorKind::failed,
                {.operation = "read",
                 .object = "an item",
                 .code = {},
                 .message = fmt::format("it is not DynamoDB JSON: there is no {} at byte {}",
                                        missing, at - begin_),
                 .hint = "Its server does not answer as DynamoDB does. The format item takes it as "
                         "it is: " +
                         setting::kFormat("item") + "."});
  }

  const char* skip_spaces(const char* at) const {
    while (at < end_ && is_space(*at)) {
      ++at;
    }
    return at;
  }
  /// Whether this is the next byte, but for spaces; then moves past it.
  bool take_if(char c, const char*& at) const {
    if (at < end_ && *at == c) [[likely]] {
      ++at;
      return true;
    }
    at = skip_spaces(at);
    const bool is_next = at < end_ && *at == c;
    at += is_next ? 1 : 0;
    return is_next;
  }
  void take(char c, const char*& at) const {
    if (!take_if(c, at)) [[unlikely]] {
      fail({&c, 1}, at);
    }
  }
  bool starts_with(const char* at, std::string_view wanted) const {
    return static_cast<std::size_t>(end_ - at) >= wanted.size() &&
           std::memcmp(at, wanted.data(), wanted.size()) == 0;
  }

  /// A string with its quotes.
  Place copy_string(Place place) const {
    take('"', place.at);
    const char* const end = end_;
    const char* at = place.at;
    char* to = place.to;
    *to++ = '"';
    for (;;) {
      while (static_cast<std::size_t>(end - at) >= kStep) {
        const std::uint64_t low = eight_bytes(at);
        const std::uint64_t high = eight_bytes(at + 8);
        std::memcpy(to, &low, sizeof low);
        std::memcpy(to + 8, &high, sizeof high);
        const std::uint64_t low_ends = ends_in(low);
        const std::uint64_t high_ends = ends_in(high);
        const bool none = (low_ends | high_ends) == 0;
        const int in_low = std::countr_zero(low_ends) / 8;
        const int in_high = 8 + std::countr_zero(high_ends) / 8;
        const int length = low_ends != 0 ? in_low : in_high;
        at += length;
        to += length;
        if (!none) {
          break;
        }
      }
      while (at < end && *at != '"' && *at != '\\') {
        *to++ = *at++;
      }
      if (end - at < 2) [[unlikely]] {
        fail("end of a string", at);
      }
      *to++ = *at++;
      if (at[-1] == '"') {
        return {at, to};
      }
      *to++ = *at++;
    }
  }

  [[gnu::noinline]] void lose(std::string_view type) {
    if (!options_.with_types) {
      return;
    }
    types_ += types_.empty() ? "\"" : ",\"";
    for (std::size_t i = 0; i < steps_; ++i) {
      const PathStep& step = path_.at(i);
      types_ += i == 0 ? "" : "/";
      types_ += step.renamed ? "$" : "";
      if (step.name == nullptr) {
        types_ += std::to_string(step.size);
      } else {
        append_step({step.name, step.size}, types_);
      }
    }
    types_ += fmt::format("\":\"{}\"", type);
  }

  /// Adds a number to what is written; `becomes_number` is false if it stays a string.
  Place copy_number(Place place, bool& becomes_number) const {
    const Place whole = copy_string(place);
    becomes_number = false;
    if (options_.numbers_as_strings) {
      return whole;
    }
    const auto size = static_cast<std::size_t>(whole.to - place.to) - 2;
    const char* const digits = whole.at - 1 - size;
    if (!is_usual_number(digits, size) && !is_json_number({digits, size})) [[unlikely]] {
      return whole;
    }
    becomes_number = true;
    if (static_cast<std::size_t>(end_ - digits) >= kStep && size <= kStep) [[likely]] {
      std::memcpy(place.to, digits, kStep);
    } else {
      std::memcpy(place.to, digits, size);
    }
    return {whole.at, place.to + size};
  }
  /// At most eight digits, with a dot between two of them or none.
  bool is_usual_number(const char* digits, std::size_t size) const {
    if (size == 0 || size > 8 || end_ - digits < 8 || digits[0] == '0') {
      return false;
    }
    const std::uint64_t bytes = eight_bytes(digits) << (64 - 8 * size) >> (64 - 8 * size);
    const std::uint64_t of_them = ~std::uint64_t{0} >> (64 - 8 * size);
    // The top bit of each byte that is not a digit: what is above 9 after subtracting '0', or
    // below.
    const std::uint64_t above = ((bytes & ~kTops) + kOnes * (0x7f - '9')) | bytes;
    const std::uint64_t below = ~((bytes | kTops) - kOnes * '0');
    const std::uint64_t others = (above | below) & kTops & of_them;
    if (others == 0) {
      return true;
    }
    const auto dot = static_cast<std::size_t>(std::countr_zero(others) / 8);
    return (others & (others - 1)) == 0 && digits[dot] == '.' && dot > 0 && dot + 1 < size;
  }

  Place copy_literal(Place place) const {
    for (const std::string_view word : {"true", "false"}) {
      if (starts_with(place.at, word)) {
        std::memcpy(place.to, word.data(), word.size());
        return {place.at + word.size(), place.to + word.size()};
      }
    }
    fail("true or false", place.at);
  }

  /// Calls `element(place, index)` for each.
  template <typename Element>
  Place array(Place place, Element element) {
    take('[', place.at);
    *place.to++ = '[';
    if (!take_if(']', place.at)) {
      std::size_t index = 0;
      do {
        if (index > 0) {
          *place.to++ = ',';
        }
        place = element(place, index++);
      } while (take_if(',', place.at));
      take(']', place.at);
    }
    *place.to++ = ']';
    return place;
  }

  Place list(Place place, int depth) {
    const std::size_t step = steps_++;
    place = array(place, [&](Place element, std::size_t index) {
      path_[step] = {.name = nullptr, .size = index, .renamed = false};
      return value(element, depth);
    });
    --steps_;
    return place;
  }
  Place strings(Place place) {
    return array(place, [this](Place each, std::size_t) { return copy_string(each); });
  }
  Place numbers(Place place) {
    return array(place, [this](Place each, std::size_t) {
      bool becomes_number = false;
      return copy_number(each, becomes_number);
    });
  }

  Place members(Place place, int depth) {
    if (depth > kMaxDepth) [[unlikely]] {
      fail("value less than 64 levels deep", place.at);
    }
    take('{', place.at);
    *place.to++ = '{';
    if (!take_if('}', place.at)) {
      const std::size_t step = steps_++;
      bool first = true;
      do {
        if (!first) {
          *place.to++ = ',';
        }
        first = false;
        place = name(place, path_[step], depth == 0);
        take(':', place.at);
        *place.to++ = ':';
        place = value(place, depth + 1);
      } while (take_if(',', place.at));
      take('}', place.at);
      --steps_;
    }
    *place.to++ = '}';
    return place;
  }

  /// Writes a member's name, and notes it.
  Place name(Place place, PathStep& step, bool is_attribute) const {
    const Place end = copy_string(place);
    const auto size = static_cast<std::size_t>(end.to - place.to) - 2;
    step = {.name = end.at - 1 - size, .size = size, .renamed = false};
    if (!options_.with_types || !is_attribute || !looks_like_types({step.name, size})) {
      return end;
    }
    step.renamed = true;
    std::memmove(place.to + 2, place.to + 1, size + 1);
    place.to[1] = '$';
    return {end.at, end.to + 1};
  }

  /// {"S":"text"}
  Place value(Place place, int depth) {
    if (starts_with(place.at, R"({"S":)")) {
      place.at += 5;
      place = copy_string(place);
      take('}', place.at);
      return place;
    }
    if (starts_with(place.at, R"({"N":)")) {
      place.at += 5;
      return number_value(place);
    }
    const std::string_view type = take_type(place.at);
    return typed_value(place, type, depth);
  }
  /// {"SS":
  std::string_view take_type(const char*& at) const {
    if (end_ - at >= 8 && at[0] == '{' && at[1] == '"') {
      for (const std::size_t size : {1U, 2U, 4U}) {
        if (at[2 + size] == '"' && at[3 + size] == ':') {
          const std::string_view type(at + 2, size);
          at += 4 + size;
          at = skip_spaces(at);
          return type;
        }
      }
    }
    take('{', at);
    take('"', at);
    const std::string_view rest(at, static_cast<std::size_t>(end_ - at));
    const std::string_view type = rest.substr(0, rest.find('"'));
    at += type.size();
    take('"', at);
    take(':', at);
    at = skip_spaces(at);
    return type;
  }
  Place number_value(Place place) {
    bool becomes_number = false;
    place = copy_number(place, becomes_number);
    if (!becomes_number) {
      lose("N");
    }
    take('}', place.at);
    return place;
  }
  Place typed_value(Place place, std::string_view type, int depth) {
    if (type == "S") {
      place = copy_string(place);
    } else if (type == "N") {
      return number_value(place);
    } else if (type == "BOOL") {
      place = copy_literal(place);
    } else if (type == "NULL") {
      place.at = copy_literal(place).at;
      std::memcpy(place.to, "null", 4);
      place.to += 4;
    } else if (type == "M") {
      place = members(place, depth);
    } else if (type == "L") {
      place = list(place, depth + 1);
    } else if (type == "B") {
      place = copy_string(place);
      lose(type);
    } else if (type == "SS" || type == "BS") {
      place = strings(place);
      lose(type);
    } else if (type == "NS") {
      place = numbers(place);
      lose(type);
    } else [[unlikely]] {
      fail("type of DynamoDB", place.at);
    }
    take('}', place.at);
    return place;
  }

  const char* const begin_;
  const char* const end_;
  const PlainJsonOptions options_;
  std::array<PathStep, 2 * kMaxDepth + 2> path_;  // NOLINT: as far as it is used
  std::size_t steps_ = 0;
  std::string types_;
};

}  // namespace

void PlainJson::append(const source::Item& item, PaddedBuffer& to) const {
  char* const begin = to.prepare(item.json.size() + kStep).data();
  Writer writer(item.json, options_);
  auto size = static_cast<std::size_t>(writer.write(begin) - begin);
  if (writer.types().empty()) {
    to.commit(size);
    return;
  }
  --size;  // the last bracket
  to.commit(size);
  to.append(size > 1 ? ",\"$types\":{" : "\"$types\":{");
  to.append(writer.types());
  to.append("}}");
}

}  // namespace everyitem::batch
