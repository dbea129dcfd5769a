// How a lane reads: parts, page after page, whatever they are parts of.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "aws/pacer.h"
#include "base/async.h"
#include "source/scan_page.h"
#include "source/scan_position.h"

namespace everyitem::source {

/// Reads one part from where it is opened to its end. One event loop; one `next` at a time.
class PageReader {
 public:
  PageReader() = default;
  PageReader(const PageReader&) = delete;
  PageReader& operator=(const PageReader&) = delete;
  virtual ~PageReader() = default;

  /// Reads the next page; the part must not be complete. `limit`: looks at no more items than this.
  /// `pacer` is the one of aws::Call and may be null. A page without items need not be the last.
  /// Throws Error if the rest of the part cannot be read, system_error(operation_aborted) when
  /// cancelled.
  virtual Awaitable<ScanPage> next(std::optional<std::uint64_t> limit, aws::Pacer* pacer) = 0;

  /// Where the page after the one last returned by `next` begins.
  virtual const ScanPosition& position() const = 0;
};

/// Opens the parts of a source for one event loop. Outlives its readers.
class PartSource {
 public:
  PartSource() = default;
  PartSource(const PartSource&) = delete;
  PartSource& operator=(const PartSource&) = delete;
  virtual ~PartSource() = default;

  virtual std::unique_ptr<PageReader> open(std::uint32_t part, ScanPosition position) = 0;

  /// The attributes that identify an item.
  virtual const KeyNames& keys() const = 0;

  /// Where reading continues after `item`, so that a page can be cut there; nothing when it cannot.
  virtual std::optional<ScanPosition> position_after(const Item& item) const = 0;

  /// The `limit` for a page when only `items_left` more items are wanted; nothing when reading a
  /// whole page and cutting it costs less.
  virtual std::optional<std::uint64_t> page_limit(std::uint64_t items_left) const = 0;
};

}  // namespace everyitem::source
