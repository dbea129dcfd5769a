// What --checkpoint names: parsed once, before anything is opened or called.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/setting_id.h"

namespace everyitem::checkpoint {

/// "none": no checkpoint is kept.
struct NoCheckpoint {
  static constexpr std::string_view kKind = "none";

  std::string text() const { return std::string(kKind); }

  friend bool operator==(const NoCheckpoint&, const NoCheckpoint&) = default;
};

/// A SQLite file: "sqlite:PATH", or the path alone.
struct SqliteLocation {
  static constexpr std::string_view kKind = "sqlite:";

  static SqliteLocation parse(std::string_view rest);
  std::string text() const;

  std::string path;

  friend bool operator==(const SqliteLocation&, const SqliteLocation&) = default;
};

/// Items of a DynamoDB table: "dynamodb:TABLE" or "dynamodb:TABLE/RUN", where TABLE is a name or an
/// ARN.
struct DynamoDbLocation {
  static constexpr std::string_view kKind = "dynamodb:";
  static constexpr std::string_view kDefaultRun = "default";

  /// Of the setting `id`.
  static DynamoDbLocation parse(std::string_view rest, SettingId id = setting::kCheckpoint);
  std::string text() const;

  std::string table;             ///< its name or ARN, as calls take it
  std::string run{kDefaultRun};  ///< which of the runs that share the table
  std::string region = {};       ///< of the ARN; empty for a name: that of the scanned table

  friend bool operator==(const DynamoDbLocation&, const DynamoDbLocation&) = default;
};

/// Parameters of SSM Parameter Store: "ssm:/PREFIX".
struct SsmLocation {
  static constexpr std::string_view kKind = "ssm:";

  static SsmLocation parse(std::string_view rest);
  std::string text() const;

  std::string prefix;  ///< with its first slash, without a last one

  friend bool operator==(const SsmLocation&, const SsmLocation&) = default;
};

/// The list of backends: each is a line here, with an `open_store` of its own (store_list.cc). What
/// a kind parses is what follows its kKind.
using CheckpointLocation =
    std::variant<NoCheckpoint, SqliteLocation, DynamoDbLocation, SsmLocation>;

/// Whether a text is meant to be of a kind: "s3:x" is, though there is no such kind; the path
/// "./a:b" is not.
bool names_a_kind(std::string_view text);

/// Throws a usage error that names the setting and what it takes.
CheckpointLocation parse_checkpoint_location(std::string_view text);

/// For messages and for the command that resumes: parsed again, it is the same location.
std::string to_text(const CheckpointLocation& location);

}  // namespace everyitem::checkpoint
