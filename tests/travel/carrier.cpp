// Carries a job from one process to another.
//
//   carrier write JOB STATE APP [--ship FILE] [arguments]
//       runs main; its (first) job's bytes go to the file JOB, and the job is run here, too
//   carrier run JOB STATE APP [--ship FILE]
//       never runs main: runs the job from the bytes and prints what it collects
//
// Exit codes: main's own; 65 a refusal, told on the standard error.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "backend/in_process_backend.h"
#include "backend/local_job.h"
#include "clock/clock.h"
#include "configuration/configuration.h"
#include "freshet/error.h"
#include "freshet/serde.h"
#include "modules/application.h"

namespace freshet {
using namespace core;
namespace {

constexpr int kRefused = 65;

class WritingBackend final : public detail::ExecutionBackend {
 public:
  explicit WritingBackend(std::string file) : file_(std::move(file)) {}
  Configuration configuration() override { return InProcessBackend::instance().configuration(); }
  Future<std::unique_ptr<JobClient>> execute(const Pipeline& pipeline,
                                             const Configuration& configuration) override {
    InProcessBackend& core = InProcessBackend::instance();
    Promise<std::unique_ptr<JobClient>> submitted;
    try {
      const std::string bytes = core.translate(pipeline, configuration).to_bytes();
      std::ofstream(file_, std::ios::binary) << bytes;
      submitted.set_value(core.run_in_process(bytes, configuration));
    } catch (...) {
      submitted.set_error(std::current_exception());
    }
    return submitted.future();
  }

 private:
  const std::string file_;
};

int write_job(const std::string& file, const LoadedApplication& application,
              const std::vector<std::string>& arguments) {
  WritingBackend backend(file);
  detail::set_execution_backend(&backend);
  const MainResult result = run_main(application, "app", arguments);
  detail::set_execution_backend(nullptr);
  if (result.outcome == FRESHET_MAIN_RETURNED) return result.exit_code;
  std::fprintf(stderr, "%s\n", result.error.c_str());
  return kRefused;
}

int run_job(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  LocalJob job(SystemClock::instance(), bytes, InProcessBackend::instance().configuration());
  job.start();
  for (const JobVertex& vertex : JobGraph::from_bytes(bytes).vertices) {
    if (vertex.kind != "collect") continue;
    while (const auto rows = job.next_result(vertex.id).get()) {
      ByteReader reader(rows->data(), rows->data() + rows->size());
      while (reader.remaining() != 0) {
        std::puts(Serde<std::string>::read(reader).c_str());
      }
    }
  }
  const JobResult result = job.result().get();
  if (result.succeeded()) return 0;
  std::fprintf(stderr, "%s\n", JobFailed(result.job_name, *result.failure).what());
  return 1;
}

int carry(const std::vector<std::string>& words) {
  const std::string &mode = words.at(0), &job = words.at(1), &state = words.at(2);
  std::vector<std::string> arguments(words.begin() + 4, words.end());
  std::vector<std::filesystem::path> shipped;
  if (arguments.size() > 1 && arguments[0] == "--ship") {
    shipped.emplace_back(arguments[1]);
    arguments.erase(arguments.begin(), arguments.begin() + 2);
  }
  const LoadedApplication application = load_application(ModuleStore(state), words.at(3), shipped);
  return mode == "write" ? write_job(job, application, arguments) : run_job(job);
}

}  // namespace
}  // namespace freshet

int main(int argc, char** argv) {
  try {
    return freshet::carry({argv + 1, argv + argc});
  } catch (const freshet::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return freshet::kRefused;
  }
}
