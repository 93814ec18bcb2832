// Translation in a real process: this program is the module.
#include "translation/process_modules.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include "freshet/configuration.h"
#include "freshet/error.h"
#include "freshet/plugin/operator.h"
#include "freshet/plugin/stream_graph.h"
#include "modules/module_registry.h"
#include "sanitized.h"
#include "translation/translator_registry.h"

namespace freshet::core {
namespace {

// Never made: only its descriptor counts.
template <int kNumber>
struct TestOperator {
  static constexpr std::uint32_t kStages = 1;
  static std::unique_ptr<Operator> make(PayloadReader*, std::size_t) { return nullptr; }
  static std::unique_ptr<Coordinator> (*coordinator_maker())(PayloadReader&) { return nullptr; }
};

__attribute__((noinline)) int thrice(int v) { return 3 * v; }
int some_data = 7;

class ProcessModulesTest : public ::testing::Test {
 protected:
  ProcessModulesTest() {
    StreamVertex numbers;
    numbers.kind = numbers.name = "numbers";
    numbers.source = true;
    numbers.descriptor = detail::Registered<TestOperator<0>>::descriptor();
    numbers.module = &module_anchor;
    numbers.outputs = {&record_type<std::int64_t>()};
    graph_.add(std::move(numbers));
    StreamVertex print;
    print.kind = print.name = "print";
    print.descriptor = detail::Registered<TestOperator<1>>::descriptor();
    print.module = &module_anchor;
    print.inputs.emplace_back();
    graph_.add(std::move(print));
  }
  template <class F>
  void set_function(const F& function) {
    graph_.at(1).payload = {};
    PayloadWriter writer(graph_.at(1).payload);
    detail::write_function(writer, function);
  }
  JobGraph translate() { return registry_.translate(graph_, Configuration()); }
  std::string refusal() {
    try {
      translate();
    } catch (const InvalidInput& error) {
      return error.what();
    }
    return "not refused";
  }

  StreamGraph graph_;
  TranslatorRegistry registry_{ProcessModules::of_this_process()};
};

TEST_F(ProcessModulesTest, NameOperatorsByModuleAndOffset) {
  const JobGraph job = translate();
  ASSERT_EQ(job.modules.size(), 1u);
  EXPECT_EQ(job.modules[0].name, "unit-translation");
  EXPECT_EQ(job.modules[0].kind, ModuleKind::kExecutable);
  const LoadedModule* module =
      ModuleRegistry::instance().find(*Sha256::from_hex(job.modules[0].sha256));
  ASSERT_NE(module, nullptr);
  EXPECT_EQ(module->descriptor_at(job.vertices[0].op.offset), graph_.vertices()[0].descriptor);
  EXPECT_EQ(module->descriptor_at(job.vertices[1].op.offset), graph_.vertices()[1].descriptor);
}

TEST_F(ProcessModulesTest, ShowPeopleTheTypeAlone) {
  const JobGraph job = translate();
  EXPECT_EQ(job.vertices[1].op.type_name.find("pretty_name"), std::string::npos);
  EXPECT_NE(job.vertices[1].op.type_name.find("TestOperator<1>"), std::string::npos);
  EXPECT_NE(job.vertices[1].op.type_name.back(), ']');
}

TEST_F(ProcessModulesTest, NameFunctionsByModuleAndOffset) {
  set_function(&thrice);
  const JobGraph job = translate();
  ASSERT_EQ(job.vertices[1].payload.code.size(), 1u);
  const LoadedModule* module =
      ModuleRegistry::instance().find(*Sha256::from_hex(job.modules[0].sha256));
  EXPECT_EQ(module->code_at(job.vertices[1].payload.code[0].module_offset),
            reinterpret_cast<const void*>(&thrice));
}

TEST_F(ProcessModulesTest, RefuseAFunctionOfALibraryAndDataInsteadOfAFunction) {
  set_function(static_cast<int (*)(int)>(&std::abs));
  EXPECT_NE(refusal().find("operator 'print' holds a pointer to a function, at byte 0 of its "
                           "payload, that is in no module of the job ("),
            std::string::npos)
      << refusal();
  graph_.at(1).payload = {};
  PayloadWriter(graph_.at(1).payload).code(&some_data);
  EXPECT_NE(refusal().find("unit-translation"), std::string::npos) << refusal();
}

TEST_F(ProcessModulesTest, FindCapturesByReferenceOnTheStack) {
  if (freshet::testing::kAddressSanitized) GTEST_SKIP() << "locals are not on the stack";
  std::int64_t total = 0;
  set_function([&total](std::int64_t v) { return total += v; });
  EXPECT_EQ(refusal(),
            "operator 'print' captures a pointer at byte 0 of its function object, into the stack, "
            "which another process does not have: capture values, or bind them as arguments; if it "
            "is a number, say captures_no_pointers()");
}

TEST_F(ProcessModulesTest, FindPointersToTheHeapToDataAndInViews) {
  const auto owned = std::make_unique<int>(5);
  set_function([n = 1, p = owned.get()](int v) { return v + n + *p; });
  EXPECT_NE(refusal().find("at byte 8 of its function object, into "), std::string::npos);
  set_function([p = &some_data](int v) { return v + *p; });
  EXPECT_NE(refusal().find("unit-translation, which another process does not have"),
            std::string::npos)
      << refusal();
  set_function([s = std::string_view("needle")](int v) { return v + static_cast<int>(s.size()); });
  EXPECT_NE(refusal().find("captures a pointer"), std::string::npos);
}

TEST_F(ProcessModulesTest, TakeNumbers) {
  set_function([a = std::int64_t{-5}, b = 2.5, c = std::int64_t{1767225600000},
                d = std::uint64_t{1} << 63, e = 'x'](double v) {
    return v + b + static_cast<double>(a + c) + static_cast<double>(d) + e;
  });
  EXPECT_EQ(refusal(), "not refused");
}

TEST_F(ProcessModulesTest, KnowNoOperatorThatIsInNoModule) {
  const OperatorDescriptor on_the_stack{"stray", nullptr, 1, nullptr, nullptr, nullptr};
  graph_.at(1).descriptor = &on_the_stack;
  graph_.at(1).module = nullptr;
  EXPECT_EQ(refusal(),
            "operator type 'stray' is in no module that Freshet has loaded: load its file as a "
            "plugin");
}

}  // namespace
}  // namespace freshet::core
