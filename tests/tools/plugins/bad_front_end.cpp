// A front end that reads its files right, but for one thing that is wrong with it: the one that
// FRESHET_TEST_BAD names. A file is "bad 1", a path to read from, one to write to, and "end"; its
// operators are those of samples/yaml_front_end.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "freshet/error.h"
#include "freshet/plugin/byte_records.h"
#include "freshet/plugin/front_end.h"
#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/plugin_registration.h"

namespace {

bool bad(std::string_view what) {
  const char* chosen = std::getenv("FRESHET_TEST_BAD");
  return chosen != nullptr && what == chosen;
}

constexpr std::string_view kKind = "test.bad";

struct CopyPipeline final : freshet::Pipeline {
  std::string_view kind() const override {
    return bad("gives pipelines of another kind") ? "test.worse" : kKind;
  }
  std::string from, to;
};

class CopyTranslator final : public freshet::PipelineTranslator {
 public:
  std::string_view kind() const override { return kKind; }
  freshet::JobGraph translate(const freshet::Pipeline& pipeline,
                              const freshet::Configuration&) const override {
    const auto& copy = static_cast<const CopyPipeline&>(pipeline);
    if (bad("translates what it should not") && copy.to != "/dev/null") {
      throw std::out_of_range("no such step");
    }
    freshet::JobGraph job;
    job.name = "copy";
    job.batch = true;
    freshet::JobVertex read;
    read.kind = read.name = "read";
    read.op.registered_name = bad("asks for an unknown operator") ? "text.raed" : "text.read";
    read.payload.bytes = "path: \"" + copy.from + "\"";
    read.source = true;
    const freshet::ByteSchema schema = freshet::byte_record_schema();
    read.outputs.push_back({schema.text, schema.fingerprint, false});
    freshet::JobVertex write;
    write.kind = write.name = "write";
    write.op.registered_name = "text.write";
    write.payload.bytes = "path: \"" + copy.to + "\"";
    job.vertices = {read, write};
    freshet::JobEdge edge;
    edge.from = 0;
    edge.to = 1;
    edge.partitioning = freshet::Partitioning::kForward;
    job.edges.push_back(edge);
    return job;
  }
};

class CopyFrontEnd final : public freshet::FrontEnd {
 public:
  const char* name() const override { return "bad"; }
  bool recognises(std::string_view, std::string_view first_bytes) const override {
    return !bad("does not know its own files") && first_bytes.starts_with("bad 1\n");
  }

  std::unique_ptr<freshet::Pipeline> read(const std::string& path,
                                          const std::vector<std::string>&) const override {
    std::ifstream file(path);
    std::array<std::string, 4> lines;
    for (std::string& line : lines) std::getline(file, line);
    if (bad("leaks a descriptor")) static_cast<void>(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (bad("leaks memory")) static_cast<void>(*new volatile std::array<char, 4096>());
    auto pipeline = std::make_unique<CopyPipeline>();
    pipeline->from = lines[1];
    pipeline->to = lines[2];
    if ((lines[0] != "bad 1" || lines[3] != "end") && !bad("takes any file")) {
      const bool is_cut = lines[0] == "bad 1";
      if (bad("crashes at a cut file") && is_cut) std::abort();
      while (bad("hangs at a cut file") && is_cut) ::pause();
      if (bad("gives nothing for a damaged file")) return nullptr;
      if (bad("throws what is no error of Freshet")) throw std::out_of_range("no line 4");
      if (bad("throws what is no exception")) throw 4;
      throw freshet::InvalidInput(bad("hides which file it is") ? "there is no end"
                                                                : path + ":4:1: is not 'end'");
    }
    return pipeline;
  }

  std::unique_ptr<freshet::PipelineTranslator> make_translator() const override {
    return std::make_unique<CopyTranslator>();
  }
};

}  // namespace

FRESHET_FRONT_END_PLUGIN("bad", "0.1.0", CopyFrontEnd);
