// Requests through a proxy.
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/client.h"
#include "support/temporary_home.h"
#include "support/test_certificates.h"
#include "support/test_server.h"

namespace everyitem::http {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Cause = TransportError::Cause;

constexpr int kAnyVersion = 0;
constexpr auto kBasic = "Basic bWU6aHVzaA==";  // me:hush

/// A proxy in front of a server, whose certificate comes from an authority the clients trust.
class HttpProxyTest : public testing::Test {
 protected:
  HttpProxyTest() {
    home_.write("ca.pem", authority_.pem());
    show(make_certificate(
        {.alternative_names = "DNS:localhost,IP:127.0.0.1,IP:::1", .issuer = &authority_}));
  }

  /// The server shows this certificate from now on, and speaks `version` only.
  void show(Certificate certificate, int version = kAnyVersion) {
    certificate_ = std::move(certificate);
    tls_ = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
    SSL_CTX* const context = tls_->native_handle();
    SSL_CTX_use_certificate(context, certificate_.x509.get());
    SSL_CTX_use_PrivateKey(context, certificate_.key.get());
    if (version != kAnyVersion) {
      SSL_CTX_set_min_proto_version(context, version);
      SSL_CTX_set_max_proto_version(context, version);
      SSL_CTX_set_security_level(context, 0);
      SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0");
    }
  }

  /// What the server does: keeps the request, and answers.
  TestServer::Script keep_requests() {
    return [this](Peer& peer) -> Awaitable<void> {
      for (;;) {
        const auto request = co_await peer.read_request();
        if (!request) {
          co_return;
        }
        served_.push_back(*request);
        const std::string bytes = answer("ok");
        co_await peer.write(bytes);
      }
    };
  }

  /// A proxy script that connects everyone to `server`.
  TestServer::Script tunnel_to(const TestServer& server,
                               std::string greeting = "HTTP/1.1 200 Connection established\r\n\r\n",
                               const std::string& address = "127.0.0.1") {
    const std::uint16_t port = server.endpoint().port;
    return [this, port, address, greeting = std::move(greeting)](Peer& peer) -> Awaitable<void> {
      const auto asked = co_await peer.read_request();
      asked_.push_back(asked.value_or(""));
      co_await peer.write(greeting);
      co_await peer.relay(address, port);
    };
  }

  Proxy proxy_at(const Endpoint& endpoint, std::string authorization = "") const {
    return {
        .endpoint = endpoint, .authorization = std::move(authorization), .setting = "HTTPS_PROXY"};
  }

  Client client_of(const Endpoint& endpoint, const Proxy& proxy, Timeouts timeouts = {}) {
    return Client(context_.get_executor(), clock_, endpoint,
                  std::make_shared<const TlsSettings>(home_.file("ca.pem")), timeouts, proxy);
  }

  /// How a client of https://dynamodb.test fails whose proxy does this.
  TransportError refused(const TestServer::Script& script, const std::string& authorization = "") {
    TestServer proxy(context_, script);
    Client client = client_of({.host = "dynamodb.test"}, proxy_at(proxy.endpoint(), authorization));
    proxy_name_ = "the proxy " + proxy.endpoint().authority();
    return failed_send(context_, client);
  }
  /// The same for one that runs out of time, which passes from when `begin` is true on.
  TransportError timed_out(const TestServer::Script& script, const bool& begin) {
    TestServer proxy(context_, script);
    Client client = client_of({.host = "dynamodb.test"}, proxy_at(proxy.endpoint()),
                              {.connect = milliseconds(40), .idle = hours(1)});
    proxy_name_ = "the proxy " + proxy.endpoint().authority();
    return timed_out_send(context_, client, clock_, begin);
  }

