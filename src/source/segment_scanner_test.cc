#include "source/segment_scanner.h"

#include <algorithm>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "source/table_parts.h"
#include "support/test_server.h"
#include "support/test_service.h"

namespace everyitem::source {
namespace {

using testing::HasSubstr;

/// Responds with the pages in turn, and the last one again and again.
struct SegmentScannerTest : testing::Test {
  std::vector<std::string> pages;
  std::vector<boost::json::object> asked;
  aws::TestService service{[this](http::Peer& peer, const std::string& request) {
    return answer(peer, boost::json::parse(http::body_of(request)).as_object());
  }};
  ScanContext context{.dynamodb = service.client,
                      .requests = ScanRequests({.table = "orders"}, 4),
                      .keys = {.hash = "pk", .range = "sk"},
                      .position_names = {"pk", "sk"},
                      .object = "table orders"};

  Awaitable<void> answer(http::Peer& peer, boost::json::object scan) {
    asked.push_back(std::move(scan));
    co_await peer.write(http::answer(pages.at(std::min(asked.size(), pages.size()) - 1)));
  }
  void read_page(SegmentScanner& scanner) {
    const auto read = [&]() -> Awaitable<void> { co_await scanner.next(std::nullopt, nullptr); };
    http::run(service.loop, read());
  }
  static std::string page(const std::string& last_key) {
    return R"({"Items":[],"Count":0,"ScannedCount":0,"LastEvaluatedKey":)" + last_key + "}";
  }
};

TEST_F(SegmentScannerTest, PositionsAreWrittenAgain) {
  pages = {page(R"( {"sk" : {"N":"2"}, "pk":{"S":"\u0061"}} )"),
           R"({"Items":[],"Count":0,"ScannedCount":0})"};
  SegmentScanner scanner(context, 3, {});
  read_page(scanner);
  EXPECT_EQ(scanner.position().last_evaluated_key, R"({"pk":{"S":"a"},"sk":{"N":"2"}})");
  read_page(scanner);
  EXPECT_TRUE(scanner.position().complete);
  EXPECT_EQ(asked.at(1).at("ExclusiveStartKey"),
            boost::json::parse(R"({"pk":{"S":"a"},"sk":{"N":"2"}})"));
}

TEST_F(SegmentScannerTest, ForeignPositionNotFollowed) {
  for (const std::string key :
       {R"({"pk":{"S":"a"}})", R"({"pk":{"S":"a"},"sk":{"N":"2"},"x":{"S":"b"}})",
        R"({"pk":{"S":"a"},"sk":{"M":{}}})"}) {
    pages = {page(key), R"({"Items":[],"Count":0,"ScannedCount":0})"};
    asked.clear();
    SegmentScanner scanner(context, 3, {});
    read_page(scanner);
    EXPECT_TRUE(scanner.position().complete) << "it asks again";
    EXPECT_FALSE(asked.at(1).contains("ExclusiveStartKey"));
  }
}

TEST_F(SegmentScannerTest, ForeignStoredPositionRefused) {
  for (const std::string stored :
       {R"({"pk":{"S":"a"},"sk":{"N":"2"}},"TableName":"other","x":{"y":{}})",
        R"({"pk":{"S":"a"}})", "x"}) {
    try {
      const SegmentScanner scanner(context, 3, {.last_evaluated_key = stored});
      ADD_FAILURE() << stored;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(),
                  HasSubstr("the checkpoint's position in segment 3 is not a key of this table"));
    }
  }
}

TEST_F(SegmentScannerTest, PageWithoutProgressRetried) {
  pages = {page(R"({"sk":{"N":"2"},"pk":{"S":"a"}})"),
           R"({"Items":[],"Count":0,"ScannedCount":0})"};
  SegmentScanner scanner(context, 3, {.last_evaluated_key = R"({"pk":{"S":"a"},"sk":{"N":"2"}})"});
  read_page(scanner);
  EXPECT_EQ(asked.size(), 2U);
}

}  // namespace
}  // namespace everyitem::source
