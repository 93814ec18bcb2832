#include "job_master/commit_progress.h"

#include <gtest/gtest.h>

#include <string>

namespace freshet::core {
namespace {

constexpr const char* kLeft =
    ". What is prepared and not committed may be left, as hidden '.part-N.prepared-...' files of "
    "write_text(): remove them, since the next run into that folder is refused while they are "
    "there";

// Of one sink, called "write".
CommitProgress outputs(std::uint32_t count, const std::string& kind = "write_text") {
  JobGraph graph;
  graph.vertices.resize(2);
  graph.vertices[0].name = "read";
  graph.vertices[1].name = "write";
  graph.vertices[1].kind = kind;
  std::vector<Committable> committables;
  for (std::uint32_t i = 0; i < count; ++i) committables.push_back({1, i, std::to_string(i)});
  return {graph, std::move(committables)};
}

CommitOutcome visible(const std::string& name) { return {true, false, name}; }
CommitOutcome failed(const std::string& why) { return {false, false, why}; }
CommitOutcome refused(const std::string& why) { return {false, true, why}; }

TEST(CommitProgress, KnowsWhatIsStillToBeCommitted) {
  CommitProgress progress = outputs(3);
  EXPECT_EQ(progress.open(), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(progress.at(2).bytes, "2");
  progress.note(1, visible("b"));
  progress.note(0, failed("no room"));
  EXPECT_EQ(progress.open(), (std::vector<std::size_t>{0, 2}));
  EXPECT_FALSE(progress.done() || progress.refused());
  progress.note(0, visible("a"));
  progress.note(2, visible("c"));
  EXPECT_TRUE(progress.done());
  EXPECT_TRUE(progress.open().empty());
  EXPECT_TRUE(outputs(0).done());
}

TEST(CommitProgress, WhatIsVisibleStaysSo) {
  CommitProgress progress = outputs(1);
  progress.note(0, visible("a"));
  progress.note(0, failed("a late answer"));
  progress.note(0, visible("a"));
  progress.note_lost(0, "its worker is lost");
  EXPECT_TRUE(progress.done());
  EXPECT_EQ(progress.detail(), "1 of 1 outputs are committed");
}

TEST(CommitProgress, OneThatIsRefusedEndsItAndIsItsReason) {
  CommitProgress progress = outputs(3);
  progress.note(0, failed("no room"));
  progress.note(1, refused("somebody else's"));
  progress.note(2, failed("no room"));
  EXPECT_TRUE(progress.refused());
  const FailureInfo failure = progress.failure("for good");
  EXPECT_EQ(failure.operator_name, "write");
  EXPECT_EQ(failure.subtask, 1u);
  EXPECT_EQ(failure.message,
            std::string("3 of 3 outputs could not be committed for good: somebody else's. Nothing "
                        "of the job is visible") +
                kLeft);
}

TEST(CommitProgress, NamesWhatIsVisibleAndWhatMayBe) {
  CommitProgress progress = outputs(4);
  progress.note(0, visible("/out/part-0"));
  progress.note_committed(1, 2, "");  // it has no name of its own
  progress.note_committed(1, 4, "that no subtask has prepared");
  progress.note_lost(1, "its worker is lost");
  progress.note(3, failed("no room"));
  EXPECT_EQ(progress.detail(), "2 of 4 outputs are committed, tried again: its worker is lost");
  const FailureInfo failure = progress.failure("within 10 min");
  EXPECT_EQ(failure.subtask, 1u);
  EXPECT_EQ(failure.message,
            std::string("2 of 4 outputs could not be committed within 10 min: its worker is lost. "
                        "Visible of this job are: '/out/part-0', that of 'write' (subtask 2). Look "
                        "for these, which may be visible, because their worker has ended before it "
                        "answered: that of 'write' (subtask 1)") +
                kLeft);
}

// Another worker that fails says nothing of what the lost one has done.
TEST(CommitProgress, WhatALostWorkerMayHaveCommittedIsOpenUntilAnotherHas) {
  CommitProgress progress = outputs(1);
  progress.note_lost(0, "its worker is lost");
  progress.note(0, failed("no room"));
  const std::string text = progress.failure("in time").message;
  EXPECT_NE(text.find("in time: no room. Look for these"), std::string::npos) << text;
  EXPECT_EQ(text.find("Nothing of the job is visible"), std::string::npos) << text;
  progress.note(0, visible("a"));
  EXPECT_TRUE(progress.done());
}

TEST(CommitProgress, SpeaksOfHiddenFilesOnlyOfWriteText) {
  CommitProgress progress = outputs(1, "sink");
  progress.note(0, failed("no room"));
  EXPECT_EQ(
      progress.failure("in time").message,
      "1 of 1 outputs could not be committed in time: no room. Nothing of the job is visible. "
      "What is prepared and not committed may be left");
}

TEST(CommitProgress, NamesTheFirstOfMany) {
  CommitProgress progress = outputs(31);
  for (std::size_t i = 0; i < 30; ++i) progress.note(i, visible("part-" + std::to_string(i)));
  const std::string text = progress.failure("in time").message;
  EXPECT_NE(text.find("'part-19' and 10 more. "), std::string::npos) << text;
}

TEST(CommitProgress, WaitsTwiceAsLongEachTimeUpToTenSeconds) {
  CommitProgress progress = outputs(1);
  std::vector<std::int64_t> pauses;
  for (int i = 0; i < 9; ++i) pauses.push_back(progress.next_pause_ms());
  EXPECT_EQ(pauses,
            (std::vector<std::int64_t>{100, 200, 400, 800, 1'600, 3'200, 6'400, 10'000, 10'000}));
}

}  // namespace
}  // namespace freshet::core
