// DescribeTable responses, for a table and for one of its indexes.
#include "aws/client.h"
#include "fuzz_target.h"
#include "source/table_description.h"

namespace everyitem::source {
namespace {

void parse(std::string_view body, std::string_view index, bool consistent_read) {
  try {
    const TableDescription table = parse_table_description(body, "t", index, consistent_read);
    fuzz::require(!table.keys.hash.empty(), "a table has a hash key");
  } catch (const aws::MalformedResponse&) {
    return;
  } catch (const aws::NotReady&) {
    return;
  } catch (const Error&) {
    return;
  }
}

}  // namespace
}  // namespace everyitem::source

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body = everyitem::fuzz::as_text(data, size);
  everyitem::source::parse(body, "", true);
  everyitem::source::parse(body, "by-state", false);
  everyitem::source::parse(body, "by-state", true);
  return 0;
}
