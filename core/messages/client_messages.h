// What clients and runners ask of a job manager.
//
// A submission may come twice: the client asks again after a link was lost. `ticket`, drawn for
// each submission, tells that case (answered as the first time) from another submission with the
// same id (refused).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "freshet/cluster_client.h"
#include "freshet/job_client.h"
#include "links/fields.h"
#include "messages/deployment.h"
#include "network/role.h"
#include "network/transport.h"

namespace freshet::core {

inline constexpr std::size_t kBlobChunk = std::size_t{256} * 1024;

// Taken; there is nothing more to say.
struct Done {
  FRESHET_MESSAGE_FIELDS();
};

// client -> job manager. Deadline: the asker's. Since 1.
struct GetClusterStatus {
  static constexpr const char* kKind = "cluster-status";
  static constexpr Senders kFrom{Role::kClient, Role::kRunner};
  using Answer = ClusterInfo;
  FRESHET_MESSAGE_FIELDS();
};

// Either a file that has been put as a blob (`url` empty, `sha256` set), or one that the cluster
// fetches (`sha256` may be empty: not checked).
struct WireArtifact {
  std::string name;  // plain name, under which it stands beside the others
  std::string url;   // local:, file:, http:, https:
  std::string sha256;
  FRESHET_MESSAGE_FIELDS(name, url, sha256);
};

// client -> job manager. Answer: accepted under that id, main has not begun. Refused: an id that is
// known already, settings outside job scope, a shut down that is under way. Deadline: the asker's.
// Since 1.
struct SubmitApplication {
  static constexpr const char* kKind = "submit-application";
  static constexpr Senders kFrom{Role::kClient};
  struct Answer {
    std::string id;
    FRESHET_MESSAGE_FIELDS(id);
  };
  std::string ticket;
  std::string id;  // 32 hex digits
  std::string name;
  WireArtifact main;
  std::vector<WireArtifact> shipped;
  std::vector<std::string> arguments;
  std::map<std::string, std::string> settings;
  bool ends_with_client = false;  // canceled when the link that submitted it is lost
  FRESHET_MESSAGE_FIELDS(ticket, id, name, main, shipped, arguments, settings, ends_with_client);
};

// client -> job manager. Answer: those behind `after`, as many as make a page, in the order of
// their submission. Details are cut to kMostListedBytes. Deadline: the asker's. Since 1.
struct ListApplications {
  static constexpr const char* kKind = "list-applications";
  static constexpr Senders kFrom{Role::kClient, Role::kRunner};
  struct Answer {
    std::vector<ApplicationInfo> applications;
    std::uint64_t next = 0;  // `after` for the next page; 0: there is none
    FRESHET_MESSAGE_FIELDS(applications, next);
  };
  std::uint64_t after = 0;
  FRESHET_MESSAGE_FIELDS(after);
};
// client -> job manager. Refused: an id that is not known. Deadline: the asker's. Since 1.
struct DescribeApplication {
  static constexpr const char* kKind = "describe-application";
  static constexpr Senders kFrom{Role::kClient, Role::kRunner};
  using Answer = ApplicationInfo;
  std::string id;
  FRESHET_MESSAGE_FIELDS(id);
};
// client -> job manager. Answer: at its end. Deadline: none. Since 1.
struct AwaitApplication {
  static constexpr const char* kKind = "await-application";
  static constexpr Senders kFrom{Role::kClient, Role::kRunner};
  using Answer = ApplicationInfo;
  std::string id;
  FRESHET_MESSAGE_FIELDS(id);
};
// client -> job manager. Answer: the cancel is taken. Deadline: the asker's. Since 1.
struct CancelApplication {
  static constexpr const char* kKind = "cancel-application";
  static constexpr Senders kFrom{Role::kClient};
  using Answer = Done;
  std::string id;
  FRESHET_MESSAGE_FIELDS(id);
};

// client -> job manager, before main runs in that client. From here on the application is bound to
// this incarnation of the client, whatever becomes of its links. Answer: it is running. Refused: an
// id that is known already, a cluster of one application, a shut down that is under way. Deadline:
// the asker's. Since 1.
struct BeginApplication {
  static constexpr const char* kKind = "begin-application";
  static constexpr Senders kFrom{Role::kClient};
  using Answer = Done;
  std::string ticket;
  std::string id;
  std::string name;
  FRESHET_MESSAGE_FIELDS(ticket, id, name);
};
// client -> job manager, from the incarnation that has begun it: main has ended. Answer: that is
// known, or the application had ended before. Refused: an id that is not known, or whose main is
// elsewhere. Deadline: the asker's. Since 1.
struct EndApplication {
  static constexpr const char* kKind = "end-application";
  static constexpr Senders kFrom{Role::kClient};
  using Answer = Done;
  std::string id;
  int exit_code = 0;
  bool canceled = false;  // main left since a job of its own was canceled
  std::string reason;     // "main threw: no such file"; empty: it returned 0
  FRESHET_MESSAGE_FIELDS(id, exit_code, canceled, reason);
};

// client or runner -> job manager. The files that the graph's shipped modules name have been put as
// blobs. Answer: accepted. Refused: a job id that is known already, an application that has ended
// or is being canceled, a graph that can't be run, a missing blob. Deadline: the asker's. Since 1.
struct SubmitJob {
  static constexpr const char* kKind = "submit-job";
  static constexpr Senders kFrom{Role::kClient, Role::kRunner};
  struct Answer {
    std::string job_id;
    std::string job_name;
    std::string application_id;
    FRESHET_MESSAGE_FIELDS(job_id, job_name, application_id);
  };
  std::string ticket;
  std::string job_graph;       // JobGraph::to_bytes()
  std::string application_id;  // empty: the job is an application of its own
  // As in begin-application, if this client has sent one for that id: a job manager that has
  // restarted since begins the application anew.
  std::string application_ticket;
  std::string application_name;
  FRESHET_MESSAGE_FIELDS(ticket, job_graph, application_id, application_ticket, application_name);
};
// client -> job manager. As list-applications. Deadline: the asker's. Since 1.
struct ListJobs {
  static constexpr const char* kKind = "list-jobs";
  static constexpr Senders kFrom{Role::kClient, Role::kRunner};
  struct Answer {
    std::vector<JobInfo> jobs;
    std::uint64_t next = 0;
    FRESHET_MESSAGE_FIELDS(jobs, next);
  };
  std::uint64_t after = 0;
  FRESHET_MESSAGE_FIELDS(after);
};
// client -> job manager. Answer: as ClusterClient::find() has it; the applications are without
// their jobs. Refused: a whole id of which there is no record any more. Deadline: the asker's.
// Since 1.
struct FindIds {
  static constexpr const char* kKind = "find-ids";
  static constexpr Senders kFrom{Role::kClient, Role::kRunner};
  using Answer = IdMatches;
  std::string beginning;
  FRESHET_MESSAGE_FIELDS(beginning);
};
// client -> job manager. Refused: an id that is not known. Deadline: the asker's. Since 1.
struct DescribeJob {
  static constexpr const char* kKind = "describe-job";
  static constexpr Senders kFrom{Role::kClient, Role::kRunner};
  using Answer = JobInfo;
  std::string id;
  FRESHET_MESSAGE_FIELDS(id);
};
// client -> job manager. Answer: at its end. Deadline: none. Since 1.
struct AwaitJob {
  static constexpr const char* kKind = "await-job";
  static constexpr Senders kFrom{Role::kClient, Role::kRunner};
  using Answer = JobResult;
  std::string id;
  FRESHET_MESSAGE_FIELDS(id);
};
// client -> job manager. Answer: the cancel is taken. Refused while the job commits, unless by
// force. Deadline: the asker's. Since 1.
struct CancelJob {
  static constexpr const char* kKind = "cancel-job";
  static constexpr Senders kFrom{Role::kClient, Role::kRunner};
  using Answer = Done;
  std::string id;
  bool force = false;
  FRESHET_MESSAGE_FIELDS(id, force);
};
// client -> job manager, which asks the workers. Deadline: the asker's. Since 1.
struct GetJobDetails {
  static constexpr const char* kKind = "job-details";
  static constexpr Senders kFrom{Role::kClient, Role::kRunner};
  using Answer = JobDetails;
  std::string id;
  FRESHET_MESSAGE_FIELDS(id);
};
// client -> job manager, which asks the workers. Deadline: the asker's. Since 1.
struct GetAccumulators {
  static constexpr const char* kKind = "job-accumulators";
  static constexpr Senders kFrom{Role::kClient, Role::kRunner};
  struct Answer {
    AccumulatorValues values;
    FRESHET_MESSAGE_FIELDS(values);
  };
  std::string id;
  FRESHET_MESSAGE_FIELDS(id);
};
// client -> job manager. Answer: as JobClient::next_message() has it. Deadline: none. Since 1.
struct NextMessage {
  static constexpr const char* kKind = "next-message";
  static constexpr Senders kFrom{Role::kClient, Role::kRunner};
  struct Answer {
    std::optional<JobMessage> message;
    FRESHET_MESSAGE_FIELDS(message);
  };
  std::string job_id;
  std::uint64_t after = 0;
  FRESHET_MESSAGE_FIELDS(job_id, after);
};
// client -> job manager, which lets the key in at the worker that has the collecting subtask. The
// rows go from there to the client. Answer: once that worker runs and is another one than `read`,
// as after a restart of the job; an empty endpoint if the job has ended before. Deadline: none.
// Since 1.
struct CollectAddress {
  static constexpr const char* kKind = "collect-address";
  static constexpr Senders kFrom{Role::kClient, Role::kRunner};
  struct Answer {
    Address address;
    std::uint32_t vertex = 0;  // place in the graph
    FRESHET_MESSAGE_FIELDS(address, vertex);
  };
  std::string job_id;
  std::string vertex_id;  // id or uid
  PublicKey reader;       // the client's
  Address read;           // whose rows it has read already; empty: none's
  FRESHET_MESSAGE_FIELDS(job_id, vertex_id, reader, read);
};

// client -> job manager. Before a client hands out the first rows of a collecting vertex: from the
// answer on the job is not run again, because they would come twice. Answer: whether the rows of
// that worker count; not if its attempt has failed and another one follows. Deadline: none. Since 1.
struct KeepRows {
  static constexpr const char* kKind = "keep-rows";
  static constexpr Senders kFrom{Role::kClient, Role::kRunner};
  struct Answer {
    bool count = false;
    FRESHET_MESSAGE_FIELDS(count);
  };
  std::string job_id;
  std::string vertex_id;  // id or uid
  Address worker;         // an answer of CollectAddress
  FRESHET_MESSAGE_FIELDS(job_id, vertex_id, worker);
};

// client -> job manager. As ClusterClient::release_task_managers() has it; may be repeated.
// Refused: while the cluster is being shut down. Deadline: the asker's. Since 1.
struct ReleaseTaskManagers {
  static constexpr const char* kKind = "release-task-managers";
  static constexpr Senders kFrom{Role::kClient};
  struct Answer {
    std::vector<std::string> names;
    FRESHET_MESSAGE_FIELDS(names);
  };
  std::vector<std::string> names;
  std::uint32_t count = 0;
  FRESHET_MESSAGE_FIELDS(names, count);
};

// client -> job manager. Everything that runs is canceled, every process ends. Answer: once nothing
// runs any more; the job manager ends after it. Deadline: the asker's. Since 1.
struct ShutDown {
  static constexpr const char* kKind = "shut-down";
  static constexpr Senders kFrom{Role::kClient};
  using Answer = Done;
  FRESHET_MESSAGE_FIELDS();
};

// job manager -> client. The cluster ends, and whatever of it the client waited for has been
// answered before. Answer: it is heard. Deadline: a heartbeat.timeout. Since 1.
struct ClusterEnds {
  static constexpr const char* kKind = "cluster-ends";
  static constexpr Senders kFrom{Role::kJobManager};
  using Answer = Done;
  std::string reason;
  FRESHET_MESSAGE_FIELDS(reason);
};

// client -> job manager. Announces a file of exactly that size. Refused: a hash that is none, a
// size above blob.max-size. Deadline: the asker's. Since 1.
struct PutBlob {
  static constexpr const char* kKind = "put-blob";
  static constexpr Senders kFrom{Role::kClient, Role::kRunner};
  struct Answer {
    bool known = false;        // it is there already, nothing more to send
    std::uint64_t upload = 0;  // else: for its chunks, valid on this link
    FRESHET_MESSAGE_FIELDS(known, upload);
  };
  std::string sha256;
  std::uint64_t size = 0;
  FRESHET_MESSAGE_FIELDS(sha256, size);
};
// client -> job manager. At most kBlobChunk bytes, from `offset` on, one after the other. With the
// last one the hash is checked; a wrong one is refused and the upload is gone. Deadline: the
// asker's. Since 1.
struct BlobChunk {
  static constexpr const char* kKind = "blob-chunk";
  static constexpr Senders kFrom{Role::kClient, Role::kRunner};
  using Answer = Done;
  std::uint64_t upload = 0;
  std::uint64_t offset = 0;
  std::string bytes;
  FRESHET_MESSAGE_FIELDS(upload, offset, bytes);
};
// task manager (or client) -> job manager. Answer: at most kBlobChunk bytes. Refused: a hash that
// is not known, an offset beyond the end. Deadline: the asker's. Since 1.
struct GetBlob {
  static constexpr const char* kKind = "get-blob";
  static constexpr Senders kFrom{Role::kClient, Role::kTaskManager};
  struct Answer {
    std::uint64_t size = 0;  // of the whole
    std::string bytes;
    FRESHET_MESSAGE_FIELDS(size, bytes);
  };
  std::string sha256;
  std::uint64_t offset = 0;
  FRESHET_MESSAGE_FIELDS(sha256, offset);
};

// client -> job manager -> task manager, if the process is a worker or the task manager itself.
// `process` is as ClusterClient::read_log() has it. Deadline: the asker's. Since 1.
struct ReadLog {
  static constexpr const char* kKind = "read-log";
  static constexpr Senders kFrom{Role::kClient, Role::kJobManager};
  using Answer = LogChunk;
  std::string process;
  std::uint64_t from = 0;
  FRESHET_MESSAGE_FIELDS(process, from);
};

// client -> job manager. The state of everything follows as events, then every change, in order,
// as long as the link lives. Deadline: the asker's. Since 1.
struct Subscribe {
  static constexpr const char* kKind = "subscribe";
  static constexpr Senders kFrom{Role::kClient, Role::kRunner};
  using Answer = Done;
  FRESHET_MESSAGE_FIELDS();
};
// job manager -> subscriber. Deadline: none. Since 1.
struct Event {
  static constexpr const char* kKind = "event";
  static constexpr Senders kFrom{Role::kJobManager};
  ClusterEvent event;
  FRESHET_MESSAGE_FIELDS(event);
};

}  // namespace freshet::core
