// Reads one segment, page after page.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "aws/client.h"
#include "source/page_reader.h"
#include "source/scan_page.h"
#include "source/scan_position.h"
#include "source/scan_request.h"

namespace everyitem::source {

/// Shared by the scanners of one event loop, which it must outlive.
struct ScanContext {
  aws::Client& dynamodb;
  ScanRequests requests;
  KeyNames keys;
  std::string object;  ///< for messages: "table orders in eu-west-1"
};

class SegmentScanner final : public PageReader {
 public:
  SegmentScanner(const ScanContext& context, std::uint32_t segment, ScanPosition start)
      : context_(context), segment_(segment), position_(std::move(start)) {}

  Awaitable<ScanPage> next(std::optional<std::uint64_t> limit, aws::Pacer* pacer) override;
  const ScanPosition& position() const override { return position_; }

 private:
  const ScanContext& context_;
  std::uint32_t segment_;
  ScanPosition position_;
};

}  // namespace everyitem::source
