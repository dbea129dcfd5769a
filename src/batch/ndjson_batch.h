// Items as newline-delimited JSON, for files, pipes and programs.
#pragma once

#include "batch/batch_builder.h"
#include "batch/item_format.h"

namespace everyitem::batch {

/// Size at which a batch of lines is full, in bytes. An item larger than this is a batch of its
/// own.
inline constexpr std::size_t kNdjsonBatchBytes = 1U << 20;

/// One line per item. DynamoDB sends no line breaks between the tokens of an item's JSON, and only
/// escaped ones inside strings; should a server send some, they become spaces, which between tokens
/// mean the same.
class NdjsonBuilder final : public BatchBuilder {
 public:
  /// As for FormattedItems.
  explicit NdjsonBuilder(const ItemFormat* format = nullptr) : formatted_(format) {}

  AddResult add(const source::Item& item, source::PageId page) override;
  std::size_t formatted_length(const source::Item& item) override {
    return formatted_.bytes_of(item).size();
  }
  std::string size_limit() const override { return "there is no limit"; }
  bool empty() const override { return batch_.items.empty(); }
  RecordBatch seal() override;

 private:
  FormattedItems formatted_;
  RecordBatch batch_;
};

}  // namespace everyitem::batch
