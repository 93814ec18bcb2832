#include <algorithm>
#include <cstring>
#include <exception>
#include <string_view>

#include "freshet/error.h"
#include "freshet/job_client.h"
#include "freshet/plugin/plugin_registration.h"

namespace freshet::detail {

static_assert(sizeof(freshet_plugin_v1) == 88 && sizeof(freshet_note_v1) == 408 &&
                  sizeof(freshet_elf_note) == 428,
              "the layout of plugin.h changed: raise FRESHET_ABI_VERSION");

namespace {

void write_text(std::string_view text, char* error, std::size_t error_size) noexcept {
  if (error == nullptr || error_size == 0) return;
  const std::size_t length = std::min(text.size(), error_size - 1);
  std::memcpy(error, text.data(), length);
  error[length] = '\0';
}

}  // namespace

std::uint32_t write_current_exception(char* error, std::size_t error_size) noexcept {
  try {
    throw;
  } catch (const std::exception& thrown) {
    write_text(thrown.what(), error, error_size);
    if (dynamic_cast<const InvalidInput*>(&thrown) != nullptr) return FRESHET_MAIN_REFUSED;
    if (dynamic_cast<const JobFailed*>(&thrown) != nullptr) return FRESHET_MAIN_JOB_FAILED;
    if (dynamic_cast<const JobCanceled*>(&thrown) != nullptr ||
        dynamic_cast<const Canceled*>(&thrown) != nullptr)
      return FRESHET_MAIN_CANCELED;
  } catch (...) {
    write_text("an exception that is no std::exception", error, error_size);
  }
  return FRESHET_MAIN_THREW;
}

}  // namespace freshet::detail
