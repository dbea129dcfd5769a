// For tests of what a run reads or fills: it is described with a server of the test's own.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "base/message.h"
#include "run/run_loops.h"
#include "run/run_services.h"
#include "run/scan_settings.h"
#include "support/fake_clock.h"
#include "support/test_server.h"

namespace everyitem::run {

inline std::vector<std::string> texts_of(const std::vector<Message>& messages) {
  std::vector<std::string> texts;
  texts.reserve(messages.size());
  for (const Message& message : messages) {
    texts.push_back(message.text());
  }
  return texts;
}

/// What STS says who calls: somebody of account 123456789012.
inline std::string caller_of_account() {
  return http::answer(
      "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>"
      "<Arn>arn:aws:iam::123456789012:user/me</Arn><UserId>AIDA</UserId>"
      "</GetCallerIdentityResult></GetCallerIdentityResponse>");
}

class DescribedEndTest : public testing::Test {
 protected:
  /// What `describe(services)` makes, with all services at a server that does `serve`.
  template <typename End, typename Serve, typename Describe>
  std::unique_ptr<End> described(Serve serve, Describe describe) {
    services_.reset();
    server_.emplace(loop_, std::move(serve));
    const std::string url = server_->endpoint().url();
    context_.emplace(RunContext{.environment = environment(url), .clock = clock_});
    loops_.emplace(loop_.get_executor(), 1);
    services_.emplace(*loops_, settings_, *context_,
                      [this](const Message& text) { told_.push_back(text.text()); });
    std::unique_ptr<End> end;
    const auto work = [&]() -> Awaitable<void> { end = co_await describe(*services_); };
    http::run(loop_, work());
    return end;
  }

  RunLoop& home() { return loops_->home(); }

  static Environment environment(const std::string& url) {
    return [url](std::string_view name) -> std::string {
      if (name == "AWS_ENDPOINT_URL") {
        return url;
      }
      if (name == "AWS_REGION") {
        return "eu-west-1";
      }
      return name == "AWS_ACCESS_KEY_ID" || name == "AWS_SECRET_ACCESS_KEY" ? "test" : "";
    };
  }

  asio::io_context loop_{1};
  FakeClock clock_{std::chrono::sys_days{std::chrono::year{2026} / 11 / 27}};
  ScanSettings settings_;
  std::vector<std::string> told_;
  std::optional<http::TestServer> server_;
  std::optional<RunContext> context_;
  std::optional<RunLoops> loops_;
  std::optional<RunServices> services_;
};

}  // namespace everyitem::run
