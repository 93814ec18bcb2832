#include "modules/module_registry.h"

#include <thread>

#include "../plugin_catalog/test_modules.h"
#include "freshet/error.h"
#include "shared_objects/shared_object.h"

namespace freshet::core {
namespace {

struct OwnOperator {
  static constexpr std::uint32_t kStages = 1;
  static constexpr auto coordinator_maker() {
    return static_cast<std::unique_ptr<Coordinator> (*)(PayloadReader&)>(nullptr);
  }
  static std::unique_ptr<Operator> make(PayloadReader*, std::size_t) {
    throw Error("is found and never made");
  }
};

TEST(ModuleRegistry, TheProgramItselfIsAModule) {
  const LoadedModule& program = ModuleRegistry::instance().add_linked(module_anchor);
  EXPECT_EQ(program.kind(), ModuleKind::kExecutable);
  EXPECT_EQ(program.path(), std::filesystem::read_symlink("/proc/self/exe"));
  EXPECT_EQ(program.contract(), nullptr);
  EXPECT_EQ(&ModuleRegistry::instance().add_linked(module_anchor), &program);
  const OperatorDescriptor* own = detail::Registered<OwnOperator>::descriptor();
  EXPECT_EQ(program.descriptor_at(program.offset_of(own)), own);
  EXPECT_EQ(ModuleRegistry::instance().module_of(own), &program);
  EXPECT_EQ(ModuleRegistry::instance().find(Sha256::of_file("/proc/self/exe")), &program);
}

TEST(ModuleRegistry, WhatIsInNoModuleIsNotFound) {
  int on_the_stack = 0;
  EXPECT_EQ(ModuleRegistry::instance().module_of(&on_the_stack), nullptr);
  EXPECT_EQ(ModuleRegistry::instance().module_of(nullptr), nullptr);
  EXPECT_EQ(ModuleRegistry::instance().find(Sha256::of("nothing")), nullptr);
  ModuleAnchor on_the_heap_or_stack;
  EXPECT_THROW(ModuleRegistry::instance().add_linked(on_the_heap_or_stack), InvalidInput);
}

TEST(ModuleRegistry, APluginWhoseFileWasReplacedHasNoHashAndIsInNobodysWay) {
  test_modules::ScratchFolder folder;
  const auto file = folder.write("alpha.so", test_modules::content(test_modules::path("alpha")));
  const PluginFile read = read_compatible_file(file);
  const LoadedModule& module =
      ModuleRegistry::instance().add_plugin(read, load_shared_object(read));
  std::filesystem::remove(file);
  folder.write("alpha.so", "another");
  const std::string error = test_modules::error_of<InvalidInput>([&] { module.sha256(); });
  EXPECT_TRUE(test_modules::contains(error, "was replaced or removed")) << error;
  EXPECT_EQ(ModuleRegistry::instance().find(Sha256::of("another")), nullptr);
  const LoadedModule& program = ModuleRegistry::instance().add_linked(module_anchor);
  EXPECT_EQ(ModuleRegistry::instance().find(Sha256::of_file("/proc/self/exe")), &program);
}

TEST(ModuleRegistry, ThreadsMayAskAndAddAtOnce) {
  std::vector<std::thread> threads;
  std::vector<const LoadedModule*> found(8);
  for (std::size_t i = 0; i < found.size(); ++i)
    threads.emplace_back([&found, i] {
      const LoadedModule& module = ModuleRegistry::instance().add_linked(module_anchor);
      found[i] = ModuleRegistry::instance().find(module.sha256());
    });
  for (std::thread& thread : threads) thread.join();
  for (const LoadedModule* module : found) EXPECT_EQ(module, found[0]);
}

}  // namespace
}  // namespace freshet::core
