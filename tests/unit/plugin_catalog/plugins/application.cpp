// Returns the number of its arguments, throws or refuses when asked to. Has two operators and a
// function that travels.
#include "freshet/application.h"

#include <cstring>
#include <stdexcept>
#include <string>

#include "freshet/error.h"
#include "freshet/job_client.h"
#include "marker.h"

namespace {

template <int Number>
struct NumberedOperator {
  static constexpr std::uint32_t kStages = 1;
  static constexpr auto coordinator_maker() {
    return static_cast<std::unique_ptr<freshet::Coordinator> (*)(freshet::PayloadReader&)>(nullptr);
  }
  static std::unique_ptr<freshet::Operator> make(freshet::PayloadReader*, std::size_t) {
    throw freshet::Error("is found and never made");
  }
};

int count_arguments(int argc, char** argv) {
  static_cast<void>(freshet::detail::Registered<NumberedOperator<1>>::descriptor());
  static_cast<void>(freshet::detail::Registered<NumberedOperator<2>>::descriptor());
  if (argc > 1 && std::strcmp(argv[1], "throw") == 0)
    throw std::runtime_error("thrown " + std::string(1000000, 'x'));
  if (argc > 1 && std::strcmp(argv[1], "refuse") == 0)
    throw freshet::InvalidInput("no such river: name another");
  if (argc > 1 && std::strcmp(argv[1], "cancel") == 0) throw freshet::JobCanceled("melt");
  if (argc > 1 && std::strcmp(argv[1], "fail") == 0)
    throw freshet::JobFailed("melt", freshet::FailureInfo{});
  if (argc > 1 && std::strcmp(argv[1], "odd") == 0) throw 7;
  return argc;
}

}  // namespace

FRESHET_APPLICATION(count_arguments);
