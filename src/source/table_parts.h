// The segments of a parallel Scan, as parts to read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "source/page_reader.h"
#include "source/segment_scanner.h"

namespace everyitem::source {

class TableParts final : public PartSource {
 public:
  /// What `context` refers to outlives this.
  explicit TableParts(ScanContext context) : context_(std::move(context)) {}

  std::unique_ptr<PageReader> open(std::uint32_t part, ScanPosition position) override {
    return std::make_unique<SegmentScanner>(context_, part, position);
  }
  const KeyNames& keys() const override { return context_.keys; }
  std::optional<ScanPosition> position_after(const Item& item) const override;
  std::optional<std::uint64_t> page_limit(std::uint64_t items_left) const override;

 private:
  ScanContext context_;
};

}  // namespace everyitem::source
