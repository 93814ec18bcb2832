// The side of `fr info` that starts the child and listens to it.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "child.h"
#include "freshet/error.h"
#include "plan_channel.h"
#include "planning.h"

namespace freshet::tool {
using namespace core;
namespace {

void send_request(const PlanRequest& request, int socket) {
  PlanSender sender(socket);
  sender.send(kApplication, request.application);
  sender.send(kConfigurationFile, request.configuration_file);
  for (const FlagSetting& flag : request.flags) {
    sender.send(kFlagKey, flag.key);
    sender.send(kFlagText, flag.text);
    sender.send(kFlagName, flag.flag);
  }
  for (const std::string& file : request.shipped) sender.send(kShipped, file);
  for (const std::string& argument : request.arguments) sender.send(kArgument, argument);
  sender.send(kRequestEnd, "");
}

// Reads until a frame tells how main ended, or the child has ended and its last bytes are read:
// what main forked may hold the socket open for longer.
void listen(Child& child, Plans& plans) {
  const int socket = child.channel();
  PlanFrames frames;
  bool open = true;
  for (bool ended = false; !ended;) {
    pollfd watched[] = {{open ? socket : -1, POLLIN, 0}, {child.ended(), POLLIN, 0}};
    if (::poll(watched, 2, -1) < 0) {
      if (errno == EINTR) continue;
      throw InvalidInput(std::string("can't listen to the process of the application's main: ") +
                         std::strerror(errno));
    }
    ended = watched[1].revents != 0;
    char bytes[65536];
    while (open) {
      const ssize_t n = ::read(socket, bytes, sizeof bytes);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) break;
      if (n <= 0) {
        open = false;
        break;
      }
      frames.append(bytes, static_cast<std::size_t>(n));
      while (auto frame = frames.next()) {
        if (frame->kind == kPlan) {
          plans.jobs.push_back(JobGraph::from_bytes(frame->content));
          continue;
        }
        plans.end = static_cast<Plans::End>(frame->kind);
        plans.text = frame->content;
        return;
      }
    }
  }
  plans.end = Plans::End::kDied;
  plans.text = end_text(child.reap(0));
}

}  // namespace

Plans plan_in_child(const PlanRequest& request) {
  Child child({{"info"}, "--plan-to", {}}, {STDERR_FILENO, STDERR_FILENO}, /*own_group=*/false);
  send_request(request, child.channel());
  if (::fcntl(child.channel(), F_SETFL, O_NONBLOCK) != 0) {
    throw InvalidInput(std::string("can't set up a socket: ") + std::strerror(errno));
  }

  Plans plans;
  listen(child, plans);
  return plans;
}

}  // namespace freshet::tool
