// What a deployer does with clusters: in a state folder of the case's own, on this host.
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <thread>

#include "backend/this_process.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "freshet/plugin/cluster_deployer.h"
#include "freshet/plugin/operator.h"
#include "freshet/target.h"
#include "host/deployer_services.h"
#include "plugin/check.h"

namespace freshet::tool {
using namespace core;
namespace {
namespace fs = std::filesystem;

constexpr const char* kId = "fr-plugin-check";
constexpr std::int64_t kPatienceMs = 20'000;
constexpr int kLooks = 500, kLookMs = 10;

const Origin kByCheck{Origin::Kind::kCommandLine, "fr plugin check"};

// Processes in whose environment an entry begins with that.
std::vector<pid_t> processes_with(const std::string& wanted) {
  std::vector<pid_t> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "environ", std::ios::binary);
    // Reading fails if the process ends meanwhile, which an istreambuf_iterator would throw.
    for (std::string entry; std::getline(file, entry, '\0');)
      if (entry.starts_with(wanted)) found.push_back(std::stoi(name));
  }
  return found;
}

class DeployerUnderTest {
 public:
  explicit DeployerUnderTest(CaseContext& context)
      : context_(context),
        folder_(context.request.folder),
        mark_("XDG_STATE_HOME=" + folder_),
        factory_(*static_cast<ClusterDeployerFactory*>(context.create())) {
    context.doing("name()");
    const char* name = factory_.name();
    if (name == nullptr || *name == '\0')
      throw CaseFailed("its factory has no name: name() is the first word of its targets");
    target_ = context.request.target.empty() ? name : context.request.target;
    configuration_ = context.request.configuration.load();
    configuration_.set_raw(options::kExecutionTarget.key(), Target{target_}.session().text(),
                           kByCheck);
    configuration_.set_raw(options::kClusterId.key(), kId, kByCheck);
  }

  const std::string& target() const { return target_; }
  bool is_compatible_with(const std::string& what, const Configuration& configuration) const {
    context_.doing("is_compatible_with(" + what + ")");
    try {
      return factory_.is_compatible_with(configuration);
    } catch (...) {
      throw CaseFailed("is_compatible_with() throws for " + what + ": " +
                       detail::current_exception_message() + ": answer false to what is not yours");
    }
  }

  ClusterDeployer& deployer() {
    if (deployer_) return *deployer_;
    ::setenv("XDG_STATE_HOME", folder_.c_str(), 1);
    services_ = std::make_unique<LocalDeployerServices>(clock_of_this_process(),
                                                        StateFolder::of_this_user());
    context_.doing("create() of the factory");
    deployer_ = factory_.create(*services_);
    if (!deployer_) throw CaseFailed("create() of its factory gives no deployer");
    return *deployer_;
  }

