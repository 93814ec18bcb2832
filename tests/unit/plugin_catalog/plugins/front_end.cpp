// A front end that claims files whose first line is FRONT_END_NAME or "both"; "throws NAME" makes
// it throw.
#include "freshet/plugin/front_end.h"

#include <stdexcept>

#include "freshet/error.h"
#include "freshet/plugin/plugin_registration.h"
#include "marker.h"

namespace {

class TestFrontEnd final : public freshet::FrontEnd {
 public:
  const char* name() const override { return FRONT_END_NAME; }
  bool recognises(std::string_view path, std::string_view first_bytes) const override {
    if (first_bytes == "throws " FRONT_END_NAME) throw std::runtime_error("out of ink");
    if (first_bytes == "throws a number") throw 4;
    if (path.ends_with("." FRONT_END_NAME)) return true;
    return first_bytes.starts_with(FRONT_END_NAME "\n") || first_bytes.starts_with("both\n") ||
           (first_bytes.size() == 4096 && first_bytes.ends_with(FRONT_END_NAME));
  }
  std::unique_ptr<freshet::Pipeline> read(const std::string&,
                                          const std::vector<std::string>&) const override {
    throw freshet::InvalidInput("nothing is read here");
  }
  std::unique_ptr<freshet::PipelineTranslator> make_translator() const override { return nullptr; }
};

}  // namespace

FRESHET_FRONT_END_PLUGIN(FRONT_END_NAME, "1.0.0", TestFrontEnd);