  FakeClock clock_{std::chrono::system_clock::time_point()};
  asio::io_context context_;
  TemporaryHome home_;
  Certificate authority_ = make_certificate({.common_name = "authority", .authority = true});
  Certificate certificate_;
  std::unique_ptr<asio::ssl::context> tls_;
  std::vector<std::string> asked_;   ///< of the proxy
  std::vector<std::string> served_;  ///< by the server
  std::string proxy_name_;
};

// Through a tunnel

TEST_F(HttpProxyTest, TlsEndpointThroughTunnel) {
  TestServer server(context_, keep_requests(), tls_.get());
  TestServer proxy(context_, tunnel_to(server));
  const Endpoint endpoint = server.endpoint("localhost");
  Client client = client_of(endpoint, proxy_at(proxy.endpoint(), kBasic));
  EXPECT_EQ(text_of(send(context_, client, {.body = "{}"})), "ok");
  EXPECT_EQ(text_of(send(context_, client, {.body = "{}"})), "ok");
  const std::string target = "localhost:" + std::to_string(endpoint.port);
  EXPECT_THAT(asked_, testing::ElementsAre("CONNECT " + target + " HTTP/1.1\r\nHost: " + target +
                                           "\r\nProxy-Authorization: " + kBasic + "\r\n\r\n"));
  ASSERT_EQ(served_.size(), 2U);
  EXPECT_EQ(served_[0], "POST / HTTP/1.1\r\nHost: " + endpoint.authority() +
                            "\r\nAccept-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}");
}

TEST_F(HttpProxyTest, TunnelWithoutCredentials) {
  const TransportError error = refused([this](Peer& peer) -> Awaitable<void> {
    const auto asked = co_await peer.read_request();
    asked_.push_back(asked.value_or(""));
    peer.close();
  });
  EXPECT_THAT(asked_, testing::ElementsAre("CONNECT dynamodb.test:443 HTTP/1.1\r\n"
                                           "Host: dynamodb.test:443\r\n\r\n"));
  EXPECT_EQ(error.cause(), Cause::proxy);
}

TEST_F(HttpProxyTest, EverySuccessOpensTunnel) {
  for (const char* greeting :
       {"HTTP/1.0 200 Connection established\r\n\r\n", "HTTP/1.1 200 \r\nVia: 1.1 squid\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"}) {
    TestServer server(context_, keep_requests(), tls_.get());
    TestServer proxy(context_, tunnel_to(server, greeting));
    Client client = client_of(server.endpoint("localhost"), proxy_at(proxy.endpoint()));
    EXPECT_EQ(text_of(send(context_, client)), "ok") << greeting;
  }
}

TEST_F(HttpProxyTest, TunnelOpensBytewise) {
  TestServer server(context_, keep_requests(), tls_.get());
  const std::uint16_t port = server.endpoint().port;
  TestServer proxy(context_, [port](Peer& peer) -> Awaitable<void> {
    co_await peer.read_request();
    for (const char byte : std::string("HTTP/1.1 200 OK\r\nX: y\r\n\r\n")) {
      const std::string one(1, byte);
      co_await peer.write(one);
      co_await yield();
    }
    co_await peer.relay("127.0.0.1", port);
  });
  Client client = client_of(server.endpoint("localhost"), proxy_at(proxy.endpoint()));
  EXPECT_EQ(text_of(send(context_, client)), "ok");
}

TEST_F(HttpProxyTest, TunnelOverIpv6) {
  TestServer server(context_, keep_requests(), tls_.get(), "::1");
  const std::string port = std::to_string(server.endpoint().port);
  TestServer proxy(context_, tunnel_to(server, "HTTP/1.1 200 OK\r\n\r\n", "::1"), nullptr, "::1");
  Client client = client_of(server.endpoint("::1"), proxy_at(proxy.endpoint("::1")));
  EXPECT_EQ(text_of(send(context_, client)), "ok");
  EXPECT_THAT(asked_.at(0), StartsWith("CONNECT [::1]:" + port + " HTTP/1.1\r\n"));
}

TEST_F(HttpProxyTest, CertificatesCheckedThroughTunnel) {
  const Certificate other = make_certificate({.common_name = "other", .authority = true});
  const std::string names = "DNS:localhost";
  const struct {
    std::string words;
    std::function<Certificate()> make;
    int version = kAnyVersion;
  } cases[] = {
      {"expired",
       [&] {
         return make_certificate({.alternative_names = names,
                                  .issuer = &authority_,
                                  .valid_from = -hours(48),
                                  .valid_until = -hours(24)});
       }},
      {"not valid yet",
       [&] {
         return make_certificate({.alternative_names = names,
                                  .issuer = &authority_,
                                  .valid_from = hours(24),
                                  .valid_until = hours(48)});
       }},
      // Neither the proxy's name nor its address will do.
      {"host name mismatch",
       [&] {
         return make_certificate({.alternative_names = "IP:127.0.0.1", .issuer = &authority_});
       }},
      {"self-signed", [&] { return make_certificate({.alternative_names = names}); }},
      {"unknown issuer",
       [&] { return make_certificate({.alternative_names = names, .issuer = &other}); }},
      {"protocol version",
       [&] { return make_certificate({.alternative_names = names, .issuer = &authority_}); },
       TLS1_VERSION},
      {"protocol version",
       [&] { return make_certificate({.alternative_names = names, .issuer = &authority_}); },
       TLS1_1_VERSION},
  };
  for (const auto& one : cases) {
    show(one.make(), one.version);
    TestServer server(context_, keep_requests(), tls_.get());
    TestServer proxy(context_, tunnel_to(server));
    Client client = client_of(server.endpoint("localhost"), proxy_at(proxy.endpoint()));
    const TransportError error = failed_send(context_, client);
    EXPECT_EQ(error.cause(), Cause::tls) << one.words;
    EXPECT_THAT(error.what(), AllOf(HasSubstr(one.words), HasSubstr("through the proxy " +
                                                                    proxy.endpoint().authority())));
  }
  EXPECT_TRUE(served_.empty());
}

TEST_F(HttpProxyTest, ClosedTunnelIsReplaced) {
  TestServer server(
      context_,
      [this](Peer& peer) -> Awaitable<void> {
        const auto request = co_await peer.read_request();
        served_.push_back(request.value_or(""));
        const std::string bytes = answer("ok");
        co_await peer.write(bytes);
        peer.close();
      },
      tls_.get());
  TestServer proxy(context_, tunnel_to(server));
  Client client = client_of(server.endpoint("localhost"), proxy_at(proxy.endpoint()));
  EXPECT_EQ(text_of(send(context_, client)), "ok");
  EXPECT_EQ(text_of(send(context_, client)), "ok");
  EXPECT_EQ(asked_.size(), 2U);
}

// Passed on

TEST_F(HttpProxyTest, PlainUsesWholeUrl) {
  TestServer proxy(context_, keep_requests());
  const Endpoint endpoint{.tls = false, .host = "dynamodb.test", .port = 8000};
  Client client = client_of(endpoint, proxy_at(proxy.endpoint(), kBasic));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(text_of(send(context_, client,
                           {.target = "/a?b=c", .headers = {{"X-One", "1"}}, .body = "{}"})),
              "ok");
    EXPECT_EQ(served_.back(),
              "POST http://dynamodb.test:8000/a?b=c HTTP/1.1\r\nProxy-Authorization: " +
                  std::string(kBasic) +
                  "\r\nHost: dynamodb.test:8000\r\nX-One: 1\r\nAccept-Encoding: "
                  "identity\r\nContent-Length: 2\r\n\r\n{}");
  }
  EXPECT_EQ(proxy.accepted(), 1);
}

