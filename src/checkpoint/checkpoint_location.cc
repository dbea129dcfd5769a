#include "checkpoint/checkpoint_location.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include <fmt/format.h>

#include "aws/arn.h"
#include "base/error.h"
#include "base/file_path.h"
#include "checkpoint/ssm_limits.h"

namespace everyitem::checkpoint {

namespace {

Error wrong_location(std::string_view kind, std::string_view rest, std::string_view fault,
                     std::string hint, SettingId id = setting::kCheckpoint) {
  return usage_error(id + fmt::format(" is \"{}{}\": {}", kind, rest, fault), std::move(hint));
}

/// SQLite takes these names for URIs and for databases in memory, which keep nothing.
bool is_special_to_sqlite(std::string_view path) {
  return path.starts_with("file:") || path.starts_with(':');
}

/// The location when `text` is of this kind. One type of the list.
template <typename Location>
std::optional<CheckpointLocation> parsed_as(std::string_view text) {
  if constexpr (std::is_same_v<Location, NoCheckpoint>) {
    return text == NoCheckpoint::kKind ? std::optional<CheckpointLocation>(NoCheckpoint{})
                                       : std::nullopt;
  } else {
    if (!text.starts_with(Location::kKind)) {
      return std::nullopt;
    }
    return Location::parse(text.substr(Location::kKind.size()));
  }
}

template <typename... Locations>
std::optional<CheckpointLocation> parsed_as_any(std::string_view text,
                                                const std::variant<Locations...>* /*list*/) {
  std::optional<CheckpointLocation> found;
  ((found = found ? found : parsed_as<Locations>(text)), ...);
  return found;
}

}  // namespace

bool names_a_kind(std::string_view text) {
  const auto colon = text.find(':');
  return colon != std::string_view::npos && text.find('/') > colon;
}

SqliteLocation SqliteLocation::parse(std::string_view rest) {
  if (rest.empty() || is_special_to_sqlite(rest) || rest == "-") {
    throw wrong_location(kKind, rest, "not a file's path", "Give sqlite:PATH, or the path alone.");
  }
  if (const auto wrong = fault_of_path(rest)) {
    throw wrong_location(kKind, rest, wrong->fault, wrong->remedy);
  }
  return {.path = std::string(rest)};
}

std::string SqliteLocation::text() const {
  const bool path_is_enough = !names_a_kind(path) && path != NoCheckpoint::kKind;
  return path_is_enough ? path : fmt::format("{}{}", kKind, path);
}

DynamoDbLocation DynamoDbLocation::parse(std::string_view rest, SettingId id) {
  const std::size_t name = aws::is_arn(rest) ? rest.find('/') + 1 : 0;
  const std::size_t separator = rest.find('/', name);
  DynamoDbLocation location{.table = std::string(rest.substr(0, separator))};
  if (separator != std::string_view::npos) {
    location.run = std::string(rest.substr(separator + 1));
  }
  if (location.table.empty() || location.run.empty()) {
    throw wrong_location(kKind, rest,
                         location.table.empty() ? "no table is named" : "the run's name is empty",
                         "Give dynamodb:TABLE or dynamodb:TABLE/RUN.", id);
  }
  location.region = aws::parse_table(location.table, id).region;
  return location;
}

std::string DynamoDbLocation::text() const {
  return run == kDefaultRun ? fmt::format("{}{}", kKind, table)
                            : fmt::format("{}{}/{}", kKind, table, run);
}

SsmLocation SsmLocation::parse(std::string_view rest) {
  const auto wrong = [rest](std::string_view fault) {
    return wrong_location(kKind, rest, fault,
                          "Give ssm:/PREFIX, of letters, digits, '_', '.', '-' and '/'.");
  };
  const bool characters = std::ranges::all_of(rest, [](unsigned char c) {
    return (c < 0x80 && std::isalnum(c) != 0) || c == '_' || c == '.' || c == '-' || c == '/';
  });
  if (rest.size() < 2 || rest.front() != '/' || rest.back() == '/' || !characters ||
      rest.find("//") != std::string_view::npos) {
    throw wrong("not a parameter path");
  }
  std::string lower(rest.substr(0, 4));
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  if (lower == "/aws" || lower == "/ssm") {
    throw wrong("names that begin with aws or ssm are reserved");
  }
  const auto levels = static_cast<std::size_t>(std::ranges::count(rest, '/'));
  if (levels >= kMaxHierarchyLevels ||
      rest.size() + kMaxOwnNameCharacters > kMaxParameterNameCharacters) {
    throw wrong("too deep or too long");
  }
  return {.prefix = std::string(rest)};
}

std::string SsmLocation::text() const { return fmt::format("{}{}", kKind, prefix); }

CheckpointLocation parse_checkpoint_location(std::string_view text) {
  constexpr const CheckpointLocation* kList = nullptr;
  if (std::optional<CheckpointLocation> location = parsed_as_any(text, kList)) {
    return *std::move(location);
  }
  if (text.empty() || names_a_kind(text)) {
    throw wrong_location("", text, text.empty() ? "no location is given" : "unknown kind",
                         "Give a path, sqlite:PATH, ssm:/PREFIX, dynamodb:TABLE, or none.");
  }
  return SqliteLocation::parse(text);
}

std::string to_text(const CheckpointLocation& location) {
  return std::visit([](const auto& one) { return one.text(); }, location);
}

}  // namespace everyitem::checkpoint
