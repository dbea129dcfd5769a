#include "batch/record_batch.h"

#include <numeric>
#include <stdexcept>

namespace everyitem::batch {

std::size_t RecordBatch::page_index(std::size_t item_index) const {
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    end += pages[i].items;
    if (item_index < end) {
      return i;
    }
  }
  throw std::out_of_range("the batch has no such item");
}

std::uint64_t RecordBatch::item_bytes() const {
  std::uint64_t bytes = 0;
  for (const BatchItem& item : items) {
    bytes += item.length;
  }
  return bytes;
}

std::uint64_t RecordBatch::formatted_bytes() const {
  return formatted_lengths.empty() ? item_bytes()
                                   : std::accumulate(formatted_lengths.begin(),
                                                     formatted_lengths.end(), std::uint64_t{0});
}

std::size_t RecordBatch::separate_keys_bytes() const {
  std::size_t bytes = 0;
  for (const std::string& key : separate_keys) {
    bytes += sizeof(std::string) + key.size();
  }
  return bytes;
}

}  // namespace everyitem::batch