TEST_F(HttpProxyTest, ForwardedRefusalPassesThrough) {
  TestServer proxy(context_, answer_once(answer("no", "403 Forbidden"), true));
  Client client =
      client_of({.tls = false, .host = "dynamodb.test", .port = 80}, proxy_at(proxy.endpoint()));
  EXPECT_EQ(send(context_, client).status, 403);
}

TEST_F(HttpProxyTest, ForwardingProxyWantsCredentials) {
  TestServer proxy(context_, answer_once(answer("", "407 Proxy Authentication Required"), true));
  Client client =
      client_of({.tls = false, .host = "dynamodb.test", .port = 80}, proxy_at(proxy.endpoint()));
  const TransportError error = failed_send(context_, client);
  EXPECT_EQ(error.cause(), Cause::proxy_refused);
  EXPECT_THAT(error.what(), HasSubstr("requires a user name and a password"));
}

TEST_F(HttpProxyTest, LocalRequestsStayLocal) {
  Endpoint endpoint{.tls = false, .host = "127.0.0.1", .port = 8000};
  endpoint.must_be_local = true;
  TestServer proxy(context_, keep_requests());
  Client here = client_of(endpoint, proxy_at(proxy.endpoint()));
  EXPECT_EQ(text_of(send(context_, here)), "ok");
  Client elsewhere =
      client_of(endpoint, proxy_at({.tls = false, .host = "192.0.2.1", .port = 3128}));
  const TransportError error = failed_send(context_, elsewhere);
  EXPECT_EQ(error.cause(), Cause::not_local);
  EXPECT_THAT(error.what(), HasSubstr("the proxy 192.0.2.1:3128: 192.0.2.1 is not this machine"));
}

// What goes wrong

TEST_F(HttpProxyTest, CredentialsHintForProxy) {
  const TestServer::Script script = answer_once(
      "HTTP/1.1 407 Proxy Authentication Required\r\n"
      "Proxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n");
  const TransportError without = refused(script);
  EXPECT_EQ(without.cause(), Cause::proxy_refused);
  EXPECT_FALSE(without.request_sent());
  EXPECT_EQ(without.what(), proxy_name_ + " requires a user name and a password (status 407)");
  EXPECT_THAT(without.hint(), AllOf(HasSubstr("HTTPS_PROXY"), HasSubstr("USER:PASSWORD")));
  const TransportError with = refused(script, kBasic);
  EXPECT_EQ(with.what(),
            proxy_name_ + " does not accept the user name and the password (status 407)");
  EXPECT_THAT(with.hint(), Not(HasSubstr("hush")));
}

