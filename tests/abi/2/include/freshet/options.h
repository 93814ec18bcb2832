// Freshet's own options. A constant is named for its key: 'pipeline.max-parallelism' is
// kPipelineMaxParallelism. What each means is said once, where it is defined
// (sdk/src/configuration/options.cpp), and printed by `fr config`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "freshet/config_option.h"

namespace freshet {

enum class RuntimeMode { kStreaming, kBatch, kAutomatic };

template <>
struct EnumNames<RuntimeMode> {
  static constexpr EnumName<RuntimeMode> kNames[] = {{RuntimeMode::kStreaming, "streaming"},
                                                     {RuntimeMode::kBatch, "batch"},
                                                     {RuntimeMode::kAutomatic, "automatic"}};
};

enum class LogLevel { kTrace, kDebug, kInfo, kWarning, kError, kOff };

template <>
struct EnumNames<LogLevel> {
  static constexpr EnumName<LogLevel> kNames[] = {
      {LogLevel::kTrace, "trace"},     {LogLevel::kDebug, "debug"}, {LogLevel::kInfo, "info"},
      {LogLevel::kWarning, "warning"}, {LogLevel::kError, "error"}, {LogLevel::kOff, "off"}};
};

// Where an application's main runs when its target is a session.
enum class MainLocation { kCluster, kClient };

template <>
struct EnumNames<MainLocation> {
  static constexpr EnumName<MainLocation> kNames[] = {{MainLocation::kCluster, "cluster"},
                                                      {MainLocation::kClient, "client"}};
};

enum class RestartStrategy { kNone, kFixedDelay };

template <>
struct EnumNames<RestartStrategy> {
  static constexpr EnumName<RestartStrategy> kNames[] = {
      {RestartStrategy::kNone, "none"}, {RestartStrategy::kFixedDelay, "fixed-delay"}};
};

enum class SlotPlacement { kSpread, kPacked };

template <>
struct EnumNames<SlotPlacement> {
  static constexpr EnumName<SlotPlacement> kNames[] = {{SlotPlacement::kSpread, "spread"},
                                                       {SlotPlacement::kPacked, "packed"}};
};

// The most parallel subtasks an operator can have, and the most key groups.
inline constexpr std::int32_t kParallelismLimit = 32768;

namespace options {

FRESHET_API extern const ConfigOption<std::string> kApplicationId;
FRESHET_API extern const ConfigOption<std::string> kApplicationWorkingFolder;
FRESHET_API extern const ConfigOption<Duration> kBlobMaxIdle;
FRESHET_API extern const ConfigOption<bool> kClientAttached;
FRESHET_API extern const ConfigOption<bool> kClientEndsCluster;
FRESHET_API extern const ConfigOption<Duration> kClientProgressInterval;
FRESHET_API extern const ConfigOption<Duration> kClientTimeout;
FRESHET_API extern const ConfigOption<std::string> kClusterId;
FRESHET_API extern const ConfigOption<std::int64_t> kExecutionBatchRecords;
FRESHET_API extern const ConfigOption<MemorySize> kExecutionBatchSize;
FRESHET_API extern const ConfigOption<Duration> kExecutionBufferTimeout;
FRESHET_API extern const ConfigOption<Duration> kExecutionCommitTimeout;
FRESHET_API extern const ConfigOption<MainLocation> kExecutionMain;
FRESHET_API extern const ConfigOption<RuntimeMode> kExecutionRuntimeMode;
FRESHET_API extern const ConfigOption<std::string> kExecutionTarget;
FRESHET_API extern const ConfigOption<std::vector<std::string>> kFetchAllowedAddresses;
FRESHET_API extern const ConfigOption<std::vector<std::string>> kFetchAllowedFolders;
FRESHET_API extern const ConfigOption<std::string> kFetchAuthorities;
FRESHET_API extern const ConfigOption<std::int32_t> kFetchMaxRedirects;
FRESHET_API extern const ConfigOption<MemorySize> kFetchMaxSize;
FRESHET_API extern const ConfigOption<Duration> kFetchStallTimeout;
FRESHET_API extern const ConfigOption<Duration> kFetchTimeout;
FRESHET_API extern const ConfigOption<Duration> kHeartbeatInterval;
FRESHET_API extern const ConfigOption<Duration> kHeartbeatTimeout;
FRESHET_API extern const ConfigOption<std::string> kHighAvailabilityType;
FRESHET_API extern const ConfigOption<std::string> kJobId;
FRESHET_API extern const ConfigOption<std::string> kJobmanagerBind;
FRESHET_API extern const ConfigOption<Duration> kJobmanagerClientGrace;
FRESHET_API extern const ConfigOption<std::string> kJobmanagerHost;
FRESHET_API extern const ConfigOption<MemorySize> kJobmanagerMemoryRunner;
FRESHET_API extern const ConfigOption<Duration> kJobmanagerRecordsMaxAge;
FRESHET_API extern const ConfigOption<std::int32_t> kJobmanagerRecordsMaxApplications;
FRESHET_API extern const ConfigOption<std::int32_t> kJobmanagerRecordsMaxJobs;
FRESHET_API extern const ConfigOption<std::int32_t> kLocalThreads;
FRESHET_API extern const ConfigOption<LogLevel> kLogLevel;
FRESHET_API extern const ConfigOption<MemorySize> kLogMaxSize;
FRESHET_API extern const ConfigOption<std::int32_t> kParallelismDefault;
FRESHET_API extern const ConfigOption<bool> kPipelineFusion;
FRESHET_API extern const ConfigOption<std::int32_t> kPipelineMaxParallelism;
FRESHET_API extern const ConfigOption<std::string> kPipelineName;
FRESHET_API extern const ConfigOption<bool> kPipelineOperatorChaining;
FRESHET_API extern const ConfigOption<std::vector<std::string>> kPluginDirs;
FRESHET_API extern const ConfigOption<MemorySize> kReadTextMaxSplitSize;
FRESHET_API extern const ConfigOption<MemorySize> kReadTextMinSplitSize;
FRESHET_API extern const ConfigOption<Duration> kResourceManagerIdleTimeout;
FRESHET_API extern const ConfigOption<std::int32_t> kResourceManagerMaxTaskManagers;
FRESHET_API extern const ConfigOption<Duration> kResourceManagerStartTimeout;
FRESHET_API extern const ConfigOption<RestartStrategy> kRestartStrategy;
FRESHET_API extern const ConfigOption<std::int32_t> kRestartStrategyAttempts;
FRESHET_API extern const ConfigOption<Duration> kRestartStrategyDelay;
FRESHET_API extern const ConfigOption<SlotPlacement> kSlotPlacement;
FRESHET_API extern const ConfigOption<Duration> kSlotRequestTimeout;
FRESHET_API extern const ConfigOption<std::int32_t> kStandaloneTaskManagers;
FRESHET_API extern const ConfigOption<std::int32_t> kTaskBuffersPerChannel;
FRESHET_API extern const ConfigOption<Duration> kTaskCancellationTimeout;
FRESHET_API extern const ConfigOption<MemorySize> kTaskStackSize;
FRESHET_API extern const ConfigOption<std::string> kTaskmanagerBind;
FRESHET_API extern const ConfigOption<std::string> kTaskmanagerHost;
FRESHET_API extern const ConfigOption<MemorySize> kTaskmanagerMemoryNetwork;
FRESHET_API extern const ConfigOption<MemorySize> kTaskmanagerMemoryWorker;
FRESHET_API extern const ConfigOption<std::int32_t> kTaskmanagerSlots;

}  // namespace options
}  // namespace freshet
