// The key at which a Scan continues, checked and written again: what comes from a checkpoint, or
// from a service, is never put into a request as it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace everyitem::source {

/// A value.
class StartKey {
 public:
  /// Reads a key in DynamoDB JSON: an object with exactly the attributes `names`, each once and
  /// each one S, N or B. If the names are not known (empty), it may have up to four, which is what
  /// the keys of a table and an index have together. Nothing if it is anything else.
  static std::optional<StartKey> parse(std::string_view json,
                                       const std::vector<std::string>& names);

  /// Its attributes in the order of the names, or as they came; no spaces.
  const std::string& json() const { return json_; }

  friend bool operator==(const StartKey&, const StartKey&) = default;

 private:
  explicit StartKey(std::string json) : json_(std::move(json)) {}

  std::string json_;
};

}  // namespace everyitem::source
