#include "checkpoint/sqlite_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>
#include <sqlite3.h>

#include "base/error.h"
#include "base/private_folder.h"

namespace everyitem::checkpoint {

namespace {

/// "EvIt": marks the file as ours (PRAGMA application_id), as the SQLite documentation advises.
constexpr int kApplicationId = 0x45764974;
constexpr int kFormatVersion = 1;

constexpr const char* kSchema = R"(
  CREATE TABLE IF NOT EXISTS identity (
    place INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    value TEXT NOT NULL
  );
  CREATE TABLE IF NOT EXISTS segment (
    number INTEGER PRIMARY KEY,
    last_evaluated_key TEXT NOT NULL,
    complete INTEGER NOT NULL,
    items INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    dead_letters INTEGER NOT NULL
  );
)";

Error checkpoint_error(const std::string& operation, const std::string& path, Message message,
                       Message hint = {}) {
  return Error(ErrorKind::failed, {.operation = operation,
                                   .object = fmt::format("checkpoint {}", path),
                                   .message = std::move(message),
                                   .hint = std::move(hint)});
}

OwnedByAnother owned_by_another(const std::string& path) {
  return {ErrorKind::failed,
          {.operation = "open",
           .object = fmt::format("checkpoint {}", path),
           .message = "another process is working on this run",
           .hint = "Wait for it to end, or stop it."}};
}

Error not_a_checkpoint_file(const std::string& path, std::string message) {
  return checkpoint_error(
      "open", path, std::move(message),
      "Name another file with " + setting::kCheckpoint + ", or move this one away.");
}

Error database_error(sqlite3* database, const std::string& operation, const std::string& path) {
  const int code = sqlite3_errcode(database);
  if (code == SQLITE_NOTADB) {
    return not_a_checkpoint_file(path, "the file is not a checkpoint of everyitem");
  }
  if (code == SQLITE_CORRUPT) {
    return not_a_checkpoint_file(path, "the file is damaged");
  }
  return checkpoint_error(operation, path, sqlite3_errmsg(database),
                          code == SQLITE_FULL ? "Free some space and run the command again." : "");
}

/// One prepared statement, finalised at the end of its scope. Errors throw.
class Statement {
 public:
  Statement(sqlite3* database, const std::string& path, const char* sql)
      : database_(database), path_(path) {
    if (sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr) != SQLITE_OK) {
      throw database_error(database, "read", path);
    }
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int place, std::int64_t value) {
    sqlite3_bind_int64(statement_, place, value);
    return *this;
  }
  /// The text must stay until the statement has run.
  Statement& bind(int place, const std::string& value) {
    sqlite3_bind_text(statement_, place, value.data(), static_cast<int>(value.size()),
                      SQLITE_STATIC);
    return *this;
  }

  /// True while there is a row to read.
  bool step() {
    const int result = sqlite3_step(statement_);
    if (result != SQLITE_ROW && result != SQLITE_DONE) {
      throw database_error(database_, "use", path_);
    }
    return result == SQLITE_ROW;
  }
  /// Runs a statement that gives no rows, and makes it ready to be run again.
  void run() {
    step();
    sqlite3_reset(statement_);
  }

  std::int64_t integer(int column) { return sqlite3_column_int64(statement_, column); }
  std::string text(int column) {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return bytes == nullptr
               ? std::string()
               : std::string(bytes,
                             static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
  }

 private:
  sqlite3* database_;
  const std::string& path_;
  sqlite3_stmt* statement_ = nullptr;
};

void execute(sqlite3* database, const std::string& path, const char* sql) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw database_error(database, "write", path);
  }
}

