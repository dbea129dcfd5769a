// For tests: everything a provider needs from outside, independent of the machine.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "identity/connector.h"
#include "support/fake_clock.h"
#include "support/temporary_home.h"

namespace everyitem::identity {

/// The order of the members matters: later ones use earlier ones.
struct TestConnector {
  explicit TestConnector(const Environment& environment = environment_of({}), Profile profile = {},
                         http::Timeouts timeouts = {})
      : connector(std::move(profile), context(environment, timeouts)) {}

  Context context(const Environment& environment, http::Timeouts timeouts) {
    Context all{.environment = environment,
                .clock = clock,
                .random = random,
                .timeouts = timeouts,
                .notice = [this](const Message& text) { notices.push_back(text.text()); },
                .ask =
                    [this](std::string_view question) {
                      questions.emplace_back(question);
                      return typed;
                    }};
    return all;
  }

  FakeClock clock{std::chrono::sys_days{std::chrono::year{2026} / 11 / 24} + std::chrono::hours(4)};
  Random random{20261124};
  std::vector<std::string> notices;
  std::vector<std::string> questions;
  std::optional<std::string> typed;  ///< by the user; nothing if nobody is there
  Connector connector;
};

/// A profile that does not come from a file.
inline Profile profile_with(Settings settings, std::string name = "p") {
  Profile profile;
  profile.name = std::move(name);
  profile.place = "profile \"" + profile.name + "\"";
  profile.settings = std::move(settings);
  return profile;
}

}  // namespace everyitem::identity
