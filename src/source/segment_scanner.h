// Reads one segment, page after page.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/client.h"
#include "source/page_reader.h"
#include "source/scan_page.h"
#include "source/scan_position.h"
#include "source/scan_request.h"
#include "source/start_key.h"

namespace everyitem::source {

/// Shared by the scanners of one event loop, which it must outlive.
struct ScanContext {
  aws::Client& dynamodb;
  ScanRequests requests;
  KeyNames keys;
  std::vector<std::string> position_names;  ///< TableDescription's
  std::string object;                       ///< for messages: "table orders in eu-west-1"
};

class SegmentScanner final : public PageReader {
 public:
  /// Throws Error if `start` is not a position in the table.
  SegmentScanner(const ScanContext& context, std::uint32_t segment, const ScanPosition& start);

  Awaitable<ScanPage> next(std::optional<std::uint64_t> limit, aws::Pacer* pacer) override;
  const ScanPosition& position() const override { return position_; }

 private:
  const ScanContext& context_;
  std::uint32_t segment_;
  std::optional<StartKey> start_;  ///< of the next page; nothing: it is the first
  ScanPosition position_;          ///< the same
};

}  // namespace everyitem::source
