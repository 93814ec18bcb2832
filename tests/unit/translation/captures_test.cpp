// How operators, functions and captures get into the job: modules, code, the scan for pointers.
#include "freshet/plugin/operator.h"
#include "test_pipelines.h"
#include "translation/capture_scan.h"

namespace freshet::core {
namespace {

class Captures : public testing::TranslationTest {
 protected:
  template <class F>
  void set_function(const F& function) {
    at(print_).payload = {};
    PayloadWriter writer(at(print_).payload);
    detail::write_function(writer, function);
  }
  const std::uint32_t numbers_ = source("numbers");
  const std::uint32_t twice_ = map("double", {numbers_});
  const std::uint32_t print_ = sink("print", {twice_});
};

TEST_F(Captures, ComeWithEachModuleListedOnce) {
  at(twice_).descriptor = modules_.make_descriptor("of a plugin", 1, /*of_plugin=*/true);
  const JobGraph job = translate();
  ASSERT_EQ(job.modules.size(), 2u);
  EXPECT_EQ(job.modules[0].name, "job.so");
  EXPECT_EQ(job.modules[1].name, "plugin.so");
  EXPECT_EQ(job.modules[1].kind, ModuleKind::kInstalled);
  EXPECT_EQ(job.vertices[0].op.module, 0u);
  EXPECT_EQ(job.vertices[1].op.module, 1u);
  EXPECT_EQ(job.vertices[2].op.module, 0u);
  EXPECT_EQ(modules_.type_at(job.vertices[2].op.offset), "print");
}

TEST_F(Captures, MayBeThoseOfAnOperatorRegisteredByName) {
  at(numbers_).descriptor = nullptr;
  at(numbers_).registered_name = "acme.read";
  EXPECT_EQ(refusal(),
            "operator 'numbers' is registered as 'acme.read', which no loaded module has: load the "
            "plugin that has it");
  modules_.make_descriptor("Read", 1, /*of_plugin=*/true, "acme.read");
  const JobGraph job = translate();
  EXPECT_EQ(job.vertices[0].op.registered_name, "acme.read");
  EXPECT_EQ(job.modules[job.vertices[0].op.module].name, "plugin.so");
}

TEST_F(Captures, SayWhetherThereIsACoordinator) {
  OperatorDescriptor* with_coordinator = modules_.make_descriptor("files");
  with_coordinator->make_coordinator = [](PayloadReader&) {
    return std::unique_ptr<Coordinator>();
  };
  at(numbers_).descriptor = with_coordinator;
  const JobGraph job = translate();
  EXPECT_TRUE(job.vertices[0].coordinated);
  EXPECT_FALSE(job.vertices[1].coordinated);
}

TEST_F(Captures, HoldFunctionsAsModuleAndOffset) {
  PayloadWriter writer(at(print_).payload);
  writer.value(std::int32_t{5});
  writer.code(&modules_.plugin_function);
  writer.code(&modules_.job_function);
  const JobGraph job = translate();
  const JobPayload& payload = job.vertices[2].payload;
  EXPECT_EQ(payload.bytes, std::string("\5\0\0\0", 4) + std::string(16, '\0'));
  ASSERT_EQ(payload.code.size(), 2u);
  EXPECT_EQ(payload.code[0].offset, 4u);
  EXPECT_EQ(job.modules[payload.code[0].module].name, "plugin.so");
  EXPECT_EQ(payload.code[0].module_offset, 32u);
  EXPECT_EQ(payload.code[1].offset, 12u);
  EXPECT_EQ(job.modules[payload.code[1].module].name, "job.so");
}

TEST_F(Captures, ThatAreAFunctionOfNoModuleAreRefused) {
  PayloadWriter(at(print_).payload).code(&modules_.foreign_function);
  EXPECT_EQ(refusal(),
            "operator 'print' holds a pointer to a function, at byte 0 of its payload, that is in "
            "no module of the job (nothing is there): call the function from a lambda instead");
  at(print_).payload = {};
  PayloadWriter(at(print_).payload).code(nullptr);
  EXPECT_NE(refusal().find("(it is null)"), std::string::npos);
}

TEST_F(Captures, WithAPointerAreRefusedUnlessSaidToBeNumbers) {
  std::uint64_t number = 3;  // not const: that would need no capture
  const auto* pointer = reinterpret_cast<const int*>(0x5010);
  set_function([number, pointer](int v) { return v + static_cast<int>(number) + *pointer; });
  EXPECT_EQ(refusal(),
            "operator 'print' captures a pointer at byte 8 of its function object, into [heap], "
            "which another process does not have: capture values, or bind them as arguments; if it "
            "is a number, say captures_no_pointers()");
  at(print_).captures_no_pointers = true;
  EXPECT_EQ(translate().vertices[2].payload.bytes.size(), 17u);
}

TEST_F(Captures, ThatPointNowhereAreTaken) {
  set_function(
      [a = std::uint64_t{0x9000}, b = -1.5](double v) { return v + static_cast<double>(a) + b; });
  EXPECT_EQ(translate().vertices.size(), 3u);
}

TEST_F(Captures, MayHaveAnythingInTheirPadding) {
  const std::uint64_t first[2] = {1, 0x7ff0};
  std::uint64_t second[2] = {1, 0x7ff0};
  PayloadWriter(at(print_).payload).closure(first, second, sizeof first);
  EXPECT_NE(refusal().find("at byte 8 of its function object, into [stack]"), std::string::npos);
  reinterpret_cast<char*>(second)[15] = 1;  // indeterminate: no pointer stands there
  at(print_).payload = {};
  PayloadWriter(at(print_).payload).closure(first, second, sizeof first);
  EXPECT_EQ(translate().vertices.size(), 3u);
}

TEST_F(Captures, ThatLeaveTheirPayloadAreRefused) {
  at(print_).payload.bytes = "12345678";
  at(print_).payload.closures = {{4, 8, "12345678"}};
  EXPECT_EQ(refusal(),
            "a payload of 8 bytes names a closure of 8 bytes at byte 4, with a copy of 8");
}

}  // namespace
}  // namespace freshet::core
