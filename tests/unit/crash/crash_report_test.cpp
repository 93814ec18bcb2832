#include "crash/crash_report.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>

#include <random>

#include "bounds/failure_text.h"
#include "crash/crash_text.h"
#include "crash/plain_report.h"
#include "posix/descriptor.h"

namespace freshet::core {
namespace {

const std::string kReport =
    "signal\t11\t1\t10\n"
    "fiber\tparse #2\n"
    "operator\tparse\n"
    "operator\tcount\n"
    "subtask\t2\n"
    "records\t4097\t4096\n"
    "thread\t17\tfr-task-0\n"
    "frame\t7f0000001234\t1234\t/apps/libjob.so\n"
    "frame\tdead\tdead\t\n"
    "thread\t18\tnetwork\n";

TEST(CrashReport, IsReadAsItWasWritten) {
  const auto report = CrashReport::parse(kReport);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->operator_name(), "parse -> count");
  EXPECT_EQ(report->subtask, 2u);
  EXPECT_EQ(report->cause(),
            "killed by signal 11 (Segmentation fault) at address 0x10, in the batch of records "
            "4097 to 8192");
  ASSERT_EQ(report->threads.size(), 2u);
  EXPECT_EQ(report->threads[1].name, "network");
  EXPECT_EQ(report->plain_stack(), "\n  #0 /apps/libjob.so+0x1234\n  #1 0xdead");
}

std::string plain(const std::string& raw, bool all_threads) {
  const Descriptor file(::memfd_create("printed", MFD_CLOEXEC));
  print_plain_report(file.get(), raw, all_threads);
  std::string text(4096, '\0');
  const ssize_t got = ::pread(file.get(), text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return text;
}

TEST(CrashReport, IsPrintedForPeopleWithoutTheProgramThatFindsNames) {
  const std::string first =
      "freshet: operator 'parse -> count' (subtask 2): killed by signal 11 (Segmentation fault) at "
      "address 0x10, in the batch of records 4097 to 8192\n"
      "  #0 /apps/libjob.so+0x1234\n"
      "  #1 0xdead\n";
  EXPECT_EQ(plain(kReport, false), first);
  EXPECT_EQ(plain(kReport, true), first + "thread 18 'network':\n");
  EXPECT_EQ(plain("signal\t6\t0\t0\nfiber\tmain\nthread\t1\tx\n", false),
            "freshet: 'main': killed by signal 6 (Aborted)\n");
  EXPECT_EQ(plain("signal\t11\t1\t0\noverflow\ta b\t1024\nrecords\t7\t1\n", false),
            "freshet: killed by signal 11 (Segmentation fault) at address 0x0, at record 7: the "
            "stack of 'a b' has overflowed its 1024 KiB: raise task.stack-size\n");
}

TEST(FailureText, HasTheThreadsBehindATextThatCannotBeTakenForThem) {
  const FailureText whole{"it fell", "\nThe stacks of all threads:\n  #0 here"};
  const FailureText split = FailureText::split(whole.join());
  EXPECT_EQ(split.text, whole.text);
  EXPECT_EQ(split.threads, whole.threads);
  // What user code says, whatever it says, is text.
  const std::string said = as_text_of_failure(whole.join() + "\nand the cause");
  EXPECT_TRUE(FailureText::split(said).threads.empty());
  EXPECT_NE(said.find("\nand the cause"), std::string::npos);
  EXPECT_EQ(FailureText::split("plain").text, "plain");
}

TEST(CrashReport, TellsASignalThatWasSentAndAnOverflow) {
  EXPECT_EQ(CrashReport::parse("signal\t6\t0\t0\n")->cause(), "killed by signal 6 (Aborted)");
  EXPECT_EQ(CrashReport::parse("signal\t11\t1\t0\noverflow\ta b\t1024\n")->cause(),
            "killed by signal 11 (Segmentation fault) at address 0x0: the stack of 'a b' has "
            "overflowed its 1024 KiB: raise task.stack-size");
}

// The dying process shares the memory with its user code.
TEST(CrashReport, OfAnyBytesIsNoneOrHasOnlyWhatIsThere) {
  EXPECT_FALSE(CrashReport::parse(""));
  EXPECT_FALSE(CrashReport::parse("signal\tx\t1\t0\n"));
  EXPECT_FALSE(CrashReport::parse("frame\t1\t1\tx\nsignal\t11\t1\t0\n"));
  EXPECT_TRUE(CrashReport::parse("signal\t11\t1\t0\nframe\t1\t1\tx\n")->threads.empty());
  std::mt19937 random(7);
  for (int round = 0; round < 2'000; ++round) {
    std::string text = kReport;
    for (int change = 0; change < 4; ++change)
      text[random() % text.size()] = static_cast<char>(random() % 256);
    const auto report = CrashReport::parse(text.substr(0, random() % text.size()));
    if (!report) continue;
    EXPECT_LE(report->cause().size() + report->plain_stack().size(), 2'000u);
  }
}

TEST(CrashReport, InAFileIsNoLongerThanTheFileWhateverItSays) {
  const Descriptor file = memory_file(std::string(sizeof(CrashArea), '\0'));
  ASSERT_GE(file.get(), 0);
  EXPECT_EQ(crash_report_in(file.get()), "");
  void* const memory =
      ::mmap(nullptr, sizeof(CrashArea), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto& area = *static_cast<CrashArea*>(memory);
  kReport.copy(area.text, kReport.size());
  area.used.store(static_cast<std::uint32_t>(kReport.size()));
  EXPECT_EQ(crash_report_in(file.get()), "") << "nobody has said that it is a report";
  area.magic.store(CrashArea::kMagic);
  EXPECT_EQ(crash_report_in(file.get()), kReport);
  area.used.store(0xffffffff);
  EXPECT_LE(crash_report_in(file.get()).size(), CrashArea::kTextBytes);
  ::munmap(memory, sizeof(CrashArea));
}

}  // namespace
}  // namespace freshet::core
