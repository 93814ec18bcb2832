// A front end that claims every *.yaml, and has no translator.
#include "freshet/error.h"
#include "freshet/plugin/front_end.h"
#include "freshet/plugin/plugin_registration.h"

namespace {

class Greedy final : public freshet::FrontEnd {
 public:
  const char* name() const override { return "greedy"; }
  bool recognises(std::string_view path, std::string_view) const override {
    return path.ends_with(".yaml");
  }
  std::unique_ptr<freshet::Pipeline> read(const std::string& path,
                                          const std::vector<std::string>&) const override {
    throw freshet::InvalidInput("'" + path + "' was only claimed");
  }
  std::unique_ptr<freshet::PipelineTranslator> make_translator() const override { return nullptr; }
};

}  // namespace

FRESHET_FRONT_END_PLUGIN("greedy", "0.1.0", Greedy);
