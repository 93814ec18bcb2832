// Parts of text files, from the hidden name to the final one.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "freshet/configuration.h"
#include "freshet/error.h"
#include "freshet/metrics.h"
#include "freshet/runtime_context.h"
#include "freshet/sink.h"
#include "scratch_folder.h"

namespace {

// The paths of what was forced to disk.
struct Forced {
  int error = 0;  // of the next calls
  std::vector<std::string> seen;
} forced;
std::mutex forced_mutex;

}  // namespace

// In place of the C library's.
extern "C" int fsync(int file) {
  const std::lock_guard lock(forced_mutex);
  forced.seen.push_back(std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(file)));
  if (forced.error != 0) {
    errno = forced.error;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fsync, file));
}

namespace freshet {
namespace {

using detail::TextPart;
using testing::ScratchFolder;
using testing::text_of_file;
using Names = std::vector<std::string>;

// A subtask of a sink, outside of any job.
class Subtask final : public RuntimeContext {
 public:
  explicit Subtask(std::uint32_t index, std::string id = "0123456789abcdef",
                   std::string job = "this")
      : index_(index), id_(std::move(id)), job_(std::move(job)) {}
  const std::string& job_name() const override { return name_; }
  const std::string& job_id() const override { return job_; }
  const std::string& operator_name() const override { return name_; }
  const std::string& operator_id() const override { return id_; }
  std::uint32_t subtask_index() const override { return index_; }
  std::uint32_t parallelism() const override { return 2; }
  std::uint32_t max_parallelism() const override { return 128; }
  ExecutionMode mode() const override { return ExecutionMode::kBatch; }
  const Configuration& configuration() const override { return configuration_; }
  Accumulator& accumulator(std::string_view, AccumulatorKind) override { return accumulator_; }
  Counter counter(std::string_view) override {
    return Counter(detail::make_metric(MetricKind::kCounter));
  }
  Gauge gauge(std::string_view) override { return Gauge(detail::make_metric(MetricKind::kGauge)); }
  Distribution distribution(std::string_view) override {
    return Distribution(detail::make_metric(MetricKind::kDistribution));
  }
  std::optional<std::string> next_split() override { return std::nullopt; }
  void send_result(std::string) override {}
  Output& side_output(std::uint32_t) override { throw InvalidInput("a sink has no output"); }
  std::int64_t now() const override { return 0; }

