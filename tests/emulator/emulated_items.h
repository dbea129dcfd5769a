// The part of DynamoDB that checkpoints need: tables whose items have the key "run" and "item".
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <boost/json.hpp>

#include "emulator/service_reply.h"

namespace everyitem::emulator {

/// GetItem, PutItem and DeleteItem with a condition, Query of a run's items by prefix, and
/// BatchWriteItem. Rejects other requests, and those DynamoDB would reject as invalid. One event
/// loop.
class EmulatedItems {
 public:
  using Table = std::map<std::pair<std::string, std::string>, boost::json::object>;

  ServiceReply answer(std::string_view operation, std::string_view body);
  static bool knows(std::string_view operation);

  std::map<std::string, Table> tables;  ///< by name or ARN; created on first use
  std::size_t items_per_page = 1000;    ///< maximum for Query
  /// The requests of a BatchWriteItem beyond this number are left unprocessed.
  std::size_t writes_per_batch = 25;

 private:
  static std::span<const Operation<EmulatedItems>> operations();
  boost::json::object get_item(const boost::json::object& request);
  boost::json::object put_item(const boost::json::object& request);
  boost::json::object delete_item(const boost::json::object& request);
  boost::json::object query(const boost::json::object& request);
  boost::json::object batch_write(const boost::json::object& request);
};

}  // namespace everyitem::emulator
