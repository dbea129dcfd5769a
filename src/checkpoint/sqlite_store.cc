#include "checkpoint/sqlite_store.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/error.h"
#include "base/on_loop.h"
#include "base/own_file.h"
#include "base/unix_time.h"
#include "checkpoint/run_record.h"

namespace everyitem::checkpoint {

namespace {

/// "EvIt": marks the file as ours (PRAGMA application_id), as the SQLite documentation advises.
constexpr int kApplicationId = 0x45764974;
constexpr int kFormatVersion = 3;

/// Compared as it stands with that of a file that is opened. The checks find values that no
/// checkpoint has.
constexpr const char* kSchema = R"(
  CREATE TABLE run (
    token TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    segments INTEGER NOT NULL CHECK (segments > 0),
    finished_at INTEGER
  ) STRICT;
  CREATE TABLE identity (
    place INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    value TEXT NOT NULL
  ) STRICT;
  CREATE TABLE segment (
    number INTEGER PRIMARY KEY,
    last_evaluated_key TEXT NOT NULL,
    complete INTEGER NOT NULL CHECK (complete IN (0, 1)),
    items INTEGER NOT NULL CHECK (items >= 0),
    bytes INTEGER NOT NULL CHECK (bytes >= 0),
    dead_letters INTEGER NOT NULL CHECK (dead_letters >= 0)
  ) STRICT;
)";

constexpr const char* kDropTables =
    "DROP TABLE IF EXISTS run; DROP TABLE IF EXISTS identity; DROP TABLE IF EXISTS segment;";

/// Consistent after a loss of power, without waiting for the disk at every commit: progress that is
/// lost is made again.
constexpr const char* kJournal = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;";

/// DynamoDB's limit of TotalSegments.
constexpr std::int64_t kMaxSegments = 1'000'000;

/// Longer than any value of a checkpoint.
constexpr int kMaxValueBytes = 16 << 20;

/// The byte that the owner has locked: behind all that SQLite locks, and behind the file's end.
constexpr off_t kOwnerByte = off_t{1} << 62;

std::string marks() {
  return fmt::format("PRAGMA application_id={}; PRAGMA user_version={};", kApplicationId,
                     kFormatVersion);
}

struct flock owner_lock() {
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = kOwnerByte;
  lock.l_len = 1;
  return lock;
}

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
           .message = "another process owns this run",
           .hint = "Wait for it to end, or stop it."}};
}

Error not_a_checkpoint_file(const std::string& path, std::string message) {
  return checkpoint_error(
      "open", path, std::move(message),
      "Name another file with " + setting::kCheckpoint + ", or move this one away.");
}

DamagedCheckpoint damaged_file(const std::string& path, const std::string& message) {
  return {ErrorKind::failed,
          {.operation = "read",
           .object = fmt::format("checkpoint {}", path),
           .message = "it is not a checkpoint of everyitem, or damaged: " + message,
           .hint = "Use " + setting::kRestart + " to start over, or name another file with " +
                   setting::kCheckpoint + "."}};
}

/// What a statement fails with that does not fit the tables.
constexpr const char* kPrepare = "read";

[[noreturn]] void throw_database_error(sqlite3* database, const std::string& operation,
                                       const std::string& path) {
  const int code = sqlite3_errcode(database);
  if (code == SQLITE_NOTADB) {
    throw not_a_checkpoint_file(path, "the file is not a checkpoint of everyitem");
  }
  if (code == SQLITE_CORRUPT) {
    throw damaged_file(path, "SQLite finds it corrupt");
  }
  if (code == SQLITE_ERROR && operation == kPrepare) {
    throw damaged_file(path, sqlite3_errmsg(database));  // a table or a column is missing
  }
  throw checkpoint_error(operation, path, sqlite3_errmsg(database),
                         code == SQLITE_FULL ? "Free some space and run the command again." : "");
}

}  // namespace

