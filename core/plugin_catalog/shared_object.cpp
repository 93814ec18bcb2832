#include "plugin_catalog/shared_object.h"

#include <boost/dll/shared_library.hpp>
#include <cstring>
#include <deque>
#include <mutex>
#include <utility>

#include "plugin_catalog/build_tag.h"

namespace freshet {
namespace {

bool says_the_same(const freshet_plugin_v1& entry, const PluginFile& file) {
  const PluginIdentity& noted = file.identity;
  const bool unnamed =
      entry.name != nullptr && entry.name[0] == '\0' && noted.kind == FRESHET_KIND_APPLICATION;
  return std::memcmp(entry.magic, FRESHET_PLUGIN_MAGIC, sizeof entry.magic) == 0 &&
         entry.abi_version == FRESHET_ABI_VERSION && entry.kind == noted.kind &&
         entry.name != nullptr && (unnamed || noted.name == entry.name) &&
         entry.version != nullptr && noted.version == entry.version && entry.build_tag != nullptr &&
         noted.build_tag == entry.build_tag;
}

// Boost.DLL wraps the loader's own words: "... (dlerror system message: <words>): ...".
std::string words_of_the_loader(const std::string& error) {
  const std::string before = "dlerror system message: ";
  const std::size_t begin = error.find(before), end = error.rfind("): ");
  if (begin == std::string::npos || end == std::string::npos || end < begin) return error;
  return error.substr(begin + before.size(), end - begin - before.size());
}

// Keeps every library that was ever loaded.
boost::dll::shared_library& loaded(const PluginFile& file) {
  static auto* const libraries = new std::deque<boost::dll::shared_library>();
  static auto* const mutex = new std::mutex();
  try {
    boost::dll::shared_library library(
        boost::filesystem::path(file.path.native()),
        boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
    const std::lock_guard lock(*mutex);
    return libraries->emplace_back(std::move(library));
  } catch (const boost::system::system_error& error) {
    throw RefusedFile(file.path, std::string("the loader refuses it: ") +
                                     printable(words_of_the_loader(error.what()), 1000) +
                                     ": install what is missing, or link it in");
  }
}

const freshet_plugin_v1& entry_of(boost::dll::shared_library& library) {
  return library.get<const freshet_plugin_v1>(FRESHET_PLUGIN_ENTRY);
}

}  // namespace

PluginFile read_compatible_file(const std::filesystem::path& path) {
  PluginFile file = read_plugin_file(path);
  const std::string refusal =
      BuildTag(file.identity.build_tag).refusal(BuildTag::of_core(), host_has_instructions);
  if (!refusal.empty()) throw RefusedFile(path, refusal);
  return file;
}

const freshet_plugin_v1& load_shared_object(const PluginFile& file) {
  // The reader compares the file with what was read at the last moment before its code runs.
  const PluginFile now = read_compatible_file(file.path);
  if (!(now.file == file.file))
    throw RefusedFile(file.path, "was replaced since it was listed: start again");

  const freshet_plugin_v1& entry = entry_of(loaded(file));
  if (!says_the_same(entry, file))
    throw RefusedFile(file.path,
                      "was replaced while it was being loaded, its entry and its note differ: "
                      "start again");
  return entry;
}

}  // namespace freshet
