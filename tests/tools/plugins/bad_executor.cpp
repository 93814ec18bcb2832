// An executor that runs jobs as the local one does, but for one thing that is wrong with it: the
// one that FRESHET_TEST_BAD names.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <thread>

#include "freshet/configuration.h"
#include "freshet/job_client.h"
#include "freshet/options.h"
#include "freshet/plugin/executor.h"
#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/plugin_registration.h"

namespace {

using freshet::Future;
using freshet::JobClient;
using freshet::JobResult;
using freshet::JobStatus;

bool bad(std::string_view what) {
  const char* chosen = std::getenv("FRESHET_TEST_BAD");
  return chosen != nullptr && what == chosen;
}

class Client final : public JobClient {
 public:
  explicit Client(std::unique_ptr<JobClient> real) : real_(std::move(real)) {}

  const std::string& job_id() const override {
    static const std::string same(32, '7');
    return bad("gives all jobs one id") ? same : real_->job_id();
  }
  const std::string& job_name() const override { return real_->job_name(); }
  Future<JobStatus> status() override { return real_->status(); }
  Future<JobResult> result() override {
    return real_->result().then([](JobResult result) {
      if (bad("hides failures") && result.failure) result.status = JobStatus::kFinished;
      if (bad("loses accumulators")) result.accumulators.clear();
      return result;
    });
  }
  Future<void> cancel() override {
    return bad("ignores cancel") ? freshet::make_ready_future() : real_->cancel();
  }
  Future<freshet::AccumulatorValues> accumulators() override { return real_->accumulators(); }
  Future<freshet::JobDetails> details() override { return real_->details(); }
  Future<std::string> stop(const std::string& directory, bool drain) override {
    return real_->stop(directory, drain);
  }
  Future<std::string> savepoint(const std::string& directory) override {
    return real_->savepoint(directory);
  }
  Future<std::optional<std::string>> next_result(const std::string& vertex) override {
    if (bad("does not support collect")) {
      return freshet::make_failed_future<std::optional<std::string>>(
          std::make_exception_ptr(freshet::Error("collecting is not supported by this target")));
    }
    const bool first = !std::exchange(asked_, true);
    auto rows = real_->next_result(vertex);
    if (!first || !bad("loses collected records")) return rows;
    rows.wait();
    return real_->next_result(vertex);
  }

 private:
  const std::unique_ptr<JobClient> real_;
  bool asked_ = false;
};

char* volatile kept = nullptr;
volatile int kept_file = -1;

class BadExecutor final : public freshet::Executor {
 public:
  explicit BadExecutor(freshet::ExecutorServices& services) : services_(services) {
    if (bad("leaks memory of executors")) kept = new char[24];
    if (bad("leaks a descriptor of executors")) kept_file = ::open("/dev/null", O_RDONLY);
    if (bad("leaks a thread of executors")) std::thread([] { ::pause(); }).detach();
  }

  Future<std::unique_ptr<JobClient>> execute(const freshet::Pipeline& pipeline,
                                             const freshet::Configuration& configuration) override {
    freshet::Promise<std::unique_ptr<JobClient>> submitted;
    try {
      freshet::JobGraph job = services_.translate(pipeline, configuration);
      for (freshet::JobEdge& edge : job.edges) {
        if (edge.partitioning != freshet::Partitioning::kBroadcast) continue;
        if (bad("gives wrong results")) edge.partitioning = freshet::Partitioning::kRebalance;
      }
      submitted.set_value(
          std::make_unique<Client>(services_.run_in_process(job.to_bytes(), configuration)));
    } catch (...) {
      if (bad("throws from execute")) throw;
      submitted.set_error(std::current_exception());
    }
    return submitted.future();
  }

 private:
  freshet::ExecutorServices& services_;
};

class BadFactory final : public freshet::ExecutorFactory {
 public:
  const char* name() const override { return "bad"; }
  bool is_compatible_with(const freshet::Configuration& configuration) const override {
    if (bad("throws at odd targets")) {
      return configuration.get(freshet::options::kExecutionTarget) == name();
    }
    return bad("says yes to all") ||
           configuration.find(freshet::options::kExecutionTarget) == name();
  }
  std::unique_ptr<freshet::Executor> create(freshet::ExecutorServices& services) const override {
    return std::make_unique<BadExecutor>(services);
  }
};

struct AtExit {
  ~AtExit() {
    if (bad("crashes on exit")) std::abort();
  }
} at_exit;

char* volatile leaked = nullptr;

void* create(char* error, std::size_t error_size) {
  if (bad("crashes in create")) std::abort();
  if (bad("gives no object")) {
    std::strncpy(error, "no coffee left", error_size);
    return nullptr;
  }
  if (bad("leaks memory")) leaked = new char[24];
  if (bad("leaks a descriptor") && ::open("/dev/null", O_RDONLY | O_CLOEXEC) < 0) return nullptr;
  if (bad("leaks a thread")) {
    std::thread([] { ::pause(); }).detach();
  }
  if (bad("writes behind the buffer") && error_size != 0) std::memset(error, 'x', 32);
  static BadFactory only;
  if (bad("has one object")) return static_cast<freshet::ExecutorFactory*>(&only);
  return static_cast<freshet::ExecutorFactory*>(new BadFactory());
}

void destroy(void* object) {
  while (bad("hangs in destroy")) ::pause();
  if (bad("has one object")) return;
  delete static_cast<freshet::ExecutorFactory*>(object);
}

}  // namespace

FRESHET_DETAIL_MODULE(FRESHET_KIND_EXECUTOR, "bad", "0.1.0", &create, &destroy, nullptr);
