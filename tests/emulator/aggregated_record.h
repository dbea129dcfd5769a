// Reads records aggregated in the Kinesis Producer Library's format, as a consumer does but
// strictly. Written from the format's specification alone, so that it does not share
// misunderstandings with the code that writes such records.
//
//   record  = F3 89 9A C2, AggregatedRecord, the MD5 of AggregatedRecord
//   AggregatedRecord { repeated string partition_key_table = 1;
//                      repeated string explicit_hash_key_table = 2; repeated Record records = 3; }
//   Record { required uint64 partition_key_index = 1; optional uint64 explicit_hash_key_index = 2;
//            required bytes data = 3; repeated Tag tags = 4; }
//   Tag { required string key = 1; optional string value = 2; }
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "base/md5.h"

namespace everyitem::emulator {

/// What is wrong with an aggregated record. The message quotes nothing from the record.
class AggregatedRecordError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Views of the record it was in.
struct SubRecord {
  std::string_view partition_key;
  std::string_view explicit_hash_key;  ///< empty if it has none
  std::string_view data;
};

/// Whether `data` starts like an aggregated record and must be read as one.
bool is_aggregated(std::string_view data);

/// The message between the first four bytes of such data and the MD5 at its end. Empty if the data
/// is too short for both.
std::string_view message_in(std::string_view data);

/// Reads one record after another, reusing its memory.
class AggregatedRecordReader {
 public:
  /// The records in `data`, valid as long as `data` and until the next call.
  ///
  /// Throws AggregatedRecordError for everything that differs from the above, even if consumers
  /// tolerate it or treat it as a plain record: a wrong MD5, unknown fields, repeated fields,
  /// explicit hash keys that are not decimal numbers below 2^128 without leading zeros, partition
  /// keys that Kinesis rejects, and a record without records. Fields may come in any order.
  const std::vector<SubRecord>& read(std::string_view data);
  /// The same if the MD5 of message_in(data) is known, which is faster to compute for many at once
  /// (md5_each).
  const std::vector<SubRecord>& read(std::string_view data, const Md5& digest);

 private:
  struct Place {
    std::uint64_t partition_key = 0;
    std::optional<std::uint64_t> explicit_hash_key;
  };

  void read_record(std::string_view message);

  std::vector<std::string_view> partition_keys_;
  std::vector<std::string_view> explicit_hash_keys_;
  std::vector<Place> places_;  ///< the keys of each of records_, which may follow the record
  std::vector<SubRecord> records_;
};

}  // namespace everyitem::emulator
