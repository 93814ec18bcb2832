// The operators of 'template-name': its front end asks for them by name.
#include <freshet/error.h>
#include <freshet/payload.h>
#include <freshet/plugin/byte_operators.h>
#include <freshet/plugin/plugin_registration.h>
#include <freshet/runtime_context.h>

#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

namespace {

// From the payload, which may come from anywhere: throws if it is something else. Made absolute, so
// that errors say where a relative one begins.
std::string path_of(freshet::PayloadReader& payload) {
  auto path = payload.value<std::string>();
  payload.expect_end();
  return std::filesystem::absolute(path);
}

// The lines of a file.
class Read final : public freshet::ByteSource {
 public:
  static std::unique_ptr<freshet::Operator> make(freshet::PayloadReader* payload, std::size_t) {
    return std::make_unique<Read>(path_of(*payload));
  }
  explicit Read(std::string path) : path_(std::move(path)) {}

  void open(freshet::OperatorContext& context) override {
    ByteSource::open(context);
    file_.open(path_);
    if (!file_) throw freshet::Error("can't open '" + path_ + "': check that it may be read");
  }

 private:
  freshet::Progress read(std::uint32_t records) override {
    std::string line;
    for (; records > 0; --records) {
      if (!std::getline(file_, line)) {
        if (file_.bad()) {  // a folder and a failing disk end a stream, too
          throw freshet::Error("can't read '" + path_ +
                               "' to its end: give a file, and see to its disk");
        }
        return {freshet::Progress::Kind::kEnd};
      }
      emit(line);
    }
    return {freshet::Progress::Kind::kMore};
  }

  const std::string path_;
  std::ifstream file_;
};

class Upper final : public freshet::ByteOperator {
 public:
  static std::unique_ptr<freshet::Operator> make(freshet::PayloadReader*, std::size_t) {
    return std::make_unique<Upper>();
  }

 private:
  void row(const freshet::ByteRows& rows, std::uint32_t i) override {
    std::string text(rows.record(i));
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    emit(text, rows.timestamp(i));
  }
};

// A file of lines, there once the whole job has come to its end.
class Write final : public freshet::ByteOperator {
 public:
  static std::unique_ptr<freshet::Operator> make(freshet::PayloadReader* payload, std::size_t) {
    return std::make_unique<Write>(path_of(*payload));
  }
  explicit Write(std::string path) : path_(std::move(path)) {}

  void open(freshet::OperatorContext& context) override {
    ByteOperator::open(context);
    part_ = path_ + ".part-" + std::to_string(context.stage(0).subtask_index());
    file_.open(part_);
    if (!file_) throw freshet::Error("can't write '" + part_ + "': check folder and space");
  }
  void commit() override {
    file_.close();
    if (!file_ || std::rename(part_.c_str(), path_.c_str()) != 0) {
      throw freshet::Error("can't write '" + path_ + "' to its end: check folder and space");
    }
  }
  bool commits() const override { return true; }
  // Always, also after a failure or a cancel.
  void close() override {
    file_.close();
    std::remove(part_.c_str());
  }

 private:
  void row(const freshet::ByteRows& rows, std::uint32_t i) override {
    file_ << rows.record(i) << '\n';
  }

  const std::string path_;
  std::string part_;
  std::ofstream file_;
};

}  // namespace

FRESHET_OPERATOR("template-name.read", Read);
FRESHET_OPERATOR("template-name.upper", Upper);
FRESHET_OPERATOR("template-name.write", Write);
FRESHET_OPERATOR_LIBRARY("template-name-operators", "0.1.0");
