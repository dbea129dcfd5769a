// The names that a checkpoint gives its parameters: what else is below the prefix is not its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace everyitem::checkpoint {

/// run-VERSION: the run's record. Each version is a parameter of its own, created once.
struct RecordName {
  std::uint64_t version = 0;

  std::string text() const;
};

/// Part `part` of `parts` of a text.
struct TextPart {
  std::uint64_t part = 1;
  std::uint64_t parts = 1;
};

/// identity-TOKEN.PART-of-PARTS: what the run with this token reads and fills.
struct IdentityName {
  std::string token;
  TextPart part = {};

  std::string text() const;
};

/// segments-TOKEN-GROUP-GENERATION-WRITE.PART-of-PARTS: progress of a group of segments, as an
/// owner wrote it once.
struct GroupName {
  std::string token;
  std::uint64_t group = 0;
  std::uint64_t generation = 0;  ///< of the owner
  std::uint64_t write = 0;       ///< counts the owner's writes
  TextPart part = {};

  std::string text() const;
};

/// Nothing when the name is not of this form, to the last character.
std::optional<RecordName> parse_record_name(std::string_view name);
std::optional<IdentityName> parse_identity_name(std::string_view name);
std::optional<GroupName> parse_group_name(std::string_view name);

/// Whether the name is one of these.
bool is_own_name(std::string_view name);

}  // namespace everyitem::checkpoint
