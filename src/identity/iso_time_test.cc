#include "identity/iso_time.h"

#include <gtest/gtest.h>

namespace everyitem::identity {
namespace {

TEST(ParseIsoTime, TimesOfAllSources) {
  const struct {
    const char* text;
    const char* in_utc;
  } cases[] = {
      {"2026-11-24T10:00:00Z", "2026-11-24T10:00:00Z"},
      {"2026-11-24T10:00:00z", "2026-11-24T10:00:00Z"},
      {"2026-11-24t10:00:00Z", "2026-11-24T10:00:00Z"},
      {"2026-11-24 10:00:00Z", "2026-11-24T10:00:00Z"},
      {"2026-11-24T10:00:00UTC", "2026-11-24T10:00:00Z"},
      {"2026-11-24T10:00:00.999Z", "2026-11-24T10:00:00Z"},
      {"2026-11-24T10:00:00.123456789012Z", "2026-11-24T10:00:00Z"},
      {"2026-11-24T10:00:00+00:00", "2026-11-24T10:00:00Z"},
      {"2026-11-24T00:30:00+01:00", "2026-11-23T23:30:00Z"},
      {"2026-11-24T23:30:00.5-0130", "2026-11-25T01:00:00Z"},
      {"2026-11-24T10:00:00+05", "2026-11-24T05:00:00Z"},
      {"2028-02-29T00:00:00Z", "2028-02-29T00:00:00Z"},
      {"2026-12-31T23:59:60Z", "2027-01-01T00:00:00Z"},
      {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
      {"9999-12-31T23:59:59Z", "2200-01-01T00:00:00Z"},
      {"0001-01-01T00:00:00Z", "1700-01-01T00:00:00Z"},
  };
  for (const auto& known : cases) {
    const auto time = parse_iso_time(known.text);
    ASSERT_TRUE(time) << known.text;
    EXPECT_EQ(format_iso_time(*time), known.in_utc) << known.text;
  }
}

TEST(ParseIsoTime, RejectsEverythingElse) {
  for (const char* text : {"",
                           "soon",
                           "2026-11-24",
                           "2026-11-24T10:00:00",
                           "2026-11-24T10:00Z",
                           "2026-11-24T10:00:00.Z",
                           "2026-11-24T10:00:00ZZ",
                           "2026-11-24T10:00:00 Z",
                           "2026-11-24T10:00:00+1",
                           "2026-11-24T10:00:00+01:",
                           "2026-11-24T10:00:00+01:0",
                           "2026-11-24T10:00:00+24:00",
                           "2026-11-24T24:00:00Z",
                           "2026-11-24T10:60:00Z",
                           "2026-11-24T10:00:61Z",
                           "2026-13-24T10:00:00Z",
                           "2026-02-29T10:00:00Z",
                           "2026-00-24T10:00:00Z",
                           "2026-11-00T10:00:00Z",
                           "26-11-24T10:00:00Z",
                           "+026-11-24T10:00:00Z",
                           " 2026-11-24T10:00:00Z",
                           "2026-11-24T10:00:00Z\n"}) {
    EXPECT_FALSE(parse_iso_time(text)) << text;
  }
}

TEST(FormatIsoTime, DropsFractions) {
  const auto time = std::chrono::system_clock::time_point(std::chrono::milliseconds(1999));
  EXPECT_EQ(format_iso_time(time), "1970-01-01T00:00:01Z");
}

}  // namespace
}  // namespace everyitem::identity
