// What the operators of an operator library or connector do, one after the other: made from good
// and bad payloads, and taken through their life by the runtime, as a source and between two
// others.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <random>
#include <set>

#include "backend/in_process_backend.h"
#include "freshet/error.h"
#include "freshet/job_client.h"
#include "freshet/payload.h"
#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/operator.h"
#include "modules/application.h"
#include "modules/module_registry.h"
#include "plugin/check.h"
#include "plugin/leaks.h"

namespace freshet::tool {
using namespace core;
namespace {

constexpr std::int64_t kPatienceMs = 5'000;
constexpr std::int64_t kSourceMs = 1'000;         // for a source to come to its end
constexpr std::size_t kRuntimeKeeps = 64 * 1024;  // bytes of heap after fifty jobs
constexpr std::int64_t kBriefMs = 20;             // for one that is run over and over

std::vector<const OperatorDescriptor*> registered(CaseContext& context) {
  const auto* anchor = static_cast<const ModuleAnchor*>(context.contract().operators);
  std::vector<const OperatorDescriptor*> found;
  for (const OperatorDescriptor* each = anchor->operators; each != nullptr; each = each->next) {
    if (each->registered_name != nullptr) found.push_back(each);
  }
  std::sort(found.begin(), found.end(), [](const auto* a, const auto* b) {
    return std::string_view(a->registered_name) < b->registered_name;
  });
  return found;
}

std::string quoted(const OperatorDescriptor& op) {
  return "'" + printable(op.registered_name) + "'";
}

void names(CaseContext& context) {
  std::set<std::string> seen;
  for (const OperatorDescriptor* op : registered(context)) {
    const std::string name = op->registered_name;
    if (name.empty() || printable(name, name.size()) != name) {
      throw CaseFailed("an operator is registered as '" + printable(name) +
                       "': a name is printable ASCII");
    }
    if (!seen.insert(name).second) {
      throw CaseFailed("two operators are registered as '" + name + "': rename one of them");
    }
    if (op->make == nullptr) throw CaseFailed("operator '" + name + "' has no make()");
  }
  if (seen.empty()) {
    throw CaseFailed(
        "it has registered no operator by name: see FRESHET_OPERATOR, FRESHET_SOURCE, "
        "FRESHET_SINK");
  }
}

void bad_payloads(CaseContext& context) {
  std::mt19937 random(20260101);
  for (const OperatorDescriptor* op : registered(context)) {
    for (std::size_t round = 0; round < 200; ++round) {
      std::string bytes(round % 40, '\0');
      const bool lying = round % 3 == 0;  // lengths that are not there
      for (char& byte : bytes) byte = lying ? '\xff' : static_cast<char>(random());
      context.doing("making " + quoted(*op) + " from " + std::to_string(bytes.size()) +
                    " odd bytes");
      const auto attempt = [&](auto&& make) {
        try {
          PayloadReader reader(bytes.data(), bytes.size());
          make(reader);
        } catch (const std::exception&) {
          return;  // DecodeError, as it should be, or what the object says of odd values
        } catch (...) {
          throw CaseFailed(quoted(*op) + " throws what is no std::exception at a bad payload");
        }
      };
      attempt([&](PayloadReader& reader) { op->make(&reader, 1); });
      if (op->make_coordinator != nullptr) {
        attempt([&](PayloadReader& reader) { op->make_coordinator(reader); });
      }
    }
  }
}

// A chain of single operators, one subtask each; every output of the one under test is discarded.
class Chain {
 public:
  explicit Chain(const std::string& name) {
    graph_.id = hex_id(0);
    graph_.name = name;
  }
  std::uint32_t add(const std::string& op, const std::string& payload, bool source,
                    bool coordinated, std::size_t outputs, std::uint32_t parallelism = 1) {
    JobVertex vertex;
    const auto place = static_cast<std::uint32_t>(graph_.vertices.size());
    vertex.id = hex_id(place + 1);
    vertex.kind = vertex.name = vertex.op.registered_name = op;
    vertex.op.module = 0;
    vertex.payload.bytes = payload;
    vertex.parallelism = parallelism;
    vertex.source = source;
    vertex.bounded = false;
    vertex.coordinated = coordinated;
    vertex.outputs.resize(outputs, {"any", 0, false});
    graph_.vertices.push_back(std::move(vertex));
    return place;
  }
  void connect(std::uint32_t from, std::uint32_t output, std::uint32_t to) {
    JobEdge edge;
    edge.from = from;
    edge.output = output;
    edge.to = to;
    edge.chained = true;
    graph_.edges.push_back(edge);
  }
  std::unique_ptr<JobClient> run(const LoadedModule& module, const Configuration& configuration) {
    graph_.modules = {{module.sha256().hex(), module.path().filename().string(), module.kind()}};
    JobTask task;
    task.parallelism = graph_.vertices.front().parallelism;
    for (std::uint32_t v = 0; v < graph_.vertices.size(); ++v) {
      task.links.push_back({{v}, graph_.vertices[v].op});
    }
    graph_.tasks = {task};
    return InProcessBackend::instance().run_in_process(graph_.to_bytes(), configuration);
  }

