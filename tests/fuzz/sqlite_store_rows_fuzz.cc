// The rows of a checkpoint: whatever they contain is read as a complete run, which can be written
// again, or rejected.
#include <fuzzer/FuzzedDataProvider.h>

#include <memory>

#include <sqlite3.h>

#include "base/error.h"
#include "base/run_to_end.h"
#include "checkpoint_file.h"

namespace everyitem::checkpoint {
namespace {

using fuzz::require;

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

/// Of any SQLite type, because SQLite does not enforce column types.
void bind_any(sqlite3_stmt* statement, int place, FuzzedDataProvider& input) {
  constexpr std::size_t kLongest = 24;
  switch (input.ConsumeIntegralInRange(0, 4)) {
    case 0:
      sqlite3_bind_int64(statement, place, input.ConsumeIntegralInRange(-1, 8));
      break;
    case 1:
      sqlite3_bind_int64(statement, place, input.ConsumeIntegral<std::int64_t>());
      break;
    case 2:
      sqlite3_bind_double(statement, place, input.ConsumeFloatingPoint<double>());
      break;
    case 3: {
      const std::string bytes = input.ConsumeBytesAsString(kLongest);
      sqlite3_bind_blob(statement, place, bytes.data(), static_cast<int>(bytes.size()),
                        SQLITE_TRANSIENT);
      break;
    }
    default: {
      const std::string text = input.ConsumeRandomLengthString(kLongest);
      sqlite3_bind_text(statement, place, text.data(), static_cast<int>(text.size()),
                        SQLITE_TRANSIENT);
      break;
    }
  }
}

/// Skips rows that violate the tables' constraints.
void insert_rows(sqlite3* database, const char* sql, FuzzedDataProvider& input) {
  sqlite3_stmt* prepared = nullptr;
  require(sqlite3_prepare_v2(database, sql, -1, &prepared, nullptr) == SQLITE_OK,
          "the tables are there");
  const std::unique_ptr<sqlite3_stmt, Finalize> statement(prepared);
  for (int rows = input.ConsumeIntegralInRange(0, 6); rows > 0; --rows) {
    for (int place = 1; place <= sqlite3_bind_parameter_count(prepared); ++place) {
      bind_any(prepared, place, input);
    }
    sqlite3_step(prepared);
    sqlite3_reset(prepared);
  }
}

/// Creates empty tables as the store does, the first time; after that they are copied.
void write_tables(const CheckpointFile& file) {
  static const CheckpointFile empty;
  if (!std::filesystem::exists(empty.path())) {
    SqliteStore store(empty.path(), kClock);
    load(store);
  }
  std::filesystem::copy_file(empty.path(), file.path());
}

void write_rows(const CheckpointFile& file, FuzzedDataProvider& input) {
  sqlite3* opened = nullptr;
  require(sqlite3_open(file.path().c_str(), &opened) == SQLITE_OK, "the file can be opened");
  const std::unique_ptr<sqlite3, CloseDatabase> database(opened);
  sqlite3_exec(opened, "BEGIN", nullptr, nullptr, nullptr);
  insert_rows(opened, "INSERT INTO run VALUES (?, ?, ?, ?)", input);
  insert_rows(opened, "INSERT INTO identity VALUES (?, ?, ?)", input);
  insert_rows(opened, "INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?)", input);
  sqlite3_exec(opened, "COMMIT", nullptr, nullptr, nullptr);
}

void read_rows(const CheckpointFile& file) {
  try {
    SqliteStore store(file.path(), kClock);
    const std::optional<RunState> state = load(store);
    if (state) {
      run_to_end(store.begin(*state));
      const std::optional<RunState> again = load(store);
      require(again && again->identity == state->identity && again->segments == state->segments,
              "what was read can be written again");
    }
  } catch (const Error&) {
    return;
  }
}

}  // namespace
}  // namespace everyitem::checkpoint

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const everyitem::checkpoint::CheckpointFile file;
  FuzzedDataProvider input(data, size);
  file.remove();
  everyitem::checkpoint::write_tables(file);
  everyitem::checkpoint::write_rows(file, input);
  everyitem::checkpoint::read_rows(file);
  return 0;
}
