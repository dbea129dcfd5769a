// Items as newline-delimited JSON, for files, pipes and programs.
#pragma once

#include "batch/batch_builder.h"

namespace everyitem::batch {

/// Bytes at which a batch of lines is full. An item larger than this is a batch of its own.
inline constexpr std::size_t kNdjsonBatchBytes = 1U << 20;

/// One line an item: its DynamoDB JSON as it came, on one line. DynamoDB sends no line breaks
/// outside of strings and none unescaped inside; should a server do, they become spaces, which
/// between tokens mean the same.
class NdjsonBuilder final : public BatchBuilder {
 public:
  AddResult add(const source::Item& item, source::PageId page) override;
  std::string size_limit() const override { return "there is none"; }
  const RecordBatch& current() const override { return batch_; }
  RecordBatch seal() override;

 private:
  RecordBatch batch_;
};

}  // namespace everyitem::batch
