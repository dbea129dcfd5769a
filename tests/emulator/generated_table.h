// A table of any size that takes no memory: each item is generated from its number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace everyitem::emulator {

struct TableShape {
  std::uint64_t items = 1000;
  /// The size of an item's JSON is between these and depends on its number. At least kMinItemBytes.
  std::size_t min_item_bytes = 400;
  std::size_t max_item_bytes = 400;
  /// Bytes of items after which a page ends; DynamoDB's own is 1 MB.
  std::size_t page_bytes = 1U << 20;
  /// Items whose number is a multiple of this are lists of small numbers with at least
  /// `oversize_bytes` of JSON: within DynamoDB's 400 KB, but over a record's 1 MiB. 0: none.
  std::uint64_t oversize_every = 0;
  std::size_t oversize_bytes = 1'200'000;
  /// The provisioned capacity; faster reads are throttled. 0: on-demand and unlimited.
  double read_units_per_second = 0;
};

inline constexpr std::size_t kMinItemBytes = 64;

/// One page of a scan: the body of the response.
struct GeneratedPage {
  std::string body;
  std::uint64_t items = 0;
  /// As DynamoDB counts them: half a unit per started 4 KiB, twice that for strong consistency, and
  /// half a unit for an empty page.
  double read_units = 0;
};

/// Pure, and cheap enough to answer at memory speed. May be used from any thread.
class GeneratedTable {
 public:
  explicit GeneratedTable(TableShape shape);

  const TableShape& shape() const { return shape_; }

  /// Appends the JSON of item `number`, below shape().items.
  void append_item(std::string& out, std::uint64_t number) const;
  /// Whether `json` is item `number`, byte for byte, without generating that item.
  bool is_item(std::string_view json, std::uint64_t number) const;
  /// The number of an item, from the key in its JSON; nothing if it is not one of this table's.
  std::optional<std::uint64_t> number_of(std::string_view json) const;

  bool is_oversize(std::uint64_t number) const {
    return shape_.oversize_every > 0 && number % shape_.oversize_every == 0;
  }

  /// The key of item `number`, in the form of LastEvaluatedKey.
  static std::string key(std::uint64_t number);

  struct PageRequest {
    std::uint32_t segment = 0;
    std::uint32_t total_segments = 1;
    /// The item that ExclusiveStartKey names.
    std::optional<std::uint64_t> after;
    std::optional<std::uint64_t> limit;
    bool consistent_read = false;
    bool return_consumed_capacity = true;
  };

  /// Nothing if `after` is not an item of that segment, which DynamoDB rejects.
  std::optional<GeneratedPage> page(const PageRequest& request) const;

 private:
  /// The parts of an item around its number.
  struct Parts {
    std::string_view middle;
    std::string_view filling;  ///< a slice of a filler
    std::string_view tail;
  };

  std::size_t size_of(std::uint64_t number) const;
  Parts parts_of(std::uint64_t number) const;

  TableShape shape_;
  std::string filler_;
  std::string list_filler_;  ///< of oversize items
};

}  // namespace everyitem::emulator
