// The profile that counts: the settings of the shared files for one name.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/environment.h"
#include "identity/shared_config_file.h"

namespace everyitem::identity {

struct Profile {
  std::string name;
  /// Where it was sought and whether it was there, for messages:
  /// `profile "default" in ~/.aws/config and ~/.aws/credentials (no such file)`.
  std::string place;
  /// Of both files; where both give a setting, the credentials file's counts.
  Settings settings;
  /// From the section that the setting `services` names: settings by the service's name.
  std::map<std::string, Settings, std::less<>> services;
  /// Of the [sso-session NAME] that the setting `sso_session` names; nothing when it names none, or
  /// one that is not there.
  std::optional<Settings> sso_session;

  /// Empty when it is not given.
  std::string setting(std::string_view setting_name) const;
  /// The setting for one service, "dynamodb"; empty when it is not given.
  std::string service_setting(std::string_view service, std::string_view setting_name) const;
};

/// Reads the shared files for the profile named by `profile_flag` (the value of --profile; empty
/// when not given), else by AWS_PROFILE, else "default". Throws a usage error that says where it
/// was sought when a profile that was named does not exist; without a name it is empty then.
/// Throws what load_shared_config throws.
Profile load_profile(std::string_view profile_flag, const Environment& environment);

}  // namespace everyitem::identity
