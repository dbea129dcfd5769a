// What a run reads: all parameters of the Scan, and the request for a page.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/start_key.h"

namespace everyitem::source {

/// Scan parameters that are passed through. Empty means absent.
struct ScanParameters {
  std::string table;  ///< a name or an ARN
  std::string index;
  bool consistent_read = false;
  std::string filter_expression;
  std::string projection_expression;
  std::string attribute_names;   ///< ExpressionAttributeNames, a JSON object
  std::string attribute_values;  ///< ExpressionAttributeValues, a JSON object
};

/// Throws a usage error unless names and values are JSON objects in the form DynamoDB accepts:
/// {"#n": "name"} and {":v": {"S": "value"}}.
void validate(const ScanParameters& parameters);

/// Builds the bodies of a run's Scan requests. TotalSegments is between 1 and kMaxSegments.
class ScanRequests {
 public:
  ScanRequests(const ScanParameters& parameters, std::uint32_t total_segments);

  /// The request for the page of `segment` after `start`, or for its first if that is null. If
  /// given, `limit` (1 or more) is the maximum number of items to evaluate.
  std::string page(std::uint32_t segment, const StartKey* start,
                   std::optional<std::uint64_t> limit) const;

  /// The texts and numbers in ExpressionAttributeValues, which are not shown.
  const std::vector<std::string>& values() const { return values_; }
  /// Whether DynamoDB sends fewer items than it evaluates.
  bool filtered() const { return filtered_; }
  /// Whether an index is scanned.
  bool of_index() const { return of_index_; }

 private:
  std::vector<std::string> values_;
  std::string common_;  ///< the part of the body that is the same for all pages
  bool filtered_;
  bool of_index_;
};

}  // namespace everyitem::source
