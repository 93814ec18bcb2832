#include "freshet/options.h"

namespace freshet::options {

const ConfigOption<std::string> kApplicationId{
    "application.id", std::nullopt,
    "Fixes the id of the application, so that one that is submitted again finds its earlier jobs. "
    "Not set: each submission gets a new id.",
    Scope::kJob};

const ConfigOption<Duration> kClientProgressInterval =
    ConfigOption<Duration>{
        "client.progress-interval", seconds(1),
        "Time between two updates of the progress line on a terminal; 0: no line.", Scope::kClient}
        .minimum(milliseconds(0));

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

const ConfigOption<RuntimeMode> kExecutionRuntimeMode{
    "execution.runtime-mode", RuntimeMode::kAutomatic,
    "Streaming emits each update of a rolling aggregate, batch the last value per key at the end "
    "of "
    "input. Automatic is batch if every source of the job is bounded, else streaming.",
    Scope::kJob};

const ConfigOption<std::string> kExecutionTarget{
    "execution.target", std::nullopt,
    "Where jobs run, by the name of an executor or deployer plugin, such as 'local'.",
    Scope::kClient};

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

const ConfigOption<std::string> kPipelineName{
    "pipeline.name", std::nullopt,
    "Name of the job for people. Not set: the name that the call of execute() gives.", Scope::kJob};

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

const ConfigOption<std::int32_t> kTaskBuffersPerChannel =
    ConfigOption<std::int32_t>{"task.buffers-per-channel", 8,
                               "Most batches under way on a busy channel between two subtasks. "
                               "An idle channel holds none.",
                               Scope::kJob}
        .minimum(1)
        .maximum(1024);

const ConfigOption<MemorySize> kTaskStackSize =
    ConfigOption<MemorySize>{"task.stack-size", MemorySize::megabytes(1),
                             "Stack of a task, on which user code runs. Reserved address space: "
                             "only pages that are touched use memory.",
                             Scope::kJob}
        .minimum(MemorySize::kilobytes(64))
        .maximum(MemorySize::gigabytes(1));

const ConfigOption<MemorySize> kTaskmanagerMemoryNetwork =
    ConfigOption<MemorySize>{"taskmanager.memory.network", MemorySize::megabytes(256),
                             "Memory of one worker process for batches under way between tasks, "
                             "lent to busy channels. A shortage slows a job, and never fails it.",
                             Scope::kCluster}
        .minimum(MemorySize::megabytes(1));

}  // namespace freshet::options
