// What cannot be delivered: dead letters for it, and how much is delivered without it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "batch/batch_builder.h"
#include "batch/record_batch.h"
#include "sink/dead_letters.h"
#include "sink/sink.h"
#include "source/scan_page.h"

namespace everyitem::pipeline {

/// For an item that fits into no batch of `builder`.
sink::DeadLetter too_large_letter(const source::Item& item, std::uint32_t segment,
                                  const source::KeyNames& keys, batch::BatchBuilder& builder);

/// For the items of a batch that its destination refused, in the order of `refused`. Key, segment
/// and item are those of the item as it was read, whatever the destination was sent.
std::vector<sink::DeadLetter> refused_letters(const batch::RecordBatch& batch,
                                              std::vector<sink::RefusedItem> refused,
                                              const source::KeyNames& keys);

/// What a destination took of a batch.
struct Delivered {
  std::uint64_t items = 0;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;                     ///< of the items in their format
  std::uint64_t batch_bytes = 0;               ///< of all in the batch, as they were read
  std::vector<std::uint64_t> refused_by_page;  ///< items refused, for each of RecordBatch::pages
};

Delivered delivered_of(const batch::RecordBatch& batch,
                       const std::vector<sink::RefusedItem>& refused);

}  // namespace everyitem::pipeline
