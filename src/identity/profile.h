// A profile: the settings for one name in the shared files.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/environment.h"
#include "identity/shared_config_file.h"

namespace everyitem::identity {

struct Profile {
  std::string name;
  /// Where the profile was looked for and whether it was found, for messages:
  /// `profile "default" in ~/.aws/config and ~/.aws/credentials (no such file)`.
  std::string place;
  /// From both files; if both have a setting, the credentials file wins.
  Settings settings;
  /// From the section named by the setting `services`: settings by service name.
  std::map<std::string, Settings, std::less<>> services;
  /// From the section [sso-session NAME] named by the setting `sso_session`; nothing if there is no
  /// such setting or section.
  std::optional<Settings> sso_session;
  /// Matters if there is also a login_session or credential_process: keys in that file come first.
  bool keys_are_in_credentials_file = false;

  /// Files that are there and could not be read, each with the reason.
  std::vector<std::string> unread_files;
  /// The file with this profile's secret key, if every user of the machine can read it.
  std::string exposed_file;

  /// Empty if it is not set.
  std::string setting(std::string_view setting_name) const;
  /// The setting for one service, such as "dynamodb"; empty if it is not set.
  std::string service_setting(std::string_view service, std::string_view setting_name) const;

  friend bool operator==(const Profile&, const Profile&) = default;
};

/// Reads the shared files for the profile named by `profile_flag` (the value of --profile; empty if
/// not given), otherwise by AWS_PROFILE or AWS_DEFAULT_PROFILE, otherwise "default". If a named
/// profile does not exist, throws a usage error that says where it was looked for; a missing
/// "default" is empty. Throws what load_shared_config throws.
Profile load_profile(std::string_view profile_flag, const Environment& environment);

/// The profile of this name, or nothing if it does not exist. Throws what load_shared_config
/// throws.
std::optional<Profile> find_profile(std::string_view name, const Environment& environment);

}  // namespace everyitem::identity
