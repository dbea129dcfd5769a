#include "sink/shard_list.h"

#include <iterator>
#include <stdexcept>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "aws/answer_document.h"
#include "aws/json_members.h"
#include "base/cbor.h"
#include "base/error.h"
#include "batch/kinesis_limits.h"

namespace everyitem::sink {

namespace json = boost::json;

namespace {

/// With 1,000 shards per page, closed ones included, more than any stream has.
constexpr int kMaxPages = 1000;

batch::HashKey hash_key_member(const json::object& range, std::string_view name) {
  const auto key = batch::parse_hash_key(aws::text_member(range, name));
  if (!key) {
    throw aws::MalformedResponse(fmt::format("a shard's {} is not a hash key", name));
  }
  return *key;
}

/// The token names the stream; the request must not name it as well (API reference, ListShards).
std::string next_request(Wire wire, const std::string& token) {
  if (wire == Wire::json) {
    return json::serialize(json::object{{"NextToken", token}});
  }
  std::string body(1, kCborOpenMap);
  append_cbor_text(body, "NextToken");
  append_cbor_text(body, token);
  return body + kCborBreak;
}

Error unusable(const std::string& object, const std::string& why) {
  return Error(ErrorKind::failed, {.operation = "ListShards", .object = object, .message = why});
}

batch::ShardMap map_of(std::vector<batch::Shard> open, const std::string& object) {
  try {
    return batch::ShardMap(std::move(open));
  } catch (const std::invalid_argument& error) {
    throw unusable(object, error.what());
  }
}

}  // namespace

ShardPage parse_shard_page(std::string_view body, Wire wire) {
  ShardPage page;
  aws::read_document("ListShards", body, wire, [&](const json::object& answer) {
    for (const json::value& value : answer.at("Shards").as_array()) {
      const json::object& shard = value.as_object();
      if (!aws::text_member(shard.at("SequenceNumberRange").as_object(), "EndingSequenceNumber")
               .empty()) {
        continue;
      }
      const json::object& range = shard.at("HashKeyRange").as_object();
      page.open.push_back({.id = std::string(shard.at("ShardId").as_string()),
                           .first = hash_key_member(range, "StartingHashKey"),
                           .last = hash_key_member(range, "EndingHashKey")});
    }
    page.next_token = aws::text_member(answer, "NextToken");
  });
  return page;
}

Awaitable<batch::ShardMap> list_shards(aws::Client& kinesis, Wire wire, batch::StreamId stream,
                                       aws::Patience patience) {
  const std::string object = fmt::format("stream {} in {}", stream.name, kinesis.region());
  std::vector<batch::Shard> open;
  std::string body = batch::put_records_format(wire).naming(stream);
  for (int pages = 0; pages < kMaxPages; ++pages) {
    ShardPage page;
    const aws::Client::Accept accept = [&](const http::Response& response) {
      page = parse_shard_page(response.body.view(), wire);
    };
    const aws::Call call{.operation = "ListShards",
                         .object = object,
                         .body = body,
                         .wire = wire,
                         .max_answer_bytes = batch::kMaxShardPageBytes,
                         .patience = patience};
    co_await kinesis.call(call, accept);
    std::ranges::move(page.open, std::back_inserter(open));
    if (open.size() > batch::kMaxOpenShards) {
      throw unusable(object, "it lists more shards than any stream has");
    }
    if (page.next_token.empty()) {
      co_return map_of(std::move(open), object);
    }
    body = next_request(wire, page.next_token);
  }
  throw unusable(object, "the list does not end");
}

}  // namespace everyitem::sink
