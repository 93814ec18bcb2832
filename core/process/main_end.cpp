#include "process/main_end.h"

#include <utility>

#include "bounds/failure_text.h"
#include "exit_code/exit_code.h"
#include "modules/application.h"

namespace freshet::core {
namespace {

std::string without_end_of_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

// What is left of it in a process's exit code.
int exit_byte(int code) { return code & 0xff; }

}  // namespace

MainEnd main_end_of(const ProcessEnd& end) {
  MainEnd main;
  if (end.clean()) {
    main.returned_zero = true;
    return main;
  }
  const std::string account = without_end_of_line(end.account);
  // main may exit with one of these codes itself, but then there is no account.
  if (!account.empty() &&
      (end.exit_code == exit_code::kRefusedInput || end.exit_code == exit_code::kFailed ||
       end.exit_code == exit_code::kMainThrew || end.exit_code == exit_code::kCanceled)) {
    main.canceled = end.exit_code == exit_code::kCanceled;
    main.reason = "main " + account;
    return main;
  }
  main.reason = !end.exit_code && !end.signal ? "main could not be started"
                : end.signal                  ? "main was " + end.text()
                                              : "main " + end.text();
  // What runs behind main, such as the end of its module, has ended the process.
  if (!account.empty()) main.reason += ", after main " + as_text_of_failure(account);
  const std::string printed = without_end_of_line(end.last_lines);
  if (!printed.empty()) main.reason += "; it printed last:\n" + as_text_of_failure(printed);
  if (end.crash) main.reason = FailureText{std::move(main.reason), end.crash->threads}.join();
  return main;
}

int exit_code_of(const MainResult& main) {
  switch (main.outcome) {
    case FRESHET_MAIN_RETURNED:
      return main.exit_code != 0 && exit_byte(main.exit_code) == 0 ? exit_code::kFailed
                                                                   : exit_byte(main.exit_code);
    case FRESHET_MAIN_REFUSED:
      return exit_code::kRefusedInput;
    case FRESHET_MAIN_JOB_FAILED:
      return exit_code::kFailed;
    case FRESHET_MAIN_CANCELED:
      return exit_code::kCanceled;
    default:
      return exit_code::kMainThrew;
  }
}

std::string words_of(const MainResult& main) {
  switch (main.outcome) {
    case FRESHET_MAIN_RETURNED:
      if (main.exit_code == exit_byte(main.exit_code)) return "";
      return "returned " + std::to_string(main.exit_code) +
             ": the exit code of a process is 0 to 255, return one of these";
    case FRESHET_MAIN_REFUSED:
      return "was refused: " + as_text_of_failure(main.error);
    case FRESHET_MAIN_JOB_FAILED:
      return "left with the failure of its job: " + main.error;
    case FRESHET_MAIN_CANCELED:
      return "was canceled";
    default:
      return "threw: " + as_text_of_failure(main.error);
  }
}

}  // namespace freshet::core
