// The options of a scan: flags of `everyitem scan`, and, by names made of these, settings of the
// Lambda function.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "pipeline/scan_run.h"

namespace everyitem::options {

/// The options as they were given.
struct ScanOptions {
  std::string table;
  std::string stream;
  pipeline::ScanSettings settings;
  std::string partition_key = "key";
  std::string kinesis_wire = "auto";
  std::uint32_t segments = 0;
  std::uint64_t limit = 0;
  std::optional<std::uint32_t> workers;
  std::optional<std::uint32_t> worker;
  std::optional<double> read_units;
  std::optional<double> read_percent;
  std::int64_t max_wait_seconds = 0;
  std::int64_t checkpoint_interval_seconds = 0;
  bool quiet = false;
};

/// Adds the verb to the program; parsing fills `options`, which must stay.
CLI::App* add_scan_command(CLI::App& program, ScanOptions& options);

/// Checks what CLI11 cannot, and puts the options together. Throws a usage error.
pipeline::ScanSettings scan_settings(const ScanOptions& options);

}  // namespace everyitem::options
