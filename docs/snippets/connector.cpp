// The connector of docs/plugin-authors/connectors.md: lines of a file, from one and to one.
#include <freshet/error.h>
#include <freshet/plugin/connector.h>
#include <freshet/prepared_file.h>
#include <freshet/runtime_context.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

namespace {

class NotesReader {
 public:
  void start(const std::string& path) {
    path_ = path;
    file_ = std::make_unique<std::ifstream>(path);
    if (!*file_) throw freshet::Error("can't open '" + path + "': check that it may be read");
  }
  // Returns soon: cancels and snapshots come in between.
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

// What the payload becomes: payload_of(path).
struct NotesSource {
  using Record = std::string;
  using Split = std::string;

  std::string path;

  bool bounded() const { return true; }
  freshet::FixedSplits<Split> enumerator(std::uint32_t) const {
    return freshet::FixedSplits<Split>({path});
  }
  NotesReader reader(freshet::RuntimeContext&) const { return {}; }
};

struct NotesSink {
  std::string path;
  std::string part{};
  std::unique_ptr<std::ofstream> file{};
  bool prepared = false;

  void open(freshet::RuntimeContext& context) {
    path += "-" + std::to_string(context.subtask_index());
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
  // Always, also after a failure.
  void close() {
    file.reset();
    if (!prepared) std::remove(part.c_str());
  }
  void check() const {
    if (!*file) throw freshet::Error("can't write '" + path + "': check folder and space");
  }

  static NotesSink read_bound(freshet::PayloadReader& from) { return {from.value<std::string>()}; }
};

}  // namespace

FRESHET_SOURCE("notes.read", NotesSource);
FRESHET_SINK("notes.write", std::string, NotesSink);
FRESHET_CONNECTOR_PLUGIN("notes", "1.0.0");
