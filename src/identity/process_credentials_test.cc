#include "identity/process_credentials.h"

#include <sys/wait.h>

#include <cerrno>
#include <string>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/message_of.h"
#include "identity/find_credentials.h"
#include "identity/iso_time.h"
#include "support/test_connector.h"

namespace everyitem::identity {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(SplitCommand, SplitsLikeAShell) {
  const struct {
    const char* command;
    std::vector<std::string> words;
  } cases[] = {
      {"", {}},
      {"  \t ", {}},
      {"a b  c", {"a", "b", "c"}},
      {" a\tb\nc\r\n", {"a", "b", "c"}},
      {"'a b' \"c d\"", {"a b", "c d"}},
      {"a'b c'd\"e f\"", {"ab cde f"}},
      {"a '' \"\"", {"a", "", ""}},
      {"a\\ b \\'c\\\"", {"a b", "'c\""}},
      {"'a\\b' '\"'", {"a\\b", "\""}},
      {R"("a\"b" "c\\d" "e\f" "'")", {"a\"b", "c\\d", "e\\f", "'"}},
      {"a $HOME ~ *.txt | b; c # d", {"a", "$HOME", "~", "*.txt", "|", "b;", "c", "#", "d"}},
  };
  for (const auto& known : cases) {
    const auto words = split_command(known.command);
    ASSERT_TRUE(words) << known.command;
    EXPECT_EQ(*words, known.words) << known.command;
  }
}

TEST(SplitCommand, IncompleteCommandIsNone) {
  for (const char* command : {"'", "\"", "a 'b", "a \"b'", "a\\", "\"a\\", "\"a\\\""}) {
    EXPECT_FALSE(split_command(command)) << command;
  }
}

constexpr const char* kSession =
    R"({"Version":1,"AccessKeyId":"ASIA","SecretAccessKey":"hush","SessionToken":"token",)"
    R"("Expiration":"2026-11-24T10:00:00Z"})";

class ProcessCredentialsTest : public testing::Test {
 protected:
  /// The program is a shell that runs `script`.
  ProcessCredentials running(const std::string& script) {
    home_.write("script", script);
    return with_setting("sh '" + home_.file("script") + "'");
  }
  ProcessCredentials with_setting(const std::string& command) {
    return {test_.connector, profile_with({{"credential_process", command}})};
  }
  /// A script that prints this.
  static std::string writes(const std::string& text) { return "cat <<'END'\n" + text + "\nEND\n"; }

  std::string failure_of(const std::string& script) {
    ProcessCredentials provider = running(script);
    return message_of([&] { find_credentials(provider); });
  }

  /// Finds programs that were started but not waited for.
  static bool has_children() { return waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD; }

  TemporaryHome home_;
  TestConnector test_;
};

TEST_F(ProcessCredentialsTest, FindsSession) {
  ProcessCredentials provider = running(writes(kSession));
  const auto found = find_credentials(provider);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->access_key_id, "ASIA");
  EXPECT_EQ(found->secret_access_key, "hush");
  EXPECT_EQ(found->session_token, "token");
  EXPECT_EQ(found->expires_at, parse_iso_time("2026-11-24T10:00:00Z"));
  EXPECT_EQ(found->source, "profile \"p\" (credential_process)");
  EXPECT_EQ(provider.place(), "credential_process of profile \"p\"");
  EXPECT_FALSE(has_children());
}

TEST_F(ProcessCredentialsTest, FindsLongLivedKeys) {
  ProcessCredentials provider =
      running(writes(R"({"Version":1,"AccessKeyId":"AKIA","SecretAccessKey":"hush"})"));
  const auto found = find_credentials(provider);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->session_token, "");
  EXPECT_FALSE(found->expires_at);
}

TEST_F(ProcessCredentialsTest, NoneWithoutSetting) {
  ProcessCredentials provider = with_setting("");
  EXPECT_FALSE(find_credentials(provider));
  EXPECT_EQ(provider.place(), "credential_process of profile \"p\" (not set)");
}

TEST_F(ProcessCredentialsTest, NoShellOrInput) {
  home_.write("answer", kSession);
  home_.write("script", "test \"$1\" = '$HOME;|' || exit 9; read line && exit 8; cat \"$2\"\n");
  ProcessCredentials provider =
      with_setting("sh '" + home_.file("script") + "' '$HOME;|' \"" + home_.file("answer") + '"');
  EXPECT_TRUE(find_credentials(provider));
}

