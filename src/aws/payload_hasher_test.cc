#include "aws/payload_hasher.h"

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "base/run_to_end.h"

namespace everyitem::aws {
namespace {

std::string some_text(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string text(size, '\0');
  for (char& c : text) {
    c = static_cast<char>(random());
  }
  return text;
}

TEST(PayloadHasher, LoneBodyHashedImmediately) {
  asio::io_context loop;
  PayloadHasher hasher;
  for (const std::size_t size : {std::size_t{0}, PayloadHasher::kMinBytes - 1,
                                 PayloadHasher::kMinBytes, std::size_t{100'000}}) {
    const std::string body = some_text(size, 1);
    EXPECT_EQ(run_to_end(loop, hasher.hash(body)), sha256(body)) << size;
  }
}

TEST(PayloadHasher, ConcurrentBodiesStaySeparate) {
  for (std::size_t count = 1; count <= 20; ++count) {
    asio::io_context loop;
    PayloadHasher hasher;
    std::vector<std::string> bodies;
    std::vector<std::optional<Sha256>> digests(count);
    for (std::size_t i = 0; i < count; ++i) {
      bodies.push_back(some_text(3'000 + 1'111 * i, static_cast<unsigned>(i)));
    }
    for (std::size_t i = 0; i < count; ++i) {
      asio::co_spawn(loop, hasher.hash(bodies[i]),
                     [&, i](const std::exception_ptr& failure, Sha256 digest) {
                       EXPECT_FALSE(failure);
                       digests[i] = digest;
                     });
    }
    loop.run();
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(digests[i], sha256(bodies[i])) << i << " of " << count;
    }
  }
}

TEST(PayloadHasher, BodyUntouchedAfterCancellation) {
  if (sha256_side_by_side() == 1) {
    GTEST_SKIP() << "this processor hashes no texts side by side";
  }
  asio::io_context loop;
  PayloadHasher hasher;
  auto gone = std::make_unique<std::string>(some_text(10'000, 1));
  asio::cancellation_signal cancel;
  bool cancelled = false;
  asio::co_spawn(loop, hasher.hash(*gone),
                 asio::bind_cancellation_slot(
                     cancel.slot(), [&](const std::exception_ptr& failure, const Sha256&) {
                       cancelled = failure != nullptr;
                       gone.reset();
                     }));
  loop.poll_one();  // it waits for others
  cancel.emit(asio::cancellation_type::terminal);
  while (!cancelled && loop.poll_one() > 0) {
  }
  ASSERT_TRUE(cancelled);

  const std::string body = some_text(20'000, 2);
  EXPECT_EQ(run_to_end(loop, hasher.hash(body)), sha256(body));
}

}  // namespace
}  // namespace everyitem::aws
