#include "promise_watch.h"

#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace everyitem::faults {

namespace json = boost::json;

namespace {

/// So that one that is broken at every request does not hide the first.
constexpr std::size_t kMaxBroken = 20;

/// The text of an attribute; empty if the item has none.
std::string text_of(const json::object& item, std::string_view name) {
  const json::value* attribute = item.if_contains(name);
  return attribute == nullptr ? std::string()
                              : std::string(attribute->as_object().at("S").as_string());
}

}  // namespace

void PromiseWatch::see(const emulator::ReceivedRequest& request, const emulator::Reply& reply) {
  const std::string operation = emulator::EmulatedServices::operation_of(request);
  if (operation == "Scan") {
    const double units = services_.counts().read_units - read_units_;
    if (units > 0) {
      readings_.push_back({.at = clock_.now(), .units = units});
      read_units_ += units;
    }
  } else if (operation == "PutItem" && reply.status == 200) {
    const json::value body = json::parse(request.body);
    if (body.at("TableName").as_string() == "checkpoints") {
      see_item(body.at("Item").as_object());
    }
  }
}

void PromiseWatch::see_item(const json::object& item) {
  const std::string name = text_of(item, "item");
  if (name == "run") {
    const std::string& count = std::string(item.at("segments").at("N").as_string());
    std::from_chars(count.data(), count.data() + count.size(), parts_);
    if (item.contains("finished_at")) {
      see_finished();
    }
  } else if (name.starts_with("segment-")) {
    const std::string digits = name.substr(name.rfind('-') + 1);
    std::uint32_t number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    see_segment(item, number);
  }
}

std::uint64_t PromiseWatch::begin_of(std::uint64_t part) const {
  return services_.table().shape().items * part / parts_;
}

void PromiseWatch::see_segment(const json::object& item, std::uint32_t number) {
  if (finished_ && item.at("version").at("N").as_string() == "1") {
    return;  // by one that has not heard of the end yet; it removes the item again
  }
  Part& part = part_[number];
  const std::string sharer = text_of(item, "sharer");
  const bool complete = item.at("complete").at("BOOL").as_bool();
  const std::string key = text_of(item, "last_evaluated_key");
  std::uint64_t reached = begin_of(number);
  if (complete) {
    reached = begin_of(number + 1ULL);
  } else if (!key.empty()) {
    // A key begins as its item does.
    const std::string begin = key.substr(0, key.size() - 1);
    const auto last =
        services_.table().number_of(begin + std::string(emulator::kMinItemBytes, ' '));
    if (!last) {
      break_promise(fmt::format("part {} has the key {}", number, key));
      return;
    }
    reached = *last + 1;
  }
  if (reached < part.reached || (part.complete && !complete)) {
    break_promise(
        fmt::format("part {} went back from item {} to {}", number, part.reached, reached));
  }
  for (std::uint64_t i = std::max(part.reached, begin_of(number)); i < reached; ++i) {
    if (services_.can_be_taken(i) && !services_.received().has(i)) {
      break_promise(
          fmt::format("item {} of part {} was acknowledged, and never arrived", i, number));
      break;
    }
  }
  if (!sharer.empty() && !part.sharer.empty() && sharer != part.sharer) {
    ++taken_over_;
    takings_[part.sharer].push_back(clock_.now());
  }
  part = {.reached = reached, .complete = complete, .sharer = sharer};
}

void PromiseWatch::see_finished() {
  finished_ = true;
  if (services_.received().missing() != services_.undeliverable()) {
    break_promise(fmt::format("the run was recorded as finished with {} items missing",
                              services_.received().missing() - services_.undeliverable()));
  }
}

void PromiseWatch::see_complete(const std::string& process) {
  if (services_.received().missing() != services_.undeliverable()) {
    break_promise(fmt::format("{} said that the run is complete with {} items missing", process,
                              services_.received().missing() - services_.undeliverable()));
  }
}

void PromiseWatch::break_promise(std::string what) {
  if (broken_.size() < kMaxBroken) {
    broken_.push_back(std::move(what));
  }
}

double PromiseWatch::read_units_in_any_minute() const {
  double most = 0;
  double sum = 0;
  auto first = readings_.begin();
  for (const Reading& last : readings_) {
    sum += last.units;
    while (last.at - first->at >= std::chrono::minutes(1)) {
      sum -= first->units;
      ++first;
    }
    most = std::max(most, sum);
  }
  return most;
}

}  // namespace everyitem::faults
