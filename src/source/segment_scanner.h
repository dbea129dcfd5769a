// Reads one segment, page after page.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "aws/client.h"
#include "source/scan_page.h"
#include "source/scan_position.h"
#include "source/scan_request.h"

namespace everyitem::source {

/// What the scanners of a run share. Outlives them.
struct ScanContext {
  aws::Client& dynamodb;
  const ScanRequests& requests;
  KeyNames keys;
  std::string object;  ///< for messages: "table orders in eu-west-1"
  aws::RetryLimits limits = {};
};

/// One event loop; one `next` at a time.
class SegmentScanner {
 public:
  SegmentScanner(const ScanContext& context, std::uint32_t segment, ScanPosition start)
      : context_(context), segment_(segment), position_(std::move(start)) {}

  /// Reads the next page; the segment must not be complete. `limit`: at most this many items are
  /// looked at, where given. `pacer`: as aws::Call has it. A page may hold no items without being
  /// the last. Throws Error.
  Awaitable<ScanPage> next(std::optional<std::uint64_t> limit, aws::Pacer* pacer = nullptr);

  /// Where the page after the one that `next` gave last begins.
  const ScanPosition& position() const { return position_; }

 private:
  const ScanContext& context_;
  std::uint32_t segment_;
  ScanPosition position_;
};

}  // namespace everyitem::source
