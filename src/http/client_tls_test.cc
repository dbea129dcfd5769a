#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "http/client.h"
#include "support/temporary_home.h"
#include "support/test_certificates.h"
#include "support/test_server.h"

namespace everyitem::http {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::HasSubstr;
using Cause = TransportError::Cause;

constexpr int kAnyVersion = 0;

/// A certificate authority that the clients trust, and servers with certificates of their own.
class HttpClientTlsTest : public testing::Test {
 protected:
  HttpClientTlsTest() { home_.write("ca.pem", authority_.pem()); }

  Certificate issued(const std::string& names) {
    return make_certificate({.alternative_names = names, .issuer = &authority_});
  }

  /// What a server needs that shows `certificate` and speaks `version` only.
  static std::unique_ptr<asio::ssl::context> tls_of(const Certificate& certificate,
                                                    int version = kAnyVersion) {
    auto tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
    SSL_CTX* const context = tls->native_handle();
    SSL_CTX_use_certificate(context, certificate.x509.get());
    SSL_CTX_use_PrivateKey(context, certificate.key.get());
    if (version != kAnyVersion) {
      SSL_CTX_set_min_proto_version(context, version);
      SSL_CTX_set_max_proto_version(context, version);
    }
    return tls;
  }

  Client client_of(const Endpoint& endpoint, Timeouts timeouts = {},
                   const std::string& bundle = "ca.pem") {
    return Client(context_.get_executor(), clock_, endpoint,
                  std::make_shared<const TlsSettings>(home_.file(bundle)), timeouts);
  }

  /// How a client fails that trusts the authority and wants to talk to `host`.
  TransportError refused(asio::ssl::context& tls, const std::string& host = "localhost") {
    TestServer server(context_, answer_all, &tls);
    Client client = client_of(server.endpoint(host));
    return failed_send(context_, client);
  }

