// Dead letters for what the stages find that can never be delivered.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "batch/record_batch.h"
#include "sink/dead_letters.h"
#include "sink/sink.h"
#include "source/scan_page.h"

namespace everyitem::pipeline {

/// For an item that fits into no batch; `size_limit` as BatchBuilder has it.
sink::DeadLetter too_large_letter(const source::Item& item, std::uint32_t segment,
                                  const source::KeyNames& keys, const std::string& size_limit);

/// For the items of a batch that its destination refused.
std::vector<sink::DeadLetter> refused_letters(const batch::RecordBatch& batch,
                                              std::vector<sink::RefusedItem> refused,
                                              const source::KeyNames& keys);

/// How many of the refused items are of each of batch.pages.
std::vector<std::uint64_t> count_by_page(const batch::RecordBatch& batch,
                                         const std::vector<sink::RefusedItem>& refused);

}  // namespace everyitem::pipeline
