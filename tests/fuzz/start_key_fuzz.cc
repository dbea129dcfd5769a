// Positions, as they are in checkpoints and in the responses to Scan. The first line has the names
// of the key's attributes, with commas; the rest is a position. Whatever is accepted has exactly
// these attributes, and in a request it changes nothing but ExclusiveStartKey.
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "fuzz_target.h"
#include "source/scan_request.h"
#include "source/start_key.h"

namespace everyitem::source {
namespace {

namespace json = boost::json;
using fuzz::require;

void read(std::string_view text, const std::vector<std::string>& names) {
  const auto key = StartKey::parse(text, names);
  if (!key) {
    return;
  }
  require(StartKey::parse(key->json(), names) == key, "reading it again changes nothing");
  const json::object parsed = json::parse(key->json()).as_object();
  require(names.empty() ? parsed.size() <= 4 : parsed.size() == names.size(),
          "it has the key's attributes");
  for (const std::string& name : names) {
    require(parsed.contains(name), "it has each attribute of the key");
  }
  for (const auto& [name, value] : parsed) {
    require(value.as_object().size() == 1, "a value has one type");
    const std::string_view type = value.as_object().begin()->key();
    require(type == "S" || type == "N" || type == "B", "a value has the type of a key");
    require(value.as_object().begin()->value().is_string(), "a value is a text");
  }
  const ScanRequests requests({.table = "orders", .index = "by-date"}, 8);
  json::object request = json::parse(requests.page(3, &*key, 5)).as_object();
  require(request.at("ExclusiveStartKey") == parsed, "the request has the key");
  request.erase("ExclusiveStartKey");
  require(request == json::parse(requests.page(3, nullptr, 5)).as_object(),
          "nothing else of the request changes");
}

}  // namespace
}  // namespace everyitem::source

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = everyitem::fuzz::as_text(data, size);
  std::string_view line = everyitem::fuzz::take_line(rest);
  std::vector<std::string> names;
  while (!line.empty()) {
    const std::string name(line.substr(0, line.find(',')));
    line.remove_prefix(std::min(name.size() + 1, line.size()));
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(name);
    }
  }
  everyitem::source::read(rest, names);
  return 0;
}
