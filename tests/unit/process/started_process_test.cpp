#include "process/started_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "freshet/error.h"
#include "process/rolled_log.h"
#include "scratch_folder.h"

namespace freshet::core {
namespace {

using testing::ScratchFolder;
using testing::text_of_file;

TEST(DetachedProcess, IsNobodysChildAndReadsWhatItIsGiven) {
  ScratchFolder scratch;
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // so that this test can see its end
  const std::string out = scratch / "out";
  const int output = ::open(out.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const pid_t process = start_detached_process(
      {{"/bin/sh", "-c", "cat <&3; echo; ps -o sid= -p $$; exit 4"}, {}, "secret", output});
  ::close(output);
  int status = 0;
  ASSERT_EQ(::waitpid(process, &status, 0), process);
  EXPECT_EQ(WEXITSTATUS(status), 4);
  const auto lines = testing::lines_of(text_of_file(out));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "secret");
  EXPECT_EQ(std::atoi(lines[1].c_str()), process);
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST(DetachedProcess, ThatCannotBeStartedIsRefusedByName) {
  for (const std::string program : {"/nowhere/x", "sh"}) {
    try {
      start_detached_process({{program}, {}, {}, -1});
      ADD_FAILURE() << program;
    } catch (const InvalidInput& error) {
      EXPECT_NE(std::string(error.what()).find("can't be started"), std::string::npos);
    }
  }
}

TEST(RolledLogTest, KeepsTwoFilesAndAnswersByPositionFromTheFirstByte) {
  ScratchFolder scratch;
  RolledLog log(scratch.path(), "x", 4096);
  const std::string line(99, 'a');
  for (int i = 0; i < 40; ++i) log.append(line + "\n");
  EXPECT_EQ(log.read(0, 100).text, line + "\n");
  EXPECT_EQ(log.read(3900, 1000).text.size(), 100u);
  for (int i = 0; i < 80; ++i) log.append(line + "\n");  // 12,000 bytes: the first 4,096 are gone
  const LogText first = log.read(0, 100);
  EXPECT_EQ(first.next, 4096u + 100u);
  std::uint64_t at = 0, total = 0;
  for (LogText part = log.read(0, 1000); !part.text.empty(); part = log.read(at, 1000)) {
    at = part.next;
    total += part.text.size();
  }
  EXPECT_EQ(at, 12'000u);
  EXPECT_EQ(total, 12'000u - 4096u);
  RolledLog again(scratch.path(), "x", 4096);
  again.append("more\n");
  EXPECT_EQ(again.last_lines(), "more\n");
  log.remove();
  EXPECT_TRUE(testing::names_in(scratch.path()).empty());
}

TEST(RolledLogTest, TellsErrorsFromOutputFromWhereverItIsRead) {
  ScratchFolder scratch;
  RolledLog log(scratch.path(), "x", 4096);
  std::string output, errors;  // all that was appended
  for (int i = 0; i < 60; ++i) {
    const bool is_error = i % 3 == 1;
    const std::string line = (is_error ? "error " : "output ") + std::to_string(i) + "\n";
    log.append(line, is_error);
    (is_error ? errors : output) += line;
  }
  for (const std::size_t at_once : {1u, 7u, 64u, 10'000u}) {
    std::string read_output, read_errors;
    std::uint64_t at = 0;
    for (LogText part = log.read(0, at_once); !part.text.empty(); part = log.read(at, at_once)) {
      at = part.next;
      std::size_t done = 0;
      for (const auto& [begin, end] : part.errors) {
        read_output += part.text.substr(done, begin - done);
        read_errors += part.text.substr(begin, end - begin);
        done = end;
      }
      read_output += part.text.substr(done);
    }
    EXPECT_EQ(read_output, output) << at_once;
    EXPECT_EQ(read_errors, errors) << at_once;
  }
  for (int i = 0; i < 60; ++i) log.append(std::string(100, 'e'), true);  // into the next file
  const LogText last = log.read(4096 + 10, 100);
  EXPECT_EQ(last.errors, (decltype(last.errors){{0, last.text.size()}}));
}

TEST(RolledLogTest, WhatCanNotBeWrittenIsLeftOutAndCounted) {
  ScratchFolder scratch;
  const std::string folder = scratch / "logs";
  std::filesystem::create_directory(folder);
  RolledLog log(folder, "x", 4096);
  log.append("one\n");
  log.close();
  std::filesystem::rename(folder, scratch / "away");
  log.append("lost\n");
  log.append("lost too\n");
  std::filesystem::rename(scratch / "away", folder);
  log.append("two\n");
  const LogText first = log.read(0, 100);
  EXPECT_EQ(first.text, "one\n");
  const LogText second = log.read(first.next, 100);
  EXPECT_EQ(second.text, "two\n");
  EXPECT_EQ(second.next, std::string("one\nlost\nlost too\ntwo\n").size());
}

TEST(RolledLogTest, GivesTheLastTwentyLinesAndAtMostFourKibibytes) {
  ScratchFolder scratch;
  RolledLog log(scratch.path(), "x", 1 << 20);
  for (int i = 1; i <= 30; ++i) log.append("line " + std::to_string(i) + "\n");
  EXPECT_EQ(testing::lines_of(log.last_lines()).size(), 20u);
  EXPECT_EQ(testing::lines_of(log.last_lines()).front(), "line 11");
  log.append("no end of line");
  EXPECT_EQ(testing::lines_of(log.last_lines()).back(), "no end of line");
  log.append(std::string(10'000, 'x'));
  EXPECT_EQ(log.last_lines().size(), 4096u);
}

}  // namespace
}  // namespace freshet::core
