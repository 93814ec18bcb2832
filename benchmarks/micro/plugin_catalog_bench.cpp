// Listing a folder of 200 plugins: when none of them was read before, and when all were.
//
//   plugin_catalog_bench FILE     copies this plugin 200 times, each under a name of its own
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "plugin_catalog/plugin_catalog.h"

namespace freshet {
using namespace core;
namespace {

namespace fs = std::filesystem;

constexpr int kPlugins = 200;

class PluginFolder {
 public:
  explicit PluginFolder(const fs::path& plugin) {
    std::string pattern = (fs::temp_directory_path() / "freshet-bench-XXXXXX").native();
    folder_ = ::mkdtemp(pattern.data());
    std::ifstream in(plugin, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(in), {}};
    const std::size_t note =
        bytes.find(std::string(FRESHET_NOTE_OWNER "\0" FRESHET_PLUGIN_MAGIC "\0", 16)) + 8;
    for (int i = 0; i < kPlugins; ++i) {
      std::snprintf(bytes.data() + note + offsetof(freshet_note_v1, name), FRESHET_NAME_SIZE,
                    "plugin-%d", i);
      std::ofstream(folder_ / ("plugin" + std::to_string(i) + ".so"), std::ios::binary) << bytes;
    }
    for (const auto& file : fs::directory_iterator(folder_))  // so that they can be remembered
      fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(1));
  }
  ~PluginFolder() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  PluginFolder(const PluginFolder&) = delete;
  PluginFolder& operator=(const PluginFolder&) = delete;

  // How many of them are usable.
  std::size_t list(JudgedFiles& files) const {
    SearchPath::Sources sources;
    sources.option_folders = {folder_.native()};
    return PluginCatalog(SearchPath(sources), kPluginPatience, files)
        .usable(FRESHET_KIND_EXECUTOR)
        .size();
  }

 private:
  fs::path folder_;
};

void list(benchmark::State& state, const PluginFolder& folder, bool known) {
  JudgedFiles remembered;
  folder.list(remembered);
  for (auto _ : state) {
    JudgedFiles fresh;
    if (folder.list(known ? remembered : fresh) != kPlugins) state.SkipWithError("not all usable");
  }
}

}  // namespace
}  // namespace freshet

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s PLUGIN\n", argv[0]);
    return 2;
  }
  const freshet::PluginFolder folder(argv[1]);
  for (const bool known : {false, true})
    benchmark::RegisterBenchmark(
        known ? "list 200 plugins again" : "list 200 plugins",
        [&folder, known](benchmark::State& state) { freshet::list(state, folder, known); })
        ->Unit(benchmark::kMillisecond);
  benchmark::RunSpecifiedBenchmarks();
}
