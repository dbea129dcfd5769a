// DescribeStreamSummary responses.
#include "fuzz_target.h"
#include "sink/stream_description.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace everyitem;
  // The first byte selects the encoding.
  const bool cbor = size > 0 && data[0] == 'c';
  const std::string_view body = fuzz::as_text(data, size).substr(size > 0 ? 1 : 0);
  try {
    const auto stream = sink::parse_stream_description(body, cbor ? Wire::cbor : Wire::json, "s");
    const batch::PutRecordsLimits& limits = stream.limits;
    fuzz::require(limits.record_bytes >= batch::kDefaultMaxRecordBytes,
                  "every stream takes records of the default size");
    fuzz::require(limits.record_bytes <= limits.request_bytes, "every record fits into a request");
    fuzz::require(limits.request_bytes <= batch::kMaxRequestBytesLargeRecords,
                  "no request is larger than Kinesis takes");
  } catch (const aws::MalformedResponse&) {
    return 0;
  } catch (const aws::NotReady&) {
    return 0;
  } catch (const Error&) {
    return 0;
  }
  return 0;
}
