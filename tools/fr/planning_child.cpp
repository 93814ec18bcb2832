// The side of `fr info` in which main runs. execute() hands the pipeline to a backend that reports
// its plan; the thread that then asks for something of the job ends the process as soon as it
// waits.
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <utility>

#include "backend/in_process_backend.h"
#include "child.h"
#include "configuration_warnings.h"
#include "freshet/configuration.h"
#include "freshet/detail/backend.h"
#include "freshet/detail/blocking.h"
#include "freshet/error.h"
#include "freshet/job_client.h"
#include "modules/application.h"
#include "modules/module_store.h"
#include "plan_channel.h"
#include "planning.h"
#include "refused_urls.h"
#include "selection/front_end_selection.h"

namespace freshet::tool {
using namespace core;
namespace {

PlanSender* report = nullptr;  // set once, before main runs

[[noreturn]] void end_where_main_waits() {
  std::fflush(nullptr);
  report->send(static_cast<char>(Plans::End::kWaits), "");
  ::_exit(0);
}

std::int64_t monotonic_ns() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// What a thread does instead of waiting, once it has asked for something of a job.
const detail::Suspender kEndAtWait{
    [](void*) noexcept {},
    [](void*, const std::atomic<std::uint32_t>& set, std::int64_t) {
      if (set.load(std::memory_order_acquire) == 0) end_where_main_waits();
      return true;
    },
    [](void*) noexcept {},
    &monotonic_ns,
    [](void (*function)(void*), void* argument) { function(argument); },
};

// A job that will never run: nothing that it is asked for will ever be there.
class PlannedJob final : public JobClient {
 public:
  explicit PlannedJob(JobGraph graph) : graph_(std::move(graph)) {}

  const std::string& job_id() const override { return graph_.id; }
  const std::string& job_name() const override { return graph_.name; }
  Future<JobStatus> status() override { return never<JobStatus>(); }
  Future<JobResult> result() override { return never<JobResult>(); }
  Future<void> cancel() override { return never<void>(); }
  Future<AccumulatorValues> accumulators() override { return never<AccumulatorValues>(); }
  Future<JobDetails> details() override { return never<JobDetails>(); }
  Future<std::string> stop(const std::string&, bool) override { return never<std::string>(); }
  Future<std::string> savepoint(const std::string&) override { return never<std::string>(); }
  Future<std::optional<std::string>> next_result(const std::string&) override {
    return never<std::optional<std::string>>();
  }

 private:
  template <class T>
  static Future<T> never() {
    if (detail::suspender() == nullptr) detail::set_suspender(&kEndAtWait);
    // Unset until the process ends: a promise that dies would deliver an error.
    static std::mutex mutex;
    static std::vector<Promise<T>> kept;
    const std::lock_guard lock(mutex);
    return kept.emplace_back().future();
  }

  const JobGraph graph_;
};

class PlanningBackend final : public detail::ExecutionBackend {
 public:
  explicit PlanningBackend(Configuration configuration) : configuration_(std::move(configuration)) {
    translator_.set_configuration(configuration_);  // it loads the plugins that a job needs
  }

  Configuration configuration() override { return configuration_; }
  Future<std::unique_ptr<JobClient>> execute(const Pipeline& pipeline,
                                             const Configuration& configuration) override {
    try {
      JobGraph job = translator_.plan(pipeline, configuration);
      report->send(kPlan, job.to_bytes());
      return make_ready_future(
          std::unique_ptr<JobClient>(std::make_unique<PlannedJob>(std::move(job))));
    } catch (...) {
      return make_failed_future<std::unique_ptr<JobClient>>(std::current_exception());
    }
  }

 private:
  const Configuration configuration_;
  InProcessBackend& translator_ = InProcessBackend::instance();
};

PlanRequest receive_request(int socket) {
  PlanRequest request;
  PlanFrames frames;
  for (;;) {
    while (auto frame = frames.next()) {
      switch (frame->kind) {
        case kApplication:
          request.application = frame->content;
          break;
        case kConfigurationFile:
          request.configuration_file = frame->content;
          break;
        case kFlagKey:
          request.flags.push_back({frame->content, {}, {}});
          break;
        case kFlagText:
          request.flags.back().text = frame->content;
          break;
        case kFlagName:
          request.flags.back().flag = frame->content;
          break;
        case kShipped:
          request.shipped.push_back(frame->content);
          break;
        case kArgument:
          request.arguments.push_back(frame->content);
          break;
        case kRequestEnd:
          return request;
        default:
          throw InvalidInput("the request for a plan has an unknown part");
      }
    }
    char bytes[4096];
    const ssize_t n = ::read(socket, bytes, sizeof bytes);
    if (n > 0) frames.append(bytes, static_cast<std::size_t>(n));
    if (n == 0 || (n < 0 && errno != EINTR)) throw InvalidInput("the request for a plan is cut");
  }
}

// A file that is no application: its front end makes a pipeline of it, whose plan is all there is.
void plan_pipeline(const PlanRequest& request, PluginCatalog& catalog,
                   const Configuration& configuration) {
  const SelectedFrontEnd selected = select_front_end(catalog, request.application);
  for (const std::string& warning : selected.warnings)
    std::fprintf(stderr, "fr: warning: %s\n", warning.c_str());
  if (!request.shipped.empty())
    throw InvalidInput("--ship is for applications: '" + request.application +
                       "' is read by the front end '" + selected.front_end.name() +
                       "': leave it out");
  const std::unique_ptr<Pipeline> pipeline =
      selected.front_end.read(request.application, request.arguments);
  PlanningBackend(configuration).execute(*pipeline, configuration).get();
  report->send(static_cast<char>(Plans::End::kReturned), "0");
}

void run(const PlanRequest& request) {
  Configuration configuration =
      gathered_configuration({request.configuration_file, request.flags, process_environment()});
  ConfigurationWarnings warnings(configuration);
  configuration.validate();
  refuse_urls(request.application, request.shipped);
  InProcessBackend& core = InProcessBackend::instance();
  core.set_configuration(configuration);
  if (may_be_a_pipeline(request.application)) {
    plan_pipeline(request, core.catalog(), configuration);
    return;
  }
  const ModuleStore store(ModuleStore::default_state_folder());
  const std::vector<std::filesystem::path> shipped(request.shipped.begin(), request.shipped.end());
  const LoadedApplication application = load_application(store, request.application, shipped);
  adopt_new_options(configuration, process_environment());
  warnings.print();

  static PlanningBackend backend(std::move(configuration));
  detail::set_execution_backend(&backend);
  const MainResult main = run_main(application, request.application, request.arguments);
  std::fflush(
      nullptr);  // what main has printed; the parent ends this process when it has the report
  using End = Plans::End;
  if (main.outcome == FRESHET_MAIN_RETURNED) {
    report->send(static_cast<char>(End::kReturned), std::to_string(main.exit_code));
  } else {
    report->send(
        static_cast<char>(main.outcome == FRESHET_MAIN_REFUSED ? End::kRefused : End::kThrew),
        main.error);
  }
}

}  // namespace

int plan_here(const std::string& channel) {
  const int descriptor = join_parent(channel, "--plan-to");
  static PlanSender to_parent(descriptor);
  report = &to_parent;
  try {
    run(receive_request(descriptor));
  } catch (const Error& error) {
    report->send(static_cast<char>(Plans::End::kRefused), error.what());
  }
  return 0;
}

}  // namespace freshet::tool
