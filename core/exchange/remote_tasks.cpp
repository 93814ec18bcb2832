#include "exchange/remote_tasks.h"

#include <algorithm>
#include <utility>

#include "freshet/error.h"
#include "task/fiber.h"

namespace freshet::core {

namespace {

std::string_view view_of(NetworkMessage& message) { return {message.data(), message.size()}; }

}  // namespace

RemoteTasks::RemoteTasks(RemoteHost& host, const JobGraph& graph, const ExecutionGraph& execution,
                         const WorkerPart& part, std::size_t channels, FrameCredits credits)
    : host_(host),
      graph_(graph),
      execution_(execution),
      part_(part),
      plane_(*part.plane),
      credits_(credits),
      pool_(std::make_shared<FramePool>(256)),
      outputs_(channels),
      inputs_(channels),
      collects_(plane_, [this](const std::string& vertex) {
        FailureInfo failure;
        failure.operator_name = vertex;
        failure.message = "the client that collected the rows of '" + vertex + "' has gone";
        host_.remote_failed(std::move(failure));
      }) {}

RemoteTasks::~RemoteTasks() = default;

// ---- channels ------------------------------------------------------------------------------

RemoteSender& RemoteTasks::sender_of(std::uint32_t place) {
  auto& sender = senders_[place];
  if (!sender) sender = std::make_unique<RemoteSender>(plane_, pool_);
  return *sender;
}

RemoteReceiver& RemoteTasks::receiver_of(std::uint32_t place) {
  auto& receiver = receivers_[place];
  if (!receiver) receiver = std::make_unique<RemoteReceiver>(plane_);
  return *receiver;
}

void RemoteTasks::connect_output(std::uint32_t place, Channel& channel, std::uint32_t number,
                                 std::uint32_t worker) {
  RemoteSender::Output& output = sender_of(place).add(number, worker);
  RemoteSender::connect(output, channel);
  outputs_[number] = &output;
}

void RemoteTasks::connect_input(std::uint32_t place, Channel& channel, std::uint32_t input,
                                std::uint32_t number, std::uint32_t worker) {
  inputs_[number] = &receiver_of(place).add(channel, input, number, worker, credits_);
}

void RemoteTasks::join() { plane_.join({graph_.id, part_.number, part_.workers}, *this); }

void RemoteTasks::leave() {
  plane_.leave([this] { collects_.send_the_rest(); });
  collects_.stop();
}

void RemoteTasks::spawn(
    const std::function<void(std::uint32_t place, std::string name, FiberFunction)>& spawn,
    const std::atomic<bool>& opened) {
  for (auto& [place, sender] : senders_) {
    spawn(place, "sender of task " + std::to_string(place),
          [this, place = place, sender = sender.get()] { run_sender(place, *sender); });
  }
  for (auto& [place, receiver] : receivers_) {
    spawn(place, "receiver of task " + std::to_string(place),
          [this, place = place, receiver = receiver.get(), &opened] {
            run_receiver(place, *receiver, opened);
          });
  }
}

void RemoteTasks::gate_opened() {
  plane_.everybody_has_joined();
  for (auto& [place, receiver] : receivers_) receiver->waiter().wake();
}

FailureInfo RemoteTasks::failure_of(std::uint32_t place, std::string message) const {
  const auto& id = execution_.subtasks()[place];
  FailureInfo failure;
  failure.operator_name =
      graph_.vertices[graph_.tasks[id.task].links.front().vertices.front()].name;
  failure.subtask = id.subtask;
  failure.message = std::move(message);
  return failure;
}

std::string RemoteTasks::name_of(std::uint32_t worker) const {
  return "worker " + std::to_string(worker) + " of the job (" + part_.workers[worker].endpoint +
         ")";
}

void RemoteTasks::run_sender(std::uint32_t place, RemoteSender& sender) noexcept {
  std::string wrong;
  try {
    sender.run();
    host_.sender_finished();
  } catch (const Canceled&) {
  } catch (...) {
    wrong = detail::current_exception_message();
  }
  sender.abandon();
  if (!wrong.empty()) host_.remote_failed(failure_of(place, std::move(wrong)));
}

void RemoteTasks::run_receiver(std::uint32_t place, RemoteReceiver& receiver,
                               const std::atomic<bool>& opened) noexcept {
  std::string wrong;
  std::optional<std::uint32_t> broken;
  try {
    receiver.waiter().wait([&] { return opened.load(std::memory_order_acquire); });
    receiver.run([&](std::uint32_t input) -> const RecordType& {
      return host_.type_of_input(place, input);
    });
  } catch (const Canceled&) {
  } catch (const BadFrame& error) {
    broken = error.worker;
    wrong = name_of(error.worker) + " sends what can't be read: " + error.what();
  } catch (...) {
    wrong = detail::current_exception_message();
  }
  if (wrong.empty()) return;
  host_.remote_failed(failure_of(place, wrong));
  if (broken) plane_.close_worker(*broken, wrong);
}

// ---- what comes from other workers ---------------------------------------------------------

void RemoteTasks::message_of_worker(std::uint32_t worker, DataKind kind,
                                    std::unique_ptr<NetworkMessage> message) {
  switch (kind) {
    case DataKind::elements:
      take_frame(worker, std::move(message));
      break;
    case DataKind::credits:
      take_credits(worker, view_of(*message));
      break;
    case DataKind::split_wanted:
      serve_split(worker, read_split_wanted(view_of(*message)));
      break;
    case DataKind::split:
      take_split(worker, read_split_answer(view_of(*message)));
      break;
    default:
      break;
  }
}

void RemoteTasks::take_frame(std::uint32_t worker, std::unique_ptr<NetworkMessage> frame) {
  const std::uint32_t channel = channel_of(view_of(*frame));
  RemoteReceiver::Input* input = channel < inputs_.size() ? inputs_[channel] : nullptr;
  if (!input || input->worker() != worker) {
    throw DecodeError("a frame for channel " + std::to_string(channel) +
                      ", which does not lead here from worker " + std::to_string(worker));
  }
  if (!input->put(std::move(frame))) {
    throw DecodeError("a frame for channel " + std::to_string(channel) +
                      ", for which it had no credit");
  }
}

void RemoteTasks::take_credits(std::uint32_t worker, std::string_view message) {
  for (const Credits& of : read_credits(message)) {
    RemoteSender::Output* output = of.channel < outputs_.size() ? outputs_[of.channel] : nullptr;
    if (!output || output->worker() != worker) {
      throw DecodeError("credits for channel " + std::to_string(of.channel) +
                        ", which does not lead from here to worker " + std::to_string(worker));
    }
    if (!output->grant(of.credits)) {
      throw DecodeError(std::to_string(of.credits) + " credits for channel " +
                        std::to_string(of.channel) + ", where the most is " +
                        std::to_string(RemoteSender::kMostCredits));
    }
  }
}

void RemoteTasks::worker_lost(std::uint32_t worker, const std::string& reason) {
  const std::string text = name_of(worker) + " is lost: " + reason;
  // First, so that no operator is blamed that waits for a split, or asks for one.
  if (!finished_.load(std::memory_order_acquire)) {
    FailureInfo failure;
    failure.message = text;
    host_.peer_lost(worker, std::move(failure));
  }
  std::vector<Asked> unanswered;
  {
    const std::lock_guard lock(mutex_);
    lost_.emplace(worker, text);
    for (auto each = asked_.begin(); each != asked_.end();) {
      if (each->second.worker == worker) {
        unanswered.push_back(std::move(each->second));
        each = asked_.erase(each);
      } else {
        ++each;
      }
    }
  }
  for (Asked& asked : unanswered) asked.promise.set_error(std::make_exception_ptr(Error(text)));
}

// ---- splits --------------------------------------------------------------------------------

std::optional<std::string> RemoteTasks::next_split(std::uint32_t worker, std::uint32_t vertex,
                                                   std::uint32_t subtask) {
  Promise<std::optional<std::string>> promise;
  const auto answer = promise.future();
  std::uint64_t request;
  {
    const std::lock_guard lock(mutex_);
    if (const auto lost = lost_.find(worker); lost != lost_.end()) throw Error(lost->second);
    request = next_request_++;
    asked_.emplace(request, Asked{worker, std::move(promise)});
  }
  plane_.send(worker, to_message(SplitWanted{request, vertex, subtask}));
  return answer.get();
}

void RemoteTasks::take_split(std::uint32_t worker, SplitAnswer answer) {
  std::optional<Asked> asked;
  {
    const std::lock_guard lock(mutex_);
    const auto found = asked_.find(answer.request);
    if (found == asked_.end() || found->second.worker != worker) {
      throw DecodeError("an answer to request " + std::to_string(answer.request) +
                        ", which worker " + std::to_string(worker) + " was not sent");
    }
    asked = std::move(found->second);
    asked_.erase(found);
  }
  if (answer.error.empty()) {
    asked->promise.set_value(std::move(answer.split));
  } else {
    asked->promise.set_error(std::make_exception_ptr(Error(answer.error)));
  }
}

void RemoteTasks::serve_split(std::uint32_t worker, const SplitWanted& wanted) {
  host_.expect_splits_of(wanted.vertex, wanted.subtask);
  const auto serve = [this, worker, wanted] {
    SplitAnswer answer;
    answer.request = wanted.request;
    try {
      answer.split = host_.local_split(wanted.vertex, wanted.subtask);
    } catch (...) {
      answer.error = detail::current_exception_message();
      if (answer.error.empty()) answer.error = "an exception without words";
    }
    plane_.send(worker, to_message(answer));
  };
  if (host_.start_fiber("splits for worker " + std::to_string(worker), serve)) return;
  SplitAnswer answer;
  answer.request = wanted.request;
  answer.error = "the worker that hands out the splits has ended its tasks";
  plane_.send(worker, to_message(answer));
}

// ---- clients -------------------------------------------------------------------------------

void RemoteTasks::reader_joined(ReaderId reader, const DataHello& hello) {
  ResultQueue* queue = host_.results_of(hello.vertex);
  if (!queue) {
    throw InvalidInput("job '" + graph_.name + "' has no collecting operator '" + hello.vertex +
                       "' in worker " + std::to_string(part_.number));
  }
  collects_.joined(reader, hello, *queue);
}
void RemoteTasks::message_of_reader(ReaderId reader, DataKind kind, std::string_view message) {
  collects_.message(reader, kind, message);
}
void RemoteTasks::reader_left(ReaderId reader) { collects_.left(reader); }

}  // namespace freshet::core
