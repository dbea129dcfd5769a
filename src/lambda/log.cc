#include "lambda/log.h"

#include <utility>

namespace everyitem::lambda {

void Log::begin_request(std::string request_id) {
  request_id_ = std::move(request_id);
  run_.clear();
}

void Log::line(std::string_view level, std::string_view message, const boost::json::object& more) {
  boost::json::object object{
      {"timestamp", timestamp(clock_.wall_now())}, {"level", level}, {"message", message}};
  if (!request_id_.empty()) {
    object["requestId"] = request_id_;
  }
  if (!run_.empty()) {
    object["run"] = run_;
  }
  for (const auto& [key, value] : more) {
    object[key] = value;
  }
  write(object);
}

void Log::write(const boost::json::object& object) { out_.line(boost::json::serialize(object)); }

}  // namespace everyitem::lambda
