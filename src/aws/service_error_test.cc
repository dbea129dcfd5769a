#include "aws/service_error.h"

#include <set>

#include <gtest/gtest.h>

#include "support/test_cbor.h"

namespace everyitem::aws {
namespace {

http::Response response(int status, std::string_view body, std::vector<http::Header> headers = {}) {
  http::Response made;
  made.status = status;
  made.headers = std::move(headers);
  made.body = PaddedBuffer(body);
  return made;
}

TEST(ServiceError, EveryCodeWhateverStatus) {
  std::set<std::string_view> seen;
  for (const ServiceErrorRow& row : service_error_table()) {
    EXPECT_TRUE(seen.insert(row.code).second) << row.code << " stands twice";
    for (const int status : {400, 403, 500, 503}) {
      EXPECT_EQ(classify(status, row.code), row.error_class) << row.code;
    }
  }
}

TEST(ServiceError, StatusClassifiesUnknownCodes) {
  EXPECT_EQ(classify(500, "Surprise"), ErrorClass::transient);
  EXPECT_EQ(classify(503, ""), ErrorClass::transient);
  EXPECT_EQ(classify(408, ""), ErrorClass::transient);
  EXPECT_EQ(classify(429, ""), ErrorClass::throttle);
  EXPECT_EQ(classify(400, "Surprise"), ErrorClass::fatal);
  EXPECT_EQ(classify(400, ""), ErrorClass::transient) << "its body cannot be read";
  EXPECT_EQ(classify(301, ""), ErrorClass::fatal);
}

TEST(ServiceError, UnknownNameBlamesSetting) {
  const ErrorDetails not_found{.operation = "DescribeTable",
                               .object = "table t",
                               .code = "ResourceNotFoundException",
                               .message = "no such table"};
  try {
    require_known(Error(ErrorKind::failed, not_found), setting::kTable);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_STREQ(error.what(),
                 "DescribeTable on table t: ResourceNotFoundException: no such table. Check "
                 "--table, the region and the account.");
  }
  ErrorDetails denied = not_found;
  denied.code = "AccessDeniedException";
  EXPECT_NO_THROW(require_known(Error(ErrorKind::failed, denied), setting::kTable));
}

TEST(ServiceError, UpdatingStreamIsTransient) {
  EXPECT_EQ(classify(400, "ResourceInUseException"), ErrorClass::transient);
  EXPECT_FALSE(hint_for("ResourceInUseException").empty());
}

TEST(ServiceError, CodeReadWithoutNamespace) {
  const auto error = read_service_error(
      response(400, R"({"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",)"
                    R"("message":"Requested resource not found"})"));
  EXPECT_EQ(error.code, "ResourceNotFoundException");
  EXPECT_EQ(error.message, "Requested resource not found");
  EXPECT_EQ(error.error_class, ErrorClass::fatal);
  EXPECT_FALSE(hint_for(error.code).empty());
}

TEST(ServiceError, MessageMayBeCapitalised) {
  const auto error = read_service_error(
      response(400, R"({"__type":"com.amazon.coral.service#ThrottlingException","Message":"m"})"));
  EXPECT_EQ(error.code, "ThrottlingException");
  EXPECT_EQ(error.message, "m");
  EXPECT_EQ(error.error_class, ErrorClass::throttle);
}

TEST(ServiceError, CodeFromHeader) {
  const auto error = read_service_error(
      response(400, "", {{"x-amzn-ErrorType", "ExpiredTokenException:http://internal.example/"}}));
  EXPECT_EQ(error.code, "ExpiredTokenException");
  EXPECT_EQ(error.error_class, ErrorClass::expired_credentials);
}

TEST(ServiceError, NonJsonBodies) {
  for (const std::string_view body :
       {"", "<html><h1>503</h1></html>", "[1]", "{\"__type\":", "7"}) {
    const auto error = read_service_error(response(503, body));
    EXPECT_EQ(error.code, "") << body;
    EXPECT_EQ(error.message, "HTTP status 503") << body;
    EXPECT_EQ(error.error_class, ErrorClass::transient) << body;
  }
}

TEST(ServiceError, OversizedRequestIsInvalid) {
  const auto error = read_service_error(response(413, "<html>too large</html>"));
  EXPECT_EQ(error.code, "RequestEntityTooLarge");
  EXPECT_EQ(error.error_class, ErrorClass::invalid);
}

TEST(ServiceError, UnknownBodyFormat) {
  EXPECT_EQ(read_service_error(response(415, "")).code, "UnsupportedMediaTypeException");
}

TEST(ServiceError, CodesAboutRequestFormat) {
  for (const std::string_view code : {"", "UnsupportedMediaTypeException", "SerializationException",
                                      "UnknownOperationException", "InternalFailure"}) {
    EXPECT_TRUE(may_be_about_format(code)) << code;
  }
  for (const std::string_view code : {"AccessDeniedException", "ResourceNotFoundException",
                                      "ThrottlingException", "ExpiredTokenException"}) {
    EXPECT_FALSE(may_be_about_format(code)) << code;
  }
}

TEST(ServiceError, ReadsCbor) {
  const std::vector<http::Header> headers = {{"Content-Type", "application/x-amz-cbor-1.1"}};
  const std::string body =
      to_cbor({{"__type", "ProvisionedThroughputExceededException"}, {"message", "Rate exceeded"}},
              CborLengths::indefinite);
  const auto error = read_service_error(response(400, body, headers));
  EXPECT_EQ(error.code, "ProvisionedThroughputExceededException");
  EXPECT_EQ(error.message, "Rate exceeded");
  EXPECT_EQ(error.error_class, ErrorClass::throttle);
  EXPECT_EQ(read_service_error(response(503, body.substr(0, 9), headers)).message,
            "HTTP status 503");
}

TEST(ServiceError, ReadsStsXml) {
  const std::string head = R"(<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">)";
  const auto error = read_service_error(response(
      403, head + "<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>a &amp; b</Message>"
                  "</Error><RequestId>1</RequestId></ErrorResponse>"));
  EXPECT_EQ(error.code, "AccessDenied");
  EXPECT_EQ(error.message, "a & b");
  EXPECT_EQ(error.error_class, ErrorClass::fatal);
  for (const std::string& body : {head + "<Error><Code>", head + "</ErrorResponse>",
                                  std::string("<!DOCTYPE html><p>no"), std::string("<")}) {
    EXPECT_EQ(read_service_error(response(503, body)).message, "HTTP status 503") << body;
    EXPECT_EQ(read_service_error(response(503, body)).code, "") << body;
  }
}

TEST(ServiceError, WrongTypesAreIgnored) {
  const auto error = read_service_error(response(400, R"({"__type":7,"message":null})"));
  EXPECT_EQ(error.code, "");
  EXPECT_EQ(error.message, "HTTP status 400");
}

}  // namespace
}  // namespace everyitem::aws
