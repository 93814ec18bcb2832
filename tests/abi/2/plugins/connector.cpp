// Words of a file, one a line.
#include "freshet/plugin/connector.h"

#include <fstream>

#include "freshet/prepared_file.h"
#include "freshet/runtime_context.h"

namespace {

class Reader {
 public:
  void start(const std::string& path) { file_ = std::make_unique<std::ifstream>(path); }
  template <class Out>
  freshet::ReadStatus read(Out& out, std::uint32_t records) {
    std::string word;
    for (; records > 0; --records) {
      if (!std::getline(*file_, word)) return freshet::ReadStatus::split_done();
      out(word);
    }
    return freshet::ReadStatus::more();
  }

 private:
  std::unique_ptr<std::ifstream> file_;
};

struct Source {
  using Record = std::string;
  using Split = std::string;
  std::string path;
  bool bounded() const { return true; }
  freshet::FixedSplits<Split> enumerator(std::uint32_t) const {
    return freshet::FixedSplits<Split>({path});
  }
  Reader reader(freshet::RuntimeContext&) const { return {}; }
};

struct Sink {
  std::string path;
  std::unique_ptr<std::ofstream> file{};

  void open(freshet::RuntimeContext& context) {
    path += "-" + std::to_string(context.subtask_index());
    file = std::make_unique<std::ofstream>(path + ".part");
  }
  void write(const std::string& word) { *file << word << '\n'; }
  void end_of_input() { file->flush(); }
  freshet::PreparedFile prepare_commit() { return freshet::PreparedFile::of(path + ".part", path); }
  std::string commit(const freshet::PreparedFile& prepared) { return prepared.commit(); }
  void abort(const freshet::PreparedFile& prepared) { prepared.remove(); }
  static Sink read_bound(freshet::PayloadReader& from) { return {from.value<std::string>()}; }
};

}  // namespace

FRESHET_SOURCE("kept.read", Source);
FRESHET_SINK("kept.write", std::string, Sink);
FRESHET_CONNECTOR_PLUGIN("kept-connector", "1.0.0");
