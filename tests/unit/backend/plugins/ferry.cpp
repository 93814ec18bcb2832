// An executor whose jobs are submitted on a thread of its own: the future of execute() is ready
// once run_in_process() has returned.
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "freshet/configuration.h"
#include "freshet/job_client.h"
#include "freshet/plugin/executor.h"
#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/plugin_registration.h"
#include "freshet/target.h"

namespace {

using Client = std::unique_ptr<freshet::JobClient>;

class FerryExecutor final : public freshet::Executor {
 public:
  explicit FerryExecutor(freshet::ExecutorServices& services) : services_(services) {
    static_cast<void>(services_.application_id());  // the test counts that
  }
  ~FerryExecutor() override {
    for (std::thread& each : crossing_) each.join();
  }
  freshet::Future<Client> execute(const freshet::Pipeline&,
                                  const freshet::Configuration& configuration) override {
    freshet::Promise<Client> promise;
    freshet::Future<Client> submitted = promise.future();
    crossing_.emplace_back([this, configuration, promise = std::move(promise)]() mutable {
      try {
        promise.set_value(services_.run_in_process("", configuration));
      } catch (...) {
        promise.set_error(std::current_exception());
      }
    });
    return submitted;
  }

 private:
  freshet::ExecutorServices& services_;
  std::vector<std::thread> crossing_;
};

class FerryFactory final : public freshet::ExecutorFactory {
 public:
  const char* name() const override { return "ferry"; }
  bool is_compatible_with(const freshet::Configuration& configuration) const override {
    return freshet::Target::of(configuration).text() == name();
  }
  std::unique_ptr<freshet::Executor> create(freshet::ExecutorServices& services) const override {
    return std::make_unique<FerryExecutor>(services);
  }
};

}  // namespace

FRESHET_EXECUTOR_PLUGIN("ferry", "0.1.0", FerryFactory);
