// What DescribeTable reports about the table or index to scan.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/client.h"
#include "source/scan_page.h"

namespace everyitem::source {

/// The read capacity of a table, in read units per second.
struct ReadCapacity {
  enum class Mode { unknown, provisioned, on_demand };
  Mode mode = Mode::unknown;
  /// The provisioned capacity or the on-demand maximum; nothing if none is set or reported.
  std::optional<double> units_per_second;
  bool of_index = false;  ///< a global index has its own

  /// For the user: "provisioned: 500 read units/s", "on demand, no maximum set".
  std::string text() const;
};

struct TableDescription {
  std::string arn;
  std::string table_id;  ///< changes when a table is deleted and re-created; empty if not reported
  KeyNames keys;         ///< the table's primary key, which items of an index have too
  /// The attributes of a position (LastEvaluatedKey): those of the table's key, and of the index's.
  /// Empty if the index's are not reported.
  std::vector<std::string> position_names;
  /// Of the index, if one is scanned. DynamoDB updates both about every six hours, so they are
  /// estimates, and 0 for a new table.
  std::uint64_t estimated_items = 0;
  std::uint64_t estimated_bytes = 0;
  ReadCapacity read_capacity;  ///< of a global index, if one is scanned; otherwise the table's
};

/// Reads a response of DescribeTable. Throws aws::MalformedResponse if it is not one, aws::NotReady
/// if the table or the index is being created, and Error if it cannot be scanned: it is being
/// deleted, there is no such index, or a strongly consistent read of a global index is requested.
TableDescription parse_table_description(std::string_view body, std::string_view table,
                                         std::string_view index, bool consistent_read);

/// Asks DynamoDB, and waits for a table or index that is being created. Throws Error.
Awaitable<TableDescription> describe_table(aws::Client& dynamodb, std::string table,
                                           std::string index, bool consistent_read);

/// What reading an item tells to those who may only read: the names of the key, and nothing else.
/// Which of two names is the hash key is not told, so they are in alphabetical order. Nothing if
/// the response, to a Scan of one item, names no key, because the table is empty. Throws
/// aws::MalformedResponse.
std::optional<TableDescription> parse_key_of_scan(std::string_view body);

/// Asks DynamoDB for one item of the table, but not for its content. Throws Error.
Awaitable<std::optional<TableDescription>> describe_by_reading(aws::Client& dynamodb,
                                                               std::string table);

}  // namespace everyitem::source
