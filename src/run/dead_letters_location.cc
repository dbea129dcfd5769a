#include "run/dead_letters_location.h"

#include <fmt/format.h>

#include "base/error.h"

namespace everyitem::run {

using checkpoint::DynamoDbLocation;

DeadLettersLocation parse_dead_letters_location(std::string_view text) {
  if (text.starts_with(DynamoDbLocation::kKind)) {
    return DynamoDbLocation::parse(text.substr(DynamoDbLocation::kKind.size()),
                                   setting::kDeadLetters);
  }
  if (text.empty() || checkpoint::names_a_kind(text)) {
    throw usage_error(
        setting::kDeadLetters + fmt::format(" is \"{}\": {}", text,
                                            text.empty() ? "no location is given" : "unknown kind"),
        "Give the path of a file, or dynamodb:TABLE/RUN.");
  }
  return DeadLettersInFile{.path = std::string(text)};
}

std::string to_text(const DeadLettersLocation& location) {
  const auto* const file = std::get_if<DeadLettersInFile>(&location);
  return file != nullptr ? file->path : std::get<DynamoDbLocation>(location).text();
}

}  // namespace everyitem::run
