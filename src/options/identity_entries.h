// The settings that say who calls, and where: those of every verb.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "identity/identity.h"
#include "options/setting_entry.h"
#include "options/setting_text.h"

namespace everyitem::options {

inline constexpr std::string_view kIdentityGroup = "Who and where";

/// `flags_of(target)` is the IdentityFlags of a verb's target.
template <typename Target, typename FlagsOf>
std::vector<SettingEntry<Target>> identity_entries(FlagsOf flags_of) {
  const auto text = [flags_of](std::string identity::IdentityFlags::*member) {
    return [flags_of, member](Target& target, SettingId /*id*/, std::string_view value) {
      flags_of(target).*member = value;
    };
  };
  const auto role = [flags_of](Target& target, SettingId id, std::string_view value) {
    flags_of(target).role_arn = parse_role(id, value);
  };
  constexpr SettingClass kWho = SettingClass::where_and_who;
  using Flags = identity::IdentityFlags;
  return {
      {setting::kProfile, kWho, SettingDoors::command_line, kIdentityGroup, "NAME",
       "Use this profile of the AWS configuration files", text(&Flags::profile)},
      {setting::kRoleArn, kWho, SettingDoors::all, kIdentityGroup, "ARN",
       "Assume this role, with the credentials found", role},
      {setting::kExternalId, kWho, SettingDoors::all, kIdentityGroup, "ID",
       "The external ID that this role requires", text(&Flags::external_id)},
      {setting::kRegion, kWho, SettingDoors::all, kIdentityGroup, "REGION",
       "The AWS region of the table and the stream", text(&Flags::region)},
      {setting::kEndpointUrl, kWho, SettingDoors::all, kIdentityGroup, "URL",
       "Call all services at this URL. AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_KINESIS and "
       "AWS_ENDPOINT_URL_SSM set one per service",
       text(&Flags::endpoint_url)},
      {setting::kInsecureHttp, kWho, SettingDoors::all, kIdentityGroup, "",
       "Allow http:// endpoints on other machines; anyone on the network path can read the traffic",
       [flags_of](Target& target, SettingId id, std::string_view value) {
         flags_of(target).insecure_http = parse_switch(id, value);
       }},
  };
}

}  // namespace everyitem::options
