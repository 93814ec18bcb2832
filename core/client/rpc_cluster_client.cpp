#include "client/rpc_cluster_client.h"

#include <algorithm>

#include "bounds/bounds.h"
#include "control/alive.h"
#include "fetching/url_path.h"
#include "freshet/text_files.h"

namespace freshet::core {
namespace {

bool is_url(const std::string& location) {
  const std::size_t colon = location.find("://");
  return colon != std::string::npos && colon > 0 &&
         std::all_of(location.begin(), location.begin() + static_cast<std::ptrdiff_t>(colon),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

void check_inputs(const JobGraph& graph) {
  for (const JobVertex& vertex : graph.vertices) {
    if (vertex.kind != detail::kStandardInput) continue;
    throw InvalidInput(
        "operator '" + vertex.name + "' of job '" + graph.name +
        "' reads the standard input, which the workers of a cluster do not have: run "
        "it with --target=local, or let it read a file");
  }
}

// What a list message lists, page after page.
template <class M, class T>
Future<std::vector<T>> all_pages(std::shared_ptr<ClientSession> session,
                                 std::vector<T> M::Answer::*of_page, std::vector<T> before = {},
                                 std::uint64_t after = 0) {
  M message;
  message.after = after;
  return session->ask(message).then(
      [session, of_page, before = std::move(before)](const typename M::Answer& page) {
        std::vector<T> all = before;
        all.insert(all.end(), (page.*of_page).begin(), (page.*of_page).end());
        if (page.next == 0) return make_ready_future(std::move(all));
        return all_pages<M>(session, of_page, std::move(all), page.next);
      });
}

}  // namespace

RpcClusterClient::RpcClusterClient(std::shared_ptr<ClientSession> session, IdSource& ids,
                                   ClientHost host)
    : session_(std::move(session)),
      mains_(std::make_shared<RpcMainsInClient>(session_)),
      ids_(ids),
      host_(std::move(host)) {}
RpcClusterClient::~RpcClusterClient() = default;

const std::string& RpcClusterClient::cluster_id() const { return session_->cluster_id(); }

Future<ClusterInfo> RpcClusterClient::status() { return session_->ask(GetClusterStatus{}); }

Future<std::string> RpcClusterClient::submit_application(const ApplicationSpec& application) {
  try {
    SubmitApplication message;
    message.ticket = ids_.draw();
    message.id = application.id.empty() ? ids_.draw() : application.id;
    message.name = application.name;
    message.arguments = application.arguments;
    message.settings = application.settings;
    message.ends_with_client = host_.applications_end_with_it;
    std::vector<ClientFile> files;
    const auto on_wire = [&](const Artifact& artifact) {
      if (is_url(artifact.location)) {
        return WireArtifact{file_name_of(artifact.location), artifact.location, artifact.sha256};
      }
      ClientFile file = host_.file(artifact.location);
      if (!artifact.sha256.empty() && artifact.sha256 != file.sha256) {
        throw InvalidInput("file '" + artifact.location + "' has sha256 " + file.sha256 + ", but " +
                           artifact.sha256 + " is expected");
      }
      files.push_back(file);
      return WireArtifact{file.name, "", file.sha256};
    };
    message.main = on_wire(application.main);
    for (const Artifact& artifact : application.shipped) {
      message.shipped.push_back(on_wire(artifact));
    }
    return upload(session_, std::move(files))
        .then([session = session_, message] {
          return session->ask(message, Repeat::kSameJobManager);
        })
        .then([](const SubmitApplication::Answer& answer) { return answer.id; });
  } catch (...) {
    return make_failed_future<std::string>(std::current_exception());
  }
}

Future<std::vector<ApplicationInfo>> RpcClusterClient::applications() {
  return all_pages<ListApplications>(session_, &ListApplications::Answer::applications);
}

Future<ApplicationInfo> RpcClusterClient::application(const std::string& id) {
  DescribeApplication message;
  message.id = id;
  return session_->ask(message);
}

Future<ApplicationInfo> RpcClusterClient::application_end(const std::string& id) {
  AwaitApplication message;
  message.id = id;
  return session_->ask(message);
}

Future<void> RpcClusterClient::cancel_application(const std::string& id) {
  CancelApplication message;
  message.id = id;
  return session_->ask(message).then([](const Done&) {});
}

Future<std::unique_ptr<JobClient>> RpcClusterClient::submit_job(const std::string& job_graph,
                                                                const std::string& application_id) {
  try {
    SubmitJob message;
    message.ticket = ids_.draw();
    message.job_graph = job_graph;
    message.application_id = application_id;
    mains_->add_begun(message);
    std::vector<ClientFile> files;
    const JobGraph graph = JobGraph::from_bytes(job_graph);
    check_size_of_job(graph.name, job_graph.size());
    check_inputs(graph);
    for (const JobModule& module : graph.modules) {
      if (module.kind != ModuleKind::kShipped) continue;
      // One that is not here must be there: the cluster says so if it is not.
      if (auto file = host_.module(module)) files.push_back(std::move(*file));
    }
    return upload(session_, std::move(files))
        .then([session = session_, message] { return session->ask(message, Repeat::kKeptJobs); })
        .then([session = session_, readers = host_.readers](
                  const SubmitJob::Answer& answer) -> std::unique_ptr<JobClient> {
          return std::make_unique<RpcJobClient>(session, readers, answer.job_id, answer.job_name);
        });
  } catch (...) {
    return make_failed_future<std::unique_ptr<JobClient>>(std::current_exception());
  }
}

Future<std::vector<JobInfo>> RpcClusterClient::jobs() {
  return all_pages<ListJobs>(session_, &ListJobs::Answer::jobs);
}

Future<IdMatches> RpcClusterClient::find(const std::string& id_or_beginning) {
  FindIds message;
  message.beginning = id_or_beginning;
  return session_->ask(message);
}

std::unique_ptr<JobClient> RpcClusterClient::job(const std::string& job_id) {
  return std::make_unique<RpcJobClient>(session_, host_.readers, job_id, job_id);
}

Future<LogChunk> RpcClusterClient::read_log(const std::string& process, std::uint64_t from) {
  ReadLog message;
  message.process = process;
  message.from = from;
  return session_->ask(message);
}

void RpcClusterClient::listen(std::shared_ptr<ClusterListener> listener) {
  session_->listen(std::move(listener));
}

Future<std::vector<std::string>> RpcClusterClient::release_task_managers(
    const std::vector<std::string>& names, std::uint32_t count) {
  return session_->ask(ReleaseTaskManagers{names, count})
      .then([](const ReleaseTaskManagers::Answer& answer) { return answer.names; });
}

Future<void> RpcClusterClient::shut_down() {
  // Lost after it was taken: the cluster has ended before its answer got out.
  return session_->ask(ShutDown{}, Repeat::kNever).then([](const Future<Done>& done) {
    try {
      done.get();
    } catch (const LinkLost&) {
    }
  });
}

}  // namespace freshet::core
