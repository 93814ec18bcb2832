// The files that `fr new` writes, by "<kind>/<path in the project>".
#pragma once

#include <string_view>
#include <vector>

namespace freshet::tool {

struct TemplateFile {
  std::string_view path;
  bool executable;
  std::string_view content;
};

const std::vector<TemplateFile>& template_files();

}  // namespace freshet::tool
