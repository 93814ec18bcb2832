// Gives what a URL says after its scheme.
#include "freshet/plugin/file_system.h"

#include "freshet/error.h"
#include "freshet/plugin/plugin_registration.h"

namespace {

class KeptFileSystem final : public freshet::FileSystem {
 public:
  const char* name() const override { return "kept-file-system"; }
  std::vector<std::string> schemes() const override { return {"kept"}; }
  void fetch(const std::string& url, const freshet::FetchRules& rules,
             freshet::FetchSink& sink) const override {
    if (rules.max_redirects != 3 || rules.timeout.ms() != 4000 || !rules.hash_is_known)
      throw freshet::InvalidInput(freshet::shown_url(url) + ": other rules than were given");
    for (const char c : url.substr(std::string("kept://").size())) {
      if (!sink.is_wanted()) throw freshet::Canceled("nobody wants it");
      sink.append({&c, 1});
    }
  }
};

}  // namespace

FRESHET_FILE_SYSTEM_PLUGIN("kept-file-system", "1.0.0", KeptFileSystem);
