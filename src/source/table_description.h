// What DescribeTable says of the table or the index that is to be scanned.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "aws/client.h"
#include "source/scan_page.h"

namespace everyitem::source {

/// What a table lets be read of it, in read units a second.
struct ReadCapacity {
  enum class Mode { unknown, provisioned, on_demand };
  Mode mode = Mode::unknown;
  /// What is provisioned, or the on-demand maximum; nothing where none is set, or none is told.
  std::optional<double> units_per_second;

  /// For the user: "provisioned: 500 read units/s", "on demand, no maximum set".
  std::string text() const;
};

struct TableDescription {
  std::string arn;
  std::string table_id;  ///< changes when a table is deleted and made anew; empty if not told
  KeyNames keys;         ///< the table's own primary key: items of an index carry it too
  /// Of the index, where one is scanned. DynamoDB refreshes both about every six hours: estimates,
  /// and 0 for a new table.
  std::uint64_t estimated_items = 0;
  std::uint64_t estimated_bytes = 0;
  ReadCapacity read_capacity;  ///< of a global index, where one is scanned; else the table's
};

/// Reads an answer of DescribeTable. Throws aws::MalformedResponse when it is not one, and Error
/// when the table cannot be scanned now: being created or deleted, no such index, or a strongly
/// consistent read of a global index.
TableDescription parse_table_description(std::string_view body, std::string_view table,
                                         std::string_view index, bool consistent_read);

/// Asks DynamoDB. Throws Error.
Awaitable<TableDescription> describe_table(aws::Client& dynamodb, std::string table,
                                           std::string index, bool consistent_read);

}  // namespace everyitem::source
