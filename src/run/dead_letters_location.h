// What --dead-letters names: parsed once, before anything is opened or called.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "checkpoint/checkpoint_location.h"

namespace everyitem::run {

/// A file, by its path.
struct DeadLettersInFile {
  static constexpr std::string_view kKind = {};  ///< what no other kind is

  const std::string& text() const { return path; }

  std::string path;

  friend bool operator==(const DeadLettersInFile&, const DeadLettersInFile&) = default;
};

/// The list of places for dead letters: each is a line here, with an `open` of its own
/// (run_stores.cc). What a kind parses is what follows its kKind.
using DeadLettersLocation = std::variant<DeadLettersInFile, checkpoint::DynamoDbLocation>;

/// Throws a usage error that names the setting and what it takes.
DeadLettersLocation parse_dead_letters_location(std::string_view text);

/// Parsed again, it is the same location.
std::string to_text(const DeadLettersLocation& location);

}  // namespace everyitem::run