  std::unique_ptr<ClusterClient> deploy() {
    auto& own = deployer();
    return call<std::unique_ptr<ClusterClient>>("deploy_session()",
                                                [&] { return own.deploy_session(configuration_); });
  }
  std::unique_ptr<ClusterClient> retrieve() {
    auto& own = deployer();
    return call<std::unique_ptr<ClusterClient>>("retrieve()",
                                                [&] { return own.retrieve(configuration_); });
  }
  using Names = std::vector<std::string>;
  // Nothing where the deployer does not resize clusters.
  std::optional<Names> task_managers() {
    try {
      return deployer().task_managers(kId).get();
    } catch (const InvalidInput&) {
      return std::nullopt;
    }
  }
  Names resize(std::uint32_t count) {
    auto& own = deployer();
    return call<Names>("resize() to " + std::to_string(count),
                       [&] { return own.resize(kId, count); });
  }
  ClusterRecord record() { return services_->cluster_records().read(kId); }
  // With the record as it was, as 'fr cluster stop' calls it after an orderly end.
  void kill_with(const ClusterRecord& record, const std::string& when) {
    services_->cluster_records().put_back(record);
    kill(when);
  }
  void kill(const std::string& when) {
    auto& own = deployer();
    call<void>("kill() " + when, [&] { return own.kill(kId); });
  }
  // What it refuses; fails if it does not.
  template <class F>
  std::string refusal(const std::string& what, F f) {
    try {
      static_cast<void>(f());
    } catch (const CaseFailed& failed) {
      return failed.what();
    }
    throw CaseFailed(what);
  }
  void expect_nothing_left(const std::string& after) {
    context_.doing("looking for what is left");
    for (int i = 0; i < kLooks && !processes_with(mark_).empty(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(kLookMs));
    if (const auto left = processes_with(mark_); !left.empty())
      throw CaseFailed(std::to_string(left.size()) + " processes are left after " + after +
                       ", such as " + std::to_string(left[0]) + ": end all that it has started");
    if (services_->cluster_records().find(kId))
      throw CaseFailed("the record of the cluster is left after " + after +
                       ": call remove_record()");
  }

 private:
  template <class T, class F>
  T call(const std::string& what, F f) {
    context_.doing(what);
    try {
      const Future<T> future = f();
      if (!future.wait_for(kPatienceMs))
        throw CaseFailed(what + " is not ready after " + std::to_string(kPatienceMs) + " ms");
      return future.get();
    } catch (const CaseFailed&) {
      throw;
    } catch (...) {
      throw CaseFailed(what + " fails: " + detail::current_exception_message());
    }
  }

  CaseContext& context_;
  const std::string folder_, mark_;  // of its clusters, and of their processes
  ClusterDeployerFactory& factory_;
  std::string target_;
  Configuration configuration_;
  std::unique_ptr<LocalDeployerServices> services_;
  std::unique_ptr<ClusterDeployer> deployer_;
};

void targets(CaseContext& context) {
  const DeployerUnderTest deployer(context);
  const auto expect = [&](bool yes, const std::string& what, const std::string& target) {
    Configuration configuration = context.request.configuration.load();
    configuration.set_raw(options::kExecutionTarget.key(), target, kByCheck);
    if (deployer.is_compatible_with(what, configuration) == yes) return;
    throw CaseFailed(std::string("says ") + (yes ? "no" : "yes") + " to " + what +
                     ": exactly one deployer says yes to a configuration");
  };
  const Target target{deployer.target()};
  for (const std::string& own : {target.text(), target.session().text()})
    expect(true, "target '" + own + "'", own);
  for (const std::string& other : {std::string("no-such-target"), deployer.target() + "-other",
                                   deployer.target() + "x", std::string("local")})
    expect(false, "target '" + other + "'", other);
  expect(false, "a target of a megabyte", std::string(1 << 20, 'x'));
  if (deployer.is_compatible_with("a configuration without a target", Configuration()))
    throw CaseFailed("says yes to a configuration without a target");
}

void describes(CaseContext& context) {
  DeployerUnderTest deployer(context);
  ClusterDeployer& own = deployer.deployer();
  context.doing("describe()");
  const std::string text = own.describe();
  if (text.empty() || text.find('\n') != std::string::npos)
    throw CaseFailed("describe() gives '" + text + "': say in one line what it deploys, and where");
}

void unknown(CaseContext& context) {
  DeployerUnderTest deployer(context);
  const std::string said =
      deployer.refusal("retrieve() of a cluster that is not there gives a client",
                       [&] { return deployer.retrieve(); });
  if (said.find(kId) == std::string::npos || said.find(context.request.folder) == std::string::npos)
    throw CaseFailed(said + ": name the id and where it looked, as read_record() does");
  deployer.kill("of a cluster that is not there");
  deployer.kill("of a cluster that is not there, again,");
  deployer.expect_nothing_left("kill() of a cluster that is not there");
}

void session(CaseContext& context) {
  DeployerUnderTest deployer(context);
  const auto client = deployer.deploy();
  if (client == nullptr || client->cluster_id() != kId)
    throw CaseFailed(std::string("deploy_session() gives no client of '") + kId +
                     "', which cluster.id names");
  context.doing("status()");
  static_cast<void>(client->status().get());
  static_cast<void>(deployer.retrieve()->status().get());
  deployer.refusal("deploy_session() takes an id that is there already",
                   [&] { return deployer.deploy(); });
  context.doing("status() after that");
  static_cast<void>(client->status().get());
  const ClusterRecord record = deployer.record();
  context.doing("shut_down()");
  client->shut_down().get();
  deployer.kill_with(record, "after shut_down()");
  deployer.expect_nothing_left("shut_down() and kill()");
}

// Each name once, and each registered.
void expect_task_managers(ClusterClient& client, const std::vector<std::string>& names,
                          std::size_t count) {
  const std::set<std::string> wanted(names.begin(), names.end());
  if (names.size() != count || wanted.size() != count)
    throw CaseFailed("resize() to " + std::to_string(count) + " gives " +
                     std::to_string(wanted.size()) +
                     " names: those of all task managers that it keeps, each once");
  std::set<std::string> there;
  for (int i = 0; i < kLooks; ++i) {
    there.clear();
    for (const TaskManagerInfo& each : client.status().get().task_managers) there.insert(each.id);
    if (there == wanted) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(kLookMs));
  }
  throw CaseFailed("after resize() to " + std::to_string(count) + " " +
                   std::to_string(there.size()) +
                   " task managers are registered, not those of the names that it gives");
}

