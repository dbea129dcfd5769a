// The part of SSM Parameter Store that checkpoints need, as specified in its API reference.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "emulator/service_reply.h"

namespace everyitem::emulator {

/// GetParameter, GetParametersByPath with paging, PutParameter with Overwrite, versions, the 4 KB
/// of the standard tier and the history of 100 versions, DeleteParameters. One event loop.
class EmulatedParameters {
 public:
  struct Parameter {
    std::string value;
    std::string type;    ///< "String", "SecureString"
    std::string key_id;  ///< the key of a SecureString
    std::uint64_t version = 1;
    std::set<std::uint64_t> labelled;  ///< versions in the history that have a label
  };

  ServiceReply answer(std::string_view operation, std::string_view body);
  static bool knows(std::string_view operation);

  std::map<std::string, Parameter> parameters;  ///< by name
  std::size_t parameters_per_page = 10;         ///< maximum for GetParametersByPath
  std::size_t max_parameters = 10'000;          ///< maximum for the account

 private:
  static std::span<const Operation<EmulatedParameters>> operations();
  boost::json::object get(const boost::json::object& request);
  boost::json::object get_by_path(const boost::json::object& request);
  boost::json::object put(const boost::json::object& request);
  boost::json::object remove(const boost::json::object& request);
};

}  // namespace everyitem::emulator