/// All or nothing: rolled back unless committed.
class Transaction {
 public:
  Transaction(sqlite3* database, const std::string& path) : database_(database), path_(path) {
    execute(database, path, "BEGIN IMMEDIATE");
  }
  ~Transaction() {
    if (!committed_) {
      sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
    }
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit() {
    execute(database_, path_, "COMMIT");
    committed_ = true;
  }

 private:
  sqlite3* database_;
  const std::string& path_;
  bool committed_ = false;
};

std::int64_t pragma(sqlite3* database, const std::string& path, const char* sql) {
  Statement statement(database, path, sql);
  return statement.step() ? statement.integer(0) : 0;
}

bool is_whole(sqlite3* database, const std::string& path) {
  Statement check(database, path, "PRAGMA quick_check(1)");
  return check.step() && check.text(0) == "ok";
}

void make_folders(const std::string& path) {
  if (const auto error = make_private_folders(std::filesystem::path(path).parent_path())) {
    throw checkpoint_error("create", path, error.message(),
                           "Name a file in another folder with " + setting::kCheckpoint + ".");
  }
}

}  // namespace

SqliteStore::Lock::Lock(const std::string& path) {
  descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor_ < 0) {
    throw checkpoint_error("open", path, std::generic_category().message(errno),
                           "Name another file with " + setting::kCheckpoint + ".");
  }
  if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    close(descriptor_);
    if (error == EWOULDBLOCK) {
      throw owned_by_another(path);
    }
    throw checkpoint_error("lock", path, std::generic_category().message(error));
  }
}

SqliteStore::Lock::~Lock() { close(descriptor_); }

void SqliteStore::CloseDatabase::operator()(sqlite3* database) const { sqlite3_close(database); }

SqliteStore::SqliteStore(std::string path) : path_(std::move(path)) {
  make_folders(path_);
  lock_ = std::make_unique<Lock>(path_);
  open_database();
}

SqliteStore::~SqliteStore() { thread_.join(); }

