#include "checkpoint/checkpoint_store.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>

#include <fmt/format.h>

#include "checkpoint/stable_hash.h"

namespace everyitem::checkpoint {

namespace {

std::string shown(std::string_view value) {
  return value.empty() ? "none" : fmt::format("\"{}\"", value);
}

std::string_view value_of(const RunIdentity& identity, std::string_view name) {
  const auto part = std::ranges::find(identity, name, &IdentityPart::name);
  return part == identity.end() ? std::string_view() : part->value;
}

/// Letters, digits and what else is harmless in a file's name, 60 characters at most.
std::string file_name_part(std::string_view text) {
  std::string part(text.substr(0, 60));
  std::ranges::replace_if(
      part,
      [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '_' && c != '.'; },
      '_');
  return part;
}

std::uint64_t sum_of(const std::vector<SegmentProgress>& segments,
                     std::uint64_t SegmentProgress::*number) {
  return std::accumulate(segments.begin(), segments.end(), std::uint64_t{0},
                         [number](std::uint64_t sum, const SegmentProgress& segment) {
                           return sum + segment.*number;
                         });
}

}  // namespace

std::vector<SegmentProgress> fresh_segments(std::uint32_t count) {
  std::vector<SegmentProgress> segments(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    segments[i].segment = i;
  }
  return segments;
}

bool RunState::complete() const {
  return std::ranges::all_of(
      segments, [](const SegmentProgress& segment) { return segment.position.complete; });
}

std::uint64_t RunState::items() const { return sum_of(segments, &SegmentProgress::items); }

std::uint64_t RunState::bytes() const { return sum_of(segments, &SegmentProgress::bytes); }

std::uint64_t RunState::dead_letters() const {
  return sum_of(segments, &SegmentProgress::dead_letters);
}

std::vector<std::string> differences(const RunIdentity& stored, const RunIdentity& wanted) {
  std::vector<std::string> lines;
  for (const IdentityPart& part : wanted) {
    const std::string_view before = value_of(stored, part.name);
    if (before == part.value || (part.reported && before.empty())) {
      continue;
    }
    const bool unknown = part.reported && part.value.empty();
    lines.push_back(fmt::format("{}: was {}, is now {}", part.name, shown(before),
                                unknown ? "not known" : shown(part.value)));
  }
  return lines;
}

std::string new_run_token() {
  std::random_device random;  // a seeded generator would have no more bits than its seed
  std::string token;
  for (int i = 0; i < 4; ++i) {
    token += fmt::format("{:08x}", random());
  }
  return token;
}

std::string default_checkpoint_path(std::string_view state_home, std::string_view table,
                                    std::string_view destination, std::string_view key) {
  return fmt::format("{}/everyitem/{}--{}--{:016x}.sqlite", state_home, file_name_part(table),
                     file_name_part(destination), stable_hash(key));
}

}  // namespace everyitem::checkpoint