 private:
  const std::uint32_t index_;
  const std::string id_, job_;
  const std::string name_ = "files";
  const Configuration configuration_;
  Accumulator accumulator_{AccumulatorKind::kCount};
};

Names names_in(const std::string& folder) {
  Names names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

void write(TextPart& part, const std::string& text) {
  part.line() += text;
  part.end_line();
}

std::string error_of_opening(TextPart& part, RuntimeContext& context) {
  try {
    part.open(context);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(TextPart, IsHiddenUntilItIsCommitted) {
  const ScratchFolder scratch;
  const std::string folder = scratch / "made/on/the/way";
  Subtask first(0), second(1);
  TextPart a(folder), b(folder);
  a.open(first);
  b.open(second);
  write(a, "rain");
  write(b, "snow");
  a.complete();
  b.complete();
  for (const std::string& name : names_in(folder)) {
    EXPECT_EQ(name.rfind(".part-", 0), 0u) << name;
    EXPECT_NE(name.find(".inprogress-"), std::string::npos) << name;
  }
  const PreparedFile first_file = a.prepare(), second_file = b.prepare();
  for (const std::string& name : names_in(folder)) {
    EXPECT_EQ(name.rfind(".part-", 0), 0u) << name;
    EXPECT_NE(name.find(".prepared-this-"), std::string::npos) << name;
  }
  EXPECT_EQ(first_file.commit(), std::filesystem::canonical(folder).string() + "/part-0");
  second_file.commit();
  EXPECT_EQ(names_in(folder), (Names{"part-0", "part-1"}));
  EXPECT_EQ(text_of_file(folder + "/part-0"), "rain\n");
  EXPECT_EQ(text_of_file(folder + "/part-1"), "snow\n");
}

TEST(TextPart, KeepsAllLinesOfManyBlocks) {
  const ScratchFolder scratch;
  Subtask subtask(0);
  TextPart part(scratch.path());
  part.open(subtask);
  std::string expected;
  for (int i = 0; i < 30'000; ++i) {
    write(part, "line " + std::to_string(i));
    expected += "line " + std::to_string(i) + "\n";
  }
  part.complete();
  part.prepare().commit();
  EXPECT_EQ(text_of_file(scratch / "part-0"), expected);
}

TEST(TextPart, RemovesWhatALostAttemptLeftOfItsPart) {
  const ScratchFolder scratch;
  const Names lost{".part-0.inprogress-other-a-1", ".part-0.inprogress-this-b-2",
                   ".part-0.prepared-this-b-3",    ".part-00.inprogress-other-a-1",
                   ".part-1.inprogress-other-a-1", ".part-1.prepared-this-b-3"};
  for (const std::string& name : lost) std::ofstream(scratch / name) << "half a li";
  Subtask subtask(0, "b");
  const int alive = ::open((scratch / lost[1]).c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_EQ(::flock(alive, LOCK_EX | LOCK_NB), 0);  // as a process does that is slow to end
  TextPart part(scratch.path());
  part.open(subtask);
  write(part, "rain");
  part.complete();
  std::string mine;
  for (const std::string& name : names_in(scratch.path())) {
    if (std::find(lost.begin(), lost.end(), name) == lost.end()) mine = name;
  }
  const int other = ::open((scratch / mine).c_str(), O_WRONLY | O_CLOEXEC);
  EXPECT_NE(::flock(other, LOCK_EX | LOCK_NB), 0) << "a part is locked while it is written";
  ::close(other);
  part.prepare().commit();
  EXPECT_EQ(names_in(scratch.path()), (Names{lost[1], lost[3], lost[4], lost[5], "part-0"}));
  ::close(alive);
}

TEST(TextPart, AbandonedLeavesNothing) {
  const ScratchFolder scratch;
  Subtask first(0), second(1);
  {
    TextPart completed(scratch.path()), dropped(scratch.path());
    completed.open(first);
    dropped.open(second);
    write(completed, "x");
    completed.complete();
    completed.abandon();
    completed.abandon();  // may repeat
    EXPECT_EQ(names_in(scratch.path()).size(), 1u);
  }
  EXPECT_EQ(names_in(scratch.path()), Names{}) << "its destructor does so too";
}

TEST(TextPart, WhatIsPreparedStaysUntilItIsCommittedOrRemoved) {
  const ScratchFolder scratch;
  Subtask subtask(0);
  std::optional<PreparedFile> file;
  {
    TextPart part(scratch.path());
    part.open(subtask);
    TextPart moved(std::move(part));
    write(moved, "x");
    moved.complete();
    file = moved.prepare();
    moved.abandon();
  }
  EXPECT_EQ(names_in(scratch.path()).size(), 1u);
  {
    TextPart next(scratch.path());
    Subtask other_job(1, "0123456789abcdef", "other");
    const std::string error = error_of_opening(next, other_job);
    EXPECT_NE(error.find("which another job has prepared and may still commit"), std::string::npos)
        << error;
    EXPECT_EQ(names_in(scratch.path()).size(), 1u) << "who is refused leaves nothing";
  }
  file->commit();
  file->commit();
  file->remove();
  EXPECT_EQ(names_in(scratch.path()), Names{"part-0"});
  EXPECT_EQ(text_of_file(scratch / "part-0"), "x\n");
}

TEST(TextPart, OfTwoJobsThatWriteOneFolderTheSecondIsRefused) {
  const ScratchFolder scratch;
  Subtask here(0), there(1, "0123456789abcdef", "other"), also_here(1);
  TextPart first(scratch.path()), second(scratch.path()), third(scratch.path());
  first.open(here);
  const std::string error = error_of_opening(second, there);
  EXPECT_NE(error.find("another job writes to the output folder '" + scratch.path() + "' just now"),
            std::string::npos)
      << error;
  third.open(also_here);
  EXPECT_EQ(names_in(scratch.path()).size(), 2u);
}

// Whoever comes first to the folder, one of the jobs gets it, and no output is a mixture.
TEST(TextPart, OfManyJobsThatOpenAFolderAtOnceOneAloneGetsIt) {
  for (int round = 0; round < 20; ++round) {
    const ScratchFolder scratch;
    std::vector<std::unique_ptr<TextPart>> parts;
    std::vector<int> opened(4);
    for (int i = 0; i < 4; ++i) parts.push_back(std::make_unique<TextPart>(scratch.path()));
    std::vector<std::thread> jobs;
    for (int i = 0; i < 4; ++i) {
      jobs.emplace_back([&, i] {
        Subtask subtask(static_cast<std::uint32_t>(i % 2), "0123456789abcdef",
                        "job" + std::to_string(i));
        opened[static_cast<std::size_t>(i)] =
            error_of_opening(*parts[static_cast<std::size_t>(i)], subtask) == "no error";
      });
    }
    for (std::thread& job : jobs) job.join();
    EXPECT_EQ(std::count(opened.begin(), opened.end(), 1), 1);
  }
}

TEST(PreparedFile, NeverReplacesWhatIsNotItsOwn) {
  const ScratchFolder scratch;
  scratch.write("hidden", "mine");
  const PreparedFile file = PreparedFile::of(scratch / "hidden", scratch / "visible");
  scratch.write("visible", "mine");  // of the same size and content, from elsewhere
  try {
    file.commit();
    FAIL() << "replaced";
  } catch (const CommitRefused& refused) {
    EXPECT_NE(std::string(refused.what()).find("has come there from elsewhere"), std::string::npos)
        << refused.what();
  }
  EXPECT_EQ(names_in(scratch.path()), (Names{"hidden", "visible"})) << "nothing is lost";
}

// Who is told of it may count on it, although the power goes next.
TEST(PreparedFile, IsForcedToDiskBeforeItIsHandedOverAndBeforeItCountsAsCommitted) {
  const ScratchFolder scratch;
  const std::string folder = std::filesystem::canonical(scratch.path());
  scratch.write("hidden", "mine");
  forced = {};
  const PreparedFile file = PreparedFile::of(scratch / "hidden", scratch / "visible");
  EXPECT_EQ(forced.seen, (Names{folder + "/hidden", folder}));
  for (const char* call : {"first", "repeated"}) {
    forced = {};
    file.commit();
    EXPECT_EQ(forced.seen, Names{folder}) << call;
  }
}

TEST(PreparedFile, SaysWhatCanNotBeForcedToDisk) {
  const ScratchFolder scratch;
  scratch.write("hidden", "mine");
  forced = {EIO, {}};
  try {
    static_cast<void>(PreparedFile::of(scratch / "hidden", scratch / "visible"));
    FAIL() << "it counts as prepared";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("/hidden' to disk: Input/output error"),
              std::string::npos)
        << error.what();
  }
  forced = {EINVAL, {}};  // a file system that does not force
  PreparedFile::of(scratch / "hidden", scratch / "visible").commit();
  forced = {};
}

TEST(TextPart, IsOnDiskOnceItIsComplete) {
  const ScratchFolder scratch;
  Subtask subtask(0);
  TextPart part(scratch.path());
  part.open(subtask);
  write(part, "x");
  forced = {};
  part.complete();
  ASSERT_EQ(forced.seen.size(), 1u);
  EXPECT_NE(forced.seen[0].find(".part-0.inprogress-"), std::string::npos) << forced.seen[0];
  part.prepare().commit();
}

TEST(TextPart, ThatCantBeForcedToDiskFailsAndLeavesNothing) {
  for (const bool late : {false, true}) {
    SCOPED_TRACE(late);
    const ScratchFolder scratch;
    Subtask subtask(0);
    TextPart part(scratch.path());
    part.open(subtask);
    write(part, "x");
    if (late) part.complete();
    forced = {EIO, {}};
    if (late) {
      EXPECT_THROW(part.prepare(), Error);
    } else {
      EXPECT_THROW(part.complete(), Error);
    }
    forced = {};
    part.abandon();
    EXPECT_EQ(names_in(scratch.path()), Names{});
  }
}

TEST(PreparedFile, KnowsItselfUnderItsFinalName) {
  const ScratchFolder scratch;
  scratch.write("hidden", "mine");
  const PreparedFile file = PreparedFile::of(scratch / "hidden", scratch / "visible");
  // As a call leaves it that is killed where the file system can only link.
  std::filesystem::create_hard_link(scratch / "hidden", scratch / "visible");
  file.commit();
  EXPECT_EQ(names_in(scratch.path()), Names{"visible"});
  file.commit();
  EXPECT_EQ(names_in(scratch.path()), Names{"visible"});
  std::filesystem::remove(scratch / "visible");
  EXPECT_THROW(file.commit(), CommitRefused) << "somebody has removed it";
}

TEST(TextPart, RefusesAFolderWithPartsOfAnotherJob) {
  const ScratchFolder scratch;
  scratch.write("part-7", "old");
  Subtask subtask(0);
  TextPart part(scratch.path());
  EXPECT_EQ(error_of_opening(part, subtask),
            "the output folder '" + scratch.path() +
                "' holds 'part-7' of another job: remove it or choose another folder");
  part.abandon();
  EXPECT_EQ(names_in(scratch.path()), Names{"part-7"});
}

TEST(TextPart, RefusesAFolderThatAnotherSinkOfTheJobWritesTo) {
  const ScratchFolder scratch;
  Subtask one(0, "aaaaaaaaaaaaaaaa"), other(1, "bbbbbbbbbbbbbbbb");
  TextPart first(scratch.path()), second(scratch.path());
  first.open(one);
  const std::string error = error_of_opening(second, other);
  EXPECT_NE(error.find("two sinks of this job write to the folder"), std::string::npos) << error;
  EXPECT_NE(error.find("give each a folder of its own"), std::string::npos) << error;
}

TEST(TextPart, RefusesAFileAndAPlaceThatCanNotBe) {
  const ScratchFolder scratch;
  const std::string file = scratch.write("file", "");
  Subtask subtask(0);
  TextPart into_file(file), below_file(file + "/folder");
  EXPECT_EQ(error_of_opening(into_file, subtask),
            "can't write parts to '" + file + "': it is no folder: name a folder");
  EXPECT_EQ(error_of_opening(below_file, subtask),
            "can't make the output folder '" + file +
                "/folder': Not a directory: choose a place that this user can write to");
}

TEST(TextPart, TellsThatItsFolderWentAway) {
  const ScratchFolder scratch;
  const std::string folder = scratch / "out";
  Subtask subtask(0);
  TextPart part(folder);
  part.open(subtask);
  part.complete();
  const PreparedFile file = part.prepare();
  std::filesystem::remove_all(folder);
  try {
    file.commit();
    FAIL() << "committed";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("check that the folder is still there"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace freshet
