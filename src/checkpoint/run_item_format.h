// The items that a run is in a DynamoDB table of checkpoints, as JSON: one for its record, one for
// each of its segments, one for each process that shares it (docs/checkpoint_format.md). Nothing is
// called here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "checkpoint/checkpoint_store.h"
#include "checkpoint/run_record.h"
#include "checkpoint/shared_run.h"

namespace everyitem::checkpoint {

/// The sort key of a run's record.
inline constexpr const char* kRunItem = "run";

/// The sort key of a segment, and what those of a run begin with; of all runs if `token` is empty.
std::string segment_name(std::string_view token, std::uint32_t segment);
std::string segment_prefix(std::string_view token);

/// `key`: the item's key attributes.
boost::json::object run_item(boost::json::object key, const RunRecord& record);
/// Throws DamagedCheckpoint, or Error if a later version of everyitem wrote it. `location`: for the
/// message.
RunRecord parse_run_item(const boost::json::object& item, const std::string& location);

/// `key`: the item's key attributes, with segment_name.
boost::json::object segment_item(boost::json::object key, const std::string& token,
                                 const StoredSegment& segment);
/// Nothing if it is of another run. Throws DamagedCheckpoint.
std::optional<StoredSegment> parse_segment_item(const boost::json::object& item,
                                                const std::string& token,
                                                const std::string& location);

/// What the sort keys of those who share a run begin with, of any run or of one; their names
/// follow.
inline constexpr std::string_view kSharerPrefix = "sharer-";
std::string sharer_prefix(std::string_view token);
/// `key`: the item's key attributes.
boost::json::object sharer_item(boost::json::object key, const Sharer& sharer);
/// Throws DamagedCheckpoint.
Sharer parse_sharer_item(const boost::json::object& item, std::string_view token,
                         const std::string& location);

/// The item of a segment cannot be read.
DamagedCheckpoint damaged_segment(const std::string& location, std::string_view what);

}  // namespace everyitem::checkpoint
