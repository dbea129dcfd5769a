// The fault server over TLS, met by a client of TLS that is not the project's own.
#include "emulator/server_tls.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "emulator/fault_server.h"

namespace everyitem::emulator {
namespace {

namespace ssl = asio::ssl;
using asio::ip::tcp;

struct Seen {
  std::string protocol;
  std::string cipher;
  std::string answer;  ///< its beginning
};

/// Asks for the report.
Awaitable<Seen> ask(std::uint16_t port, ssl::context& trust, const std::string& host) {
  ssl::stream<tcp::socket> stream(co_await asio::this_coro::executor, trust);
  stream.set_verify_mode(ssl::verify_peer);
  stream.set_verify_callback(ssl::host_name_verification(host));
  co_await stream.next_layer().async_connect({asio::ip::address_v4::loopback(), port},
                                             asio::use_awaitable);
  co_await stream.async_handshake(ssl::stream_base::client, asio::use_awaitable);
  const std::string request = "GET /report HTTP/1.1\r\nHost: localhost\r\n\r\n";
  co_await asio::async_write(stream, asio::buffer(request), asio::use_awaitable);
  std::string answer(12, '\0');
  co_await stream.async_read_some(asio::buffer(answer), asio::use_awaitable);
  Seen seen;
  seen.protocol = SSL_get_version(stream.native_handle());
  seen.cipher = SSL_get_cipher_name(stream.native_handle());
  seen.answer = answer;
  co_return seen;
}

/// What a client of this version alone sees; throws what it throws.
Seen ask_in(int version, bool trusts = true, const std::string& host = "127.0.0.1") {
  asio::io_context loop(1);
  FaultServerOptions options;
  options.tls = true;
  FaultServer server(loop.get_executor(), options);
  ssl::context trust(ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(trust.native_handle(), version);
  SSL_CTX_set_max_proto_version(trust.native_handle(), version);
  if (trusts) {
    trust.add_certificate_authority(asio::buffer(server.authority()));
  }
  Seen seen;
  std::exception_ptr failure;
  asio::co_spawn(loop, ask(server.port(), trust, host),
                 [&](const std::exception_ptr& failed, Seen done) {
                   failure = failed;
                   seen = std::move(done);
                   server.stop();
                 });
  loop.run();
  if (failure) {
    std::rethrow_exception(failure);
  }
  return seen;
}

TEST(ServerTls, BothVersionsOneCipher) {
  const Seen newer = ask_in(TLS1_3_VERSION);
  EXPECT_EQ(newer.protocol, "TLSv1.3");
  EXPECT_EQ(newer.cipher, "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(newer.answer, "HTTP/1.1 200");
  const Seen older = ask_in(TLS1_2_VERSION);
  EXPECT_EQ(older.protocol, "TLSv1.2");
  EXPECT_EQ(older.cipher, "ECDHE-ECDSA-AES128-GCM-SHA256");
  EXPECT_EQ(older.answer, "HTTP/1.1 200");
}

TEST(ServerTls, NamesThisMachine) {
  EXPECT_EQ(ask_in(TLS1_3_VERSION, true, "localhost").answer, "HTTP/1.1 200");
  EXPECT_THROW(ask_in(TLS1_3_VERSION, true, "example.com"), boost::system::system_error);
}

TEST(ServerTls, TrustedOnlyWithAuthority) {
  EXPECT_THROW(ask_in(TLS1_3_VERSION, false), boost::system::system_error);
}

}  // namespace
}  // namespace everyitem::emulator
