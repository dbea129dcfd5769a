// The floor of the benchmark: a bare relay that reads each page of a scan, computes its SHA-256 and
// posts it back without looking at the items. This is the least any program that delivers a table
// has to do.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "aws/sigv4.h"

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

struct Settings {
  std::uint16_t port = 0;
  std::uint32_t segments = 8;
  std::size_t item_bytes = 400;    ///< of every item's JSON
  std::size_t items_per_post = 0;  ///< 0: one POST per page
  std::string authority;           ///< the server's, a file in PEM; empty: HTTP without TLS
  everyitem::aws::Credentials credentials;
};

struct Relayed {
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;
};

constexpr const char* kAddress = "127.0.0.1";

struct FreeOpenssl {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeOpenssl>;

/// Null without a certificate authority, which means no TLS.
TlsContext tls_of(const std::string& authority) {
  if (authority.empty()) {
    return nullptr;
  }
  TlsContext context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  X509_VERIFY_PARAM_set1_ip_asc(SSL_CTX_get0_param(context.get()), kAddress);
  if (SSL_CTX_load_verify_file(context.get(), authority.c_str()) != 1) {
    throw std::runtime_error("cannot read " + authority);
  }
  return context;
}

/// One persistent connection, used by one blocking thread.
class Connection {
 public:
  /// `tls` may be null: plain HTTP.
  Connection(std::uint16_t port, SSL_CTX* tls) : socket_(loop_) {
    socket_.connect({asio::ip::make_address(kAddress), port});
    socket_.set_option(tcp::no_delay(true));
    if (tls != nullptr) {
      tls_.reset(SSL_new(tls));
      SSL_set_fd(tls_.get(), socket_.native_handle());
      if (SSL_connect(tls_.get()) != 1) {
        throw std::runtime_error("TLS handshake failed");
      }
    }
  }

  /// Returns the body of the response, valid until the next call.
  std::string_view post(std::string_view head, std::string_view body) {
    send(head, body);
    std::size_t filled = 0;
    std::size_t body_begin = std::string_view::npos;
    while (body_begin == std::string_view::npos) {
      filled += receive(filled, 0);
      body_begin = std::string_view(buffer_.data(), filled).find(kHeadEnd);
    }
    body_begin += kHeadEnd.size();
    const std::size_t end = body_begin + length({buffer_.data(), body_begin});
    buffer_.resize(std::max(buffer_.size(), end));
    while (filled < end) {
      filled += receive(filled, MSG_WAITALL, end - filled);
    }
    return {buffer_.data() + body_begin, end - body_begin};
  }

 private:
  static constexpr std::string_view kHeadEnd = "\r\n\r\n";
  static constexpr std::size_t kReadBytes = 64U << 10;
  static constexpr std::string_view kLength = "Content-Length: ";

  void send(std::string_view head, std::string_view body) {
    if (!tls_) {
      asio::write(socket_, std::array{asio::buffer(head), asio::buffer(body)});
      return;
    }
    for (const std::string_view part : {head, body}) {
      std::size_t written = 0;
      if (!part.empty() && SSL_write_ex(tls_.get(), part.data(), part.size(), &written) != 1) {
        throw std::runtime_error("cannot send to the server");
      }
    }
  }

  std::size_t receive(std::size_t at, int flags, std::size_t most = kReadBytes) {
    const std::size_t room = std::min(most, buffer_.size() - at);
    if (!tls_) {
      return socket_.receive(asio::buffer(buffer_.data() + at, room), flags);
    }
    std::size_t bytes = 0;
    if (SSL_read_ex(tls_.get(), buffer_.data() + at, room, &bytes) != 1) {
      throw std::runtime_error("connection closed mid-response");
    }
    return bytes;
  }

  static std::size_t length(std::string_view head) {
    if (!head.starts_with("HTTP/1.1 200 ")) {
      throw std::runtime_error(std::string(head));
    }
    const char* digits = head.data() + head.find(kLength) + kLength.size();
    std::size_t length = 0;
    std::from_chars(digits, head.data() + head.size(), length);
    return length;
  }

  asio::io_context loop_;
  tcp::socket socket_;
  std::unique_ptr<SSL, FreeOpenssl> tls_;  ///< works on the socket itself
  std::vector<char> buffer_ = std::vector<char>(kReadBytes);
};

/// The value that follows `name`, up to one of `end`, in the page's tail after its items.
std::string_view value_after(std::string_view tail, std::string_view name, std::string_view end) {
  const std::size_t found = tail.find(name);
  if (found == std::string_view::npos) {
    return {};
  }
  const std::string_view value = tail.substr(found + name.size());
  return value.substr(0, value.find(end));
}

class Relay {
 public:
  Relay(const Settings& settings, SSL_CTX* tls, std::uint32_t segment)
      : settings_(settings),
        segment_(segment),
        host_(fmt::format("{}:{}", kAddress, settings.port)),
        source_(settings.port, tls),
        sink_(settings.port, tls) {}

