#include "run/table_source.h"

#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "aws/arn.h"
#include "base/error.h"
#include "base/human_format.h"
#include "source/dynamodb_limits.h"
#include "source/expression_remedy.h"
#include "source/projection.h"
#include "source/scan_identity.h"
#include "source/table_description.h"
#include "source/table_parts.h"

namespace everyitem::run {

namespace {

class TableSource final : public Source {
 public:
  TableSource(SourceContext context, ServiceClients& dynamodb, source::ScanParameters scan,
              source::TableDescription table, std::string account, Message notice)
      : settings_(context.settings),
        loops_(context.services.loops()),
        dynamodb_(dynamodb),
        scan_(std::move(scan)),
        table_(std::move(table)),
        account_(std::move(account)),
        notice_(std::move(notice)) {
    table_.keys.added = source::added_keys(scan_, table_.keys);
  }

  std::string name() const override { return settings_.table.name; }
  std::string arn() const override { return table_.arn; }
  std::string location() const override {
    return fmt::format("{}/{}/{}\n{}", dynamodb_.region(), account_, name(), scan_.index);
  }

  checkpoint::RunIdentity identity() const override {
    return {{"table", name()},
            {"region", dynamodb_.region()},
            {"account", account_, true},
            {"table id", table_.table_id, true},
            {"index", scan_.index},
            {"consistent", scan_.consistent_read ? "yes" : "no"},
            {"filter", source::canonical_expression(scan_.filter_expression)},
            {"projection", source::canonical_expression(scan_.projection_expression)},
            {"names", source::canonical_json(scan_.attribute_names)},
            {"values", source::values_mark(scan_.attribute_values)}};
  }

  Message text() const override {
    const std::string index = scan_.index.empty() ? "" : fmt::format("index {} of ", scan_.index);
    const std::string size = !notice_.empty() ? "size unknown"
                             : estimated_items() == 0
                                 ? "no items when DynamoDB last counted them"
                                 : fmt::format("about {}, {}", counted(estimated_items(), "item"),
                                               bytes(static_cast<double>(estimated_bytes())));
    return fmt::format("{}table {} in {}: {}", index, name(),
                       aws::place_of(table_.arn, dynamodb_.region()), size);
  }
  std::uint64_t estimated_bytes() const override { return table_.estimated_bytes; }
  double bytes_per_read_unit() const override {
    return source::kBytesPerReadUnit * (scan_.consistent_read ? 1 : 2);
  }
  std::vector<Message> notices() const override {
    return notice_.empty() ? std::vector<Message>() : std::vector{notice_};
  }
  std::uint64_t estimated_items() const override { return table_.estimated_items; }
  const source::ReadCapacity& read_capacity() const override { return table_.read_capacity; }
  double max_page_units() const override {
    return source::kMaxPageReadUnits * (scan_.consistent_read ? 2 : 1);
  }
  source::SegmentChoice choose_parts(std::optional<unsigned> cores) const override {
    return source::choose_segments(table_.estimated_bytes, cores);
  }

  Awaitable<std::optional<double>> try_read() override {
    const std::unique_ptr<source::PartSource> whole = open(loops_.home(), 1);
    const std::unique_ptr<source::PageReader> reader = whole->open(0, source::ScanPosition());
    try {
      const source::ScanPage page = co_await reader->next(1, nullptr);
      co_return page.consumed_read_units();
    } catch (const Error& error) {
      const std::string& code = error.details().code;
      if (code != "ValidationException" && code != "SerializationException") {
        throw;
      }
      throw source::refused_parameters(error, scan_);
    }
  }

  std::unique_ptr<source::PartSource> open(RunLoop& loop, std::uint32_t parts) override {
    aws::Client& client = dynamodb_.on(loop);
    return std::make_unique<source::TableParts>(source::ScanContext{
        .dynamodb = client,
        .requests = source::ScanRequests(source::with_keys(scan_, table_.keys), parts),
        .keys = table_.keys,
        .position_names = table_.position_names,
        .object = fmt::format("table {} in {}", settings_.table.name, client.region())});
  }

 private:
  const ScanSettings& settings_;
  RunLoops& loops_;
  ServiceClients& dynamodb_;
  source::ScanParameters scan_;
  source::TableDescription table_;
  std::string account_;  ///< empty if it has none: a local server's
  Message notice_;       ///< empty if there is nothing to say
};

/// The table, or why it may not be described. An index of it must be: its keys are more than the
/// table's.
Awaitable<std::optional<Error>> describe(aws::Client& dynamodb, const source::ScanParameters& scan,
                                         source::TableDescription& table) {
  try {
    table = co_await source::describe_table(dynamodb, scan.table, scan.index, scan.consistent_read);
  } catch (const Error& error) {
    if (error.details().code != "AccessDeniedException" || !scan.index.empty()) {
      throw;
    }
    co_return error;
  }
  co_return std::nullopt;
}

Awaitable<std::unique_ptr<Source>> describe_table_source(SourceContext context) {
  const ScanSettings& settings = context.settings;
  ServiceClients* dynamodb =
      co_await context.services.find(aws::kDynamoDb, Caller::reader, settings.table);
  source::ScanParameters scan = settings.scan;
  scan.table = settings.table.arn.empty() ? settings.table.name : settings.table.arn;
  aws::Client& client = dynamodb->on(context.services.loops().home());
  source::TableDescription table;
  std::string account;
  Message notice;
  if (const std::optional<Error> denied = co_await describe(client, scan, table)) {
    // Whoever may only read continues without the table's size and capacity.
    std::optional<source::TableDescription> found =
        co_await source::describe_by_reading(client, scan.table);
    if (!found) {
      throw Error(*denied);
    }
    table = std::move(*found);
    table.arn = settings.table.arn;
    account = co_await context.services.account_of(Caller::reader, settings.table);
    notice = "the table's size and read capacity are not known: " + denied->message();
  }
  if (account.empty()) {
    account = aws::account_of(table.arn);
  }
  co_return std::make_unique<TableSource>(context, *dynamodb, std::move(scan), std::move(table),
                                          std::move(account), std::move(notice));
}

}  // namespace

SourceKind table_source() {
  return {.name = "table",
          .is_wanted = [](const ScanSettings&) { return true; },
          .describe = describe_table_source};
}

}  // namespace everyitem::run
