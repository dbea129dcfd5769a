#include "source/json_structure.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>
#include <simdjson.h>

#include "aws/client.h"

namespace everyitem::source {

static_assert(PaddedBuffer::kPadding >= simdjson::SIMDJSON_PADDING);

namespace {

void check(simdjson::error_code error) {
  if (error != simdjson::SUCCESS) {
    throw aws::MalformedResponse(
        fmt::format("the response to Scan cannot be read: {}", simdjson::error_message(error)));
  }
}

}  // namespace

struct JsonStructure::Impl {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
};

JsonStructure::JsonStructure() : impl_(std::make_unique<Impl>()) {
  // The maximum depth only matters to stages that are not used.
  constexpr std::size_t kDepth = 1;
  check(simdjson::get_active_implementation()->create_dom_parser_implementation(0, kDepth,
                                                                                impl_->parser));
}

JsonStructure::~JsonStructure() = default;

std::span<const std::uint32_t> JsonStructure::find(const PaddedBuffer& text) {
  simdjson::internal::dom_parser_implementation& parser = *impl_->parser;
  if (text.size() > parser.capacity()) {
    check(parser.set_capacity(std::max(text.size(), 2 * parser.capacity())));
  }
  check(parser.stage1(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                      simdjson::stage1_mode::regular));
  return {parser.structural_indexes.get(), parser.n_structural_indexes};
}

}  // namespace everyitem::source