void SqliteStore::open_database() {
  sqlite3* opened = nullptr;
  // Calls come from one thread at a time, so SQLite need not lock.
  const int result =
      sqlite3_open_v2(path_.c_str(), &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  database_.reset(opened);
  if (result != SQLITE_OK) {
    throw database_error(opened, "open", path_);
  }
  sqlite3_busy_timeout(opened, 2000);  // for somebody who just looks into the file
  const std::int64_t tables = pragma(opened, path_, "SELECT count(*) FROM sqlite_schema");
  const std::int64_t id = pragma(opened, path_, "PRAGMA application_id");
  if (tables > 0 && id != kApplicationId) {
    throw not_a_checkpoint_file(path_, "the file is a database, but not a checkpoint of everyitem");
  }
  const std::int64_t version = pragma(opened, path_, "PRAGMA user_version");
  if (version > kFormatVersion) {
    throw not_a_checkpoint_file(
        path_, fmt::format("its format is {}, this version of everyitem knows {}", version,
                           kFormatVersion));
  }
  if (!is_whole(opened, path_)) {
    throw not_a_checkpoint_file(path_, "the file is damaged");
  }
  // A write-ahead log with synchronous=NORMAL is consistent after a loss of power, and does not
  // wait for the disk at every commit.
  execute(opened, path_, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;");
  Transaction transaction(opened, path_);
  execute(opened, path_,
          fmt::format("PRAGMA application_id={}; PRAGMA user_version={}; {}", kApplicationId,
                      kFormatVersion, kSchema)
              .c_str());
  transaction.commit();
}

std::optional<RunState> SqliteStore::load_now() {
  RunState state;
  Statement identity(database_.get(), path_, "SELECT name, value FROM identity ORDER BY place");
  while (identity.step()) {
    state.identity.push_back({identity.text(0), identity.text(1)});
  }
  Statement segments(database_.get(), path_,
                     "SELECT number, last_evaluated_key, complete, items, bytes, dead_letters "
                     "FROM segment ORDER BY number");
  while (segments.step()) {
    if (segments.integer(0) != static_cast<std::int64_t>(state.segments.size())) {
      throw not_a_checkpoint_file(path_,
                                  fmt::format("segment {} is missing", state.segments.size()));
    }
    state.segments.push_back(
        {.segment = static_cast<std::uint32_t>(segments.integer(0)),
         .position = {.last_evaluated_key = segments.text(1), .complete = segments.integer(2) != 0},
         .items = static_cast<std::uint64_t>(segments.integer(3)),
         .bytes = static_cast<std::uint64_t>(segments.integer(4)),
         .dead_letters = static_cast<std::uint64_t>(segments.integer(5))});
  }
  if (state.identity.empty() && state.segments.empty()) {
    return std::nullopt;
  }
  if (state.identity.empty() || state.segments.empty()) {
    throw not_a_checkpoint_file(path_, "the file is incomplete");
  }
  return state;
}

void SqliteStore::begin_now(const RunState& state) {
  Transaction transaction(database_.get(), path_);
  execute(database_.get(), path_, "DELETE FROM identity; DELETE FROM segment;");
  Statement identity(database_.get(), path_, "INSERT INTO identity (name, value) VALUES (?, ?)");
  for (const IdentityPart& part : state.identity) {
    identity.bind(1, part.name).bind(2, part.value).run();
  }
  Statement insert(database_.get(), path_,
                   "INSERT INTO segment "
                   "(number, last_evaluated_key, complete, items, bytes, dead_letters) "
                   "VALUES (?, ?, ?, ?, ?, ?)");
  for (const SegmentProgress& segment : state.segments) {
    insert.bind(1, segment.segment)
        .bind(2, segment.position.last_evaluated_key)
        .bind(3, segment.position.complete ? 1 : 0)
        .bind(4, static_cast<std::int64_t>(segment.items))
        .bind(5, static_cast<std::int64_t>(segment.bytes))
        .bind(6, static_cast<std::int64_t>(segment.dead_letters))
        .run();
  }
  transaction.commit();
}

void SqliteStore::save_now(const std::vector<SegmentProgress>& moved) {
  Transaction transaction(database_.get(), path_);
  Statement update(database_.get(), path_,
                   "UPDATE segment SET last_evaluated_key = ?, complete = ?, items = ?, bytes = ?, "
                   "dead_letters = ? WHERE number = ?");
  for (const SegmentProgress& segment : moved) {
    update.bind(1, segment.position.last_evaluated_key)
        .bind(2, segment.position.complete ? 1 : 0)
        .bind(3, static_cast<std::int64_t>(segment.items))
        .bind(4, static_cast<std::int64_t>(segment.bytes))
        .bind(5, static_cast<std::int64_t>(segment.dead_letters))
        .bind(6, segment.segment)
        .run();
    if (sqlite3_changes(database_.get()) != 1) {
      throw checkpoint_error("write", path_,
                             fmt::format("segment {} is not there", segment.segment));
    }
  }
  transaction.commit();
}

Awaitable<std::optional<RunView>> SqliteStore::look() {
  const auto work = [this]() -> Awaitable<std::optional<RunState>> { co_return load_now(); };
  std::optional<RunState> state = co_await asio::co_spawn(thread_, work, asio::use_awaitable);
  co_return state ? std::optional(RunView{.state = *std::move(state)}) : std::nullopt;
}

Awaitable<std::optional<RunState>> SqliteStore::load() {
  const auto work = [this]() -> Awaitable<std::optional<RunState>> { co_return load_now(); };
  co_return co_await asio::co_spawn(thread_, work, asio::use_awaitable);
}

Awaitable<void> SqliteStore::begin(RunState state) {
  const auto work = [this, &state]() -> Awaitable<void> {
    begin_now(state);
    co_return;
  };
  co_await asio::co_spawn(thread_, work, asio::use_awaitable);
}

Awaitable<void> SqliteStore::save(std::vector<SegmentProgress> moved) {
  const auto work = [this, &moved]() -> Awaitable<void> {
    save_now(moved);
    co_return;
  };
  co_await asio::co_spawn(thread_, work, asio::use_awaitable);
}

}  // namespace everyitem::checkpoint
