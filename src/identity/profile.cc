#include "identity/profile.h"

#include <fmt/format.h>

#include "base/error.h"

namespace everyitem::identity {

namespace {

std::string find_setting(const Settings& settings, std::string_view name) {
  const auto found = settings.find(name);
  return found == settings.end() ? std::string() : found->second;
}

std::string describe(const SharedConfigSource& source, bool found) {
  std::string_view finding;
  if (!source.exists) {
    finding = " (no such file)";
  } else if (!found) {
    finding = " (no such profile)";
  }
  return source.path + std::string(finding);
}

}  // namespace

std::string Profile::setting(std::string_view setting_name) const {
  return find_setting(settings, setting_name);
}

std::string Profile::service_setting(std::string_view service,
                                     std::string_view setting_name) const {
  const auto found = services.find(service);
  return found == services.end() ? std::string() : find_setting(found->second, setting_name);
}

Profile load_profile(std::string_view profile_flag, const Environment& environment) {
  std::string_view named_by = "--profile";
  Profile profile;
  profile.name = profile_flag;
  if (profile.name.empty()) {
    named_by = "AWS_PROFILE";
    profile.name = environment("AWS_PROFILE");
  }
  const bool named = !profile.name.empty();
  if (!named) {
    profile.name = "default";
  }

  const SharedConfig files = load_shared_config(environment);
  const ConfigSections& config = files.config.content.profiles;
  const ConfigSections& credentials = files.credentials.content.profiles;
  const auto in_config = config.find(profile.name);
  const auto in_credentials = credentials.find(profile.name);
  profile.place = fmt::format("profile \"{}\" in {} and {}", profile.name,
                              describe(files.config, in_config != config.end()),
                              describe(files.credentials, in_credentials != credentials.end()));
  if (named && in_config == config.end() && in_credentials == credentials.end()) {
    throw usage_error(
        fmt::format("{} names a profile that does not exist; sought: {}", named_by, profile.place),
        "Check the name, or see what there is with: aws configure list-profiles");
  }
  if (in_credentials != credentials.end()) {
    profile.settings = in_credentials->second.settings;
  }
  if (in_config != config.end()) {
    Settings from_config = in_config->second.settings;
    if (profile.settings.contains("aws_access_key_id")) {
      from_config.erase("aws_session_token");  // it belongs to the keys beside it
    }
    profile.settings.merge(from_config);
  }

  if (const std::string name = profile.setting("services"); !name.empty()) {
    const ConfigSections& sections = files.config.content.services;
    const auto section = sections.find(name);
    if (section == sections.end()) {
      throw usage_error(fmt::format("profile \"{}\" refers to [services {}], which is not in {}",
                                    profile.name, name, files.config.path),
                        "Add that section, or remove the setting \"services\".");
    }
    profile.services = section->second.nested;
  }
  const ConfigSections& sessions = files.config.content.sso_sessions;
  if (const auto session = sessions.find(profile.setting("sso_session"));
      session != sessions.end()) {
    profile.sso_session = session->second.settings;
  }
  return profile;
}

}  // namespace everyitem::identity
