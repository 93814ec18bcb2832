#include "simulation/simulated_main.h"

#include <sstream>

#include "exit_code/exit_code.h"
#include "process/main_end.h"
#include "security/sha256.h"

namespace freshet::core {

std::vector<std::string> MainScript::arguments() const {
  return {std::to_string(jobs),
          at_once ? "1" : "0",
          std::to_string(parallelism),
          same_id ? "1" : "0",
          behaviour.text(),
          settings,
          std::to_string(static_cast<int>(end))};
}

MainScript MainScript::from(const std::vector<std::string>& arguments) {
  constexpr std::size_t kArguments = 7;
  if (arguments.size() != kArguments) throw InvalidInput("these are no arguments of a script");
  MainScript script;
  script.jobs = static_cast<std::uint32_t>(std::stoul(arguments[0]));
  script.at_once = arguments[1] == "1";
  script.parallelism = static_cast<std::uint32_t>(std::stoul(arguments[2]));
  script.same_id = arguments[3] == "1";
  script.behaviour = JobBehaviour::from(arguments[4]);
  script.settings = arguments[5];
  script.end = static_cast<End>(std::stoi(arguments[6]));
  return script;
}

std::string simulated_job(const std::string& id, const std::string& name,
                          const std::string& module_sha256, std::uint32_t parallelism,
                          const JobBehaviour& behaviour, const std::string& settings) {
  constexpr std::size_t kIdDigits = 32;
  JobGraph job;
  job.id = id;
  job.name = name;
  job.modules = {{module_sha256, "application.so", ModuleKind::kShipped}};
  JobVertex vertex;
  vertex.id = Sha256::of(name).hex().substr(0, kIdDigits);
  vertex.kind = "source";
  vertex.name = "generate";
  vertex.op.offset = 64;
  vertex.parallelism = parallelism;
  vertex.source = true;
  job.vertices = {vertex};
  job.tasks = {{{{{0}, vertex.op}}, parallelism}};
  job.settings[kJobBehaviour] = behaviour.text();
  std::istringstream more(settings);
  for (std::string setting; std::getline(more, setting, ';');) {
    const std::size_t equals = setting.find('=');
    job.settings[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  return job.to_bytes();
}

SimulatedMain::SimulatedMain(ControlThread& thread, ClusterClient& client, Start start,
                             std::function<void(ProcessEnd)> exit)
    : thread_(thread),
      client_(client),
      start_(std::move(start)),
      script_(start_.script),
      exit_(std::move(exit)) {}

SimulatedMain::~SimulatedMain() { alive_.end(); }

void SimulatedMain::run() {
  constexpr std::int64_t kSomeWorkMs = 20;
  thread_.after_ms(kSomeWorkMs, "main", alive_.guard([this] { next(); }));
}

void SimulatedMain::next() {
  if (submitted_ == script_.jobs) {
    finish();
    return;
  }
  const std::uint32_t number = script_.same_id ? 0 : submitted_;
  ++submitted_;
  constexpr std::size_t kIdDigits = 32;
  const std::string id =
      Sha256::of(start_.application_id + "/" + std::to_string(number)).hex().substr(0, kIdDigits);
  alive_.on_done(
      client_.submit_job(simulated_job(id, "job " + std::to_string(number) + " of " + start_.name,
                                       start_.module_sha256, script_.parallelism, script_.behaviour,
                                       script_.settings),
                         start_.application_id),
      [this](const auto& done) { submitted(done); });
}

void SimulatedMain::submitted(const Future<std::unique_ptr<JobClient>>& done) {
  std::unique_ptr<JobClient> job;
  try {
    job = done.get();
  } catch (const std::exception& error) {
    if (script_.same_id && submitted_ > 1) {
      next();  // as it must be: it goes on with the one that there is
    } else {
      exit_with(exit_code::kMainThrew, std::string("threw: ") + error.what());
    }
    return;
  }
  jobs_.push_back(std::move(job));
  if (script_.at_once) {
    next();
    return;
  }
  alive_.on_done(jobs_.back()->result(), [this](const auto& result) {
    const std::string error = error_of(result);
    if (!error.empty()) {
      exit_with(exit_code::kMainThrew, "threw: " + error);
    } else if (result.get().status == JobStatus::kCanceled) {
      exit_with(exit_code::kCanceled, "was canceled");
    } else if (!result.get().succeeded()) {
      exit_with(exit_code::kFailed,
                std::string("threw: its job is ") + name_of(result.get().status));
    } else {
      next();
    }
  });
}

void SimulatedMain::finish() {
  switch (script_.end) {
    case MainScript::End::kReturns: {
      ProcessEnd end;
      end.exit_code = 0;
      exit_(end);
      return;
    }
    case MainScript::End::kThrows:
      exit_with(exit_code::kMainThrew, "threw: as the script has it");
      return;
    case MainScript::End::kExits: {
      ProcessEnd end;
      end.exit_code = 3;
      exit_(end);
      return;
    }
    case MainScript::End::kCrashes: {
      ProcessEnd end;
      end.signal = 11;
      exit_(end);
      return;
    }
    case MainScript::End::kNever:
      return;
  }
}

void SimulatedMain::exit_with(int code, const std::string& reason) {
  ProcessEnd end;
  end.exit_code = code;
  end.account = reason;
  exit_(end);
}

}  // namespace freshet::core
