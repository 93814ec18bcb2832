#include "freshet/plugin/operator_services.h"

#include <exception>

namespace freshet {

namespace detail {

std::exception_ptr operator_ended() {
  return std::make_exception_ptr(
      OperatorEnded("the operator has ended, and what was posted to it does not run: keep a bundle "
                    "open for as long as something is to come"));
}

}  // namespace detail

OperatorEnded::~OperatorEnded() = default;
KeyedState::~KeyedState() = default;
OperatorServices::~OperatorServices() = default;
OperatorMailbox::Target::~Target() = default;

Future<void> OperatorMailbox::post(OperatorCall call) const {
  return target_ ? target_->post(std::move(call))
                 : make_failed_future<void>(detail::operator_ended());
}

void OperatorMailbox::fail(std::string text) const {
  if (target_) target_->fail(std::move(text));
}

}  // namespace freshet
