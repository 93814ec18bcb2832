// The application of fr_info_test: its jobs are made by hand, of operators that are never made, and
// its first argument says what main does.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "freshet/application.h"
#include "freshet/configuration.h"
#include "freshet/detail/backend.h"
#include "freshet/job_client.h"
#include "freshet/plugin/operator.h"
#include "freshet/plugin/stream_graph.h"

namespace {

using freshet::JobClient;

template <int kNumber>
struct NeverMade {
  static constexpr std::uint32_t kStages = kNumber;
  static std::unique_ptr<freshet::Operator> make(freshet::PayloadReader*, std::size_t) {
    throw std::logic_error("an operator was made");
  }
  static std::unique_ptr<freshet::Coordinator> (*coordinator_maker())(freshet::PayloadReader&) {
    return nullptr;
  }
};

// A connector of this application's own, whose records two jobs take for others.
struct Person {
  std::string name, city;
};
struct Swapped {
  std::string city, name;
};
struct Renamed {
  std::string customer, town;
};
struct People : NeverMade<1> {
  static freshet::RecordTypeGetter writes() { return &freshet::record_type<Person>; }
};

std::unique_ptr<JobClient> submit_people(const freshet::RecordType& taken_for) {
  freshet::StreamGraph graph;
  graph.job_name = "people";
  freshet::StreamVertex people;
  people.kind = people.name = people.registered_name = "info.people";
  people.source = true;
  people.outputs = {&taken_for};
  graph.add(std::move(people));
  freshet::StreamVertex print;
  print.kind = print.name = "print";
  print.descriptor = freshet::detail::Registered<NeverMade<1>>::descriptor();
  print.module = &freshet::module_anchor;
  print.inputs.emplace_back();
  graph.add(std::move(print));
  freshet::detail::ExecutionBackend& backend = freshet::detail::execution_backend();
  return backend.execute(graph, backend.configuration()).get();
}

std::unique_ptr<JobClient> submit(const std::string& name, std::uint32_t parallelism = 0) {
  freshet::StreamGraph graph;
  graph.job_name = name;
  freshet::StreamVertex numbers;
  numbers.kind = "source";
  numbers.name = "numbers";
  numbers.source = true;
  numbers.parallelism = parallelism;
  numbers.descriptor = freshet::detail::Registered<NeverMade<1>>::descriptor();
  numbers.module = &freshet::module_anchor;
  numbers.outputs = {&freshet::record_type<std::int64_t>()};
  graph.add(std::move(numbers));
  freshet::StreamVertex print;
  print.kind = "sink";
  print.name = "print";
  print.descriptor = freshet::detail::Registered<NeverMade<1>>::descriptor();
  print.module = &freshet::module_anchor;
  print.inputs.emplace_back();
  print.fused.push_back({freshet::detail::Registered<NeverMade<2>>::descriptor(),
                         &freshet::module_anchor, /*head=*/0});
  graph.add(std::move(print));
  freshet::detail::ExecutionBackend& backend = freshet::detail::execution_backend();
  return backend.execute(graph, backend.configuration()).get();
}

int info_application(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "one";
  std::puts("main was here");
  if (what == "none") return 0;
  if (what == "code") return 3;
  if (what == "exit") std::exit(4);
  if (what == "crash") std::abort();
  if (what == "throw") throw std::runtime_error("no coffee");
  if (what == "refused") submit("too wide", 1000);
  if (what == "swapped") submit_people(freshet::record_type<Swapped>());
  if (what == "renamed") {
    submit_people(freshet::record_type<Renamed>());
    return 0;
  }
  if (what == "arguments") {
    for (int i = 2; i < argc; ++i) submit(argv[i]);
    return 0;
  }
  const auto first = submit("first");
  if (what == "listener") {
    // Asked for, not waited for.
    static_cast<void>(first->result().then([](const freshet::JobResult&) {}));
    submit("second");
    return 0;
  }
  if (what == "two") {
    const auto second = submit("second");
    second->status().get();
    submit("third");
  }
  if (what == "thread") {
    std::thread([&] { first->result().wait(); }).join();
    submit("second");
  }
  first->result().get();
  submit("never");
  return 5;
}

}  // namespace

FRESHET_OPERATOR("info.people", People);
FRESHET_APPLICATION(info_application);
