// Numbers; what holds each back in keyed state until a timer fires; a file of them.
#include <fstream>

#include "freshet/payload.h"
#include "freshet/plugin/byte_operators.h"
#include "freshet/plugin/keyed_state.h"
#include "freshet/plugin/operator_services.h"
#include "freshet/plugin/plugin_registration.h"
#include "freshet/runtime_context.h"

namespace {

class Numbers final : public freshet::ByteSource {
 public:
  static std::unique_ptr<freshet::Operator> make(freshet::PayloadReader* payload, std::size_t) {
    return std::make_unique<Numbers>(payload->value<std::uint64_t>());
  }
  explicit Numbers(std::uint64_t count) : count_(count) {}

 private:
  freshet::Progress read(std::uint32_t records) override {
    for (; records > 0 && at_ < count_; --records, ++at_)
      emit(std::to_string(at_), static_cast<std::int64_t>(at_));
    return {at_ < count_ ? freshet::Progress::Kind::kMore : freshet::Progress::Kind::kEnd};
  }

  const std::uint64_t count_;
  std::uint64_t at_ = 0;
};

class Late final : public freshet::ByteOperator {
 public:
  static std::unique_ptr<freshet::Operator> make(freshet::PayloadReader*, std::size_t) {
    return std::make_unique<Late>();
  }
  void open(freshet::OperatorContext& context) override {
    ByteOperator::open(context);
    services_ = &context.services();
  }
  void timer(const freshet::Timer& timer) override {
    emit(*services_->keyed_state("held").find(timer.key), timer.timestamp);
    services_->keyed_state("held").erase(timer.key);
    if (services_->delete_timer("late", "", timer.key)) throw freshet::Error("fires and is set");
    flush();
  }
  void ended(std::uint32_t) override {
    if (services_->keyed_state("held").size() != 0) throw freshet::Error("some are held back");
  }

 private:
  void row(const freshet::ByteRows& rows, std::uint32_t i) override {
    const std::string key(rows.record(i));
    services_->keyed_state("held").at(key) = key;
    services_->set_timer(freshet::TimeDomain::kEvent, rows.timestamp(i), "late", "", key);
  }

  freshet::OperatorServices* services_ = nullptr;
};

class File final : public freshet::ByteOperator {
 public:
  static std::unique_ptr<freshet::Operator> make(freshet::PayloadReader* payload, std::size_t) {
    return std::make_unique<File>(payload->value<std::string>());
  }
  explicit File(std::string path) : path_(std::move(path)) {}
  std::optional<std::string> prepare_commit(std::uint32_t) override {
    std::ofstream(path_ + ".part") << sum_ << '\n';
    return path_;
  }
  std::string commit_prepared(std::uint32_t, std::string_view path) override {
    std::rename((std::string(path) + ".part").c_str(), std::string(path).c_str());
    return std::string(path);
  }

 private:
  void row(const freshet::ByteRows& rows, std::uint32_t i) override {
    sum_ += std::stoul(std::string(rows.record(i)));
  }

  const std::string path_;
  std::uint64_t sum_ = 0;
};

}  // namespace

FRESHET_OPERATOR("kept.numbers", Numbers);
FRESHET_OPERATOR("kept.late", Late);
FRESHET_OPERATOR("kept.file", File);
FRESHET_OPERATOR_LIBRARY("kept-operators", "1.0.0");
