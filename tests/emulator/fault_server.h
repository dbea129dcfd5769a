// An HTTP server around the emulated services, with a network that misbehaves on demand.
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

/// The progress of a request.
enum class Moment {
  arrived,   ///< completely; nothing has been done yet
  answered,  ///< the response has been sent completely
};

/// Called for each request. If it returns false for one that has arrived, nothing is done and its
/// connection is reset.
using Watch = std::function<bool(Moment moment, std::string_view operation)>;

/// The way between clients and the services, in simulations. Both directions take as long as they
/// wait; false: the connection is reset instead.
class Network {
 public:
  Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  virtual ~Network() = default;

  virtual Awaitable<bool> carry_request(const ReceivedRequest& request) = 0;
  /// Begins at the instant at which the services have answered.
  virtual Awaitable<bool> carry_reply(const ReceivedRequest& request, const Reply& reply) = 0;
};

struct FaultServerOptions {
  TableShape table;
  StreamShape stream;
  aws::Credentials credentials{.access_key_id = "AKIDFAULTS", .secret_access_key = "not-a-secret"};
  IdentityOptions identity = {};
  std::vector<FaultRule> faults;
  std::uint64_t seed = 1;
  /// The delay before each response.
  std::chrono::microseconds scan_latency{0};
  std::chrono::microseconds put_latency{0};
  std::chrono::seconds clock_offset{0};  ///< offset of the server's clock
  std::string address = "127.0.0.1";     ///< the address to listen on
  std::uint16_t port = 0;                ///< 0 lets the kernel choose one
  bool tls = false;                      ///< HTTPS, with a generated certificate
  Watch watch = {};
  Network* network = nullptr;  ///< null: nothing but the latencies above
};

/// One event loop. `stop` ends everything it does.
class FaultServer {
 public:
  FaultServer(const asio::any_io_executor& executor, const FaultServerOptions& options);
  /// One of several servers of the same services, whose options it does not use.
  FaultServer(const asio::any_io_executor& executor, FaultServerOptions options,
              std::shared_ptr<EmulatedServices> services);
  FaultServer(const FaultServer&) = delete;
  FaultServer& operator=(const FaultServer&) = delete;
  ~FaultServer();

  std::uint16_t port() const;
  std::string url() const;
  /// The CA certificate that clients must trust (PEM); empty without `tls`.
  std::string authority() const;

  /// Refuses new connections and resets open ones.
  void stop();

  const EmulatedServices& services() const;
  const FaultPlan& plan() const;
  PagesServed take_pages_served();

  /// What happened, as a JSON object; also the response to GET /report.
  std::string report() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace everyitem::emulator
