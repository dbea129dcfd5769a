// Reads aggregated records back, for tests, with protozero's reader.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <protozero/pbf_message.hpp>

#include "batch/aggregation_format.h"

namespace everyitem::batch {

/// The data of each item of an aggregated record, in order; or `data` itself if it is not one.
inline std::vector<std::string> items_in(std::string_view data) {
  if (!data.starts_with(kAggregationMagic)) {
    return {std::string(data)};
  }
  data.remove_prefix(kAggregationMagic.size());
  data.remove_suffix(kAggregationDigestBytes);
  std::vector<std::string> items;
  protozero::pbf_message<AggregatedField> record(data.data(), data.size());
  while (record.next(AggregatedField::records, protozero::pbf_wire_type::length_delimited)) {
    protozero::pbf_message<AggregatedItemField> item(record.get_message());
    while (item.next(AggregatedItemField::data, protozero::pbf_wire_type::length_delimited)) {
      items.push_back(item.get_bytes());
    }
  }
  return items;
}

}  // namespace everyitem::batch
