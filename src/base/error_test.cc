#include "base/error.h"

#include <gtest/gtest.h>

namespace everyitem {
namespace {

TEST(Error, LineWithAllParts) {
  const Error error(ErrorKind::failed, {.operation = "Scan",
                                        .object = "table orders",
                                        .code = "ResourceNotFoundException",
                                        .message = "Requested resource not found",
                                        .hint = "Check the name and the region."});
  EXPECT_STREQ(error.what(),
               "Scan on table orders: ResourceNotFoundException: Requested resource not found. "
               "Check the name and the region.");
}

TEST(Error, OmitsEmptyParts) {
  EXPECT_STREQ(usage_error("--segments is 0 (must be 1 or more)", "Give 1.").what(),
               "--segments is 0 (must be 1 or more). Give 1.");
  EXPECT_EQ(usage_error("x").kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace everyitem