/// A prepared statement, finalised when it is destroyed. Errors throw.
class SqliteStatement {
 public:
  SqliteStatement(sqlite3* database, const std::string& path, const char* sql)
      : database_(database), path_(path) {
    if (sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr) != SQLITE_OK) {
      throw_database_error(database, kPrepare, path);
    }
  }
  ~SqliteStatement() { sqlite3_finalize(statement_); }
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;

  SqliteStatement& bind(int place, std::int64_t value) {
    sqlite3_bind_int64(statement_, place, value);
    return *this;
  }
  /// The text must stay until the statement has run.
  SqliteStatement& bind(int place, const std::string& value) {
    sqlite3_bind_text(statement_, place, value.data(), static_cast<int>(value.size()),
                      SQLITE_STATIC);
    return *this;
  }

  /// True while there is a row to read.
  bool step() {
    const int result = sqlite3_step(statement_);
    if (result != SQLITE_ROW && result != SQLITE_DONE) {
      throw_database_error(database_, "use", path_);
    }
    return result == SQLITE_ROW;
  }
  /// Runs a statement that gives no rows, and makes it ready to be run again.
  void run() {
    const std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_reset)> at_end(statement_,
                                                                         &sqlite3_reset);
    step();
  }

  bool is_null(int column) { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
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

namespace {

void execute(sqlite3* database, const std::string& path, const char* sql) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw_database_error(database, "write", path);
  }
}

/// What a loss of power may do to a commit.
enum class PowerLoss {
  forgets,  ///< it, and those after it
  keeps,    ///< it, and those before it: it is reported, or what was there goes
};

