#include "identity/profile.h"

#include <utility>

#include <fmt/format.h>

#include "base/error.h"

namespace everyitem::identity {

namespace {

std::string find_setting(const Settings& settings, std::string_view name) {
  const auto found = settings.find(name);
  return found == settings.end() ? std::string() : found->second;
}

std::string describe(const SharedConfigSource& source, bool found) {
  const std::string_view finding = found                    ? std::string_view()
                                   : source.problem.empty() ? std::string_view("no such profile")
                                                            : std::string_view(source.problem);
  return finding.empty() ? source.path : fmt::format("{} ({})", source.path, finding);
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

namespace {

/// Returned even if the profile does not exist; `found` tells.
Profile read_profile(std::string_view name, const Environment& environment, bool& found) {
  Profile profile;
  profile.name = name;
  const SharedConfig files = load_shared_config(environment);
  const ConfigSections& config = files.config.content.profiles;
  const ConfigSections& credentials = files.credentials.content.profiles;
  const auto in_config = config.find(profile.name);
  const auto in_credentials = credentials.find(profile.name);
  found = in_config != config.end() || in_credentials != credentials.end();
  profile.place = fmt::format("profile \"{}\" in {} and {}", profile.name,
                              describe(files.config, in_config != config.end()),
                              describe(files.credentials, in_credentials != credentials.end()));
  if (in_credentials != credentials.end()) {
    profile.settings = in_credentials->second.settings;
    profile.keys_are_in_credentials_file = profile.settings.contains("aws_access_key_id");
  }
  if (in_config != config.end()) {
    Settings from_config = in_config->second.settings;
    if (profile.keys_are_in_credentials_file) {
      from_config.erase("aws_session_token");  // it belongs to the keys next to it
    }
    profile.settings.merge(from_config);
  }

  for (const SharedConfigSource* file : {&files.config, &files.credentials}) {
    if (!file->problem.empty() && !file->absent) {
      profile.unread_files.push_back(fmt::format("{}: {}", file->path, file->problem));
    }
    const auto section = file->content.profiles.find(profile.name);
    if (file->readable_by_others && section != file->content.profiles.end() &&
        section->second.settings.contains("aws_secret_access_key")) {
      profile.exposed_file = file->path;
    }
  }

  if (const std::string services = profile.setting("services"); !services.empty()) {
    const ConfigSections& sections = files.config.content.services;
    const auto section = sections.find(services);
    if (section == sections.end()) {
      throw usage_error(
          fmt::format("profile \"{}\" refers to [services {}], which does not exist in {}",
                      profile.name, services, files.config.path),
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

}  // namespace

std::optional<Profile> find_profile(std::string_view name, const Environment& environment) {
  bool found = false;
  Profile profile = read_profile(name, environment, found);
  return found ? std::optional(std::move(profile)) : std::nullopt;
}

Profile load_profile(std::string_view profile_flag, const Environment& environment) {
  struct Named {
    Message by;
    std::string name;
  };
  for (const Named& named : {Named{setting::kProfile, std::string(profile_flag)},
                             Named{"AWS_PROFILE", environment("AWS_PROFILE")},
                             Named{"AWS_DEFAULT_PROFILE", environment("AWS_DEFAULT_PROFILE")}}) {
    if (named.name.empty()) {
      continue;
    }
    bool found = false;
    Profile profile = read_profile(named.name, environment, found);
    if (!found) {
      throw usage_error(
          named.by + " names a profile that does not exist; looked in: " + profile.place,
          "Check the name, or list the profiles with: aws configure list-profiles");
    }
    return profile;
  }
  bool found = false;
  return read_profile("default", environment, found);
}

}  // namespace everyitem::identity
