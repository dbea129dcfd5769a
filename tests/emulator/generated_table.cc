#include "emulator/generated_table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

#include <fmt/format.h>

namespace everyitem::emulator {

namespace {

constexpr std::string_view kHead = R"({"pk":{"S":"item-)";
constexpr std::size_t kDigits = 12;
constexpr std::uint64_t kMaxItems = 1'000'000'000'000;
constexpr std::string_view kMiddle = R"("},"data":{"S":")";
constexpr std::string_view kTail = R"("}})";
constexpr std::size_t kFixedBytes = kHead.size() + kDigits + kMiddle.size() + kTail.size();
static_assert(kFixedBytes <= kMinItemBytes);

constexpr std::size_t kFillerPeriod = 4096;

constexpr std::string_view kListMiddle = R"("},"data":{"L":[)";
constexpr std::string_view kListTail = "]}}";
constexpr std::size_t kListElementBytes = 10;  // {"N":"1"} and a comma
constexpr std::size_t kListFixedBytes =
    kHead.size() + kDigits + kListMiddle.size() + kListTail.size();
static_assert(kListFixedBytes <= kMinItemBytes);

/// SplitMix64: similar numbers become different.
std::uint64_t mixed(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15U;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31);
}

void append_digits(std::string& out, std::uint64_t number) {
  std::array<char, kDigits> digits;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
    *digit = static_cast<char>('0' + number % 10);
    number /= 10;
  }
  out.append(digits.data(), digits.size());
}

}  // namespace

GeneratedTable::GeneratedTable(TableShape shape) : shape_(shape) {
  if (shape.min_item_bytes < kMinItemBytes || shape.max_item_bytes < shape.min_item_bytes) {
    throw std::invalid_argument(fmt::format("items have at least {} bytes", kMinItemBytes));
  }
  if (shape.items > kMaxItems) {
    throw std::invalid_argument("keys have 12 digits");
  }
  if (shape.oversize_every > 0) {
    if (shape.oversize_bytes < kMinItemBytes) {
      throw std::invalid_argument(fmt::format("items have at least {} bytes", kMinItemBytes));
    }
    const std::size_t bytes = shape.oversize_bytes + (kFillerPeriod + 1) * kListElementBytes;
    list_filler_.reserve(bytes);
    for (std::uint64_t i = 0; list_filler_.size() < bytes; ++i) {
      list_filler_ += fmt::format(R"({{"N":"{}"}},)", mixed(i) % 10);
    }
  }
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789-_ .,;:!?()[]{}<>/+*";
  filler_.reserve(shape.max_item_bytes + kFillerPeriod);
  for (std::uint64_t i = 0; filler_.size() < shape.max_item_bytes + kFillerPeriod; ++i) {
    filler_ += kLetters[mixed(i) % kLetters.size()];
  }
}

std::size_t GeneratedTable::size_of(std::uint64_t number) const {
  const std::size_t spread = shape_.max_item_bytes - shape_.min_item_bytes + 1;
  return shape_.min_item_bytes + mixed(number) % spread;
}

GeneratedTable::Parts GeneratedTable::parts_of(std::uint64_t number) const {
  // The start of the filler depends on the number, so that the data of one item cannot pass for
  // another's.
  const std::size_t begin = mixed(~number) % kFillerPeriod;
  if (is_oversize(number)) {
    const std::size_t elements =
        (shape_.oversize_bytes - kListFixedBytes + kListElementBytes) / kListElementBytes;
    return {.middle = kListMiddle,
            .filling = std::string_view(list_filler_)
                           .substr(begin * kListElementBytes, elements * kListElementBytes - 1),
            .tail = kListTail};
  }
  return {.middle = kMiddle,
          .filling = std::string_view(filler_).substr(begin, size_of(number) - kFixedBytes),
          .tail = kTail};
}

void GeneratedTable::append_item(std::string& out, std::uint64_t number) const {
  const Parts parts = parts_of(number);
  out += kHead;
  append_digits(out, number);
  out += parts.middle;
  out += parts.filling;
  out += parts.tail;
}

bool GeneratedTable::is_item(std::string_view json, std::uint64_t number) const {
  if (number_of(json) != number) {
    return false;
  }
  const Parts parts = parts_of(number);
  json.remove_prefix(kHead.size() + kDigits);
  return json.size() == parts.middle.size() + parts.filling.size() + parts.tail.size() &&
         json.starts_with(parts.middle) && json.ends_with(parts.tail) &&
         json.substr(parts.middle.size(), parts.filling.size()) == parts.filling;
}

std::optional<std::uint64_t> GeneratedTable::number_of(std::string_view json) const {
  if (!json.starts_with(kHead) || json.size() < kFixedBytes) {
    return std::nullopt;
  }
  const std::string_view digits = json.substr(kHead.size(), kDigits);
  std::uint64_t number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size() ||
      number >= shape_.items) {
    return std::nullopt;
  }
  return number;
}

std::string GeneratedTable::key(std::uint64_t number) {
  std::string text(kHead);
  append_digits(text, number);
  text += R"("}})";
  return text;
}

std::optional<GeneratedPage> GeneratedTable::page(const PageRequest& request) const {
  // At most 10^12 items and 10^6 segments: the product stays within 64 bits.
  const auto bound = [&](std::uint64_t segment) {
    return shape_.items * segment / request.total_segments;
  };
  const std::uint64_t begin = bound(request.segment);
  const std::uint64_t end = bound(request.segment + 1ULL);
  if (request.after && (*request.after < begin || *request.after >= end)) {
    return std::nullopt;
  }
  std::uint64_t next = request.after ? *request.after + 1 : begin;

  GeneratedPage page;
  page.body.reserve(shape_.page_bytes + shape_.max_item_bytes + 256);
  page.body += R"({"Items":[)";
  const std::size_t start = page.body.size();
  // A page that is full with the segment's last item does not know that it is the last: one more,
  // empty page follows.
  bool full = false;
  while (next < end && !full) {
    if (page.items > 0) {
      page.body += ',';
    }
    append_item(page.body, next);
    ++page.items;
    ++next;
    full = page.body.size() - start >= shape_.page_bytes ||
           (request.limit && page.items >= *request.limit);
  }
  const std::size_t blocks = std::max<std::size_t>(1, (page.body.size() - start + 4095) / 4096);
  page.read_units = static_cast<double>(blocks) * (request.consistent_read ? 1 : 0.5);
  page.body += fmt::format(R"(],"Count":{0},"ScannedCount":{0})", page.items);
  if (request.return_consumed_capacity) {
    page.body += fmt::format(R"(,"ConsumedCapacity":{{"TableName":"t","CapacityUnits":{:.1f}}})",
                             page.read_units);
  }
  if (full) {
    page.body += fmt::format(R"(,"LastEvaluatedKey":{})", key(next - 1));
  }
  page.body += '}';
  return page;
}

}  // namespace everyitem::emulator
