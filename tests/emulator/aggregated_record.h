// Takes apart the records that the Kinesis Producer Library's aggregation makes of many: as a
// consumer does, but without its leniency. Written from the format's description alone, so that it
// shares no misunderstanding with what writes such records.
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

/// What is wrong with an aggregated record. It names nothing that the record holds.
class AggregatedRecordError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Views of the record that it was in.
struct SubRecord {
  std::string_view partition_key;
  std::string_view explicit_hash_key;  ///< empty where it has none
  std::string_view data;
};

/// Whether `data` begins as aggregated records do, and is to be read as one.
bool is_aggregated(std::string_view data);

/// What stands between the four bytes at the beginning of such data and the MD5 at its end. Empty
/// where there is no room for both.
std::string_view message_in(std::string_view data);

/// Reads one record after another, in the same memory.
class AggregatedRecordReader {
 public:
  /// The records in `data`, valid as long as that is and until the next call.
  ///
  /// Throws AggregatedRecordError for whatever is not as above: also where a consumer reads on or
  /// takes it for a plain record, as with a wrong MD5, unknown fields, a field that comes twice,
  /// explicit hash keys that are no decimal numbers below 2^128 without leading zeros, partition
  /// keys that Kinesis does not take, and a record of no records. Fields may come in any order.
  const std::vector<SubRecord>& read(std::string_view data);
  /// Where the MD5 of message_in(data) is known: of many, it is found faster (md5_each).
  const std::vector<SubRecord>& read(std::string_view data, const Md5& digest);

 private:
  struct Place {
    std::uint64_t partition_key = 0;
    std::optional<std::uint64_t> explicit_hash_key;
  };

  void read_record(std::string_view message);

  std::vector<std::string_view> partition_keys_;
  std::vector<std::string_view> explicit_hash_keys_;
  std::vector<Place> places_;  ///< of the keys of each of records_, which may come after it
  std::vector<SubRecord> records_;
};

}  // namespace everyitem::emulator
