#include "pipeline/segment_failures.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace everyitem::pipeline {
namespace {

using testing::EndsWith;
using testing::StartsWith;

Error failure(const std::string& code, ErrorKind kind = ErrorKind::failed) {
  return Error(kind,
               {.operation = "Scan", .object = "table orders", .code = code, .message = "no"});
}

TEST(SegmentFailures, OwnFailureIsNamed) {
  SegmentFailures failures;
  failures.page_was_read();
  for (const char* code : {"", "InternalServerError", "ValidationException"}) {
    EXPECT_TRUE(failures.keep(static_cast<std::uint32_t>(7 + failures.count()), failure(code), 100))
        << code;
  }
  EXPECT_STREQ(failures.error(32).what(),
               "Scan on table orders: no; 3 of 32 segments could not be read to their end (7, 8, "
               "9)");
}

TEST(SegmentFailures, FailureOfAll) {
  SegmentFailures failures;
  failures.page_was_read();
  for (const char* code : {"AccessDeniedException", "ResourceNotFoundException",
                           "ExpiredTokenException", "InvalidSignatureException"}) {
    EXPECT_FALSE(failures.keep(0, failure(code), 100)) << code;
  }
  EXPECT_FALSE(failures.keep(0, failure("", ErrorKind::usage), 100));
  EXPECT_EQ(failures.count(), 0U);
}

TEST(SegmentFailures, RefusalBeforeAnyPage) {
  SegmentFailures failures;
  EXPECT_FALSE(failures.keep(0, failure("ValidationException"), 100));
}

TEST(SegmentFailures, LastFailureWithoutPage) {
  SegmentFailures failures;
  EXPECT_TRUE(failures.keep(0, failure(""), 3));
  EXPECT_TRUE(failures.keep(1, failure(""), 3));
  failures.page_was_read();
  EXPECT_TRUE(failures.keep(2, failure(""), 3));
  EXPECT_TRUE(failures.keep(3, failure(""), 3));
  EXPECT_FALSE(failures.keep(4, failure(""), 3));
}

TEST(SegmentFailures, ManyNamedInPart) {
  SegmentFailures failures;
  for (std::uint32_t segment = 0; segment < 12; ++segment) {
    failures.keep(segment, failure("InternalServerError"), 100);
  }
  EXPECT_THAT(failures.error(50).what(), StartsWith("Scan on table orders: InternalServerError"));
  EXPECT_THAT(failures.error(50).what(), EndsWith("(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...)"));
}

}  // namespace
}  // namespace everyitem::pipeline
