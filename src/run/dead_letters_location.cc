#include "run/dead_letters_location.h"

#include <optional>

#include <fmt/format.h>

#include "base/error.h"
#include "base/file_path.h"

namespace everyitem::run {

namespace {

/// The location if `text` is of this kind. One type of the list.
template <typename Place>
std::optional<DeadLettersLocation> parsed_as(std::string_view text) {
  if constexpr (!Place::kKind.empty()) {
    if (text.starts_with(Place::kKind)) {
      return Place::parse(text.substr(Place::kKind.size()), setting::kDeadLetters);
    }
  }
  return std::nullopt;
}

template <typename... Places>
std::optional<DeadLettersLocation> parsed_as_any(std::string_view text,
                                                 const std::variant<Places...>* /*list*/) {
  std::optional<DeadLettersLocation> found;
  ((found = found ? found : parsed_as<Places>(text)), ...);
  return found;
}

}  // namespace

DeadLettersLocation parse_dead_letters_location(std::string_view text) {
  constexpr const DeadLettersLocation* kList = nullptr;
  if (std::optional<DeadLettersLocation> location = parsed_as_any(text, kList)) {
    return *std::move(location);
  }
  const auto refused = [&](std::string_view fault, std::string_view remedy) {
    return usage_error(setting::kDeadLetters + fmt::format(" is \"{}\": {}", text, fault), remedy);
  };
  constexpr std::string_view kRemedy = "Give the path of a file, or dynamodb:TABLE/RUN.";
  if (text.empty()) {
    throw refused("no location is given", kRemedy);
  }
  if (checkpoint::names_a_kind(text)) {
    throw refused("unknown kind", kRemedy);
  }
  if (text == "-") {
    throw refused("not a file's path", kRemedy);
  }
  if (const auto wrong = fault_of_path(text)) {
    throw refused(wrong->fault, wrong->remedy);
  }
  return DeadLettersInFile{.path = std::string(text)};
}

std::string to_text(const DeadLettersLocation& location) {
  return std::visit([](const auto& one) -> std::string { return one.text(); }, location);
}

}  // namespace everyitem::run
