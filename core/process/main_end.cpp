#include "process/main_end.h"

#include "modules/application.h"

namespace freshet {
namespace {

constexpr const char* kMark = "[freshet] main ";

std::string without_end_of_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

std::string last_line_of_main(const std::string& reason) {
  return kMark + without_end_of_line(reason) + "\n";
}

MainEnd main_end_of(const ProcessEnd& end) {
  MainEnd main;
  if (end.clean()) {
    main.returned_zero = true;
    return main;
  }
  std::string said = without_end_of_line(end.last_lines);
  std::string before;
  const std::size_t at = said.rfind(kMark);
  if (at != std::string::npos && (at == 0 || said[at - 1] == '\n')) {
    const std::string word = said.substr(at + std::string(kMark).size());
    // main may exit with one of these codes itself, but then the line is not there.
    if (end.exit_code == kMainRefused || end.exit_code == kMainJobFailed ||
        end.exit_code == kMainThrew || end.exit_code == kMainCanceled) {
      main.canceled = end.exit_code == kMainCanceled;
      main.reason = "main " + word;
      return main;
    }
    // What runs behind main, such as the end of its module, has ended the process.
    before = ", after main " + word;
    said = without_end_of_line(said.substr(0, at));
  }
  main.reason = !end.exit_code && !end.signal ? "main could not be started"
                : end.signal                  ? "main was " + end.text()
                                              : "main " + end.text();
  main.reason += before;
  if (!said.empty()) main.reason += "; it printed last:\n" + said;
  if (end.crash) main.reason += end.crash->threads;
  return main;
}

int exit_code_of(const MainResult& main) {
  switch (main.outcome) {
    case FRESHET_MAIN_RETURNED:
      return main.exit_code;
    case FRESHET_MAIN_REFUSED:
      return kMainRefused;
    case FRESHET_MAIN_JOB_FAILED:
      return kMainJobFailed;
    case FRESHET_MAIN_CANCELED:
      return kMainCanceled;
    default:
      return kMainThrew;
  }
}

std::string words_of(const MainResult& main) {
  switch (main.outcome) {
    case FRESHET_MAIN_RETURNED:
      return "";
    case FRESHET_MAIN_REFUSED:
      return "was refused: " + main.error;
    case FRESHET_MAIN_JOB_FAILED:
      return "left with the failure of its job: " + main.error;
    case FRESHET_MAIN_CANCELED:
      return "was canceled";
    default:
      return "threw: " + main.error;
  }
}

}  // namespace freshet
