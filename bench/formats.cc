// How fast items become records: gigabytes of DynamoDB JSON per second of one core, in each format
// of docs/formats.md, for the formatting alone.
#include <algorithm>
#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/padded_buffer.h"
#include "batch/item_formats.h"

namespace everyitem {
namespace {

/// As many as a page of 1 MB has: more than the first-level cache holds, as in a run.
constexpr std::size_t kPageBytes = 1U << 20;
constexpr int kRounds = 15;
constexpr int kPagesPerRound = 100;

double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// An order: texts, numbers, a list and a map, of `bytes` bytes or a little more.
std::string dense_item(std::uint64_t number, std::size_t bytes) {
  std::string item =
      fmt::format(R"({{"id":{{"S":"order-{:08}"}},"version":{{"N":"{}"}})", number, number % 17);
  for (std::uint64_t i = 0; item.size() + 1 < bytes; ++i) {
    switch (i % 4) {
      case 0:
        item += fmt::format(R"(,"customer{}":{{"S":"c-{:06}"}})", i, number * 7919 % 1'000'000);
        break;
      case 1:
        item += fmt::format(R"(,"total{}":{{"N":"{}.{:02}"}})", i, number * 31 % 9000, i % 100);
        break;
      case 2:
        item += fmt::format(R"(,"lines{}":{{"L":[{{"S":"a"}},{{"N":"{}"}}]}})", i, number % 99);
        break;
      default:
        item += fmt::format(R"(,"paid{}":{{"BOOL":true}})", i);
    }
  }
  return item + "}";
}

/// One long text.
std::string text_item(std::uint64_t number, std::size_t bytes) {
  std::string item = fmt::format(R"({{"id":{{"S":"order-{:08}"}},"text":{{"S":")", number);
  const std::size_t rest = bytes - std::min(bytes, item.size() + 3);
  for (std::size_t i = 0; i < rest; ++i) {
    item += static_cast<char>(i % 9 == 8 ? ' ' : 'a' + (i + number) % 26);
  }
  return item + R"("}})";
}

using MakeItem = std::string (*)(std::uint64_t, std::size_t);

/// The median.
double gigabytes_per_second(const batch::ItemFormat& format, MakeItem make, std::size_t bytes) {
  std::vector<std::string> items;
  std::size_t page_bytes = 0;
  while (page_bytes < kPageBytes) {
    items.push_back(make(items.size(), bytes));
    page_bytes += items.back().size();
  }
  std::vector<double> rates;
  PaddedBuffer record;
  for (int round = 0; round < kRounds; ++round) {
    const double begin = processor_seconds();
    for (int page = 0; page < kPagesPerRound; ++page) {
      for (const std::string& item : items) {
        record.clear();
        format.append({.json = item, .hash_key = {}, .range_key = {}}, record);
      }
    }
    rates.push_back(1e-9 * static_cast<double>(page_bytes) * kPagesPerRound /
                    (processor_seconds() - begin));
  }
  std::ranges::nth_element(rates, rates.begin() + kRounds / 2);
  return rates[kRounds / 2];
}

void measure(std::string_view name, const batch::ItemFormatContext& context,
             std::string_view format) {
  const auto made = batch::make_item_format(format, context);
  for (const std::size_t bytes : {100U, 400U, 4096U}) {
    fmt::print("{:<24} {:>4} B: {:.2f} GB/s dense, {:.2f} GB/s text\n", name, bytes,
               gigabytes_per_second(*made, dense_item, bytes),
               gigabytes_per_second(*made, text_item, bytes));
  }
}

}  // namespace
}  // namespace everyitem

int main() {
  using everyitem::measure;
  measure("plain", {}, "plain");
  measure("plain, numbers as strings", {.plain = {.numbers_as_strings = true}}, "plain");
  measure("plain, with types", {.plain = {.with_types = true}}, "plain");
  return 0;
}
