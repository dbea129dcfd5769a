// What a run has done so far, and how it ended.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace everyitem::pipeline {

/// Numbers of this process only, except for the segments.
struct RunCounters {
  std::uint64_t pages_read = 0;
  std::uint64_t items_scanned = 0;  ///< evaluated by DynamoDB, before the filter
  std::uint64_t items_read = 0;     ///< sent by DynamoDB, after the filter
  double read_units = 0;
  std::uint64_t items_delivered = 0;    ///< acknowledged by the destination
  std::uint64_t records_delivered = 0;  ///< the records they were delivered in
  std::uint64_t bytes_delivered = 0;    ///< of these, in their format
  std::uint64_t batches_delivered = 0;
  std::uint64_t pages_checkpointed = 0;
  std::uint64_t dead_letters = 0;  ///< items that the destination can never take
  std::uint32_t segments_complete = 0;
  std::uint32_t segments_failed = 0;  ///< failed in this process; the next one resumes them

  RunCounters& operator+=(const RunCounters& more) {
    pages_read += more.pages_read;
    items_scanned += more.items_scanned;
    items_read += more.items_read;
    read_units += more.read_units;
    items_delivered += more.items_delivered;
    records_delivered += more.records_delivered;
    bytes_delivered += more.bytes_delivered;
    batches_delivered += more.batches_delivered;
    pages_checkpointed += more.pages_checkpointed;
    dead_letters += more.dead_letters;
    segments_complete += more.segments_complete;
    segments_failed += more.segments_failed;
    return *this;
  }
};

/// What was packed and is not acknowledged yet.
struct Backlog {
  std::uint64_t items = 0;
  std::chrono::duration<double> time{0};  ///< that it takes at the destination's pace

  Backlog& operator+=(const Backlog& more) {
    items += more.items;
    time = std::max(time, more.time);
    return *this;
  }
};

enum class RunStatus {
  complete,       ///< every item was delivered
  limit_reached,  ///< as many items as the user asked for were delivered
  interrupted,    ///< stopped by request; what was packed was delivered, as far as time allowed
  closed,         ///< the reader closed the pipe
};

}  // namespace everyitem::pipeline