TEST_F(HttpProxyTest, OtherRefusalShowsStatus) {
  const TransportError forbidden = refused(answer_once(answer("<html>", "403 Forbidden")));
  EXPECT_EQ(forbidden.cause(), Cause::proxy_refused);
  EXPECT_EQ(forbidden.what(),
            proxy_name_ + " does not allow connections to the endpoint (status 403)");
  EXPECT_THAT(forbidden.hint(), AllOf(HasSubstr("HTTPS_PROXY"), HasSubstr("NO_PROXY")));
  const TransportError moved =
      refused(answer_once(answer("", "302 Found", "Location: http://elsewhere/\r\n")));
  EXPECT_EQ(moved.cause(), Cause::proxy_refused);
}

TEST_F(HttpProxyTest, FailingProxyIsRetried) {
  const TransportError error = refused(answer_once(answer("", "503 Service Unavailable")));
  EXPECT_EQ(error.cause(), Cause::proxy);
  EXPECT_EQ(error.what(), proxy_name_ + " failed to connect to the endpoint (status 503)");
}

TEST_F(HttpProxyTest, NonHttpBlamesProxy) {
  const TransportError error = refused(answer_once("SSH-2.0-OpenSSH_9.2\r\n\r\n"));
  EXPECT_EQ(error.cause(), Cause::proxy);
  EXPECT_THAT(error.what(), AllOf(StartsWith(proxy_name_ + ": "), HasSubstr("not HTTP")));
  EXPECT_THAT(error.hint(), HasSubstr("HTTPS_PROXY"));
  const TransportError talkative = refused(answer_once("HTTP/1.1 200 OK\r\n\r\ntoo much"));
  EXPECT_EQ(talkative.cause(), Cause::proxy);
}

TEST_F(HttpProxyTest, ClosingProxyIsNamed) {
  const TransportError error = refused(answer_once("", true));
  EXPECT_EQ(error.cause(), Cause::proxy);
  EXPECT_EQ(error.what(), proxy_name_ + ": connection closed without a response");
  const TransportError half = refused(answer_once("HTTP/1.1 200", true));
  EXPECT_EQ(half.what(), proxy_name_ + ": connection closed mid-response");
}

TEST_F(HttpProxyTest, SilentProxyTimesOut) {
  bool silent = false;
  const TransportError error = timed_out(
      [&](Peer& peer) -> Awaitable<void> {
        co_await peer.read_request();
        silent = true;
      },
      silent);
  EXPECT_EQ(error.cause(), Cause::proxy);
  EXPECT_FALSE(error.request_sent());
  EXPECT_EQ(error.what(), proxy_name_ + ": no response to CONNECT within 0.04 s");
}

TEST_F(HttpProxyTest, EndlessAnswerTimesOut) {
  bool endless = false;
  const TransportError error = timed_out(
      [&](Peer& peer) -> Awaitable<void> {
        co_await peer.read_request();
        co_await peer.write("HTTP/1.1 200 OK\r\n");
        endless = true;
        for (;;) {
          co_await peer.write("x");
          co_await yield();  // time passes
        }
      },
      endless);
  EXPECT_EQ(error.what(), proxy_name_ + ": no response to CONNECT within 0.04 s");
}

TEST_F(HttpProxyTest, SilentTunnelTimesOut) {
  bool silent = false;
  const TransportError error = timed_out(
      [&](Peer& peer) -> Awaitable<void> {
        co_await peer.read_request();
        co_await peer.write("HTTP/1.1 200 OK\r\n\r\n");
        co_await peer.read_some();  // of the TLS handshake
        silent = true;
      },
      silent);
  EXPECT_EQ(error.cause(), Cause::connect);
  EXPECT_EQ(error.what(), "no TLS handshake within 0.04 s (through " + proxy_name_ + ")");
}

TEST_F(HttpProxyTest, AbsentProxyIsNamed) {
  TestServer proxy(context_, answer_all);
  proxy_name_ = "the proxy " + proxy.endpoint().authority();
  Client client = client_of({.host = "dynamodb.test"}, proxy_at(proxy.endpoint()));
  proxy.stop_accepting();
  const TransportError error = failed_send(context_, client);
  EXPECT_EQ(error.cause(), Cause::proxy);
  EXPECT_THAT(error.what(), StartsWith(proxy_name_ + ": cannot connect: "));
  EXPECT_EQ(error.hint(), "Check HTTPS_PROXY and the network.");
}

TEST_F(HttpProxyTest, UnresolvedProxyIsNamed) {
  Client client = client_of({.host = "dynamodb.test"},
                            proxy_at({.tls = false, .host = "proxy.invalid", .port = 3128}));
  const TransportError error = failed_send(context_, client);
  EXPECT_EQ(error.cause(), Cause::proxy);
  EXPECT_THAT(error.what(), StartsWith("the proxy proxy.invalid:3128: the host has no address"));
}

}  // namespace
}  // namespace everyitem::http
