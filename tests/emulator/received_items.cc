#include "emulator/received_items.h"

namespace everyitem::emulator {

ReceivedItems::ReceivedItems(const GeneratedTable& table)
    : table_(table), seen_(table.shape().items) {}

void ReceivedItems::add(std::string_view data) {
  const auto number = table_.number_of(data);
  if (!number) {
    ++counts_.unknown;
    return;
  }
  if (!table_.is_item(data, *number)) {
    ++counts_.altered;
  } else if (seen_[*number]) {
    ++counts_.duplicates;
  } else {
    seen_[*number] = true;
    ++counts_.distinct;
  }
}

}  // namespace everyitem::emulator
