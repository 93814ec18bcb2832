// A file that is not loaded, and why. None of its code has run, unless the text says otherwise.
#pragma once

#include <filesystem>
#include <string>

#include "freshet/error.h"

namespace freshet::core {

// what() is "<file>: <what is wrong, with both values>: <mend>".
class FRESHET_API RefusedFile final : public InvalidInput {
 public:
  RefusedFile(const std::filesystem::path& file, const std::string& reason);
  ~RefusedFile() override;

  const std::filesystem::path& file() const { return file_; }
  const std::string& reason() const { return reason_; }  // without the file

 private:
  std::filesystem::path file_;
  std::string reason_;
};

// Text of a foreign file fit for a terminal: bytes outside printable ASCII become '?', and what is
// longer than `limit` is cut.
FRESHET_API std::string printable(std::string_view text, std::size_t limit = 80);

}  // namespace freshet::core
