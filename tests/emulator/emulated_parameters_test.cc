#include "emulator/emulated_parameters.h"

#include <gtest/gtest.h>

namespace everyitem::emulator {
namespace {

std::string put(const std::string& name, const std::string& value, bool overwrite = false) {
  const boost::json::object request{
      {"Name", name}, {"Value", value}, {"Type", "String"}, {"Overwrite", overwrite}};
  return boost::json::serialize(request);
}

TEST(EmulatedParameters, KeepServiceLimits) {
  EmulatedParameters ssm;
  const auto refusal = [&](const std::string& name, const std::string& value) {
    const ServiceReply reply = ssm.answer("PutParameter", put(name, value));
    return reply.status == 200 ? "" : reply.body;
  };
  EXPECT_EQ(refusal("/a/b", std::string(4096, 'x')), "");
  EXPECT_NE(refusal("/a/c", std::string(4097, 'x')).find("4096"), std::string::npos);
  EXPECT_NE(refusal("/a/c", "").find("Validation"), std::string::npos);
  EXPECT_NE(refusal("/a/c", "see {{ssm:/a/b}}").find("nest"), std::string::npos);
  EXPECT_NE(refusal("/aws/c", "x").find("reserved"), std::string::npos);
  EXPECT_NE(refusal("/a b", "x").find("Validation"), std::string::npos);
  EXPECT_NE(refusal("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16", "x").find("Hierarchy"),
            std::string::npos);
  EXPECT_NE(refusal("/a/b", "x").find("ParameterAlreadyExists"), std::string::npos);
  ssm.max_parameters = 1;
  EXPECT_NE(refusal("/a/c", "x").find("ParameterLimitExceeded"), std::string::npos);
}

TEST(EmulatedParameters, CountsVersionsKeepsLabelled) {
  EmulatedParameters ssm;
  ssm.answer("PutParameter", put("/a", "1"));
  for (int version = 2; version <= 150; ++version) {
    const ServiceReply reply = ssm.answer("PutParameter", put("/a", "x", true));
    EXPECT_NE(reply.body.find("\"Version\":" + std::to_string(version)), std::string::npos);
  }
  ssm.parameters.at("/a").labelled.insert(51);
  EXPECT_NE(ssm.answer("PutParameter", put("/a", "x", true)).body.find("MaxVersion"),
            std::string::npos);
}

TEST(EmulatedParameters, ArePagedByPath) {
  EmulatedParameters ssm;
  for (int i = 0; i < 25; ++i) {
    ssm.answer("PutParameter", put("/a/" + std::to_string(i), "v"));
  }
  ssm.answer("PutParameter", put("/a/1/below", "v"));
  ssm.answer("PutParameter", put("/ab", "v"));
  std::size_t found = 0;
  std::size_t pages = 0;
  boost::json::object request{{"Path", "/a"}, {"MaxResults", 10}};
  for (bool more = true; more; ++pages) {
    const auto answer =
        boost::json::parse(ssm.answer("GetParametersByPath", boost::json::serialize(request)).body);
    found += answer.at("Parameters").as_array().size();
    more = answer.as_object().contains("NextToken");
    if (more) {
      request["NextToken"] = answer.at("NextToken");
    }
  }
  EXPECT_EQ(found, 25U);
  EXPECT_EQ(pages, 3U);
}

TEST(EmulatedParameters, DeletesTenAtOnce) {
  EmulatedParameters ssm;
  ssm.answer("PutParameter", put("/a", "v"));
  boost::json::array names(11, "/a");
  EXPECT_EQ(
      ssm.answer("DeleteParameters", boost::json::serialize(boost::json::object{{"Names", names}}))
          .status,
      400);
  const ServiceReply reply = ssm.answer("DeleteParameters", R"({"Names":["/a","/none"]})");
  EXPECT_NE(reply.body.find(R"("InvalidParameters":["/none"])"), std::string::npos);
  EXPECT_TRUE(ssm.parameters.empty());
}

}  // namespace
}  // namespace everyitem::emulator
