#include "lambda/log.h"

#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace everyitem::lambda {

void Log::begin_request(std::string request_id) {
  request_id_ = std::move(request_id);
  run_.clear();
}

void Log::line(std::string_view level, std::string_view message, const boost::json::object& more) {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(clock_.wall_now());
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  boost::json::object object{
      {"timestamp", fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", second, (now - second).count())},
      {"level", level},
      {"message", message}};
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

void Log::write(const boost::json::object& object) {
  fmt::print(out_, "{}\n", boost::json::serialize(object));
  std::fflush(out_);
}

}  // namespace everyitem::lambda