 private:
  static std::string hex_id(std::uint32_t number) {
    char text[33];
    std::snprintf(text, sizeof text, "%032x", number);
    return text;
  }
  JobGraph graph_;
};

// What the base class says when it is run as a source.
const std::string& no_source_text() {
  static const std::string text = [] {
    struct NoSource final : Operator {
      void process(std::uint32_t, Batch&) override {}
      void watermark(std::int64_t) override {}
      void end_of_input(std::uint32_t) override {}
    } op;
    try {
      op.run(1);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  }();
  return text;
}

// Waits for the end of a job; cancels it after that time.
JobResult ended(CaseContext& context, const std::unique_ptr<JobClient>& job, const std::string& who,
                std::int64_t cancel_after_ms) {
  const Future<JobResult> result = job->result();
  if (!result.wait_for(cancel_after_ms)) {
    context.doing("canceling " + who);
    job->cancel().wait();
    if (!result.wait_for(kPatienceMs)) {
      throw CaseFailed(who + " does not end within 5 s of a cancel");
    }
  }
  return result.get();
}

std::string told(const JobResult& result) {
  return result.failure ? ", " + result.failure->operator_name + " says: " + result.failure->message
                        : "";
}

bool went_well(const JobResult& result) {
  return result.status == JobStatus::kFinished || result.status == JobStatus::kCanceled;
}

// Payloads for the next job: where a definition has {new} stands a path at which there is nothing
// yet, since what a job has written is not replaced by the next one.
std::map<std::string, std::string> payloads_of_next_job(const CheckRequest& request) {
  static std::atomic<std::uint64_t> jobs{0};
  const std::string mark = "{new}", path = request.folder + "/new-" + std::to_string(++jobs);
  std::vector<std::string> definitions = request.payloads;
  for (std::string& definition : definitions) {
    const std::size_t at = definition.find(mark);
    if (at != std::string::npos) definition.replace(at, mark.size(), path);
  }
  return read_payloads(definitions);
}

class Life {
 public:
  Life(CaseContext& context, const OperatorDescriptor& op)
      : context_(context), op_(op), configuration_(context.request.configuration.load()) {
    draw_payload();
  }

  // Empty, or why it could not be taken through its life.
  std::string run() {
    if (std::string why = makes(); !why.empty()) return why;
    const JobResult as_source = ended(start({}), "as a source", /*cancel_after_ms=*/kSourceMs);
    if (!as_source.failure || as_source.failure->message != no_source_text()) {
      return judged(as_source, "as a source");
    }
    const JobResult empty =
        ended(start("freshet.kit.nothing"), "behind a source without records", kPatienceMs);
    if (std::string why = judged(empty, "without records"); !why.empty()) return why;
    const JobResult canceled = ended(start("freshet.kit.idle"), "behind an idle source", 20);
    if (canceled.status != JobStatus::kCanceled) {
      throw CaseFailed(quoted(op_) + " behind an idle source: the canceled job is " +
                       name_of(canceled.status) + told(canceled));
    }
    const JobResult failed =
        ended(start("freshet.kit.failing"), "behind a source that fails", kPatienceMs);
    if (!failed.failure || failed.failure->operator_name != "freshet.kit.failing") {
      throw CaseFailed(quoted(op_) + " behind a source that fails: the job is " +
                       name_of(failed.status) + told(failed) +
                       ", the source's failure should be "
                       "told");
    }
    return {};
  }

  bool is_source() {
    const JobResult result = ended(start({}), "as a source", kBriefMs);
    return !result.failure || result.failure->message != no_source_text();
  }
  // In a job of that many subtasks; a source without end is canceled.
  void open_and_close(bool source, std::uint32_t parallelism) {
    const JobResult result =
        source ? ended(start({}, parallelism), "as a source", kBriefMs)
               : ended(start("freshet.kit.nothing", parallelism), "without records", kPatienceMs);
    if (went_well(result)) return;
    throw CaseFailed(quoted(op_) + " of " + std::to_string(parallelism) + " subtasks is " +
                     name_of(result.status) + told(result));
  }

 private:
  void draw_payload() {
    auto payloads = payloads_of_next_job(context_.request);
    const auto payload = payloads.find(op_.registered_name);
    has_payload_ = payload != payloads.end();
    if (has_payload_) payload_ = std::move(payload->second);
  }
  std::string makes() const {
    context_.doing("making " + quoted(op_));
    try {
      PayloadReader reader(payload_.data(), payload_.size());
      if (op_.make(&reader, 1) == nullptr) throw CaseFailed(quoted(op_) + ": make() gives nothing");
      return {};
    } catch (const std::exception& error) {
      return refused(std::string("says of its payload: ") + error.what());
    }
  }
  std::string refused(const std::string& why) const {
    if (has_payload_) throw CaseFailed(quoted(op_) + " " + why);
    return quoted(op_) + " " + why + " (none was given: --payload " + op_.registered_name +
           "=VALUE, or no VALUE where it takes none)";
  }
  std::string judged(const JobResult& result, const std::string& how) const {
    if (went_well(result)) return {};
    return refused(how + " is " + name_of(result.status) + told(result));
  }

  // Behind that source of the kit, or as the source.
  std::unique_ptr<JobClient> start(const std::string& behind, std::uint32_t parallelism = 1) {
    constexpr std::uint32_t kOutputs = 4;
    draw_payload();
    Chain chain("check " + std::string(op_.registered_name));
    const bool source = behind.empty();
    std::uint32_t before = 0;
    if (!source) before = chain.add(behind, "", true, false, 1, parallelism);
    const std::uint32_t tested =
        chain.add(op_.registered_name, payload_, source, source && op_.make_coordinator != nullptr,
                  kOutputs, parallelism);
    if (!source) chain.connect(before, 0, tested);
    for (std::uint32_t i = 0; i < kOutputs; ++i) {
      chain.connect(tested, i, chain.add("freshet.kit.discard", "", false, false, 0, parallelism));
    }
    context_.doing("running " + quoted(op_) + (source ? " as a source" : " behind " + behind));
    const LoadedModule* module = ModuleRegistry::instance().module_of(&op_);
    return chain.run(*module, configuration_);
  }

  JobResult ended(const std::unique_ptr<JobClient>& job, const std::string& how,
                  std::int64_t cancel_after_ms) {
    return tool::ended(context_, job, quoted(op_) + " " + how, cancel_after_ms);
  }

  CaseContext& context_;
  const OperatorDescriptor& op_;
  Configuration configuration_;
  std::string payload_;
  bool has_payload_ = false;
};

void load_kit() {
  const ModuleStore store(ModuleStore::default_state_folder());
  static_cast<void>(load_application(store, kit_file(), {}));
}

void life(CaseContext& context) {
  const auto operators = registered(context);
  load_kit();
  std::string untold;
  std::size_t count = 0;
  for (const OperatorDescriptor* op : operators) {
    const std::string why = Life(context, *op).run();
    if (why.empty()) {
      ++count;
    } else {
      untold += (untold.empty() ? "" : "\n") + why;
    }
  }
  if (untold.empty()) return;
  throw CaseSkipped("of " + std::to_string(operators.size()) + " operators " +
                    std::to_string(count) + " ran, left out are\n" + untold);
}

// Every operator is opened and closed in a job of its own, behind a source without records.
Rounds living(CaseContext& context) {
  load_kit();
  struct Living {
    Life life;
    bool source;
  };
  auto all = std::make_shared<std::vector<Living>>();
  for (const OperatorDescriptor* op : registered(context)) {
    Life life(context, *op);
    const bool source = life.is_source();
    all->push_back({std::move(life), source});
  }
  Rounds rounds{"open() and close()", "close() or the destructor", "the operator", [all] {
                  for (Living& each : *all) each.life.open_and_close(each.source, 1);
                }};
  // What the runtime keeps of jobs that have ended is no operator's.
  rounds.heap_tolerance = kRuntimeKeeps * all->size();
  rounds.resident_tolerance *= all->size() + 1;
  return rounds;
}
void keeps_memory(CaseContext& context) { expect_no_more_memory(living(context)); }
void keeps_descriptors(CaseContext& context) { expect_no_more_descriptors(living(context)); }
void keeps_threads(CaseContext& context) { expect_no_more_threads(living(context)); }

void two_at_once(CaseContext& context) {
  load_kit();
  for (const OperatorDescriptor* op : registered(context)) {
    Life life(context, *op);
    const bool source = life.is_source();
    for (int i = 0; i < 3; ++i) life.open_and_close(source, 2);
  }
}

// Those that look at the type of the rows that come: made by FRESHET_SOURCE and FRESHET_SINK.
bool is_made_by(const char* stage, const OperatorDescriptor& op) {
  // Compilers write the namespaces or leave them out.
  return std::string_view(op.type_name).find(std::string(stage) + "<") != std::string_view::npos;
}

// Whether the sink reads the source's records, which then have gone from one to the other.
bool run_pair(CaseContext& context, const OperatorDescriptor& source,
              const OperatorDescriptor& sink) {
  auto payloads = payloads_of_next_job(context.request);
  const std::string who = quoted(source) + " before " + quoted(sink);
  Chain chain("check pair");
  const auto from =
      chain.add(source.registered_name, payloads[source.registered_name], true, true, 1);
  const auto to = chain.add(sink.registered_name, payloads[sink.registered_name], false, false, 0);
  chain.connect(from, 0, to);
  context.doing("running " + who);
  const LoadedModule* module = ModuleRegistry::instance().module_of(&source);
  const JobResult result =
      ended(context, chain.run(*module, context.request.configuration.load()), who, kSourceMs);
  if (went_well(result)) return true;
  if (result.failure &&
      result.failure->message.find(" come in, this operator reads ") != std::string::npos) {
    return false;
  }
  throw CaseFailed(who + " is " + name_of(result.status) + told(result));
}

void pairs(CaseContext& context) {
  const auto operators = registered(context);
  std::string ran;
  for (const OperatorDescriptor* source : operators) {
    if (!is_made_by("RegisteredSource", *source)) continue;
    for (const OperatorDescriptor* sink : operators) {
      if (!is_made_by("RegisteredSink", *sink) || !run_pair(context, *source, *sink)) continue;
      ran += (ran.empty() ? "" : ", ") + quoted(*source) + " before " + quoted(*sink);
    }
  }
  if (ran.empty()) throw CaseSkipped("it has no source and sink of the same records");
  context.note(ran);
}

}  // namespace

std::vector<Case> operator_cases() {
  return {
      {"names", "registers operators under names of their own", "loads", names},
      {"payloads", "makes operators from any bytes, or refuses them", "names", bad_payloads},
      {"life", "has operators that open, run, are canceled, fail and close", "names", life},
      {"operator-threads", "fifty times opened and closed has no more threads", "life",
       keeps_threads},
      {"operator-descriptors", "fifty times opened and closed holds no more descriptors", "life",
       keeps_descriptors},
      {"operator-memory", "fifty times opened and closed holds no more memory", "operator-threads",
       keeps_memory},
      {"two-subtasks", "has operators that run twice at once", "life", two_at_once},
      {"pairs", "has sinks that take what its sources give", "life", pairs},
  };
}

}  // namespace freshet::tool
