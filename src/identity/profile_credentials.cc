#include "identity/profile_credentials.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "identity/assume_role_credentials.h"
#include "identity/container_credentials.h"
#include "identity/environment_credentials.h"
#include "identity/login_credentials.h"
#include "identity/metadata_credentials.h"
#include "identity/process_credentials.h"
#include "identity/profile_keys.h"
#include "identity/sso_credentials.h"
#include "identity/web_identity_credentials.h"

namespace everyitem::identity {

namespace {

using Provider = std::unique_ptr<aws::CredentialsProvider>;

std::string described(const Profile& profile) {
  return fmt::format("profile \"{}\"", profile.name);
}

/// Nothing if the profile leaves the duration to STS.
std::optional<std::chrono::seconds> session_duration(const Profile& profile) {
  const std::string text = profile.setting("duration_seconds");
  if (text.empty()) {
    return std::nullopt;
  }
  constexpr int kMin = 900;  // STS API reference, AssumeRole
  constexpr int kMax = 43200;
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (!is_number || seconds < kMin || seconds > kMax) {
    throw usage_error(fmt::format("{}: duration_seconds is \"{}\"", described(profile), text),
                      fmt::format("Give seconds, from {} to {}.", kMin, kMax));
  }
  return std::chrono::seconds(seconds);
}

/// Creates the provider for a profile, and those for the profiles it refers to.
class ProviderOfProfile {
 public:
  explicit ProviderOfProfile(Connector& connector) : connector_(connector) {}

  /// In the order of the AWS tools. Null if the profile has no credentials settings.
  Provider make(const Profile& profile) {
    if (has_role(profile)) {
      return make_role(profile);
    }
    return make_without_role(profile);
  }

 private:
  static bool has_role(const Profile& profile) {
    return !profile.setting("role_arn").empty() &&
           profile.setting("web_identity_token_file").empty();
  }

  Provider make_without_role(const Profile& profile) {
    if (!profile.setting("web_identity_token_file").empty()) {
      return std::make_unique<WebIdentityCredentials>(connector_, web_identity_of(profile));
    }
    if (!profile.setting("sso_session").empty() || !profile.setting("sso_start_url").empty()) {
      return std::make_unique<SsoCredentials>(connector_, profile);
    }
    const bool has_login = !profile.setting("login_session").empty();
    const bool has_process = !profile.setting("credential_process").empty();
    if (has_keys(profile) &&
        (profile.keys_are_in_credentials_file || !(has_login || has_process))) {
      return std::make_unique<ProfileKeys>(profile);
    }
    if (has_login) {
      return std::make_unique<LoginCredentials>(connector_, profile);
    }
    if (has_process) {
      return std::make_unique<ProcessCredentials>(connector_, profile);
    }
    return nullptr;
  }

  Provider make_role(const Profile& profile) {
    Role role;
    role.arn = profile.setting("role_arn");
    role.session_name = profile.setting("role_session_name");
    role.external_id = profile.setting("external_id");
    role.mfa_serial = profile.setting("mfa_serial");
    role.duration = session_duration(profile);
    role.named_by = described(profile);
    return std::make_unique<AssumeRoleCredentials>(connector_, std::move(role),
                                                   make_source(profile));
  }

  Provider make_source(const Profile& profile) {
    const std::string source_profile = profile.setting("source_profile");
    const std::string source = profile.setting("credential_source");
    if (source_profile.empty() == source.empty()) {
      throw usage_error(
          fmt::format("{} has role_arn and {} of source_profile and credential_source",
                      described(profile), source.empty() ? "none" : "both"),
          "Set exactly one of them; it says which credentials assume the role.");
    }
    if (!source_profile.empty()) {
      return make_source_profile(profile, source_profile);
    }
    if (source == "Environment") {
      return std::make_unique<EnvironmentCredentials>(connector_.environment());
    }
    if (source == "EcsContainer") {
      return std::make_unique<ContainerCredentials>(connector_);
    }
    if (source == "Ec2InstanceMetadata") {
      return std::make_unique<MetadataCredentials>(connector_);
    }
    throw usage_error(
        fmt::format("{}: there is no credential_source \"{}\"", described(profile), source),
        "Use Environment, EcsContainer or Ec2InstanceMetadata.");
  }

  Provider make_source_profile(const Profile& profile, const std::string& name) {
    const std::optional<Profile> source = find_profile(name, connector_.environment());
    if (!source) {
      throw usage_error(
          fmt::format("{} has source_profile = {}, which does not exist", described(profile), name),
          "Check the name, or list the profiles with: aws configure list-profiles");
    }
    // A profile may refer to itself if it has the keys that assume its role.
    if (has_keys(*source)) {
      return std::make_unique<ProfileKeys>(*source);
    }
    visited_.push_back(profile.name);
    if (std::ranges::find(visited_, name) != visited_.end()) {
      visited_.push_back(name);
      throw usage_error(fmt::format("the profiles refer to each other in a circle: {}",
                                    fmt::join(visited_, " -> ")),
                        "The last source_profile must have credentials of its own.");
    }
    Provider provider = make(*source);
    if (!provider) {
      throw usage_error(fmt::format("{} has source_profile = {}, which has no credentials",
                                    described(profile), name),
                        "Give that profile credentials, or name another.");
    }
    return provider;
  }

  Connector& connector_;
  std::vector<std::string> visited_;
};

}  // namespace

ProfileCredentials::ProfileCredentials(std::string profile_flag, Connector& connector)
    : profile_flag_(std::move(profile_flag)), connector_(connector) {}

Awaitable<std::optional<aws::Credentials>> ProfileCredentials::find() {
  const Profile profile = load_profile(profile_flag_, connector_.environment());
  place_ = profile.place;
  if (!provider_ || profile != profile_) {
    provider_ = ProviderOfProfile(connector_).make(profile);
    profile_ = profile;
  }
  if (!provider_) {
    co_return std::nullopt;
  }
  std::optional<aws::Credentials> found = co_await provider_->find();
  place_ = provider_->place();
  co_return found;
}

void ProfileCredentials::invalidate() {
  if (provider_) {
    provider_->invalidate();
  }
}

}  // namespace everyitem::identity
