// What the main of an application does before its first result.
#include "freshet/error.h"
#include "planning.h"
#include "plugin/check.h"

namespace freshet::tool {
using namespace core;
namespace {

void plans(CaseContext& context) {
  const CheckRequest& request = context.request;
  context.doing("running its main up to the first result");
  Plans plans;
  try {
    plans = plan_in_child({request.file,
                           request.configuration.file,
                           request.configuration.settings(),
                           {},
                           request.arguments});
  } catch (const Error& error) {
    throw CaseFailed(error.what());
  }
  using End = Plans::End;
  if (plans.end == End::kThrew) throw CaseFailed("an exception left its main: " + plans.text);
  if (plans.end == End::kRefused) {
    const std::string why = "its main refuses: " + plans.text;
    if (request.arguments.empty()) throw CaseSkipped(why + ": give it arguments behind --");
    throw CaseFailed(why);
  }
  if (plans.end == End::kDied) throw CaseFailed("its main ended the process: " + plans.text);
  if (plans.end == End::kReturned && plans.text != "0") {
    throw CaseSkipped("its main returned " + plans.text +
                      " without a job: give it arguments behind --");
  }
  context.note(std::to_string(plans.jobs.size()) + " jobs planned");
}

}  // namespace

std::vector<Case> application_cases() {
  return {{"plans", "has a main whose jobs can be planned", "loads", plans}};
}

}  // namespace freshet::tool
