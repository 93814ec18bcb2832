#include "freshet/options.h"

namespace freshet::options {
namespace {

// Of what names something: nothing is named by "", as by a script's variable that is not set.
bool is_not_empty(const std::string& text) { return !text.empty(); }
constexpr const char* kNotEmpty = "not empty";

}  // namespace

const ConfigOption<std::string> kApplicationId =
    ConfigOption<std::string>{"application.id", std::nullopt,
                              "Fixes the id of the application, so that one that is submitted "
                              "again finds its earlier jobs. "
                              "Not set: each submission gets a new id.",
                              Scope::kJob}
        .check(is_not_empty, kNotEmpty);

const ConfigOption<std::string> kApplicationWorkingFolder =
    ConfigOption<std::string>{
        "application.working-folder", std::nullopt,
        "Absolute path of the folder in which main works on a cluster, and at which its relative "
        "paths begin. fr-run sets its own working folder. Where the host of the job manager has no "
        "such folder, main works in the one in which the cluster was started. The workers of a job "
        "work in the folder in which main was when it executed the job, where their hosts have it.",
        Scope::kJob}
        .check(is_not_empty, kNotEmpty);

const ConfigOption<Duration> kBlobMaxIdle =
    ConfigOption<Duration>{"blob.max-idle", hours(1),
                           "How long the processes of a cluster keep a file of applications that "
                           "none that runs needs any more.",
                           Scope::kCluster}
        .minimum(seconds(10));

const ConfigOption<bool> kClientAttached{
    "client.attached", true,
    "Whether fr-run waits for the end of what it has submitted to a cluster, shows its progress "
    "and "
    "main's output, and cancels it on Ctrl-C. The cluster does the same in both cases.",
    Scope::kClient};

const ConfigOption<bool> kClientEndsCluster{
    "client.ends-cluster", false,
    "Whether an application ends when the client that waits for it disappears.", Scope::kClient};

const ConfigOption<Duration> kClientProgressInterval =
    ConfigOption<Duration>{
        "client.progress-interval", seconds(1),
        "Time between two updates of the progress line on a terminal; 0: no line.", Scope::kClient}
        .minimum(milliseconds(0));

const ConfigOption<Duration> kClientTimeout{
    "client.timeout", seconds(5),
    "How long a client looks for a job manager before it says that there is none.", Scope::kClient};

const ConfigOption<std::string> kClusterId =
    ConfigOption<std::string>{"cluster.id", std::nullopt,
                              "Which cluster: a-z, 0-9, - and _, at most 64 "
                              "characters. Not set: a new cluster draws one, and "
                              "a client takes the only one there is.",
                              Scope::kClient}
        .check(is_not_empty, kNotEmpty);

const ConfigOption<std::int64_t> kExecutionBatchRecords =
    ConfigOption<std::int64_t>{"execution.batch-records", 0,
                               "Most records in a batch between operators. 0: as many as fit into "
                               "execution.batch-size.",
                               Scope::kJob}
        .minimum(0);

const ConfigOption<MemorySize> kExecutionBatchSize =
    ConfigOption<MemorySize>{"execution.batch-size", MemorySize::kilobytes(64),
                             "Size of a batch of records between operators. A larger record "
                             "travels in a batch of its own.",
                             Scope::kJob}
        .minimum(MemorySize(256))
        .maximum(MemorySize::megabytes(64));

const ConfigOption<Duration> kExecutionBufferTimeout{
    "execution.buffer-timeout", milliseconds(100),
    "Longest time that a partly filled batch waits before it is sent on. A batch is also sent when "
    "it is full and when the input runs dry, so this bounds latency under a trickle of records. "
    "0: every record is sent at once.",
    Scope::kJob};

const ConfigOption<Duration> kExecutionCommitTimeout{
    "execution.commit-timeout", minutes(10),
    "How long it is tried to make the output of a job visible whose tasks have all come to their "
    "end. After that the job has failed, and the failure names what is visible.",
    Scope::kJob};

const ConfigOption<MainLocation> kExecutionMain{"execution.main", MainLocation::kCluster,
                                                "Where main runs if the target is a session: on "
                                                "the cluster, in a process of its own, or in the "
                                                "client.",
                                                Scope::kClient};

const ConfigOption<RuntimeMode> kExecutionRuntimeMode{
    "execution.runtime-mode", RuntimeMode::kAutomatic,
    "Streaming emits each update of a rolling aggregate, batch the last value per key at the end "
    "of "
    "input. Automatic is batch if every source of the job is bounded, else streaming.",
    Scope::kJob};

const ConfigOption<std::string> kExecutionTarget =
    ConfigOption<std::string>{
        "execution.target", std::nullopt,
        "Where jobs run, by the name of an executor or deployer plugin, such as 'local'.",
        Scope::kClient}
        .check(is_not_empty, kNotEmpty);

const ConfigOption<std::vector<std::string>> kFetchAllowedAddresses{
    "fetch.allowed-addresses", std::vector<std::string>{},
    "Addresses and networks (169.254.0.0/16, fe80::1) from which the cluster may fetch although it "
    "would refuse: link-local ones, those at which clouds tell secrets, and, after a redirect, "
    "this "
    "host itself and private networks (from an outside server).",
    Scope::kCluster};

const ConfigOption<std::vector<std::string>> kFetchAllowedFolders{
    "fetch.allowed-folders", std::vector<std::string>{},
    "Absolute paths of folders of the job manager's host, out of which applications and shipped "
    "files may come by local:///PATH and file:///PATH. Links on the way may not lead out of them.",
    Scope::kCluster};

const ConfigOption<std::string> kFetchAuthorities{
    "fetch.authorities", std::string(),
    "Absolute path of a file with the certificates (PEM) of the authorities that are trusted when "
    "the cluster fetches by https. Empty: those of the host.",
    Scope::kCluster};

const ConfigOption<std::int32_t> kFetchMaxRedirects =
    ConfigOption<std::int32_t>{"fetch.max-redirects", 5,
                               "How many redirects are followed when the cluster fetches a file.",
                               Scope::kCluster}
        .minimum(0)
        .maximum(50);

const ConfigOption<MemorySize> kFetchMaxSize{"fetch.max-size", MemorySize::gigabytes(1),
                                             "Largest file that the cluster fetches by a URL.",
                                             Scope::kCluster};

const ConfigOption<Duration> kFetchStallTimeout =
    ConfigOption<Duration>{
        "fetch.stall-timeout", seconds(20),
        "A file that the cluster fetches is given up when no byte has come for so long.",
        Scope::kCluster}
        .minimum(milliseconds(10));

const ConfigOption<Duration> kFetchTimeout =
    ConfigOption<Duration>{"fetch.timeout", minutes(5),
                           "Longest time that fetching one file may take, redirects included.",
                           Scope::kCluster}
        .minimum(milliseconds(10));

const ConfigOption<Duration> kHeartbeatInterval =
    ConfigOption<Duration>{"heartbeat.interval", seconds(1),
                           "Time between two signs of life of the processes of a cluster.",
                           Scope::kCluster}
        .minimum(milliseconds(10));

const ConfigOption<Duration> kHeartbeatTimeout =
    ConfigOption<Duration>{"heartbeat.timeout", seconds(5),
                           "A process from which nothing came for so long counts as lost. A closed "
                           "connection or an ended child is noticed at once.",
                           Scope::kCluster}
        .minimum(milliseconds(50));

const ConfigOption<std::string> kHighAvailabilityType =
    ConfigOption<std::string>{
        "high-availability.type", std::string("none"),
        "Which high-availability service the job managers of a cluster use: who leads, the graphs "
        "of "
        "accepted jobs, the results of ended ones. The name of a plugin, or 'none': a job manager "
        "leads "
        "alone, and nothing outlives it.",
        Scope::kCluster}
        .check(is_not_empty, kNotEmpty);

const ConfigOption<std::string> kJobId =
    ConfigOption<std::string>{
        "job.id", std::nullopt,
        "Which job of a cluster JobClient::from() is a client of: 32 hex digits.", Scope::kClient}
        .check(is_not_empty, kNotEmpty);

const ConfigOption<std::string> kJobmanagerBind =
    ConfigOption<std::string>{"jobmanager.bind", std::string("tcp://127.0.0.1:*"),
                              "Where the job manager listens; * draws a free port.",
                              Scope::kCluster}
        .check(is_not_empty, kNotEmpty);

const ConfigOption<Duration> kJobmanagerClientGrace =
    ConfigOption<Duration>{
        "jobmanager.client-grace", seconds(30),
        "How long an application whose main runs in a client goes on without a connection to that "
        "client. Then it fails, and its jobs are canceled.",
        Scope::kCluster}
        .minimum(milliseconds(0));

const ConfigOption<std::string> kJobmanagerHost =
    ConfigOption<std::string>{"jobmanager.host", std::nullopt,
                              "Host name or address that others are told, where they can't use the "
                              "one of jobmanager.bind. Not set: that one; for 0.0.0.0 and "
                              "[::], which mean all addresses of a host, the host's name.",
                              Scope::kCluster}
        .check(is_not_empty, kNotEmpty);

const ConfigOption<MemorySize> kJobmanagerMemoryRunner{
    "jobmanager.memory.runner", MemorySize(0),
    "Most memory of the process in which the main of an application runs, with all that it forks. "
    "One that uses more is killed, and its application fails with that as reason. 0: no limit.",
    Scope::kCluster};

const ConfigOption<Duration> kJobmanagerRecordsMaxAge =
    ConfigOption<Duration>{"jobmanager.records.max-age", days(7),
                           "How long the job manager keeps the record of an application or job "
                           "that has ended.",
                           Scope::kCluster}
        .minimum(milliseconds(1));

const ConfigOption<std::int32_t> kJobmanagerRecordsMaxApplications =
    ConfigOption<std::int32_t>{"jobmanager.records.max-applications", 64,
                               "How many applications that have ended the job manager of a session "
                               "keeps records of, the last ones, with their jobs.",
                               Scope::kCluster}
        .minimum(1);

const ConfigOption<std::int32_t> kJobmanagerRecordsMaxJobs =
    ConfigOption<std::int32_t>{
        "jobmanager.records.max-jobs", 1000,
        "How many jobs that have ended the job manager keeps records of, the "
        "last ones, those of applications that still run included.",
        Scope::kCluster}
        .minimum(1);

const ConfigOption<std::int32_t> kLocalThreads =
    ConfigOption<std::int32_t>{"local.threads", 0,
                               "Scheduler threads of the target 'local'. 0: one for each core that "
                               "the process may use.",
                               Scope::kClient}
        .minimum(0)
        .maximum(1024);

const ConfigOption<LogLevel> kLogLevel{"log.level", LogLevel::kWarning,
                                       "Least severe messages that the process's log keeps.",
                                       Scope::kCluster};

const ConfigOption<MemorySize> kLogMaxSize =
    ConfigOption<MemorySize>{"log.max-size", MemorySize::megabytes(8),
                             "Size at which the log of a process of a cluster is rolled: it and "
                             "the one before are kept.",
                             Scope::kCluster}
        .minimum(MemorySize::kilobytes(4));

const ConfigOption<std::int32_t> kParallelismDefault =
    ConfigOption<std::int32_t>{"parallelism.default", 1,
                               "Number of parallel subtasks of an operator when nothing else says "
                               "so.",
                               Scope::kJob}
        .minimum(1)
        .maximum(kParallelismLimit);

const ConfigOption<bool> kPipelineFusion{
    "pipeline.fusion", true,
    "Run a chain of operators as the one kernel that was compiled for it. false: operators of a "
    "chain hand each other batches, with equal results, more slowly.",
    Scope::kJob};

const ConfigOption<std::int32_t> kPipelineMaxParallelism =
    ConfigOption<std::int32_t>{"pipeline.max-parallelism", 128,
                               "Highest parallelism that a job can be rescaled to: the number of "
                               "key groups its keyed state is divided into. A snapshot restores "
                               "only into a job with the same value.",
                               Scope::kJob}
        .minimum(1)
        .maximum(kParallelismLimit);

const ConfigOption<std::string> kPipelineName =
    ConfigOption<std::string>{
        "pipeline.name", std::nullopt,
        "Name of the job for people. Not set: the name that the call of execute() gives.",
        Scope::kJob}
        .check(is_not_empty, kNotEmpty);

const ConfigOption<bool> kPipelineOperatorChaining =
    ConfigOption<bool>{"pipeline.operator-chaining", true,
                       "Run operators that need no exchange between them in one task. false: each "
                       "operator is a task of its own, which also ends fusion.",
                       Scope::kJob}
        .deprecated_keys({"pipeline.operator-chaining.enabled"});

const ConfigOption<std::vector<std::string>> kPluginDirs{
    "plugin.dirs", std::vector<std::string>{},
    "Folders that are searched for plugins before FRESHET_PLUGIN_PATH, the user's and the "
    "installed ones.",
    Scope::kClient};

const ConfigOption<MemorySize> kReadTextMaxSplitSize =
    ConfigOption<MemorySize>{"read-text.max-split-size", MemorySize::megabytes(16),
                             "Largest part of a file that read_text() hands to a subtask at once.",
                             Scope::kJob}
        .minimum(MemorySize::kilobytes(4));

const ConfigOption<MemorySize> kReadTextMinSplitSize =
    ConfigOption<MemorySize>{"read-text.min-split-size", MemorySize::kilobytes(64),
                             "Smallest part of a file that read_text() hands to a subtask at once: "
                             "small inputs are split until each subtask gets several parts, or "
                             "parts are as small as that.",
                             Scope::kJob}
        .minimum(MemorySize::kilobytes(4));

const ConfigOption<Duration> kResourceManagerIdleTimeout =
    ConfigOption<Duration>{"resource-manager.idle-timeout", minutes(1),
                           "How long a task manager that was started on demand may hold no slot "
                           "before it is released.",
                           Scope::kCluster}
        .minimum(milliseconds(1));

const ConfigOption<std::int32_t> kResourceManagerMaxTaskManagers =
    ConfigOption<std::int32_t>{
        "resource-manager.max-task-managers", 0,
        "How many task managers the deployer of a cluster may run for it when jobs wait for slots, "
        "those that it was deployed with included. 0: none is started on demand.",
        Scope::kCluster}
        .minimum(0)
        .maximum(1024);

const ConfigOption<Duration> kResourceManagerStartTimeout =
    ConfigOption<Duration>{"resource-manager.start-timeout", minutes(1),
                           "How long a task manager that was started on demand may take until it "
                           "has registered; then it is given up.",
                           Scope::kCluster}
        .minimum(milliseconds(1));

const ConfigOption<RestartStrategy> kRestartStrategy{
    "restart-strategy.type", RestartStrategy::kNone,
    "What happens when a job fails: 'none', it has failed; 'fixed-delay', it starts anew.",
    Scope::kJob};

const ConfigOption<std::int32_t> kRestartStrategyAttempts =
    ConfigOption<std::int32_t>{"restart-strategy.fixed-delay.attempts", 1,
                               "How often 'fixed-delay' starts a job anew before it has failed.",
                               Scope::kJob}
        .minimum(0);

const ConfigOption<Duration> kRestartStrategyDelay{
    "restart-strategy.fixed-delay.delay", seconds(1),
    "How long 'fixed-delay' waits before it starts a job anew.", Scope::kJob};

const ConfigOption<SlotPlacement> kSlotPlacement{
    "slot.placement", SlotPlacement::kSpread,
    "Whether the slots of a job are taken from as many task managers as there are, or from as few "
    "as "
    "possible.",
    Scope::kJob};

const ConfigOption<Duration> kSlotRequestTimeout{
    "slot.request-timeout", minutes(5),
    "How long a job waits for the slots that it needs before it fails.", Scope::kJob};

const ConfigOption<std::int32_t> kStandaloneTaskManagers =
    ConfigOption<std::int32_t>{"standalone.task-managers", 1,
                               "How many task managers a standalone cluster starts on this host.",
                               Scope::kClient}
        .minimum(0)
        .maximum(1024);

const ConfigOption<std::int32_t> kTaskBuffersPerChannel =
    ConfigOption<std::int32_t>{"task.buffers-per-channel", 8,
                               "Most batches under way on a busy channel between two subtasks. "
                               "An idle channel holds none.",
                               Scope::kJob}
        .minimum(1)
        .maximum(1024);

const ConfigOption<Duration> kTaskCancellationTimeout{
    "task.cancellation-timeout", seconds(5),
    "How long the tasks of a job may take to end when it is canceled or fails, before their "
    "workers "
    "are killed.",
    Scope::kJob};

const ConfigOption<MemorySize> kTaskStackSize =
    ConfigOption<MemorySize>{"task.stack-size", MemorySize::megabytes(1),
                             "Stack of a task, on which user code runs. Reserved address space: "
                             "only pages that are touched use memory.",
                             Scope::kJob}
        .minimum(MemorySize::kilobytes(64))
        .maximum(MemorySize::gigabytes(1));

const ConfigOption<std::string> kTaskmanagerBind =
    ConfigOption<std::string>{"taskmanager.bind", std::string("127.0.0.1"),
                              "Host name or address at which the workers of a "
                              "task manager listen for data of workers on other "
                              "hosts.",
                              Scope::kCluster}
        .check(is_not_empty, kNotEmpty);

const ConfigOption<std::string> kTaskmanagerHost =
    ConfigOption<std::string>{
        "taskmanager.host", std::nullopt,
        "Host name or address at which workers on other hosts are told to find those of this task "
        "manager, where they can't use the one of taskmanager.bind. Not set: that one; for 0.0.0.0 "
        "and [::], which mean all addresses of a host, the one by which it reaches the job "
        "manager.",
        Scope::kCluster}
        .check(is_not_empty, kNotEmpty);

const ConfigOption<MemorySize> kTaskmanagerMemoryNetwork =
    ConfigOption<MemorySize>{"taskmanager.memory.network", MemorySize::megabytes(256),
                             "Memory of one worker process for batches under way between tasks, "
                             "with the strings and lists of their records, lent to busy channels. "
                             "A shortage slows a job, and never fails it.",
                             Scope::kCluster}
        .minimum(MemorySize::megabytes(1));

const ConfigOption<MemorySize> kTaskmanagerMemoryWorker{
    "taskmanager.memory.worker", MemorySize(0),
    "Most memory of the process that runs the tasks of one job, with all that it forks. One that "
    "uses more is killed, and that is the failure of its job. 0: no limit.",
    Scope::kCluster};

const ConfigOption<std::int32_t> kTaskmanagerSlots =
    ConfigOption<std::int32_t>{
        "taskmanager.slots", 0,
        "Slots that a task manager offers: each runs a subtask of every task "
        "of a job. 0: one for each core that the process may use.",
        Scope::kCluster}
        .minimum(0)
        .maximum(kParallelismLimit);

}  // namespace freshet::options
