#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "control_queue.h"
#include "other_processes.h"
#include "process/child_processes.h"
#include "process/control_group.h"
#include "process/started_process.h"
#include "process/template_process.h"
#include "scratch_folder.h"

namespace freshet::core {
namespace {

using testing::ControlQueue;
using testing::ends;
using testing::runs;
using testing::ScratchFolder;

// As template_program.cpp prints it; of the last that has.
struct Facts {
  std::string how;
  pid_t by = 0, id = 0, thread = 0, parent = 0, session = 0;
  std::string descriptors;
};

Facts facts_of(const std::string& log) {
  Facts facts;
  const std::size_t line = log.rfind(" descriptors");
  const std::size_t begin = log.rfind('\n', line);
  std::istringstream text(line == std::string::npos ? "" : log.substr(begin + 1));
  std::string word;
  text >> facts.how >> word >> facts.by >> word >> facts.id >> word >> facts.thread >> word >>
      facts.parent >> word >> facts.session >> word;
  std::getline(text, facts.descriptors);
  return facts;
}

class ProcessTemplatesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!ControlGroups().are_to_be_had()) GTEST_SKIP() << "no control groups are to be had";
  }

  struct Child {
    ProcessHandle handle = 0;
    bool ended = false;
    ProcessEnd end;
  };

  void start(const std::string& word, Child& child, const std::string& name = "child") {
    ProcessSpec spec{name, {std::getenv("FRESHET_TEST_TEMPLATE_PROGRAM")}, {}, word};
    spec.may_be_forked = true;
    child.handle = children_->spawn(spec, [&child](ProcessEnd end) {
      EXPECT_FALSE(child.ended);
      child.ended = true;
      child.end = std::move(end);
    });
  }
  ProcessEnd run(const std::string& word) {
    Child child;
    start(word, child);
    EXPECT_TRUE(control_.run_until([&] { return child.ended; }));
    return child.end;
  }
  // Starts children until one is forked, which is only so once the template is ready.
  Facts first_that_is_forked() {
    for (int i = 0; i < 10'000; ++i) {
      Facts facts = facts_of(run("").last_lines);
      if (facts.how == "forked") return facts;
      EXPECT_EQ(facts.how, "started");
    }
    ADD_FAILURE() << "none was forked";
    return {};
  }
  // Waits until the child has printed that.
  std::string log_with(const std::string& name, const std::string& text) {
    for (int i = 0; i < 60'000; ++i) {
      const std::string log = children_->read_log(name, 0).text;
      if (log.find(text) != std::string::npos) return log;
      ::usleep(1000);
    }
    ADD_FAILURE() << "never printed: " << text;
    return {};
  }

  ScratchFolder scratch_;
  ControlQueue control_;
  std::unique_ptr<ChildProcesses> children_ = std::make_unique<ChildProcesses>(
      control_, ChildProcessesOptions{scratch_.path(), 16 * 1024, 3, true});
};

TEST_F(ProcessTemplatesTest, TheFirstOfAKindIsStarted) {
  EXPECT_EQ(facts_of(run("").last_lines).how, "started");
}

TEST_F(ProcessTemplatesTest, OneThatIsForkedIsAsOneThatWasStarted) {
  const Facts started = facts_of(run("").last_lines);
  const Facts forked = first_that_is_forked();
  for (const Facts& facts : {started, forked}) {
    EXPECT_EQ(facts.thread, facts.id);
    EXPECT_EQ(facts.parent, ::getpid());
    EXPECT_EQ(facts.session, facts.id);
  }
  EXPECT_NE(forked.by, forked.id);
  EXPECT_EQ(forked.descriptors, started.descriptors);
  EXPECT_EQ(forked.descriptors, " 0 1 2 4");
}

TEST_F(ProcessTemplatesTest, TheEndOfOneThatIsForkedIsTold) {
  first_that_is_forked();
  EXPECT_EQ(run("seven").exit_code, 7);
  EXPECT_EQ(run("abort").signal, SIGABRT);
  EXPECT_NE(run("thread").last_lines.find("another thread"), std::string::npos);
}