  Relayed run() {
    std::string start_key;
    do {
      const std::string_view page = scan(start_key);
      const std::string_view tail =
          page.substr(page.size() - std::min<std::size_t>(page.size(), 512));
      std::uint64_t items = 0;
      const std::string_view count = value_after(tail, R"("Count":)", ",");
      std::from_chars(count.data(), count.data() + count.size(), items);
      const std::string_view key = value_after(tail, R"("LastEvaluatedKey":)", "}}");
      start_key = key.empty() ? "" : fmt::format("{}}}}}", key);
      relayed_.items += items;
      deliver(page);
    } while (!start_key.empty());
    return relayed_;
  }

 private:
  std::string_view scan(std::string_view start_key) {
    const std::string body = fmt::format(
        R"({{"TableName":"table","TotalSegments":{},"Segment":{}{}{}}})", settings_.segments,
        segment_, start_key.empty() ? "" : R"(,"ExclusiveStartKey":)", start_key);
    std::vector<everyitem::http::Header> headers = {{"Host", host_},
                                                    {"X-Amz-Target", "DynamoDB_20120810.Scan"}};
    const auto signature = everyitem::aws::sign({.method = "POST",
                                                 .path = "/",
                                                 .query = {},
                                                 .headers = headers,
                                                 .body = body,
                                                 .region = "us-east-1",
                                                 .service = "dynamodb",
                                                 .time = std::chrono::system_clock::now()},
                                                settings_.credentials);
    headers.insert(headers.end(), signature.begin(), signature.end());
    std::string head = fmt::format("POST / HTTP/1.1\r\nContent-Length: {}\r\n", body.size());
    for (const auto& [name, value] : headers) {
      head += fmt::format("{}: {}\r\n", name, value);
    }
    return source_.post(head + "\r\n", body);
  }

  void deliver(std::string_view page) {
    const std::size_t step = settings_.items_per_post == 0
                                 ? page.size()
                                 : settings_.items_per_post * (settings_.item_bytes + 1);
    for (; !page.empty(); page.remove_prefix(std::min(page.size(), step))) {
      const std::string_view body = page.substr(0, step);
      std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
      EVP_Digest(body.data(), body.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
      sink_.post(
          fmt::format("POST / HTTP/1.1\r\nHost: {}\r\nX-Amz-Target: Bench.Sink\r\n"
                      "X-Amz-Content-Sha256: {:02x}\r\nContent-Length: {}\r\n\r\n",
                      host_, fmt::join(digest.begin(), digest.begin() + 32, ""), body.size()),
          body);
      relayed_.bytes += body.size();
    }
  }

  const Settings& settings_;
  std::uint32_t segment_;
  std::string host_;
  Connection source_;
  Connection sink_;
  Relayed relayed_;
};

Relayed relay_all(const Settings& settings) {
  const TlsContext tls = tls_of(settings.authority);
  std::vector<Relayed> relayed(settings.segments);
  std::vector<std::exception_ptr> failures(settings.segments);
  std::vector<std::jthread> threads;
  for (std::uint32_t segment = 0; segment < settings.segments; ++segment) {
    threads.emplace_back([&, segment] {
      try {
        relayed[segment] = Relay(settings, tls.get(), segment).run();
      } catch (...) {
        failures[segment] = std::current_exception();
      }
    });
  }
  threads.clear();  // joined
  Relayed sum;
  for (std::uint32_t segment = 0; segment < settings.segments; ++segment) {
    if (failures[segment]) {
      std::rethrow_exception(failures[segment]);
    }
    sum.items += relayed[segment].items;
    sum.bytes += relayed[segment].bytes;
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to the socket without asking for none
  CLI::App program("Relays a fault server's table back to it, with one thread per segment.");
  Settings settings;
  program.add_option("--port", settings.port)->required();
  program.add_option("--segments", settings.segments);
  program.add_option("--item-bytes", settings.item_bytes, "Size of every item's JSON");
  program.add_option("--items-per-post", settings.items_per_post, "0: one POST per page");
  program.add_option("--ca", settings.authority,
                     "Use HTTPS; the file holds the server's CA certificate (PEM)");
  program.add_option("--access-key-id", settings.credentials.access_key_id)
      ->envname("AWS_ACCESS_KEY_ID");
  program.add_option("--secret-access-key", settings.credentials.secret_access_key)
      ->envname("AWS_SECRET_ACCESS_KEY");
  CLI11_PARSE(program, argc, argv);
  try {
    const Relayed relayed = relay_all(settings);
    fmt::print("{{\"items\":{},\"bytes\":{}}}\n", relayed.items, relayed.bytes);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "floor: {}\n", error.what());
    return 1;
  }
}
