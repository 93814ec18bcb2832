// An operator library: operators of byte records, asked for by name, each with a payload that only
// it can read.
//
//   text.read   path         lines of a file
//   text.split  separators   keyed: a record per word, with the word as its key
//   text.count               keyed by what is counted; "key<tab>count" at the end, in key order
//   text.upper               the same records in capitals
//   text.write  path         a file of lines, there once the whole job has come to its end
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "freshet/error.h"
#include "freshet/payload.h"
#include "freshet/plugin/byte_operators.h"
#include "freshet/plugin/operator_services.h"
#include "freshet/plugin/plugin_registration.h"

namespace {

using freshet::ByteOperator;
using freshet::ByteOutput;
using freshet::ByteRows;
using freshet::ByteSource;
using freshet::Operator;
using freshet::OperatorContext;
using freshet::PayloadReader;
using freshet::Progress;

class Settings {
 public:
  Settings(const char* owner, PayloadReader& payload)
      : owner_(owner), values_(YAML::Load(std::string(payload.rest()))) {}
  std::string get(const char* key, const char* otherwise = nullptr) const {
    if (const YAML::Node value = values_[key]) return value.Scalar();
    if (otherwise) return otherwise;
    throw freshet::InvalidInput(std::string(owner_) + " has no '" + key + "': say 'with: {" + key +
                                ": ...}'");
  }

 private:
  const char* owner_;
  const YAML::Node values_;
};

// Errors name a relative path with the folder that it begins at.
std::string path_of(const char* owner, PayloadReader& payload) {
  return std::filesystem::absolute(Settings(owner, payload).get("path"));
}

class Read final : public ByteSource {
 public:
  static std::unique_ptr<Operator> make(PayloadReader* payload, std::size_t) {
    return std::make_unique<Read>(path_of("text.read", *payload));
  }
  explicit Read(std::string path) : path_(std::move(path)) {}
  void open(OperatorContext& context) override {
    ByteSource::open(context);
    file_.open(path_);
    if (!file_)
      throw freshet::InvalidInput("text.read can't open '" + path_ + "': " + std::strerror(errno) +
                                  ": let 'path' be a file that this user may read");
  }

 private:
  Progress read(std::uint32_t records) override {
    std::string line;
    for (; records > 0; --records) {
      if (!std::getline(file_, line)) {
        if (file_.bad()) {  // a folder and a failing disk end a stream, too
          throw freshet::InvalidInput("text.read can't read '" + path_ +
                                      "' to its end: let 'path' be a file, and see to its disk");
        }
        return {Progress::Kind::kEnd};
      }
      emit(line);
    }
    return {Progress::Kind::kMore};
  }

  const std::string path_;
  std::ifstream file_;
};

class Split final : public ByteOperator {
 public:
  static std::unique_ptr<Operator> make(PayloadReader* payload, std::size_t) {
    return std::make_unique<Split>(Settings("text.split", *payload).get("separators", " \t.,;:!?"));
  }
  explicit Split(std::string separators)
      : ByteOperator(ByteOutput::Keys::kKeyed), separators_(std::move(separators)) {}

 private:
  void row(const ByteRows& rows, std::uint32_t i) override {
    const std::string_view line = rows.record(i);
    for (std::size_t at = 0; (at = line.find_first_not_of(separators_, at)) != line.npos;) {
      const std::size_t end = std::min(line.find_first_of(separators_, at), line.size());
      emit_keyed(line.substr(at, end - at), {}, rows.timestamp(i));
      at = end;
    }
  }

  const std::string separators_;
};

class Count final : public ByteOperator {
 public:
  static std::unique_ptr<Operator> make(PayloadReader*, std::size_t) {
    return std::make_unique<Count>();
  }
  void open(OperatorContext& context) override {
    ByteOperator::open(context);
    counts_ = &context.services().keyed_state("counts");
  }

 private:
  void row(const ByteRows& rows, std::uint32_t i) override {
    if (!rows.keyed()) {
      throw freshet::InvalidInput(
          "text.count reads records without a key: put a keyed step before it");
    }
    std::string& count = counts_->at(rows.key(i));
    count = std::to_string(count.empty() ? 1 : std::stoull(count) + 1);
  }
  void ended(std::uint32_t) override {
    std::map<std::string, std::string> sorted;
    counts_->for_each(
        [&](std::string_view key, std::string& count) { sorted.emplace(key, count); });
    for (const auto& [key, count] : sorted) emit(key + "\t" + count);
  }

  freshet::KeyedState* counts_ = nullptr;
};

class Upper final : public ByteOperator {
 public:
  static std::unique_ptr<Operator> make(PayloadReader*, std::size_t) {
    return std::make_unique<Upper>();
  }

 private:
  void row(const ByteRows& rows, std::uint32_t i) override {
    std::string text(rows.record(i));
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    emit(text, rows.timestamp(i));
  }
};

class Write final : public ByteOperator {
 public:
  static std::unique_ptr<Operator> make(PayloadReader* payload, std::size_t) {
    return std::make_unique<Write>(path_of("text.write", *payload));
  }
  explicit Write(std::string path) : path_(std::move(path)) {}
  void open(OperatorContext& context) override {
    ByteOperator::open(context);
    file_.open(path_ + ".part");
    if (!file_) {
      throw freshet::InvalidInput("text.write can't write '" + path_ +
                                  ".part': " + std::strerror(errno) +
                                  ": let 'path' be in a folder that this user may write to");
    }
  }
  void commit() override {
    file_.close();
    if (!file_ || std::rename((path_ + ".part").c_str(), path_.c_str()) != 0) {
      throw freshet::Error("text.write could not write '" + path_ +
                           "' to its end: see to the space in its folder");
    }
  }
  bool commits() const override { return true; }

 private:
  void row(const ByteRows& rows, std::uint32_t i) override { file_ << rows.record(i) << '\n'; }

  const std::string path_;
  std::ofstream file_;
};

}  // namespace

FRESHET_OPERATOR("text.read", Read);
FRESHET_OPERATOR("text.split", Split);
FRESHET_OPERATOR("text.count", Count);
FRESHET_OPERATOR("text.upper", Upper);
FRESHET_OPERATOR("text.write", Write);
FRESHET_OPERATOR_LIBRARY("text-operators", "0.1.0");