TEST_F(ProcessTemplatesTest, ManyAtOnceHaveEachTheirOwnWordAndLog) {
  const pid_t by = first_that_is_forked().by;
  std::vector<Child> all(40);
  for (std::size_t i = 0; i < all.size(); ++i)
    start(i % 2 == 0 ? "seven" : "", all[i], "child-" + std::to_string(i));
  for (std::size_t i = 0; i < all.size(); ++i) {
    ASSERT_TRUE(control_.run_until([&] { return all[i].ended; }));
    EXPECT_EQ(all[i].end.exit_code, i % 2 == 0 ? 7 : 0);
    EXPECT_EQ(facts_of(all[i].end.last_lines).by, by);
  }
}

TEST_F(ProcessTemplatesTest, WhatOneThatIsForkedForksEndsWithIt) {
  first_that_is_forked();
  Child child;
  start("fork", child, "forking");
  const std::string log = log_with("forking", "grandchild ");
  const pid_t grandchild = std::atoi(log.c_str() + log.find("grandchild ") + 11);
  EXPECT_TRUE(runs(grandchild));
  children_->kill(child.handle);
  ASSERT_TRUE(control_.run_until([&] { return child.ended; }));
  EXPECT_EQ(child.end.signal, SIGKILL);
  EXPECT_FALSE(runs(grandchild));
}

TEST_F(ProcessTemplatesTest, ATemplateThatIsKilledTakesNoChildWithItAndIsDoneWithout) {
  const pid_t killed = first_that_is_forked().by;
  Child child;
  start("wait", child, "waiting");
  const pid_t waiting = facts_of(log_with("waiting", "\n")).id;
  ::kill(killed, SIGKILL);
  ASSERT_TRUE(ends(killed));
  EXPECT_EQ(run("seven").exit_code, 7);
  EXPECT_TRUE(runs(waiting));
  EXPECT_NE(first_that_is_forked().by, killed);
  children_->kill(child.handle);
  ASSERT_TRUE(control_.run_until([&] { return child.ended; }));
}

TEST_F(ProcessTemplatesTest, ATemplateThatStandsStillIsKilledAndTheChildStarted) {
  const pid_t stopped = first_that_is_forked().by;
  ::kill(stopped, SIGSTOP);
  EXPECT_EQ(run("seven").exit_code, 7);
  EXPECT_TRUE(ends(stopped));
  EXPECT_NE(first_that_is_forked().by, stopped);
}

