#include "freshet/plugin/operator.h"

#include <exception>

#include "freshet/detail/canceled_stage.h"
#include "freshet/error.h"
#include "freshet/plugin/executor.h"
#include "freshet/plugin/front_end.h"
#include "freshet/plugin/pipeline.h"
#include "freshet/plugin/record_type.h"
#include "freshet/runtime_context.h"

namespace freshet {

Router::~Router() = default;
Output::~Output() = default;
OperatorContext::~OperatorContext() = default;
RuntimeContext::~RuntimeContext() = default;
Coordinator::~Coordinator() = default;
void Coordinator::snapshot(ByteWriter&) {}
void Coordinator::restore(ByteReader&) {}

FrontEnd::~FrontEnd() = default;
Pipeline::~Pipeline() = default;
PipelineTranslator::~PipelineTranslator() = default;
ExecutorServices::~ExecutorServices() = default;
Executor::~Executor() = default;
ExecutorFactory::~ExecutorFactory() = default;

Operator::~Operator() = default;
void Operator::open(OperatorContext&) {}
Progress Operator::run(std::uint32_t) {
  throw Error("an operator that is no source was run as one");
}
void Operator::timer(const Timer&) {}
void Operator::input_ran_dry() {}
void Operator::before_snapshot(std::uint64_t) {}
void Operator::snapshot(std::uint32_t, ByteWriter&) {}
void Operator::after_snapshot(std::uint64_t) {}
void Operator::restore(std::uint32_t, ByteReader&) {}
std::optional<std::string> Operator::prepare_commit(std::uint32_t) { return std::nullopt; }
std::string Operator::commit_prepared(std::uint32_t, std::string_view) {
  throw CommitRefused("it is asked to commit, but has prepared nothing: the plan is damaged");
}
void Operator::abort_prepared(std::uint32_t, std::string_view) {}
void Operator::commit() {}
bool Operator::commits() const { return false; }
void Operator::close() {}
const RecordType* Operator::input_type(std::uint32_t) const { return nullptr; }

namespace detail {

std::string current_exception_message() {
  try {
    throw;
  } catch (const StageFailure& failure) {
    return failure.message;
  } catch (const std::exception& error) {
    return error.what();
  } catch (const std::string& text) {
    return text;
  } catch (const char* text) {
    return text;
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

CanceledStage::~CanceledStage() = default;

void check_payload_count(std::size_t expected, std::size_t got) {
  if (expected == got) return;
  throw DecodeError("an operator of " + std::to_string(expected) + " stages got the payloads of " +
                    std::to_string(got) + " vertices: the plan is damaged or of another build");
}

void rethrow_as_stage_failure(std::uint32_t stage, std::uint64_t record) {
  try {
    throw;
  } catch (const CanceledStage&) {
    throw;
  } catch (const Canceled& canceled) {
    throw CanceledStage(canceled, stage, record);
  } catch (const StageFailure&) {
    throw;
  } catch (...) {
    throw StageFailure{stage, record, current_exception_message()};
  }
}

}  // namespace detail
}  // namespace freshet
