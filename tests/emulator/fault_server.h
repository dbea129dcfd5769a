// An HTTP server around the emulated services, with a network that misbehaves on request.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "base/async.h"
#include "emulator/emulated_services.h"
#include "emulator/fault_plan.h"

namespace everyitem::emulator {

/// What a request has come to.
enum class Moment {
  arrived,   ///< whole; nothing was done yet
  answered,  ///< the answer was sent whole
};

/// Told of each request; where it says false of one that arrived, nothing is done and its
/// connection is reset.
using Watch = std::function<bool(Moment moment, std::string_view operation)>;

struct FaultServerOptions {
  TableShape table;
  StreamShape stream;
  aws::Credentials credentials{.access_key_id = "AKIDFAULTS", .secret_access_key = "not-a-secret"};
  IdentityOptions identity = {};
  std::vector<FaultRule> faults;
  std::uint64_t seed = 1;
  /// Before each answer, as the services take their time.
  std::chrono::microseconds scan_latency{0};
  std::chrono::microseconds put_latency{0};
  std::chrono::seconds clock_offset{0};  ///< of the server's clock
  std::string address = "127.0.0.1";     ///< that it listens on
  std::uint16_t port = 0;                ///< 0: one that the kernel finds free
  bool tls = false;                      ///< HTTPS, with a certificate of its own
  Watch watch = {};
};

/// One event loop; everything it does ends with `stop`.
class FaultServer {
 public:
  FaultServer(const asio::any_io_executor& executor, FaultServerOptions options);
  FaultServer(const FaultServer&) = delete;
  FaultServer& operator=(const FaultServer&) = delete;
  ~FaultServer();

  std::uint16_t port() const;
  std::string url() const;
  /// The authority that clients of `tls` must trust, in PEM; empty without.
  std::string authority() const;

  /// Refuses new connections and resets those that are open.
  void stop();

  const EmulatedServices& services() const;
  const FaultPlan& plan() const;
  PagesServed take_pages_served();

  /// What happened, as a JSON object: also the answer to GET /report.
  std::string report() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace everyitem::emulator