/// All or nothing: rolled back unless committed.
class Transaction {
 public:
  Transaction(sqlite3* database, const std::string& path, PowerLoss loss)
      : database_(database), path_(path), loss_(loss) {
    if (loss == PowerLoss::keeps) {
      execute(database, path, "PRAGMA synchronous=FULL");
    }
    execute(database, path, "BEGIN IMMEDIATE");
  }
  ~Transaction() {
    if (!committed_) {
      sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
    }
    if (loss_ == PowerLoss::keeps) {
      sqlite3_exec(database_, "PRAGMA synchronous=NORMAL", nullptr, nullptr, nullptr);
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
  PowerLoss loss_;
  bool committed_ = false;
};

std::int64_t pragma(sqlite3* database, const std::string& path, const char* sql) {
  SqliteStatement statement(database, path, sql);
  return statement.step() ? statement.integer(0) : 0;
}

bool is_whole(sqlite3* database, const std::string& path) {
  SqliteStatement check(database, path, "PRAGMA quick_check(1)");
  return check.step() && check.text(0) == "ok";
}

/// As SQLite's documentation of SQLITE_DBCONFIG_RESET_DATABASE advises: nothing stays of what was
/// there, whatever it was.
void empty_damaged(sqlite3* database, const std::string& path) {
  sqlite3_db_config(database, SQLITE_DBCONFIG_RESET_DATABASE, 1, nullptr);
  execute(database, path, "VACUUM");
  sqlite3_db_config(database, SQLITE_DBCONFIG_RESET_DATABASE, 0, nullptr);
}

/// What `work` returns. When it throws FileRefused, that is an Error about the checkpoint.
template <typename Work>
auto in_words(const std::string& operation, const std::string& path, const Work& work) {
  try {
    return work();
  } catch (const FileRefused& refused) {
    throw checkpoint_error(operation, path, refused.what(),
                           refused.remedy().empty()
                               ? "Name another file with " + setting::kCheckpoint + "."
                               : Message(refused.remedy()));
  }
}

Descriptor open_state(const std::string& path, FilePresence presence) {
  return in_words("open", path, [&] { return open_own_file(path, presence, FileUse::state); });
}

/// As SQLite takes it: absolute, which neither a URI nor a database in memory is, and without
/// links, which SQLite is told to refuse.
std::string database_path(const std::string& path) {
  const std::filesystem::path absolute = std::filesystem::absolute(path);
  std::error_code unknown;
  const std::filesystem::path folder = std::filesystem::canonical(absolute.parent_path(), unknown);
  return ((unknown ? absolute.parent_path() : folder) / absolute.filename()).string();
}

}  // namespace

SqliteStore::Lock::Lock(const std::string& path) : file_(open_state(path, FilePresence::any)) {
  struct flock lock = owner_lock();
  if (fcntl(file_.get(), F_OFD_SETLK, &lock) != 0) {
    if (errno == EAGAIN || errno == EACCES) {
      throw owned_by_another(path);
    }
    throw checkpoint_error("lock", path, std::generic_category().message(errno));
  }
}

bool SqliteStore::Lock::is_held(const std::string& path) {
  const Descriptor file = open_state(path, FilePresence::present);
  struct flock lock = owner_lock();
  return fcntl(file.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

void SqliteStore::CloseDatabase::operator()(sqlite3* database) const { sqlite3_close(database); }

SqliteStore::SqliteStore(std::string path, const Clock& clock, std::string owner)
    : path_(std::move(path)), clock_(clock), owner_(std::move(owner)) {}

SqliteStore::~SqliteStore() { thread_.join(); }

namespace {

/// What SQLite's documentation advises for a file that may have been made by somebody else: nothing
/// that its schema says is carried out, and what no checkpoint needs is off.
void distrust(sqlite3* database) {
  sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  for (const int option :
       {SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW,
        SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, SQLITE_DBCONFIG_ENABLE_FKEY, SQLITE_DBCONFIG_DQS_DML,
        SQLITE_DBCONFIG_DQS_DDL}) {
    sqlite3_db_config(database, option, 0, nullptr);
  }
  sqlite3_limit(database, SQLITE_LIMIT_LENGTH, kMaxValueBytes);
}

/// Calls come from one thread at a time, so SQLite need not lock.
sqlite3* open_file(const std::string& path, int flags) {
  sqlite3* opened = nullptr;
  const int result = sqlite3_open_v2(database_path(path).c_str(), &opened,
                                     flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, nullptr);
  if (result != SQLITE_OK) {
    const std::string message = opened == nullptr ? "out of memory" : sqlite3_errmsg(opened);
    sqlite3_close(opened);
    throw checkpoint_error("open", path, message,
                           "Name another file with " + setting::kCheckpoint + ".");
  }
  distrust(opened);
  sqlite3_busy_timeout(opened, 2000);  // for somebody who just looks into the file
  return opened;
}

/// All that a database consists of, as text.
std::vector<std::string> schema_of(sqlite3* database, const std::string& path) {
  std::vector<std::string> schema;
  SqliteStatement parts(database, path,
                        "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name");
  while (parts.step()) {
    schema.push_back(
        fmt::format("{}\n{}\n{}\n{}", parts.text(0), parts.text(1), parts.text(2), parts.text(3)));
  }
  return schema;
}

/// That of a checkpoint, from a database that is made for that.
std::vector<std::string> checkpoint_schema() {
  sqlite3* opened = nullptr;
  sqlite3_open_v2(":memory:", &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, nullptr);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> database(opened, &sqlite3_close);
  execute(opened, "in memory", kSchema);
  return schema_of(opened, "in memory");
}

/// Throws Error when the file is not one of ours, and DamagedCheckpoint when it is and cannot be
/// read. False when nothing is in it yet.
bool require_readable(sqlite3* database, const std::string& path) {
  const bool is_ours = pragma(database, path, "PRAGMA application_id") == kApplicationId;
  try {
    const bool has_tables = pragma(database, path, "SELECT count(*) FROM sqlite_schema") > 0;
    if (!has_tables) {
      return false;
    }
    if (!is_ours) {
      throw not_a_checkpoint_file(path,
                                  "the file is a database, but not a checkpoint of everyitem");
    }
    const std::int64_t version = pragma(database, path, "PRAGMA user_version");
    const std::string formats = fmt::format("its format is {}, this version of everyitem reads {}",
                                            version, kFormatVersion);
    if (version > kFormatVersion) {
      throw checkpoint_error(
          "open", path, formats,
          "Update everyitem, or name another file with " + setting::kCheckpoint + ".");
    }
    if (version < kFormatVersion) {
      throw damaged_file(path, formats);
    }
    if (schema_of(database, path) != checkpoint_schema()) {
      throw damaged_file(path, "it does not have the tables of a checkpoint");
    }
    if (!is_whole(database, path)) {
      throw damaged_file(path, "SQLite finds it corrupt");
    }
    return true;
  } catch (const DamagedCheckpoint& damage) {
    if (!is_ours) {
      throw not_a_checkpoint_file(path, "the file is a damaged database");
    }
    throw;
  }
}

}  // namespace

void SqliteStore::own() {
  if (!lock_) {
    in_words("create", path_,
             [this] { make_private_folders(std::filesystem::path(path_).parent_path()); });
    lock_ = std::make_unique<Lock>(path_);
  }
  if (!database_) {
    open_owned();
  }
}

void SqliteStore::open_owned() {
  Database opened(open_file(path_, SQLITE_OPEN_READWRITE));
  damage_.reset();
  try {
    const bool has_tables = require_readable(opened.get(), path_);
    execute(opened.get(), path_, kJournal);
    if (!has_tables) {
      Transaction transaction(opened.get(), path_, PowerLoss::forgets);
      execute(opened.get(), path_, marks().c_str());
      execute(opened.get(), path_, kSchema);
      transaction.commit();
    }
  } catch (const DamagedCheckpoint& damage) {
    damage_ = damage;
  }
  database_ = std::move(opened);
}

/// The run as a connection sees it. It is not known here whether somebody owns it.
std::optional<RunView> SqliteStore::read_run(sqlite3* database) const {
  RunView view;
  RunState& state = view.state;
  SqliteStatement run(database, path_, "SELECT token, owner, segments, finished_at FROM run");
  std::int64_t total_segments = 0;
  if (run.step()) {
    total_segments = run.integer(2);
    state.token = run.text(0);
    view.owner = RunOwner{.name = run.text(1)};
    if (!run.is_null(3)) {
      state.finished_at = unix_time<std::chrono::seconds>(run.integer(3));
    }
  }
  SqliteStatement identity(database, path_, "SELECT name, value FROM identity ORDER BY place");
  while (identity.step()) {
    state.identity.push_back({identity.text(0), identity.text(1)});
  }
  SqliteStatement segments(
      database, path_,
      "SELECT number, last_evaluated_key, complete, items, bytes, dead_letters "
      "FROM segment ORDER BY number");
  while (segments.step()) {
    if (state.segments.size() == kMaxSegments) {
      throw damaged_file(path_, "it has more segments than a table can have");
    }
    if (segments.integer(0) != static_cast<std::int64_t>(state.segments.size())) {
      throw damaged_file(path_, fmt::format("segment {} is missing", state.segments.size()));
    }
    state.segments.push_back(
        {.segment = static_cast<std::uint32_t>(segments.integer(0)),
         .position = {.last_evaluated_key = segments.text(1), .complete = segments.integer(2) != 0},
         .items = static_cast<std::uint64_t>(segments.integer(3)),
         .bytes = static_cast<std::uint64_t>(segments.integer(4)),
         .dead_letters = static_cast<std::uint64_t>(segments.integer(5))});
  }
  if (state.token.empty() && state.identity.empty() && state.segments.empty()) {
    return std::nullopt;
  }
  if (state.token.empty() || state.identity.empty() || state.segments.empty()) {
    throw damaged_file(path_, "it is incomplete");
  }
  if (total_segments != static_cast<std::int64_t>(state.segments.size())) {
    throw damaged_file(
        path_, fmt::format("it has {} of {} segments", state.segments.size(), total_segments));
  }
  return view;
}

std::optional<RunView> SqliteStore::look_now() {
  if (database_) {
    if (damage_) {
      throw *damage_;
    }
    return read_run(database_.get());
  }
  std::error_code missing;
  if (!std::filesystem::exists(std::filesystem::symlink_status(path_, missing))) {
    return std::nullopt;
  }
  const bool is_owned = Lock::is_held(path_);
  if (std::filesystem::file_size(path_, missing) == 0 || missing) {
    return std::nullopt;
  }
  // A connection that may only read would leave the files of the log behind when it is the first
  // one; one that may write would bring the log of a killed process into the file when it is the
  // last one.
  const bool has_log = std::filesystem::exists(path_ + "-wal", missing);
  const Database looked_into(
      open_file(path_, has_log ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE));
  execute(looked_into.get(), path_, "PRAGMA query_only=ON");
  if (!require_readable(looked_into.get(), path_)) {
    return std::nullopt;
  }
  execute(looked_into.get(), path_, "BEGIN");  // so that all is of one instant
  std::optional<RunView> view = read_run(looked_into.get());
  if (view && !is_owned) {
    view->owner.reset();
  }
  return view;
}

std::optional<RunState> SqliteStore::load_now() {
  own();
  if (damage_) {
    throw *damage_;
  }
  std::optional<RunView> view = read_run(database_.get());
  if (!view) {
    return std::nullopt;
  }
  if (view->owner->name != owner_) {
    SqliteStatement(database_.get(), path_, "UPDATE run SET owner = ?").bind(1, owner_).run();
  }
  return std::move(view->state);
}

void SqliteStore::begin_now(const RunState& state) {
  own();
  sqlite3* database = database_.get();
  if (damage_) {
    empty_damaged(database, path_);
    execute(database, path_, kJournal);
  }
  Transaction transaction(database, path_, PowerLoss::keeps);
  execute(database, path_, kDropTables);
  execute(database, path_, marks().c_str());
  execute(database, path_, kSchema);
  SqliteStatement(database, path_, "INSERT INTO run (token, owner, segments) VALUES (?, ?, ?)")
      .bind(1, state.token)
      .bind(2, owner_)
      .bind(3, static_cast<std::int64_t>(state.segments.size()))
      .run();
  SqliteStatement identity(database, path_, "INSERT INTO identity (name, value) VALUES (?, ?)");
  for (const IdentityPart& part : state.identity) {
    identity.bind(1, part.name).bind(2, part.value).run();
  }
  SqliteStatement insert(database, path_,
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
  damage_.reset();
}

void SqliteStore::save_now(const std::vector<SegmentProgress>& moved) {
  if (!database_ || damage_) {
    throw std::logic_error("progress of a run that was neither begun nor loaded");
  }
  const bool completes = std::ranges::any_of(
      moved, [](const SegmentProgress& segment) { return segment.position.complete; });
  Transaction transaction(database_.get(), path_,
                          completes ? PowerLoss::keeps : PowerLoss::forgets);
  if (!update_) {
    update_ = std::make_unique<SqliteStatement>(
        database_.get(), path_,
        "UPDATE segment SET last_evaluated_key = ?, complete = ?, items = ?, bytes = ?, "
        "dead_letters = ? WHERE number = ?");
  }
  for (const SegmentProgress& segment : moved) {
    update_->bind(1, segment.position.last_evaluated_key)
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
  if (completes) {
    SqliteStatement(database_.get(), path_,
                    "UPDATE run SET finished_at = ? WHERE finished_at IS NULL AND NOT EXISTS "
                    "(SELECT 1 FROM segment WHERE complete = 0)")
        .bind(1, seconds_now(clock_))
        .run();
  }
  transaction.commit();
}

template <typename Result>
Awaitable<Result> SqliteStore::on_thread(Result (SqliteStore::*work)()) {
  const auto on_it = [this, work]() -> Awaitable<Result> { co_return (this->*work)(); };
  co_return co_await on_loop(thread_.get_executor(), on_it());
}

Awaitable<std::optional<RunView>> SqliteStore::look() { return on_thread(&SqliteStore::look_now); }

Awaitable<std::optional<RunState>> SqliteStore::load() { return on_thread(&SqliteStore::load_now); }

Awaitable<void> SqliteStore::begin(RunState state) {
  const auto work = [this, &state]() -> Awaitable<void> {
    begin_now(state);
    co_return;
  };
  co_await on_loop(thread_.get_executor(), work());
}

Awaitable<void> SqliteStore::save(std::vector<SegmentProgress> moved) {
  const auto work = [this, &moved]() -> Awaitable<void> {
    save_now(moved);
    co_return;
  };
  co_await on_loop(thread_.get_executor(), work());
}

Awaitable<void> SqliteStore::release() {
  const auto work = [this]() -> Awaitable<void> {
    update_.reset();
    database_.reset();
    lock_.reset();
    co_return;
  };
  co_await on_loop(thread_.get_executor(), work());
}

}  // namespace everyitem::checkpoint