TEST_F(ProcessCredentialsTest, ReadsOutputInParts) {
  ProcessCredentials provider = running(
      "printf '{\"Version\":1,\"AccessKeyId\":'\necho '\"a\",'\nsh -c 'printf "
      "\"\\\"SecretAccessKey\\\":\\\"b\\\"}\"'\n");
  EXPECT_TRUE(find_credentials(provider));
}

TEST_F(ProcessCredentialsTest, FailureShowsNoOutput) {
  const struct {
    std::string script;
    const char* reason;
  } cases[] = {
      {writes(kSession) + "exit 3\n", "ended with exit status 3"},
      {writes(kSession) + "kill -TERM $$\n", "was ended by signal SIGTERM"},
      {writes("hush"), "its output is not a JSON object"},
      {"", "its output is not a JSON object"},
      {writes(R"({"AccessKeyId":"hush","SecretAccessKey":"hush"})"), "its output has no Version"},
      {writes(R"({"Version":2,"AccessKeyId":"hush","SecretAccessKey":"hush"})"),
       "its output has a Version other than 1"},
      {writes(R"({"Version":1,"SecretAccessKey":"hush"})"), "its output has no AccessKeyId"},
      {writes(R"({"Version":1,"AccessKeyId":"hush"})"), "its output has no SecretAccessKey"},
      {writes(R"({"Version":1,"AccessKeyId":"a","SecretAccessKey":"b","Expiration":"hush"})"),
       "its output has an Expiration that is not a time"},
      {writes(R"({"Version":1,"AccessKeyId":"a","SecretAccessKey":"hush",)"
              R"("Expiration":"2026-11-24T04:00:00Z"})"),
       "its output holds credentials that have expired"},
      {"yes hush\n", "wrote more than credentials can take up"},
  };
  for (const auto& bad : cases) {
    EXPECT_THAT(failure_of(bad.script),
                AllOf(HasSubstr("credential_process of profile \"p\": "), HasSubstr(bad.reason),
                      HasSubstr("Run the command by hand"), Not(HasSubstr("hush"))))
        << bad.script;
    EXPECT_FALSE(has_children()) << bad.script;
  }
}

TEST_F(ProcessCredentialsTest, UnstartableProgramIsNamed) {
  ProcessCredentials provider = with_setting(home_.file("none") + " argument");
  EXPECT_THAT(message_of([&] { find_credentials(provider); }),
              HasSubstr(home_.file("none") + " cannot be started: No such file or directory"));
}

TEST_F(ProcessCredentialsTest, InvalidCommandUsageError) {
  for (const char* command : {"'open", "''", "\\"}) {
    ProcessCredentials provider = with_setting(command);
    try {
      find_credentials(provider);
      FAIL() << command;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_THAT(error.what(), HasSubstr("credential_process of profile \"p\" is not a command"));
    }
  }
}

TEST_F(ProcessCredentialsTest, SlowProgramIsKilled) {
  for (const char* script : {"exec sleep 1000\n", "exec 1>&-\nexec sleep 1000\n"}) {
    asio::io_context loop;
    std::exception_ptr thrown;
    ProcessCredentials provider = running(script);
    asio::co_spawn(loop, provider.find(),
                   [&](std::exception_ptr failure, const std::optional<aws::Credentials>&) {
                     thrown = std::move(failure);
                   });
    asio::post(loop, [&] { test_.clock.advance(ProcessCredentials::kLimit); });
    loop.run();
    EXPECT_THAT(message_from(thrown).text(),
                HasSubstr("credential_process of profile \"p\": had not ended after 1 min"))
        << script;
    EXPECT_FALSE(has_children());
  }
}

TEST_F(ProcessCredentialsTest, ProgramKilledOnCancellation) {
  asio::io_context loop;
  asio::cancellation_signal signal;
  std::exception_ptr thrown;
  ProcessCredentials provider = running("exec sleep 1000\n");
  asio::co_spawn(
      loop, provider.find(),
      asio::bind_cancellation_slot(
          signal.slot(), [&](std::exception_ptr failure, const std::optional<aws::Credentials>&) {
            thrown = std::move(failure);
          }));
  asio::post(loop,
             [&] { asio::post(loop, [&] { signal.emit(asio::cancellation_type::terminal); }); });
  loop.run();
  ASSERT_TRUE(thrown);
  try {
    std::rethrow_exception(thrown);
  } catch (const boost::system::system_error& error) {
    EXPECT_EQ(error.code(), asio::error::operation_aborted);
  }
  EXPECT_FALSE(has_children());
}

}  // namespace
}  // namespace everyitem::identity
