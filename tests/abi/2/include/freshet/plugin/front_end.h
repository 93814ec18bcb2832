// A front end: another way to write a job than the DataStream API. A plugin of kind "front end"; a
// file that it recognises is run by `fr-run FILE --target=...` as an application would be.
//
//   class MyFrontEnd final : public freshet::FrontEnd { ... };
//   FRESHET_FRONT_END_PLUGIN("mine", "0.1.0", MyFrontEnd);
//
// Its pipelines are objects of its own class, which only its translator looks into. The translator
// makes a JobGraph of operators that an operator library has registered by name (FRESHET_OPERATOR),
// with payloads that only they can read. What a graph may leave to Freshet: see
// PipelineTranslator::translate().
//
// Threads    Any, several at once: the object is stateless.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "freshet/api.h"
#include "freshet/plugin/pipeline.h"

namespace freshet {

class FRESHET_API FrontEnd {
 public:
  virtual ~FrontEnd();
  // The plugin's name.
  virtual const char* name() const = 0;
  // Whether the file is one of its own, by its name and its first bytes (up to 4 KiB, fewer if the
  // file is shorter); opens nothing. Exactly one front end must say yes: claim what is certainly
  // yours. One that throws is skipped with a warning.
  virtual bool recognises(std::string_view path, std::string_view first_bytes) const = 0;
  // The pipeline in that file; `arguments` are what stands behind it on the command line. Throws
  // InvalidInput, with file, line and column, if it can't be.
  virtual std::unique_ptr<Pipeline> read(const std::string& path,
                                         const std::vector<std::string>& arguments) const = 0;
  // The one for its pipelines; made once in a process.
  virtual std::unique_ptr<PipelineTranslator> make_translator() const = 0;
};

}  // namespace freshet
