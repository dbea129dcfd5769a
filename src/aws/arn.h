// Amazon Resource Names, and the settings that take a name or an ARN.
#pragma once

#include <string>
#include <string_view>

#include "base/message.h"

namespace everyitem::aws {

/// arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE
struct Arn {
  std::string partition;
  std::string service;
  std::string region;    ///< empty for services without regions
  std::string account;   ///< empty for services that leave it out
  std::string resource;  ///< "table/orders"; may contain colons

  friend bool operator==(const Arn&, const Arn&) = default;
};

/// Whether `text` is meant to be an ARN; it may still be invalid.
bool is_arn(std::string_view text);

/// Throws a usage error that names `setting` and `text` if a part is missing. Region and account
/// may be empty.
Arn parse_arn(std::string_view text, const Message& setting);

/// Where the resource is, for the user: "us-east-1, account 123456789012". `region` is used if the
/// ARN is empty or not one.
std::string place_of(std::string_view arn, std::string_view region);

/// The account of the resource; empty if the ARN is empty, not one, or leaves it out.
std::string account_of(std::string_view arn);

/// A table or stream, as given by the user.
struct ResourceName {
  std::string name;
  std::string arn;     ///< empty when it was given by its name
  std::string region;  ///< the ARN's; empty if it was given by name

  friend bool operator==(const ResourceName&, const ResourceName&) = default;
};

/// The value of `setting`: a table's name or its ARN. Throws a usage error that says
/// what was given and what is expected.
ResourceName parse_table(std::string_view value, const Message& setting);

/// The value of `setting`: a Kinesis data stream's name or its ARN; like parse_table.
ResourceName parse_stream(std::string_view value, const Message& setting);

}  // namespace everyitem::aws
