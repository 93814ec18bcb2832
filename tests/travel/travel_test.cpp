// Jobs taken as bytes to a fresh process, which loads the application and never runs its main.
#include "carried.h"
#include "freshet/plugin/job_graph.h"
#include "sanitized.h"

namespace freshet::testing {
namespace {

class Travel : public Carried {
 protected:
  // Runs the job here and in a fresh process, and returns the sorted output of both.
  std::vector<std::string> same_in_both(const std::string& job) {
    const Ended here = carry("write", "job", module("travel"), {job});
    EXPECT_EQ(here.exit_code, 0) << here.errors;
    EXPECT_EQ(here.errors, "main runs\n");
    const Ended there = carry("run", "job", module("travel"));
    EXPECT_EQ(there.exit_code, 0) << there.errors;
    EXPECT_EQ(there.errors, "");  // so main has not run
    EXPECT_EQ(here.sorted_lines(), there.sorted_lines());
    return there.sorted_lines();
  }
  static bool has(const std::vector<std::string>& lines, const std::string& line) {
    return std::binary_search(lines.begin(), lines.end(), line);
  }
  JobGraph graph(const std::string& job) const { return JobGraph::from_bytes(content(file(job))); }
  std::string mistake(const std::string& what) {
    const Ended ended = carry("write", "job", module("travel"), {"mistake", what});
    EXPECT_EQ(ended.exit_code, 65) << what;
    EXPECT_FALSE(fs::exists(file("job"))) << what;
    return ended.errors;
  }
};

TEST_F(Travel, FunctionsOfEveryKindDoTheSameInAFreshProcess) {
  const auto lines = same_in_both("functions");
  // By hand, one of each kind.
  for (const char* line :
       {"captured 7", "captured 304", "a text longer than what a string holds in itself2", "*100*",
        "template 705", "doubled 98", "[bob]", "object 93", "here 1100", "there 2100"}) {
    EXPECT_TRUE(has(lines, line)) << line;
  }
  EXPECT_EQ(lines.size(), 100u + 75 + 50 + 100 + 50 + 50 + 20 + 100 + 100);
}

TEST_F(Travel, OperatorsDoTheSameInAFreshProcessAndKeysGoToTheSameSubtasks) {
  const auto lines = same_in_both("operators");
  EXPECT_TRUE(has(lines, "element"));
  EXPECT_TRUE(has(lines, "sum 3 " + std::to_string([] {
                           int sum = 0;
                           for (int i = 3; i < 1000; i += 7) sum += i;
                           return sum;
                         }())));
  EXPECT_TRUE(has(lines, "max 6 993"));
  // All four subtasks of the keyed count had keys.
  for (const char* subtask : {"@0", "@1", "@2", "@3"}) {
    EXPECT_TRUE(std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
      return contains(line, subtask);
    })) << subtask;
  }
}

TEST_F(Travel, OtherBuildsOfTheApplicationAreRefusedByNameAndMend) {
  ASSERT_EQ(carry("write", "job", module("travel"), {"functions"}).exit_code, 0);
  fs::create_directory(file("copy"));
  const fs::path stripped = file("copy") / "travel.so";
  fs::copy_file(module("travel"), stripped);
  ASSERT_EQ(run({"strip", stripped.native()}).exit_code, 0);
  for (const fs::path& other : {stripped, module("rebuilt")}) {
    const Ended ended = carry("run", "job", other);
    EXPECT_EQ(ended.exit_code, 65);
    EXPECT_TRUE(contains(ended.errors, "job 'travel' needs the module 'travel.so' (sha256 " +
                                           graph("job").modules[0].sha256.substr(0, 12) +
                                           "), which is not loaded here: load that very file; a "
                                           "rebuilt one has another hash"))
        << ended.errors;
  }
}

