#include "shared_objects/shared_object.h"

#include <atomic>
#include <boost/dll/shared_library.hpp>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <mutex>
#include <utility>

#include "shared_objects/build_tag.h"
#include "shared_objects/load_tree.h"

namespace freshet::core {
namespace {

std::string in_quotes(std::string_view text) { return "'" + printable(text, 1024) + "'"; }

// How the entry differs from the note, with both values; empty if it does not.
std::string difference(const freshet_plugin_v1& entry, const PluginFile& file) {
  const PluginIdentity& noted = file.identity;
  const auto differs = [](const char* what, const std::string& theirs, const std::string& ours) {
    return std::string("its entry says ") + what + " " + theirs + ", its note " + ours;
  };
  if (entry.abi_version != noted.abi_version)
    return differs("ABI version", std::to_string(entry.abi_version),
                   std::to_string(noted.abi_version));
  if (entry.kind != noted.kind)
    return differs("kind", in_quotes(kind_name(entry.kind)), in_quotes(kind_name(noted.kind)));
  const bool unnamed =
      noted.kind == FRESHET_KIND_APPLICATION && entry.name != nullptr && entry.name[0] == '\0';
  struct Text {
    const char* what;
    const char* theirs;
    const std::string& ours;
  };
  const Text texts[] = {{"name", entry.name, noted.name},
                        {"version", entry.version, noted.version},
                        {"SDK version", entry.sdk_version, noted.sdk_version},
                        {"build tag", entry.build_tag, noted.build_tag}};
  for (const Text& text : texts) {
    if (text.theirs == nullptr) return differs(text.what, "nothing", in_quotes(text.ours));
    if (text.theirs != text.ours && !(unnamed && text.theirs == entry.name))
      return differs(text.what, in_quotes(text.theirs), in_quotes(text.ours));
  }
  return {};
}

// Boost.DLL wraps the loader's own words: "... (dlerror system message: <words>): ...".
std::string words_of_the_loader(const std::string& error) {
  const std::string before = "dlerror system message: ";
  const std::size_t begin = error.find(before), end = error.rfind("): ");
  if (begin == std::string::npos || end == std::string::npos || end < begin) return error;
  return error.substr(begin + before.size(), end - begin - before.size());
}

boost::dll::shared_library opened(const std::string& path) {
  return boost::dll::shared_library(
      boost::filesystem::path(path),
      boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
}

// What this thread is loading. The loader lets no exception of a constructor through: it ends the
// process, which then says of which file.
thread_local const std::filesystem::path* loading = nullptr;
std::atomic<std::terminate_handler> earlier_handler{nullptr};

[[noreturn]] void name_what_is_loaded() {
  if (loading != nullptr) {
    const std::string file = printable(loading->native(), 4096);
    std::fprintf(stderr,
                 "%s: a constructor in it threw while it was loaded, which ends this "
                 "process: remove the file, or do that work in its create()\n",
                 file.c_str());
    std::fflush(stderr);
  }
  if (const std::terminate_handler earlier = earlier_handler) earlier();
  std::abort();
}

class NamedIfItTerminates {
 public:
  explicit NamedIfItTerminates(const std::filesystem::path& file)
      : before_(std::exchange(loading, &file)) {
    static auto* const mutex = new std::mutex();
    const std::lock_guard lock(*mutex);
    if (std::get_terminate() != &name_what_is_loaded)
      earlier_handler = std::set_terminate(&name_what_is_loaded);
  }
  ~NamedIfItTerminates() { loading = before_; }
  NamedIfItTerminates(const NamedIfItTerminates&) = delete;
  NamedIfItTerminates& operator=(const NamedIfItTerminates&) = delete;

 private:
  const std::filesystem::path* const before_;
};

// Keeps every library that was ever loaded.
boost::dll::shared_library& loaded(const PluginFile& file, const PinnedFile& pinned,
                                   std::chrono::nanoseconds patience) {
  static auto* const libraries = new std::deque<boost::dll::shared_library>();
  static auto* const mutex = new std::mutex();
  const NamedWhenLate named(patience,
                            printable(file.path.native(), 4096) +
                                ": a constructor in it has not returned since it was loaded, and "
                                "is waited for: end this process, and remove or mend the file");
  const NamedIfItTerminates named_if_it_terminates(file.path);
  const LoadTree tree(file, pinned);
  try {
    boost::dll::shared_library library = opened(tree.path());
    tree.show_own_names();
    const std::lock_guard lock(*mutex);
    return libraries->emplace_back(std::move(library));
  } catch (const boost::system::system_error& error) {
    throw RefusedFile(file.path,
                      "the loader refuses it: " +
                          printable(tree.in_own_names(words_of_the_loader(error.what())), 1000) +
                          ": install what is missing, or link it in");
  }
}

const freshet_plugin_v1& entry_of(boost::dll::shared_library& library) {
  return library.get<const freshet_plugin_v1>(FRESHET_PLUGIN_ENTRY);
}

}  // namespace

bool is_being_loaded(std::string_view module_name) { return LoadTree::is_name_in_one(module_name); }

PluginFile read_compatible_file(const std::filesystem::path& path) {
  PluginFile file = read_plugin_file(path);
  const std::string refusal =
      BuildTag(file.identity.build_tag).refusal(BuildTag::of_core(), host_has_instructions);
  if (!refusal.empty()) throw RefusedFile(path, refusal);
  return file;
}

const freshet_plugin_v1& load_shared_object(const PluginFile& file,
                                            std::chrono::nanoseconds patience) {
  // What is judged at the last moment before its code runs is what is loaded.
  const PluginFile now = read_compatible_file(file.path);
  const PinnedFile pinned(file.path);
  if (now.file != file.file || now.identity != file.identity ||
      FileIdentity::of(pinned.path()) != file.file)
    throw RefusedFile(file.path, "was replaced since it was listed: start again");

  const freshet_plugin_v1& entry = entry_of(loaded(now, pinned, patience));
  const std::string differs = difference(entry, file);
  if (!differs.empty())
    throw RefusedFile(file.path, differs +
                                     ": start again if it was replaced meanwhile, else build it "
                                     "again with the SDK's macros");
  return entry;
}

}  // namespace freshet::core
