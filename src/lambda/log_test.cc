#include "lambda/log.h"

#include <array>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "support/fake_clock.h"

namespace everyitem::lambda {
namespace {

TEST(Log, LineNamesRequestAndRun) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
  const FakeClock clock{std::chrono::sys_days{std::chrono::year{2026} / 11 / 24} +
                        std::chrono::milliseconds(3'600'007)};
  Log log(file.get(), clock);
  log.info("starting");
  log.begin_request("id-1");
  log.begin_run("orders -> backfill");
  log.warning("a \"quoted\"\nword");
  log.line("INFO", "done", {{"items", 5}});
  log.begin_request("id-2");
  log.error("no");
  std::rewind(file.get());
  std::array<char, 4096> text{};
  EXPECT_EQ(std::string(text.data(), std::fread(text.data(), 1, text.size(), file.get())),
            R"({"timestamp":"2026-11-24T01:00:00.007Z","level":"INFO","message":"starting"}
{"timestamp":"2026-11-24T01:00:00.007Z","level":"WARN","message":"a \"quoted\"\nword","requestId":"id-1","run":"orders -> backfill"}
{"timestamp":"2026-11-24T01:00:00.007Z","level":"INFO","message":"done","requestId":"id-1","run":"orders -> backfill","items":5}
{"timestamp":"2026-11-24T01:00:00.007Z","level":"ERROR","message":"no","requestId":"id-2"}
)");
}

}  // namespace
}  // namespace everyitem::lambda
