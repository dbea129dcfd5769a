#include "emulator/fault_plan.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace everyitem::emulator {

namespace {

using enum Fault;

constexpr std::array kNames = {
    std::pair{provisioned_throughput, std::string_view("provisioned_throughput")},
    std::pair{throttling, std::string_view("throttling")},
    std::pair{request_limit, std::string_view("request_limit")},
    std::pair{limit_exceeded, std::string_view("limit_exceeded")},
    std::pair{internal_error, std::string_view("internal_error")},
    std::pair{internal_failure, std::string_view("internal_failure")},
    std::pair{unavailable, std::string_view("unavailable")},
    std::pair{unavailable_empty, std::string_view("unavailable_empty")},
    std::pair{unavailable_html, std::string_view("unavailable_html")},
    std::pair{unavailable_retry_after, std::string_view("unavailable_retry_after")},
    std::pair{expired_token, std::string_view("expired_token")},
    std::pair{unrecognized_client, std::string_view("unrecognized_client")},
    std::pair{clock_skew, std::string_view("clock_skew")},
    std::pair{not_yet_valid, std::string_view("not_yet_valid")},
    std::pair{access_denied, std::string_view("access_denied")},
    std::pair{not_found, std::string_view("not_found")},
    std::pair{wrong_crc, std::string_view("wrong_crc")},
    std::pair{cut_short, std::string_view("cut_short")},
    std::pair{reset_before, std::string_view("reset_before")},
    std::pair{reset_in_body, std::string_view("reset_in_body")},
    std::pair{reset_after, std::string_view("reset_after")},
    std::pair{stall, std::string_view("stall")},
    std::pair{slow_drip, std::string_view("slow_drip")},
    std::pair{garbage, std::string_view("garbage")},
    std::pair{partial_throttle, std::string_view("partial_throttle")},
    std::pair{partial_failure, std::string_view("partial_failure")},
    std::pair{all_refused, std::string_view("all_refused")},
    std::pair{missing_results, std::string_view("missing_results")},
    std::pair{null_error_codes, std::string_view("null_error_codes")},
    std::pair{no_failed_count, std::string_view("no_failed_count")},
    std::pair{resource_in_use, std::string_view("resource_in_use")},
    std::pair{kms_throttling, std::string_view("kms_throttling")},
    std::pair{kms_access_denied, std::string_view("kms_access_denied")},
    std::pair{kms_disabled, std::string_view("kms_disabled")},
};

constexpr auto kFaults = [] {
  std::array<Fault, kNames.size()> faults{};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    faults[i] = kNames[i].first;
  }
  return faults;
}();

[[noreturn]] void refuse(std::string_view text) {
  throw std::invalid_argument(fmt::format(
      "{} is not [OPERATION:]FAULT=RATE[xMOST][/APART] or [OPERATION:]FAULT@CALL", text));
}

template <typename Number>
Number number(std::string_view digits, std::string_view text) {
  Number value{};
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) {
    refuse(text);
  }
  return value;
}

}  // namespace

std::string_view to_string(Fault fault) {
  return std::ranges::find(kNames, fault, &std::pair<Fault, std::string_view>::first)->second;
}

std::optional<Fault> fault_named(std::string_view name) {
  const auto* found = std::ranges::find(kNames, name, &std::pair<Fault, std::string_view>::second);
  return found == kNames.end() ? std::nullopt : std::optional(found->first);
}

std::span<const Fault> all_faults() { return kFaults; }

bool is_of_put_records(Fault fault) { return fault >= partial_throttle; }

bool is_remedied_once(Fault fault) {
  return fault == expired_token || fault == unrecognized_client || fault == clock_skew ||
         fault == not_yet_valid;
}

FaultRule parse_fault_rule(std::string_view text) {
  FaultRule rule;
  std::string_view rest = text;
  if (const auto colon = rest.find(':'); colon != std::string_view::npos) {
    rule.operation = rest.substr(0, colon);
    rest.remove_prefix(colon + 1);
  }
  const auto sign = rest.find_first_of("=@");
  const auto fault = fault_named(rest.substr(0, sign));
  if (sign == std::string_view::npos || !fault) {
    refuse(text);
  }
  rule.fault = *fault;
  std::string_view amount = rest.substr(sign + 1);
  if (rest[sign] == '@') {
    rule.at = number<std::uint64_t>(amount, text);
    return rule;
  }
  if (const auto apart = amount.find('/'); apart != std::string_view::npos) {
    rule.apart = number<std::uint64_t>(amount.substr(apart + 1), text);
    amount = amount.substr(0, apart);
  }
  if (const auto most = amount.find('x'); most != std::string_view::npos) {
    rule.max = number<std::uint64_t>(amount.substr(most + 1), text);
    amount = amount.substr(0, most);
  }
  rule.rate = number<double>(amount, text);
  return rule;
}

FaultPlan::FaultPlan(std::vector<FaultRule> rules, std::uint64_t seed) : random_(seed) {
  for (FaultRule& rule : rules) {
    rules_.push_back({.rule = std::move(rule)});
  }
}

std::optional<Fault> FaultPlan::next(std::string_view operation) {
  const std::uint64_t call = requests_[std::string(operation)]++;
  const std::uint64_t request = all_requests_++;
  for (Rule& rule : rules_) {
    const FaultRule& when = rule.rule;
    const bool applies = when.operation.empty()
                             ? !is_of_put_records(when.fault) || operation == "PutRecords"
                             : when.operation == operation;
    const bool too_soon = when.apart > 0 && last_apart_ && request - *last_apart_ < when.apart;
    if (!applies || too_soon || (when.max && rule.times >= *when.max)) {
      continue;
    }
    const bool strikes = when.at
                             ? *when.at == call
                             : std::uniform_real_distribution<double>(0, 1)(random_) < when.rate;
    if (strikes) {
      ++rule.times;
      ++struck_[when.fault];
      if (when.apart > 0) {
        last_apart_ = request;
      }
      return when.fault;
    }
  }
  return std::nullopt;
}

std::uint64_t FaultPlan::random(std::uint64_t bound) {
  return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(random_);
}

}  // namespace everyitem::emulator
