// How types without FRESHET_MESSAGE_FIELDS, as those of the SDK, stand in messages: as maps by name.
// Unknown names are ignored, missing ones keep their default; a number that no enumerator has is
// refused.
#pragma once

#include <cstdint>
#include <msgpack.hpp>

#include "freshet/accumulators.h"
#include "freshet/cluster_client.h"
#include "freshet/job_client.h"
#include "freshet/metrics.h"
#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/operator.h"
#include "messages/deployment.h"
#include "network/transport.h"

#define FRESHET_WIRE_FIELD(r, data, elem) (MSGPACK_PP_STRINGIZE(elem))(data.elem)
#define FRESHET_WIRE_FIELDS(value, ...) \
  MSGPACK_PP_SEQ_TO_TUPLE(              \
      MSGPACK_PP_SEQ_FOR_EACH(FRESHET_WIRE_FIELD, value, MSGPACK_PP_VARIADIC_TO_SEQ(__VA_ARGS__)))

// The fields of a struct, outside of it.
#define FRESHET_ON_WIRE(Type, ...)                                                          \
  namespace msgpack {                                                                       \
  MSGPACK_API_VERSION_NAMESPACE(MSGPACK_DEFAULT_API_NS) {                                   \
    namespace adaptor {                                                                     \
    template <>                                                                             \
    struct pack<Type> {                                                                     \
      template <class Stream>                                                               \
      packer<Stream>& operator()(packer<Stream>& out, const Type& value) const {            \
        type::make_define_map FRESHET_WIRE_FIELDS(value, __VA_ARGS__).msgpack_pack(out);    \
        return out;                                                                         \
      }                                                                                     \
    };                                                                                      \
    template <>                                                                             \
    struct convert<Type> {                                                                  \
      const msgpack::object& operator()(const msgpack::object& from, Type& value) const {   \
        type::make_define_map FRESHET_WIRE_FIELDS(value, __VA_ARGS__).msgpack_unpack(from); \
        return from;                                                                        \
      }                                                                                     \
    };                                                                                      \
    }                                                                                       \
  }                                                                                         \
  }                                                                                         \
  static_assert(true)

// An enumeration whose enumerators are 0 to `last`.
#define FRESHET_ENUM_ON_WIRE(Type, last)                                                  \
  namespace msgpack {                                                                     \
  MSGPACK_API_VERSION_NAMESPACE(MSGPACK_DEFAULT_API_NS) {                                 \
    namespace adaptor {                                                                   \
    template <>                                                                           \
    struct pack<Type> {                                                                   \
      template <class Stream>                                                             \
      packer<Stream>& operator()(packer<Stream>& out, const Type& value) const {          \
        return out.pack(static_cast<std::uint64_t>(value));                               \
      }                                                                                   \
    };                                                                                    \
    template <>                                                                           \
    struct convert<Type> {                                                                \
      const msgpack::object& operator()(const msgpack::object& from, Type& value) const { \
        const auto number = from.as<std::uint64_t>();                                     \
        if (number > static_cast<std::uint64_t>(last)) throw msgpack::type_error();       \
        value = static_cast<Type>(number);                                                \
        return from;                                                                      \
      }                                                                                   \
    };                                                                                    \
    }                                                                                     \
  }                                                                                       \
  }                                                                                       \
  static_assert(true)

FRESHET_ENUM_ON_WIRE(freshet::JobStatus, freshet::JobStatus::kCommitting);
FRESHET_ENUM_ON_WIRE(freshet::ApplicationStatus, freshet::ApplicationStatus::kCanceled);
FRESHET_ENUM_ON_WIRE(freshet::AccumulatorKind, freshet::AccumulatorKind::kBytes);
FRESHET_ENUM_ON_WIRE(freshet::MetricKind, freshet::MetricKind::kDistribution);
FRESHET_ENUM_ON_WIRE(freshet::ModuleKind, freshet::ModuleKind::kExecutable);

FRESHET_ON_WIRE(freshet::core::Address, endpoint, key);
FRESHET_ON_WIRE(freshet::FailureInfo, operator_name, subtask, record, message);
FRESHET_ON_WIRE(freshet::AccumulatorValue, kind, count, number, buckets, items);
FRESHET_ON_WIRE(freshet::MetricValue, kind, count, value, min, max, at_ns);
FRESHET_ON_WIRE(freshet::VertexDetails, id, name, parallelism, records_in, records_out, metrics);
FRESHET_ON_WIRE(freshet::SubtaskDetails, vertex_id, subtask, state, host, worker, attempt);
FRESHET_ON_WIRE(freshet::JobModule, sha256, name, kind);
FRESHET_ON_WIRE(freshet::JobResult, job_id, job_name, status, duration_ms, accumulators, failure);
FRESHET_ON_WIRE(freshet::JobDetails, job_id, job_name, status, running_ms, vertices, source_records,
                sink_records, subtasks);
FRESHET_ON_WIRE(freshet::JobMessage, number, at_ms, status, operator_name, subtask, text);
FRESHET_ON_WIRE(freshet::JobInfo, job_id, job_name, application_id, status, detail, since_ms,
                ended_ms);
FRESHET_ON_WIRE(freshet::ApplicationInfo, id, name, status, reason, exit_code, signal, since_ms,
                ended_ms, jobs, jobs_left_out);
FRESHET_ON_WIRE(freshet::IdMatches, applications, jobs, count);
FRESHET_ON_WIRE(freshet::TaskManagerInfo, id, host, process_id, slots, free_slots,
                worker_processes);
FRESHET_ON_WIRE(freshet::ClusterInfo, id, version, process_id, since_ms, task_managers);
FRESHET_ON_WIRE(freshet::LogChunk, text, next, ended, errors);
FRESHET_ON_WIRE(freshet::ClusterEvent, application_id, job_id, name, status, detail, terminal);
FRESHET_ON_WIRE(freshet::core::Committable, vertex, subtask, bytes);
FRESHET_ON_WIRE(freshet::core::CommitOutcome, committed, refused, text);
FRESHET_ON_WIRE(freshet::core::TaskReport, accumulators, vertices, source_records, sink_records);
