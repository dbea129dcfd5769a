#include "lambda/log.h"

#include <string>

#include <gtest/gtest.h>

#include "support/captured_output.h"
#include "support/fake_clock.h"

namespace everyitem::lambda {
namespace {

TEST(Log, NamesRequestAndRun) {
  const CapturedOutput out;
  const FakeClock clock{std::chrono::sys_days{std::chrono::year{2026} / 11 / 24} +
                        std::chrono::milliseconds(3'600'007)};
  Diagnostics diagnostics(out.descriptor());
  Log log(diagnostics, clock);
  log.info("starting");
  log.begin_request("id-1");
  log.begin_run("orders -> backfill");
  log.warning("a \"quoted\"\nword");
  log.line("INFO", "done", {{"items", 5}});
  log.begin_request("id-2");
  log.error("no");
  EXPECT_EQ(out.text(),
            R"({"timestamp":"2026-11-24T01:00:00.007Z","level":"INFO","message":"starting"}
{"timestamp":"2026-11-24T01:00:00.007Z","level":"WARN","message":"a \"quoted\"\nword","requestId":"id-1","run":"orders -> backfill"}
{"timestamp":"2026-11-24T01:00:00.007Z","level":"INFO","message":"done","requestId":"id-1","run":"orders -> backfill","items":5}
{"timestamp":"2026-11-24T01:00:00.007Z","level":"ERROR","message":"no","requestId":"id-2"}
)");
}

}  // namespace
}  // namespace everyitem::lambda
