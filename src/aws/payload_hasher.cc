#include "aws/payload_hasher.h"

#include <boost/asio/post.hpp>

namespace everyitem::aws {

Awaitable<Sha256> PayloadHasher::hash(std::string_view body) {
  const std::size_t most = sha256_side_by_side();
  if (body.size() < kMinBytes || most == 1) {
    co_return sha256(body);
  }
  const auto own = std::make_shared<Waiting>();
  own->body = body;
  waiting_.push_back(own);
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  for (int turn = 0; turn < kTurns && waiting_.size() < most && !own->done; ++turn) {
    co_await asio::post(executor, asio::use_awaitable);
  }
  if (!own->done) {
    hash_all();
  }
  co_return own->digest;
}

void PayloadHasher::hash_all() {
  std::vector<std::shared_ptr<Waiting>> together;
  std::vector<std::string_view> bodies;
  for (const std::weak_ptr<Waiting>& one : waiting_) {
    if (auto waiting = one.lock()) {
      bodies.push_back(waiting->body);
      together.push_back(std::move(waiting));
    }
  }
  waiting_.clear();
  std::vector<Sha256> digests(bodies.size());
  sha256_each(bodies, digests);
  for (std::size_t i = 0; i < together.size(); ++i) {
    together[i]->digest = digests[i];
    together[i]->done = true;
  }
}

}  // namespace everyitem::aws
