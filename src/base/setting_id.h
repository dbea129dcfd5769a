// The settings of a run that are named outside the doors: in errors, hints and notices. Code below
// the doors says which setting it means, and each door how its users write it: --read-units on the
// command line, READ_UNITS in the Lambda function's environment.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace everyitem {

struct SettingUse;

/// One setting, by the name of its flag without dashes.
struct SettingId {
  std::string_view name;  ///< of static duration: "read-units"

  /// With a value: "--checkpoint dynamodb:TABLE/RUN".
  SettingUse operator()(std::string value) const;

  friend constexpr bool operator==(SettingId, SettingId) = default;
};

/// A setting as a sentence mentions it.
struct SettingUse {
  SettingId id;
  std::string value;  ///< what to give it; empty: none is mentioned

  friend bool operator==(const SettingUse&, const SettingUse&) = default;
};

inline SettingUse SettingId::operator()(std::string value) const {
  return {.id = *this, .value = std::move(value)};
}

/// What is named below the doors. src/options has all settings; its test compares the two.
namespace setting {

inline constexpr SettingId kTable{"table"};
inline constexpr SettingId kIndex{"index"};
inline constexpr SettingId kConsistent{"consistent"};
inline constexpr SettingId kFilter{"filter"};
inline constexpr SettingId kProjection{"projection"};
inline constexpr SettingId kNames{"names"};
inline constexpr SettingId kValues{"values"};
inline constexpr SettingId kStream{"stream"};
inline constexpr SettingId kTo{"to"};
inline constexpr SettingId kFormat{"format"};
inline constexpr SettingId kPartitionKey{"partition-key"};
inline constexpr SettingId kAggregate{"aggregate"};
inline constexpr SettingId kKinesisWire{"kinesis-wire"};
inline constexpr SettingId kSegments{"segments"};
inline constexpr SettingId kShare{"share"};
inline constexpr SettingId kReadUnits{"read-units"};
inline constexpr SettingId kReadPercent{"read-percent"};
inline constexpr SettingId kCheckpoint{"checkpoint"};
inline constexpr SettingId kCheckpointKmsKey{"checkpoint-kms-key"};
inline constexpr SettingId kCheckpointInterval{"checkpoint-interval"};
inline constexpr SettingId kRestart{"restart"};
inline constexpr SettingId kDeadLetters{"dead-letters"};
inline constexpr SettingId kProfile{"profile"};
inline constexpr SettingId kRoleArn{"role-arn"};
inline constexpr SettingId kExternalId{"external-id"};
inline constexpr SettingId kStreamProfile{"stream-profile"};
inline constexpr SettingId kStreamRoleArn{"stream-role-arn"};
inline constexpr SettingId kStreamExternalId{"stream-external-id"};
inline constexpr SettingId kRegion{"region"};
inline constexpr SettingId kEndpointUrl{"endpoint-url"};
inline constexpr SettingId kInsecureHttp{"insecure-http"};

}  // namespace setting

}  // namespace everyitem
