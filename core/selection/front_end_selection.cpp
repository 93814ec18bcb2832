#include "selection/front_end_selection.h"

#include <filesystem>
#include <fstream>

namespace freshet::core {
namespace {

constexpr std::size_t kFirstBytes = 4096;
constexpr const char* kMend = ": remove the plugin or mend it";

std::string first_bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(kFirstBytes, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (file.bad() || !file.is_open()) {
    throw InvalidInput("'" + path + "' can't be read: give a file that this user may read");
  }
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  return bytes;
}

struct Claim {
  const FrontEnd* front_end;
  const CatalogEntry* entry;
};

}  // namespace

NoFrontEnd::~NoFrontEnd() = default;
SeveralFrontEnds::~SeveralFrontEnds() = default;

bool may_be_a_pipeline(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  std::ifstream file(path, std::ios::binary);
  char start[4] = {};
  file.read(start, sizeof start);
  return file.gcount() > 0 && std::string(start, sizeof start) != "\177ELF";
}

SelectedFrontEnd select_front_end(PluginCatalog& catalog, const std::string& path) {
  const std::string first_bytes = first_bytes_of(path);
  std::vector<Claim> claims;
  std::vector<std::string> warnings;
  for (const CatalogEntry* entry : catalog.usable(FRESHET_KIND_FRONT_END)) {
    const std::string who = "front-end plugin '" + entry->file.identity.name + "' (" +
                            printable(entry->file.path.native(), 4096) + ") is skipped: ";
    try {
      LoadedPlugin& plugin = catalog.load(*entry);
      const FrontEnd& front_end = plugin.factory<FrontEnd>();
      if (plugin.ask<FrontEnd, bool>("recognises()", [path, first_bytes](const FrontEnd& asked) {
            return asked.recognises(path, first_bytes);
          })) {
        claims.push_back({&front_end, entry});
      }
    } catch (const RefusedFile& refused) {
      warnings.push_back(who + refused.reason());
    } catch (const std::exception& error) {
      warnings.push_back(who + "its recognises() threw: " + error.what() + kMend);
    } catch (...) {
      warnings.push_back(who + "its recognises() threw what is no std::exception" + kMend);
    }
  }
  if (claims.empty()) {
    std::string text =
        "'" + path +
        "' is no application (not an ELF file), and no front end recognises it: give "
        "an application, or install the front end for such files\n  as an application: it " +
        judged_file(path).reason;
    for (const std::string& warning : warnings) text += "\n  " + warning;
    throw NoFrontEnd(text + catalog.account_of(FRESHET_KIND_FRONT_END));
  }
  if (claims.size() > 1) {
    std::string text = std::to_string(claims.size()) + " front ends recognise '" + path +
                       "', exactly one may: remove all but one";
    for (const Claim& claim : claims) {
      text += "\n  '" + claim.entry->file.identity.name + "' in " +
              printable(claim.entry->file.path.native(), 4096);
    }
    throw SeveralFrontEnds(text);
  }
  return {*claims[0].front_end, *claims[0].entry, std::move(warnings)};
}

}  // namespace freshet::core
