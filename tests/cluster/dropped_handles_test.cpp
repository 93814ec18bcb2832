// Clients of clusters and of their jobs whose last handle is let go of where a future completes: in
// its continuation, on a thread of the client's own. The client says goodbye, and its threads end.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>

#include "clock/clock.h"
#include "freshet/environment.h"
#include "freshet/options.h"
#include "host/deployer_services.h"
#include "own_cluster.h"
#include "plugin_catalog/plugin_catalog.h"
#include "selection/deployer_selection.h"
#include "task/scheduler.h"

namespace {

using namespace freshet;
using namespace freshet::core;
using namespace freshet::testing;

class DroppedHandles : public ClusterTest {
 protected:
  void SetUp() override {
    start_session("s");
    services_.emplace(SystemClock::instance(), StateFolder(folder()));
  }
  void TearDown() override {
    services_.reset();
    stop_session("s");
    ClusterTest::TearDown();
  }

  std::unique_ptr<ClusterClient> connect() {
    return services_->connect(services_->read_record("s"), 30'000).get();
  }
  // Of a job whose rows wait for a reader.
  std::string collecting_job() {
    const Outcome outcome = in_session({"-d", "leave-collecting", "20000"});
    EXPECT_EQ(outcome.code, 0) << outcome.text();
    nlohmann::json jobs;
    EXPECT_TRUE(eventually([&] { return !(jobs = fr_json({"list"}).back()["jobs"]).empty(); }));
    return jobs[0]["id"];
  }
  static std::ptrdiff_t threads() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                         std::filesystem::directory_iterator());
  }
  std::size_t goodbyes() const {
    const std::string log = content(folder() + "/logs/s/jobmanager.log");
    const std::string words = "is gone: closed: ";
    std::size_t count = 0;
    for (std::size_t at = log.find(words); at != std::string::npos; at = log.find(words, at + 1))
      ++count;
    return count;
  }
  // That what `drop` does ends a client, threads and all.
  void expect_an_end(const std::string& what, const std::function<void()>& drop) {
    SCOPED_TRACE(what);
    const std::size_t before = goodbyes();
    drop();
    EXPECT_TRUE(eventually([&] { return goodbyes() > before; }));
    EXPECT_TRUE(eventually([&] { return threads() <= threads_; })) << threads() << " threads";
  }
  // The handle's last reference is in the continuation of what `ask` asks it.
  template <class Handle, class Ask>
  void expect_an_end_in_continuation(const std::string& what, std::unique_ptr<Handle> handle,
                                     Ask ask) {
    expect_an_end(what, [&] {
      Handle& asked = *handle;
      Promise<void> dropped;
      const auto done = dropped.future();
      auto answer = ask(asked);
      const auto ignored = answer.then(
          [handle = std::move(handle), dropped = std::move(dropped)](decltype(answer)) mutable {
            handle.reset();
            dropped.set_value();
          });
      static_cast<void>(ignored);
      answer = {};
      EXPECT_TRUE(done.get_for(30'000));
    });
  }

  std::optional<LocalDeployerServices> services_;
  const std::ptrdiff_t threads_ = threads();
};

TEST_F(DroppedHandles, OfAClusterEndInTheContinuationOfEachCall) {
  expect_an_end_in_continuation("status", connect(), [](auto& c) { return c.status(); });
  expect_an_end_in_continuation("applications", connect(),
                                [](auto& c) { return c.applications(); });
  expect_an_end_in_continuation("application", connect(),
                                [](auto& c) { return c.application("none"); });
  expect_an_end_in_continuation("cancel_application", connect(),
                                [](auto& c) { return c.cancel_application("none"); });
  expect_an_end_in_continuation("jobs", connect(), [](auto& c) { return c.jobs(); });
  expect_an_end_in_continuation("read_log", connect(),
                                [](auto& c) { return c.read_log("jobmanager", 0); });
  expect_an_end_in_continuation("release_task_managers", connect(),
                                [](auto& c) { return c.release_task_managers({}, 0); });
  expect_an_end_in_continuation("submit_job", connect(),
                                [](auto& c) { return c.submit_job("nonsense", ""); });
  ApplicationSpec application;
  application.main.location = application_;
  application.arguments = {"greet"};
  expect_an_end_in_continuation("submit_application", connect(),
                                [&](auto& c) { return c.submit_application(application); });
}

TEST_F(DroppedHandles, OfAJobEndInTheContinuationOfEachCall) {
  std::string job = collecting_job();
  const auto client = [&] { return connect()->job(job); };
  expect_an_end_in_continuation("status", client(), [](auto& c) { return c.status(); });
  expect_an_end_in_continuation("accumulators", client(), [](auto& c) { return c.accumulators(); });
  expect_an_end_in_continuation("details", client(), [](auto& c) { return c.details(); });
  expect_an_end_in_continuation("savepoint", client(), [](auto& c) { return c.savepoint(""); });
  expect_an_end_in_continuation("next_message", client(),
                                [](auto& c) { return c.next_message(0); });
  // The reader of the rows goes with it, in the midst of them.
  expect_an_end_in_continuation("next_result", client(),
                                [](auto& c) { return c.next_result("collect-0"); });
  expect_an_end_in_continuation("result", client(), [](auto& c) { return c.result(); });
  job = collecting_job();
  expect_an_end_in_continuation("cancel", client(), [](auto& c) { return c.cancel(); });
}

// Who breaks off reading cancels the job, and waits for that: on the client's own thread.
TEST_F(DroppedHandles, RecordsThatAreNotReadToTheirEndCancelTheJobInAContinuation) {
  const std::string job = collecting_job();
  auto client = connect()->job(job);
  auto rows = client->next_result("collect-0");
  using Records = CollectedRecords<std::int64_t>;
  auto records = std::make_unique<Records>(std::move(client), "collect-0");
  expect_an_end("records", [&] {
    const auto done =
        rows.then([records = std::move(records)](decltype(rows)) mutable { records.reset(); });
    rows = {};
    EXPECT_TRUE(done.get_for(30'000));
  });
  EXPECT_EQ(connect()->job(job)->result().get().status, JobStatus::kCanceled);
}

// The threads of a deployer are its plugin's, and it waits for them.
TEST_F(DroppedHandles, OfADeployerEndInTheContinuationOfEachCall) {
  SearchPath::Sources sources;
  std::istringstream folders(path_from("FRESHET_TEST_PLUGIN_FOLDERS"));
  for (std::string each; std::getline(folders, each, ':');) sources.option_folders.push_back(each);
  PluginCatalog plugins{SearchPath(sources)};
  Configuration configuration;
  const Origin origin = Origin::command_line("--target");
  configuration.set(options::kExecutionTarget, "standalone-session", origin);
  configuration.set(options::kClusterId, "s", origin);
  const SelectedDeployer selected = select_deployer(plugins, configuration);
  const auto expect_an_end = [&](const std::string& what, const auto& ask) {
    SCOPED_TRACE(what);
    auto deployer = make_deployer(selected, *services_);
    ClusterDeployer& asked = *deployer;
    Promise<void> dropped;
    const auto done = dropped.future();
    auto answer = ask(asked);
    const auto ignored = answer.then(
        [deployer = std::move(deployer), dropped = std::move(dropped)](decltype(answer)) mutable {
          deployer.reset();
          dropped.set_value();
        });
    static_cast<void>(ignored);
    answer = {};
    EXPECT_TRUE(done.get_for(30'000));
    EXPECT_TRUE(eventually([&] { return threads() <= threads_; })) << threads() << " threads";
  };
  const std::size_t there = make_deployer(selected, *services_)->task_managers("s").get().size();
  expect_an_end("task_managers", [](auto& d) { return d.task_managers("s"); });
  expect_an_end("resize",
                [&](auto& d) { return d.resize("s", static_cast<std::uint32_t>(there)); });
  expect_an_end("resize of none", [](auto& d) { return d.resize("none", 1); });
  expect_an_end("retrieve", [&](auto& d) { return d.retrieve(configuration); });
  expect_an_end("kill", [](auto& d) { return d.kill("none"); });
}

// The only one that holds the client is the listener that the client holds.
TEST_F(DroppedHandles, AListenerMayLetGoOfTheClientThatItListensBy) {
  struct Listener final : ClusterListener {
    void on_event(const ClusterEvent&) override {
      client.reset();
      word += " is heard";  // it lives as long as the call
      heard.set_value(word);
    }
    std::unique_ptr<ClusterClient> client;
    std::string word = "a word that is too long for the object itself";
    Promise<std::string> heard;
  };
  EXPECT_EQ(in_session({"greet"}).code, 0);
  expect_an_end("listener", [&] {
    auto listener = std::make_shared<Listener>();
    const auto heard = listener->heard.future();
    listener->client = connect();
    ClusterClient& client = *listener->client;
    client.listen(std::move(listener));
    EXPECT_EQ(heard.get(), "a word that is too long for the object itself is heard");
  });
}

TEST_F(DroppedHandles, AFiberMayLetGoOfThemAlsoOneThatIsCanceled) {
  for (const bool canceled : {false, true}) {
    auto client = connect();
    auto job = client->job("none");
    expect_an_end(canceled ? "canceled" : "fiber", [&] {
      SchedulerPool pool(SystemClock::instance(), 1);
      Promise<void> begun, never;
      const auto has_begun = begun.future();
      auto fiber = pool.spawn(0, "drops", [&] {
        begun.set_value();
        try {
          if (canceled) never.future().wait();
        } catch (const Canceled&) {
        }
        client.reset();
        job.reset();
      });
      has_begun.wait();
      if (canceled) fiber.cancel();
      fiber.finished().get();
    });
  }
}

}  // namespace