  FakeClock clock_{std::chrono::system_clock::time_point()};
  asio::io_context context_;
  TemporaryHome home_;
  Certificate authority_ = make_certificate({.common_name = "authority", .authority = true});
  std::unique_ptr<asio::ssl::context> tls_ = tls_of(issued("DNS:localhost"));
};

// What is accepted

class HttpClientTlsVersionTest : public HttpClientTlsTest,
                                 public testing::WithParamInterface<int> {};

TEST_P(HttpClientTlsVersionTest, IsSpoken) {
  tls_ = tls_of(issued("DNS:localhost"), GetParam());
  int spoken = 0;
  std::string name;
  TestServer server(
      context_,
      [&](Peer& peer) -> Awaitable<void> {
        spoken = SSL_version(peer.native_tls());
        name = SSL_get_servername(peer.native_tls(), TLSEXT_NAMETYPE_host_name);
        co_await answer_all(peer);
      },
      tls_.get());
  Client client = client_of(server.endpoint("localhost"));
  EXPECT_EQ(text_of(send(context_, client)), "ok");
  EXPECT_EQ(text_of(send(context_, client)), "ok");
  EXPECT_EQ(spoken, GetParam());
  EXPECT_EQ(name, "localhost");
  EXPECT_EQ(server.accepted(), 1);
}

TEST_P(HttpClientTlsVersionTest, LargeBodiesBothWays) {
  tls_ = tls_of(issued("DNS:localhost"), GetParam());
  std::string body(8U << 20, 'x');
  for (std::size_t i = 0; i < body.size(); i += 1000) {
    body[i] = static_cast<char>(i / 1000);
  }
  TestServer server(
      context_,
      [](Peer& peer) -> Awaitable<void> {
        const std::string bytes = answer(body_of((co_await peer.read_request()).value()));
        co_await peer.write(bytes);
      },
      tls_.get());
  Client client = client_of(server.endpoint("localhost"));
  const Request request{.body = body, .limits = {.bytes = body.size()}};
  EXPECT_TRUE(text_of(send(context_, client, request)) == body);
}

TEST_P(HttpClientTlsVersionTest, ReplacesClosedConnections) {
  tls_ = tls_of(issued("DNS:localhost"), GetParam());
  bool closed = false;
  TestServer server(
      context_,
      [&](Peer& peer) -> Awaitable<void> {
        closed = false;
        co_await peer.read_request();
        const std::string bytes = answer("ok");
        co_await peer.write(bytes);
        switch (peer.number()) {
          case 1:
            peer.close();
            break;
          case 2:
            peer.drop();
            break;
          case 3:
            co_await peer.read_request();
            peer.reset();
            break;
          default:
            co_await answer_all(peer);
        }
        closed = true;
      },
      tls_.get());
  Client client = client_of(server.endpoint("localhost"));
  for (int connection = 1; connection <= 4; ++connection) {
    EXPECT_EQ(text_of(send(context_, client)), "ok");
    EXPECT_EQ(server.accepted(), connection);
    while (!closed && connection < 3) {
      run(context_, yield());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tls, HttpClientTlsVersionTest,
                         testing::Values(TLS1_2_VERSION, TLS1_3_VERSION), [](const auto& version) {
                           return version.param == TLS1_2_VERSION ? "Version12" : "Version13";
                         });

TEST_F(HttpClientTlsTest, VerifiesAddressWithoutName) {
  tls_ = tls_of(issued("IP:127.0.0.1"));
  bool named = true;
  TestServer server(
      context_,
      [&](Peer& peer) -> Awaitable<void> {
        named = SSL_get_servername(peer.native_tls(), TLSEXT_NAMETYPE_host_name) != nullptr;
        co_await answer_all(peer);
      },
      tls_.get());
  Client client = client_of(server.endpoint("127.0.0.1"));
  EXPECT_EQ(text_of(send(context_, client)), "ok");
  EXPECT_FALSE(named);
}

TEST_F(HttpClientTlsTest, TrailingBytesDropConnection) {
  // One record holds the end of the body and what nobody asked for.
  TestServer server(context_, answer_once(answer(std::string(20'000, 'x')) + "trailing"),
                    tls_.get());
  Client client = client_of(server.endpoint("localhost"));
  send(context_, client);
  EXPECT_EQ(send(context_, client).status, 200);
  EXPECT_EQ(server.accepted(), 2);
}

TEST_F(HttpClientTlsTest, TellsEndFromCut) {
  for (const bool cut : {false, true}) {
    TestServer server(
        context_,
        [&](Peer& peer) -> Awaitable<void> {
          co_await peer.read_request();
          co_await peer.write("HTTP/1.1 200 OK\r\n\r\nuntil the end");
          cut ? peer.drop() : peer.close();
        },
        tls_.get());
    Client client = client_of(server.endpoint("localhost"));
    if (cut) {
      EXPECT_EQ(failed_send(context_, client).cause(), Cause::closed);
    } else {
      EXPECT_EQ(text_of(send(context_, client)), "until the end");
    }
  }
}

// What is refused

void expect_refusal(const TransportError& error, const std::string& words) {
  EXPECT_EQ(error.cause(), Cause::tls);
  EXPECT_FALSE(error.request_sent());
  EXPECT_THAT(error.what(), HasSubstr(words));
}

TEST_F(HttpClientTlsTest, RefusesAnExpiredCertificate) {
  tls_ = tls_of(make_certificate({.alternative_names = "DNS:localhost",
                                  .issuer = &authority_,
                                  .valid_from = -hours(48),
                                  .valid_until = -hours(24)}));
  expect_refusal(refused(*tls_), "expired");
}

TEST_F(HttpClientTlsTest, RefusesFutureCertificate) {
  tls_ = tls_of(make_certificate({.alternative_names = "DNS:localhost",
                                  .issuer = &authority_,
                                  .valid_from = hours(24),
                                  .valid_until = hours(48)}));
  expect_refusal(refused(*tls_), "not valid yet");
}

TEST_F(HttpClientTlsTest, RefusesAnotherHostsCertificate) {
  expect_refusal(refused(*tls_, "127.0.0.1"), "host name mismatch");
  tls_ = tls_of(issued("IP:127.0.0.1"));
  expect_refusal(refused(*tls_, "localhost"), "host name mismatch");
  tls_ = tls_of(issued("DNS:localhost.example.com,DNS:*.localhost,IP:127.0.0.2"));
  expect_refusal(refused(*tls_, "localhost"), "host name mismatch");
  expect_refusal(refused(*tls_, "127.0.0.1"), "host name mismatch");
}

TEST_F(HttpClientTlsTest, RefusesCommonNameOnly) {
  tls_ = tls_of(make_certificate({.common_name = "localhost", .issuer = &authority_}));
  expect_refusal(refused(*tls_), "host name mismatch");
}

TEST_F(HttpClientTlsTest, RefusesSelfSignedCertificate) {
  tls_ = tls_of(make_certificate({.alternative_names = "DNS:localhost"}));
  expect_refusal(refused(*tls_), "self-signed");
}

TEST_F(HttpClientTlsTest, RefusesAnUnknownIssuer) {
  const Certificate other = make_certificate({.common_name = "other", .authority = true});
  tls_ = tls_of(make_certificate({.alternative_names = "DNS:localhost", .issuer = &other}));
  expect_refusal(refused(*tls_), "unknown issuer");
  SSL_CTX_add1_chain_cert(tls_->native_handle(), other.x509.get());
  expect_refusal(refused(*tls_), "unknown issuer");
}

TEST_F(HttpClientTlsTest, SystemRootsAreDefault) {
  TestServer server(context_, answer_all, tls_.get());
  Client client(context_.get_executor(), clock_, server.endpoint("localhost"),
                std::make_shared<const TlsSettings>());
  expect_refusal(failed_send(context_, client), "unknown issuer");
}

TEST_F(HttpClientTlsTest, RefusesOldProtocols) {
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    tls_ = tls_of(issued("DNS:localhost"), version);
    SSL_CTX_set_security_level(tls_->native_handle(), 0);
    SSL_CTX_set_cipher_list(tls_->native_handle(), "ALL:@SECLEVEL=0");
    expect_refusal(refused(*tls_), "protocol version");
  }
}

std::string client_random(Peer& peer) {
  std::string random(SSL3_RANDOM_SIZE, '\0');
  SSL_get_client_random(peer.native_tls(), reinterpret_cast<unsigned char*>(random.data()),
                        random.size());
  return random;
}

TEST_F(HttpClientTlsTest, RenegotiationIsRefused) {
  tls_ = tls_of(issued("DNS:localhost"), TLS1_2_VERSION);
  bool asked = false;
  std::vector<std::string> handshakes;  // by what the client drew for them
  TestServer server(
      context_,
      [&](Peer& peer) -> Awaitable<void> {
        if (peer.number() > 1) {
          co_await answer_all(peer);
          co_return;
        }
        co_await peer.read_request();
        handshakes.push_back(client_random(peer));
        asked = SSL_renegotiate(peer.native_tls()) == 1;
        const std::string bytes = answer("ok");
        co_await peer.write(bytes);  // after the request for another handshake
        const bool goes_on = (co_await peer.read_request()).has_value();
        handshakes.push_back(client_random(peer));
        if (goes_on) {
          co_await peer.write(bytes);
        } else {
          peer.drop();
        }
      },
      tls_.get());
  Client client = client_of(server.endpoint("localhost"));
  EXPECT_EQ(text_of(send(context_, client)), "ok");
  EXPECT_EQ(text_of(send(context_, client)), "ok");
  EXPECT_TRUE(asked);
  ASSERT_EQ(handshakes.size(), 2U);
  EXPECT_TRUE(handshakes[0] == handshakes[1]);
}

TEST_F(HttpClientTlsTest, ReportsServerWithoutTls) {
  TestServer server(context_, [](Peer& peer) -> Awaitable<void> {
    co_await peer.write("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  Endpoint endpoint = server.endpoint("localhost");
  endpoint.tls = true;
  Client client = client_of(endpoint);
  expect_refusal(failed_send(context_, client), "does not speak TLS");
}

TEST_F(HttpClientTlsTest, ReportsBrokenHandshake) {
  TestServer server(context_, [](Peer& peer) -> Awaitable<void> {
    peer.drop();
    co_return;
  });
  Endpoint endpoint = server.endpoint("localhost");
  endpoint.tls = true;
  Client client = client_of(endpoint);
  const TransportError error = failed_send(context_, client);
  EXPECT_EQ(error.cause(), Cause::connect);
  EXPECT_FALSE(error.request_sent());
}

TEST_F(HttpClientTlsTest, StuckHandshakeTimesOut) {
  bool silent = false;
  TestServer server(context_, [&](Peer& peer) -> Awaitable<void> {
    co_await peer.read_some();
    silent = true;
  });
  Endpoint endpoint = server.endpoint("localhost");
  endpoint.tls = true;
  Client client = client_of(endpoint, {.connect = milliseconds(40)});
  const TransportError error = timed_out_send(context_, client, clock_, silent);
  EXPECT_EQ(error.cause(), Cause::connect);
  EXPECT_FALSE(error.request_sent());
  EXPECT_STREQ(error.what(), "no TLS handshake within 0.04 s");
}

TEST_F(HttpClientTlsTest, SilenceTimesOut) {
  const std::string large(16U << 20, 'x');
  for (const std::string& body : {large, std::string()}) {
    bool silent = false;
    TestServer server(
        context_,
        [&](Peer& peer) -> Awaitable<void> {
          co_await peer.read_some();
          silent = true;
        },
        tls_.get());
    Client client = client_of(server.endpoint("localhost"), {.idle = milliseconds(40)});
    EXPECT_EQ(timed_out_send(context_, client, clock_, silent, {.body = body}).cause(),
              Cause::idle);
  }
}

TEST_F(HttpClientTlsTest, SurvivesResetWhileSending) {
  const std::string body(16U << 20, 'x');
  TestServer server(
      context_,
      [](Peer& peer) -> Awaitable<void> {
        peer.reset();
        co_return;
      },
      tls_.get());
  Client client = client_of(server.endpoint("localhost"));
  const TransportError error = failed_send(context_, client, {.body = body});
  EXPECT_THAT(error.cause(), testing::AnyOf(Cause::closed, Cause::connect));
}

// Settings

TEST_F(HttpClientTlsTest, NamesUnusableBundle) {
  home_.write("nothing.pem", "no certificate\n");
  for (const std::string name : {"missing.pem", "nothing.pem"}) {
    const std::string path = home_.file(name);
    try {
      const TlsSettings settings(path);
      FAIL() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_THAT(error.what(), HasSubstr(path));
    }
  }
}

TEST_F(HttpClientTlsTest, TlsEndpointNeverPlain) {
  EXPECT_THROW(Client(context_.get_executor(), clock_,
                      {.tls = true, .host = "localhost", .port = 1}, nullptr),
               std::invalid_argument);
}

}  // namespace
}  // namespace everyitem::http