// A template whose output is a file, and what is asked of it: one process that starts it, another
// that asks it for a child.
class ToldTemplate {
 public:
  using Environment = std::map<std::string, std::string>;
  explicit ToldTemplate(Environment environment = {}) : group_(groups_.make(1'000'001)) {
    const TemplateChannel channel = template_channel();
    ours_ = Descriptor(channel.ours);
    const Descriptor its(channel.its), output(open_file("template"));
    ProgramStart start;
    start.command = {std::getenv("FRESHET_TEST_TEMPLATE_PROGRAM")};
    start.environment = std::move(environment);
    start.output = output.get();
    start.template_channel = its.get();
    id_ = start_child(start);
    while (!hears_ready(ours_.get())) ::usleep(1'000);
  }
  ~ToldTemplate() {
    ours_.close();
    ::waitpid(id_, nullptr, 0);
    ControlGroups::remove(group_);
  }
  ToldTemplate(const ToldTemplate&) = delete;
  ToldTemplate& operator=(const ToldTemplate&) = delete;

  pid_t fork() {
    const Descriptor nothing(memory_file("")), output(open_file("child"));
    return fork_from_template(ours_.get(),
                              {nothing.get(), output.get(), output.get(), output.get(), group_});
  }
  int exit_code() {
    int status = 0;
    EXPECT_EQ(::waitpid(std::exchange(id_, -1), &status, 0) > 0, true);
    return WEXITSTATUS(status);
  }
  std::string printed(const std::string& who) { return testing::text_of_file(scratch_ / who); }

 private:
  int open_file(const std::string& name) {
    return ::open(std::string(scratch_ / name).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                  0600);
  }

  ScratchFolder scratch_;
  const ControlGroups groups_;
  const std::filesystem::path group_;
  Descriptor ours_;
  pid_t id_ = -1;
};

// The template's own starter is the parent of all that it forks, whoever asks for it.
TEST_F(ProcessTemplatesTest, OneThatHasAnotherParentThanItsAskerSaysSo) {
  children_.reset();  // it would wait for every child of this process
  ToldTemplate its;
  int answer[2];
  ASSERT_EQ(::pipe2(answer, O_CLOEXEC), 0);
  const Descriptor reading(answer[0]), writing(answer[1]);
  const pid_t asker = ::fork();
  if (asker == 0) {
    const pid_t forked = its.fork();
    ::_exit(::write(writing.get(), &forked, sizeof forked) == sizeof forked ? 0 : 1);
  }
  ASSERT_EQ(::waitpid(asker, nullptr, 0), asker);
  pid_t forked = 0;
  ASSERT_EQ(::read(reading.get(), &forked, sizeof forked), static_cast<ssize_t>(sizeof forked));
  int status = 0;
  ASSERT_EQ(::waitpid(forked, &status, 0), forked);
  EXPECT_EQ(WEXITSTATUS(status), 127);
  EXPECT_EQ(its.printed("child"),
            "a process that a template has forked ends: its parent is process " +
                std::to_string(::getpid()) + " and not " + std::to_string(asker) +
                ", which has asked for it: that one has ended\n");
}

TEST_F(ProcessTemplatesTest, ATemplateThatIsOutOfDescriptorsSaysSo) {
  children_.reset();  // it would wait for every child of this process
  ToldTemplate its(ToldTemplate::Environment{{"FRESHET_TEST_MOST_DESCRIPTORS", "5"}});
  EXPECT_THROW(its.fork(), InvalidInput);
  EXPECT_EQ(its.exit_code(), 127);
  EXPECT_EQ(its.printed("template"),
            "a template can't take the 5 descriptors of a child: Too many open files: raise the "
            "limit of open files of this process (ulimit -n)\n");
}

TEST_F(ProcessTemplatesTest, AProgramThatCannotBeATemplateIsStartedEachTime) {
  for (int i = 0; i < 5; ++i) {
    Child child;
    ProcessSpec spec{"shell", {"/bin/sh", "-c", "exit 3"}, {}, ""};
    spec.may_be_forked = true;
    children_->spawn(spec, [&child](ProcessEnd end) {
      child.ended = true;
      child.end = std::move(end);
    });
    ASSERT_TRUE(control_.run_until([&] { return child.ended; }));
    EXPECT_EQ(child.end.exit_code, 3);
  }
}

TEST_F(ProcessTemplatesTest, TemplateAndChildrenEndWithTheirOwner) {
  const pid_t by = first_that_is_forked().by;
  Child child;
  start("wait", child, "waiting");
  const pid_t waiting = facts_of(log_with("waiting", "\n")).id;
  children_.reset();
  EXPECT_FALSE(runs(by));
  EXPECT_FALSE(runs(waiting));
}

TEST_F(ProcessTemplatesTest, TemplateAndChildrenEndWhenThisProcessIsKilled) {
  const std::string file = scratch_ / "ids";
  const pid_t parent = ::fork();
  if (parent == 0) {
    children_.release();  // its thread is not here
    children_ = std::make_unique<ChildProcesses>(
        control_, ChildProcessesOptions{scratch_.path(), 16 * 1024, 3, true});
    const pid_t by = first_that_is_forked().by;
    Child child;
    start("wait", child, "waiting");
    std::ofstream(file) << by << " " << facts_of(log_with("waiting", "\n")).id;
    ::kill(::getpid(), SIGKILL);
  }
  ASSERT_GT(parent, 0);
  ASSERT_TRUE(ends(parent));
  pid_t by = 0, waiting = 0;
  std::ifstream(file) >> by >> waiting;
  ASSERT_GT(waiting, 0);
  EXPECT_TRUE(ends(by));
  EXPECT_TRUE(ends(waiting));
}

}  // namespace
}  // namespace freshet::core
