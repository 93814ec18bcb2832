// The connector 'template-name': a source and a sink of lines, for jobs that name them.
//
//   env.from_registered<std::string>("template-name.read", freshet::payload_of(path))
//   stream.sink_to_registered("template-name.write", freshet::payload_of(path))
#include <freshet/error.h>
#include <freshet/plugin/connector.h>
#include <freshet/prepared_file.h>
#include <freshet/runtime_context.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace {

// In a task: reads one split after the other.
class TemplateNameReader {
 public:
  void start(const std::string& path) {
    path_ = std::filesystem::absolute(path);  // errors say where a relative one begins
    file_ = std::make_unique<std::ifstream>(path_);
    if (!*file_) throw freshet::Error("can't open '" + path + "': check that it may be read");
  }
  // About `records` records and no more: cancels and snapshots come in between.
  template <class Out>
  freshet::ReadStatus read(Out& out, std::uint32_t records) {
    std::string line;
    for (std::uint32_t i = 0; i < records; ++i) {
      if (!std::getline(*file_, line)) {
        check_end();
        return freshet::ReadStatus::split_done();
      }
      out(line);
    }
    return freshet::ReadStatus::more();
  }

 private:
  // A folder and a failing disk end a stream, too.
  void check_end() const {
    if (file_->bad()) {
      throw freshet::Error("can't read '" + path_ + "' to its end: give a file on a good disk");
    }
  }

  std::string path_;
  std::unique_ptr<std::ifstream> file_;
};

// Its fields are the payload, in their order.
struct TemplateNameSource {
  using Record = std::string;
  using Split = std::string;

  std::string path;

  bool bounded() const { return true; }
  // Once per job: what there is to read. Here the whole file is one split.
  freshet::FixedSplits<Split> enumerator(std::uint32_t) const {
    return freshet::FixedSplits<Split>({path});
  }
  TemplateNameReader reader(freshet::RuntimeContext&) const { return {}; }
};

// One file per subtask, PATH-0, PATH-1, ..., there when the whole job has come to its end.
struct TemplateNameSink {
  std::string path;
  std::string part{};
  std::unique_ptr<std::ofstream> file{};
  bool prepared = false;

  void open(freshet::RuntimeContext& context) {
    path = std::filesystem::absolute(path).string() + "-" + std::to_string(context.subtask_index());
    part = path + ".part-" + context.job_id();  // no other job's
    file = std::make_unique<std::ofstream>(part);
    check();
  }
  void write(const std::string& line) { *file << line << '\n'; }
  void end_of_input() {
    file->flush();
    check();
  }
  // What commit() needs to know; the file stays from here on.
  freshet::PreparedFile prepare_commit() {
    prepared = true;
    return freshet::PreparedFile::of(part, path);
  }
  // Every subtask of the job has prepared. Perhaps in another process, perhaps again.
  std::string commit(const freshet::PreparedFile& complete) { return complete.commit(); }
  void abort(const freshet::PreparedFile& complete) { complete.remove(); }
  // Always, also after a failure or a cancel.
  void close() {
    file.reset();
    if (!prepared) std::remove(part.c_str());
  }
  void check() const {
    if (!*file) throw freshet::Error("can't write '" + part + "': check folder and space");
  }

  // What is open does not travel: the payload is the path alone.
  static TemplateNameSink read_bound(freshet::PayloadReader& from) {
    return {from.value<std::string>()};
  }
};

}  // namespace

FRESHET_SOURCE("template-name.read", TemplateNameSource);
FRESHET_SINK("template-name.write", std::string, TemplateNameSink);
FRESHET_CONNECTOR_PLUGIN("template-name", "0.1.0");
