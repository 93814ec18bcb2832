// The plugin: what fr-run asks whether a file is one of ours.
#include "freshet/plugin/front_end.h"

#include "freshet/plugin/plugin_registration.h"
#include "yaml_pipeline.h"
#include "yaml_translator.h"

namespace yaml_front_end {

class YamlFrontEnd final : public freshet::FrontEnd {
 public:
  const char* name() const override { return "yaml"; }

  // Many files are YAML; ours say so in their first line that is no comment.
  bool recognises(std::string_view path, std::string_view first_bytes) const override {
    if (!path.ends_with(".yaml") && !path.ends_with(".yml")) return false;
    while (first_bytes.starts_with("#") || first_bytes.starts_with("\n") ||
           first_bytes.starts_with("---")) {
      const std::size_t end = first_bytes.find('\n');
      if (end == std::string_view::npos) return false;
      first_bytes.remove_prefix(end + 1);
    }
    return first_bytes.starts_with(YamlPipeline::kMark);
  }

  std::unique_ptr<freshet::Pipeline> read(
      const std::string& path, const std::vector<std::string>& arguments) const override {
    return std::make_unique<YamlPipeline>(YamlPipeline::read(path, arguments));
  }

  std::unique_ptr<freshet::PipelineTranslator> make_translator() const override {
    return std::make_unique<YamlTranslator>();
  }
};

}  // namespace yaml_front_end

FRESHET_FRONT_END_PLUGIN("yaml", "0.1.0", yaml_front_end::YamlFrontEnd);
