#include "modules/application.h"

#include "../plugin_catalog/test_modules.h"
#include "modules/module_registry.h"

namespace freshet::core {
namespace {

using test_modules::contains;
using test_modules::error_of;
using test_modules::ScratchFolder;

// Loaded once: modules stay.
const LoadedApplication& application() {
  static const ScratchFolder state;
  static const LoadedApplication loaded =
      load_application(ModuleStore(state.path()), test_modules::path("count_arguments"), {});
  return loaded;
}

TEST(Application, RunsFromItsCopyAndReturnsItsExitCode) {
  const MainResult result = run_main(application(), "app.so", {"one", "two"});
  EXPECT_EQ(result.outcome, FRESHET_MAIN_RETURNED);
  EXPECT_EQ(result.exit_code, 3);
  const LoadedModule& module = application().module;
  EXPECT_EQ(module.path(), application().stored.files[0].path);
  EXPECT_EQ(module.kind(), ModuleKind::kShipped);
  EXPECT_EQ(module.sha256(), Sha256::of_file(test_modules::path("count_arguments")));
  EXPECT_EQ(module.identity().name, "count_arguments");
}

TEST(Application, AnExceptionBecomesText) {
  const MainResult thrown = run_main(application(), "app.so", {"throw"});
  EXPECT_EQ(thrown.outcome, FRESHET_MAIN_THREW);
  EXPECT_EQ(thrown.error.substr(0, 10), "thrown xxx");
  const MainResult refused = run_main(application(), "app.so", {"refuse"});
  EXPECT_EQ(refused.outcome, FRESHET_MAIN_REFUSED);
  EXPECT_EQ(refused.error, "no such river: name another");
  EXPECT_EQ(run_main(application(), "app.so", {"fail"}).outcome, FRESHET_MAIN_JOB_FAILED);
  const MainResult canceled = run_main(application(), "app.so", {"cancel"});
  EXPECT_EQ(canceled.outcome, FRESHET_MAIN_CANCELED);
  EXPECT_TRUE(contains(canceled.error, "melt")) << canceled.error;
  const MainResult odd = run_main(application(), "app.so", {"odd"});
  EXPECT_EQ(odd.error, "an exception that is no std::exception");
}

TEST(Application, RefusalsNameTheFileThatWasGiven) {
  ScratchFolder state, files;
  const ModuleStore store(state.path());
  const auto error = [&](const std::filesystem::path& file) {
    return error_of<RefusedFile>([&] { load_application(store, file, {}); });
  };
  const auto plugin = error(test_modules::path("alpha"));
  EXPECT_TRUE(contains(plugin, "is a plugin (connector 'alpha') and not an application")) << plugin;
  const auto absent = error(files / "absent.so");
  EXPECT_TRUE(contains(absent, (files / "absent.so").native() + ": does not exist")) << absent;
  EXPECT_TRUE(contains(error(files.write("x.so", "text")), "not an ELF file"));
  EXPECT_FALSE(std::filesystem::exists(state / "apps"));  // nothing was copied
}

TEST(Application, ItsOperatorsAreFoundByOffset) {
  const LoadedModule& module = application().module;
  const auto operators = module.operators();
  ASSERT_EQ(operators.size(), 2u);
  for (const OperatorDescriptor* descriptor : operators) {
    const std::uint64_t offset = module.offset_of(descriptor);
    EXPECT_EQ(module.descriptor_at(offset), descriptor);
    EXPECT_TRUE(contains(descriptor->type_name, "NumberedOperator"));
    for (const std::uint64_t wrong : {offset + 1, offset - 8, std::uint64_t{0}, ~offset}) {
      const std::string error = error_of<InvalidInput>([&] { module.descriptor_at(wrong); });
      EXPECT_TRUE(contains(error, "count_arguments.so (")) << error;
      EXPECT_TRUE(contains(error, "has 2 operators, none of them at offset 0x")) << error;
    }
  }
  const auto* const inside = reinterpret_cast<const OperatorDescriptor*>(
      reinterpret_cast<std::uintptr_t>(operators[0]) + 8);
  EXPECT_THROW(module.offset_of(inside), InvalidInput);
  const ModuleAnchor here;
  EXPECT_THROW(module.offset_of(reinterpret_cast<const OperatorDescriptor*>(&here)), InvalidInput);
}

TEST(Application, AFunctionOfItTravelsByOffsetAndNothingElseDoes) {
  const LoadedModule& module = application().module;
  const auto* make = reinterpret_cast<const void*>(module.operators()[0]->make);
  EXPECT_EQ(module.code_at(module.offset_of_code(make)), make);
  EXPECT_THROW(module.offset_of_code(module.operators()[0]), InvalidInput);  // data
  EXPECT_THROW(module.offset_of_code(reinterpret_cast<const void*>(&::getenv)), InvalidInput);
  EXPECT_THROW(module.code_at(module.offset_of(module.operators()[0])), InvalidInput);
  EXPECT_THROW(module.code_at(~std::uint64_t{0}), InvalidInput);
  EXPECT_EQ(ModuleRegistry::instance().module_of(make), &module);
}

}  // namespace
}  // namespace freshet::core