void resizes(CaseContext& context) {
  DeployerUnderTest deployer(context);
  const auto client = deployer.deploy();
  const auto before = deployer.task_managers();
  if (before) {
    const std::size_t count = before->size();
    const auto to = [&](std::size_t size) {
      const auto names = deployer.resize(static_cast<std::uint32_t>(size));
      context.doing("status()");
      expect_task_managers(*client, names, size);
      return std::set<std::string>(names.begin(), names.end());
    };
    const auto more = to(count + 2);
    to(count);
    const auto again = to(count + 1);
    const auto old = std::count_if(again.begin(), again.end(),
                                   [&](const std::string& name) { return more.count(name) != 0; });
    if (static_cast<std::size_t>(old) > count)
      throw CaseFailed("resize() gives a name again that was another task manager's before");
  } else {
    deployer.refusal("resize() works, but task_managers() refuses",
                     [&] { return deployer.resize(1); });
  }
  deployer.kill("of a cluster that was resized");
  deployer.expect_nothing_left("kill() of a cluster that was resized");
}

void kills(CaseContext& context) {
  DeployerUnderTest deployer(context);
  static_cast<void>(deployer.deploy());
  deployer.kill("of a cluster that runs");
  deployer.expect_nothing_left("kill()");
  deployer.kill("again");
  static_cast<void>(deployer.deploy());
  deployer.kill("of the next cluster of that id");
  deployer.expect_nothing_left("kill() of the next one");
}

}  // namespace

void kill_clusters_below(const std::string& folder) {
  for (const pid_t process : processes_with("XDG_STATE_HOME=" + folder + "/"))
    ::kill(process, SIGKILL);
}

std::vector<Case> deployer_cases() {
  return {
      {"targets", "says yes to its own targets and no to all others, never throws", "creates",
       targets},
      {"describe", "says in one line what it deploys", "creates", describes},
      {"unknown", "refuses to find what is not there, and kills it all the same", "creates",
       unknown},
      {"session", "brings up a session, finds it again, and leaves nothing of it", "unknown",
       session},
      {"resize", "starts and ends task managers of a session as it says, or refuses", "unknown",
       resizes},
      {"kill", "kills a session that runs, and brings up another one", "unknown", kills},
  };
}

}  // namespace freshet::tool
