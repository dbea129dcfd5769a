#include "batch/item_formats.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace everyitem::batch {

namespace {

constexpr std::array kFormats = {
    NamedItemFormat{"item", [](const ItemFormatContext&) { return std::unique_ptr<ItemFormat>(); }},
    NamedItemFormat{"plain",
                    [](const ItemFormatContext& context) -> std::unique_ptr<ItemFormat> {
                      return std::make_unique<PlainJson>(context.plain);
                    }},
};

}  // namespace

std::span<const NamedItemFormat> item_formats() { return kFormats; }

std::unique_ptr<ItemFormat> make_item_format(std::string_view name,
                                             const ItemFormatContext& context) {
  const auto found = std::ranges::find(kFormats, name, &NamedItemFormat::name);
  if (found == kFormats.end()) {
    std::array<std::string_view, kFormats.size()> names;
    std::ranges::transform(kFormats, names.begin(), &NamedItemFormat::name);
    throw std::invalid_argument(
        fmt::format("unknown record format \"{}\"; known: {}", name, fmt::join(names, ", ")));
  }
  return found->make(context);
}

}  // namespace everyitem::batch
