#include "run/record_format.h"

#include "batch/item_formats.h"

namespace everyitem::run {

std::unique_ptr<batch::ItemFormat> record_format(const ScanSettings& settings) {
  return batch::make_item_format(
      settings.format, {.table = settings.table.name, .keys = {}, .plain = settings.plain});
}

checkpoint::RunIdentity format_identity(const ScanSettings& settings) {
  std::string value = settings.format == "item" ? "" : settings.format;
  value += settings.plain.numbers_as_strings ? ", numbers as strings" : "";
  value += settings.plain.with_types ? ", with types" : "";
  return {{"format", std::move(value)}};
}

}  // namespace everyitem::run