TEST_F(Travel, PointersAmongTheCapturesAreRefusedWithOperatorOffsetAndRange) {
  const auto expect = [&](const char* what, const std::string& name, int at,
                          const std::string& range) {
    const std::string error = mistake(what);
    EXPECT_TRUE(contains(error, "operator '" + name + "' captures a pointer at byte " +
                                    std::to_string(at) + " of its function object, into "))
        << what << ": " << error;
    EXPECT_TRUE(contains(error, range)) << what << ": " << error;
    EXPECT_TRUE(contains(error,
                         "which another process does not have: capture values, or bind them as "
                         "arguments; if it is a number, say captures_no_pointers()"))
        << what << ": " << error;
  };
  const std::string stack = kAddressSanitized ? "into anonymous memory" : "into the stack";
  const std::string heap =
      kAddressSanitized || kThreadSanitized ? "into anonymous memory" : "into the heap";
  expect("reference", "my map", 8, stack);
  expect("pointer", "my map", 8, heap);
  expect("view", "my map", 8, heap);
  expect("global", "my map", 0, "travel.so");
  expect("this", "my map", 0, stack);
  expect("key", "key_by", 0, stack);
  expect("sink", "my sink", 0, stack);
}

TEST_F(Travel, NumbersThatLookLikePointersPassWhenSaidToBeNumbers) {
  EXPECT_EQ(same_in_both("number"), (std::vector<std::string>{"1", "2", "3"}));
}

TEST_F(Travel, FunctionsOfOtherLibrariesAreRefused) {
  const std::string error = mistake("libc");
  EXPECT_TRUE(contains(error,
                       "operator 'my map' holds a pointer to a function, at byte 0 of its "
                       "payload, that is in no module of the job ("))
      << error;
  EXPECT_TRUE(contains(error, "libc")) << error;
  EXPECT_TRUE(contains(error, "call the function from a lambda instead")) << error;
}

TEST_F(Travel, AUidUsedTwiceIsAnError) {
  EXPECT_TRUE(contains(mistake("uid"),
                       "uid 'same' is used by two operators, 'first' and 'second': give each a uid "
                       "of its own"));
}

TEST_F(Travel, IdsAreTheSameInEveryProcessAndUnderOtherNames) {
  const auto ids = [&](const std::string& job, const std::string& name) {
    EXPECT_EQ(carry("write", job, module("travel"), {"shape", name}).exit_code, 0);
    std::vector<std::string> all;
    for (const JobVertex& vertex : graph(job).vertices) all.push_back(vertex.id);
    return all;
  };
  const auto first = ids("first", "one");
  EXPECT_EQ(first.size(), 6u);
  EXPECT_EQ(ids("again", "one"), first);
  EXPECT_EQ(ids("renamed", "another"), first);
  EXPECT_EQ(graph("renamed").vertices[1].name, "another");
}

TEST_F(Travel, ModulesThatDisagreeOnARecordAreRefused) {
  const Ended agreed =
      carry("write", "agreed", module("agreeing"), {"--ship", module("libtravel-events").native()});
  EXPECT_EQ(agreed.exit_code, 0) << agreed.errors;
  EXPECT_EQ(agreed.sorted_lines().size(), 10u);
  ASSERT_EQ(graph("agreed").modules.size(), 2u);
  for (const JobModule& used : graph("agreed").modules) {
    EXPECT_EQ(used.kind, ModuleKind::kShipped) << used.name;
  }
  // The library's operators are found where main has never run, too.
  const Ended there =
      carry("run", "agreed", module("agreeing"), {"--ship", module("libtravel-events").native()});
  EXPECT_EQ(there.exit_code, 0) << there.errors;
  EXPECT_EQ(there.sorted_lines(), agreed.sorted_lines());

  const Ended ended =
      carry("write", "job", module("disagreeing"), {"--ship", module("libtravel-events").native()});
  EXPECT_EQ(ended.exit_code, 65);
  EXPECT_TRUE(contains(ended.errors,
                       "'events of the library' sends records {i64,i64}, 'reader of the "
                       "application' reads {i64,string}: build their modules against one "
                       "definition of the record type"))
      << ended.errors;
}

}  // namespace
}  // namespace freshet::testing
