#include "source/expression_remedy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "source/expression_names.h"

namespace everyitem::source {

namespace json = boost::json;

namespace {

/// A piece of an expression: what is between separators, or between quotes.
struct Piece {
  std::string_view text;
  bool quoted = false;  ///< `text` includes the quotes
};

/// All of them, and the separators in between, in order.
std::vector<Piece> pieces_of(std::string_view expression) {
  constexpr std::string_view kQuotes = "'\"";
  constexpr std::string_view kEnds = "'\" \t\r\n()<>=,[]";
  std::vector<Piece> pieces;
  while (!expression.empty()) {
    const char first = expression.front();
    const bool quoted = kQuotes.find(first) != std::string_view::npos;
    std::size_t size = 1;
    if (quoted) {
      const std::size_t end = expression.find(first, 1);
      size = end == std::string_view::npos ? expression.size() : end + 1;
    } else if (kEnds.find(first) == std::string_view::npos) {
      size = std::min(expression.find_first_of(kEnds), expression.size());
    }
    pieces.push_back({.text = expression.substr(0, size), .quoted = quoted});
    expression.remove_prefix(size);
  }
  return pieces;
}

bool is_number(std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return !digits.empty() && digits.front() >= '0' && digits.front() <= '9' &&
         parsed.ptr == text.data() + text.size();
}

bool is_one_of(std::string_view text, std::string_view lower_case) {
  return std::ranges::equal(text, lower_case, [](char a, char b) { return (a | 0x20) == b; });
}

bool is_plain(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/// "name" without the quotes.
std::string_view unquoted(std::string_view text) {
  const char quote = text.front();
  text.remove_prefix(1);
  text.remove_suffix(text.ends_with(quote) ? 1 : 0);
  return text;
}

/// What DynamoDB calls the value of a piece; null if it is none.
json::value attribute_value(const Piece& piece) {
  if (piece.quoted) {
    return json::object{{"S", json::string(unquoted(piece.text))}};
  }
  if (is_number(piece.text)) {
    return json::object{{"N", json::string(piece.text)}};
  }
  if (is_one_of(piece.text, "true") || is_one_of(piece.text, "false")) {
    return json::object{{"BOOL", is_one_of(piece.text, "true")}};
  }
  return is_one_of(piece.text, "null") ? json::value(json::object{{"NULL", true}}) : json::value();
}

/// An expression with placeholders, and what they stand for.
struct Rewritten {
  std::string expression;
  json::object defined;
};

/// A placeholder for `meaning` that no expression has yet: of the letters of `word`, or numbered.
std::string placeholder(char sigil, std::string_view word, const json::value& meaning,
                        const json::object& defined, const std::string& expressions) {
  constexpr std::size_t kMaxCharacters = 20;
  std::string letters(word);
  std::ranges::replace_if(letters, std::not_fn(is_plain), '_');
  const bool speaks = !letters.empty() && letters.size() <= kMaxCharacters;
  const auto taken = placeholders(expressions, sigil);
  for (int number = speaks ? 0 : 1;; ++number) {
    std::string name = fmt::format("{}{}", sigil, speaks ? letters : "v");
    name += number == 0 ? "" : std::to_string(number);
    const json::value* const before = defined.if_contains(name);
    if (before != nullptr ? *before == meaning : !taken.contains(name)) {
      return name;
    }
  }
}

std::string all_expressions(const ScanParameters& parameters) {
  return parameters.filter_expression + ' ' + parameters.projection_expression;
}

/// With a placeholder for each value in the filter; nothing defined if there is none.
Rewritten without_literals(const ScanParameters& parameters) {
  Rewritten rewritten;
  bool in_index = false;  // the number of "list[0]"
  for (const Piece& piece : pieces_of(parameters.filter_expression)) {
    in_index = piece.text == "[" || (in_index && piece.text != "]");
    const json::value value = in_index ? json::value() : attribute_value(piece);
    if (value.is_null()) {
      rewritten.expression += piece.text;
      continue;
    }
    const std::string name = placeholder(':', piece.quoted ? unquoted(piece.text) : piece.text,
                                         value, rewritten.defined, all_expressions(parameters));
    rewritten.expression += name;
    rewritten.defined[name] = value;
  }
  return rewritten;
}

/// With a placeholder for each part of a path that `is_refused`.
Rewritten without_names(const std::string& expression, const ScanParameters& parameters,
                        const std::function<bool(std::string_view part)>& is_refused) {
  Rewritten rewritten;
  for (const Piece& piece : pieces_of(expression)) {
    std::string_view rest = piece.text;
    for (;;) {
      const std::string_view part = rest.substr(0, rest.find('.'));
      if (!part.empty() && is_refused(part)) {
        const std::string name = placeholder('#', part, json::string(part), rewritten.defined,
                                             all_expressions(parameters));
        rewritten.expression += name;
        rewritten.defined[name] = json::string(part);
      } else {
        rewritten.expression += part;
      }
      if (part.size() == rest.size()) {
        break;
      }
      rewritten.expression += '.';
      rest.remove_prefix(part.size() + 1);
    }
  }
  return rewritten;
}

/// "Write: --filter 'status = :open' --values '{":open": {"S": "open"}}'", as a door words it. What
/// the user defined before is not shown.
Message remedy(SettingId expression, const Rewritten& rewritten, SettingId definitions,
               bool has_definitions) {
  Message text = "Write: " + expression(rewritten.expression);
  std::string defined;
  for (const auto& [name, meaning] : rewritten.defined) {
    defined += fmt::format("{}{}: {}", defined.empty() ? "" : ", ",
                           json::serialize(json::string(name)), json::serialize(meaning));
  }
  return has_definitions ? text + ", and add to " + definitions + ": " + defined
                         : text + " " + definitions(fmt::format("{{{}}}", defined));
}

/// What a message of DynamoDB is about, by the words that it uses.
struct Subject {
  std::string_view words;
  SettingId setting;
};

constexpr std::array kSubjects = {
    Subject{"FilterExpression", setting::kFilter},
    Subject{"ProjectionExpression", setting::kProjection},
    Subject{"ExpressionAttributeNames", setting::kNames},
    Subject{"ExpressionAttributeValues", setting::kValues},
    Subject{"AttributeValue", setting::kValues},
    Subject{"index", setting::kIndex},
    Subject{"otalSegments", setting::kSegments},
    Subject{"onsistent", setting::kConsistent},
};

/// "status" of "...; reserved keyword: status".
std::string_view reserved_word(std::string_view message) {
  constexpr std::string_view kBefore = "reserved keyword: ";
  const std::size_t at = message.find(kBefore);
  const std::string_view word =
      at == std::string_view::npos ? std::string_view() : message.substr(at + kBefore.size());
  return word.substr(
      0, static_cast<std::size_t>(std::ranges::find_if_not(word, is_plain) - word.begin()));
}

/// DynamoDB would have to take it for something else: "order-id", "2nd".
bool needs_placeholder(std::string_view part) {
  const char first = part.front();
  const bool is_name = is_plain(first) && !is_number(part);
  return is_name && ((first >= '0' && first <= '9') || !std::ranges::all_of(part, is_plain));
}

Message hint_for(std::string_view message, const ScanParameters& parameters) {
  const auto* const subject = std::ranges::find_if(kSubjects, [&](const Subject& each) {
    return message.find(each.words) != std::string_view::npos;
  });
  if (subject == kSubjects.end()) {
    return {};
  }
  const SettingId id = subject->setting;
  if (id == setting::kFilter || id == setting::kProjection) {
    const std::string_view word = reserved_word(message);
    const std::function<bool(std::string_view)> is_refused = [word](std::string_view part) {
      return word.empty() ? needs_placeholder(part) : part == word;
    };
    const Rewritten rewritten = without_names(
        id == setting::kFilter ? parameters.filter_expression : parameters.projection_expression,
        parameters, is_refused);
    if (!rewritten.defined.empty()) {
      return remedy(id, rewritten, setting::kNames, !parameters.attribute_names.empty());
    }
  }
  return "Correct " + Message(id) + ".";
}

}  // namespace

void require_no_literals(const ScanParameters& parameters) {
  const Rewritten filter = without_literals(parameters);
  if (!filter.defined.empty()) {
    throw usage_error(
        setting::kFilter + " has a value in it, which DynamoDB takes from " + setting::kValues +
            " only",
        remedy(setting::kFilter, filter, setting::kValues, !parameters.attribute_values.empty()));
  }
  const std::vector<Piece> pieces = pieces_of(parameters.projection_expression);
  std::string bare;
  for (const Piece& piece : pieces) {
    bare += piece.quoted ? unquoted(piece.text) : piece.text;
  }
  if (bare != parameters.projection_expression) {
    throw usage_error(setting::kProjection + " has quotes in it, which DynamoDB does not take",
                      "Write: " + setting::kProjection(bare));
  }
}

Error refused_parameters(const Error& refusal, const ScanParameters& parameters) {
  ErrorDetails details = refusal.details();
  details.hint = hint_for(details.message.text(), parameters);
  return {ErrorKind::usage, std::move(details)};
}

}  // namespace everyitem::source
