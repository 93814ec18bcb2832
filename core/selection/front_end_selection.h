// Which front end reads a file: all are asked, exactly one must say yes.
#pragma once

#include <string>
#include <vector>

#include "freshet/api.h"
#include "freshet/error.h"
#include "freshet/plugin/front_end.h"
#include "plugin_catalog/plugin_catalog.h"

namespace freshet::core {

// No front end recognises the file: lists those that were found, and where they were looked for.
class FRESHET_API NoFrontEnd : public InvalidInput {
 public:
  using InvalidInput::InvalidInput;
  ~NoFrontEnd() override;
};

// More than one does: lists them and their files.
class FRESHET_API SeveralFrontEnds : public InvalidInput {
 public:
  using InvalidInput::InvalidInput;
  ~SeveralFrontEnds() override;
};

struct SelectedFrontEnd {
  const FrontEnd& front_end;
  const CatalogEntry& entry;
  std::vector<std::string> warnings;  // of those that were skipped
};

// Throws NoFrontEnd, SeveralFrontEnds, or InvalidInput if the file can't be read.
FRESHET_API SelectedFrontEnd select_front_end(PluginCatalog& catalog, const std::string& path);

// Whether `path` is a regular file that is not empty and no ELF file: something for a front end.
FRESHET_API bool may_be_a_pipeline(const std::string& path);

}  // namespace freshet::core
