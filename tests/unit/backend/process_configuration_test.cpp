#include "backend/process_configuration.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "freshet/options.h"
#include "test_modules.h"

namespace freshet::core {
namespace {

using test_modules::ScratchFolder;
namespace fs = std::filesystem;

class ProcessConfigurationByFile : public testing::Test {
 protected:
  ProcessConfigurationByFile() { ::setenv("FRESHET_CONF_DIR", folder_.path().c_str(), 1); }
  ~ProcessConfigurationByFile() override { ::unsetenv("FRESHET_CONF_DIR"); }

  const ScratchFolder folder_;
  ProcessConfiguration process_;
};

TEST_F(ProcessConfigurationByFile, IsLoadedOnceAndRunsLocallyWhereNoTargetIsNamed) {
  folder_.write("freshet.yaml", "parallelism.default: 7\n");
  EXPECT_EQ(process_.get().get(options::kParallelismDefault), 7);
  EXPECT_EQ(process_.get().get(options::kExecutionTarget), "local");
  EXPECT_EQ(process_.get().origin(options::kExecutionTarget).kind, Origin::Kind::kDefault);
  folder_.write("freshet.yaml", "parallelism.default: 8\n");
  EXPECT_EQ(process_.get().get(options::kParallelismDefault), 7);
}

TEST_F(ProcessConfigurationByFile, ANamedTargetStays) {
  folder_.write("freshet.yaml", "execution.target: moor\n");
  EXPECT_EQ(process_.get().get(options::kExecutionTarget), "moor");
}

TEST_F(ProcessConfigurationByFile, WhatIsSetIsAllThatThereIs) {
  folder_.write("freshet.yaml", "parallelism.default: 7\n");
  process_.set(Configuration());
  EXPECT_EQ(process_.get(), Configuration());
}

TEST_F(ProcessConfigurationByFile, ThePluginsAreThoseOfItsFoldersScannedOnce) {
  fs::copy_file(test_modules::path("moor"), folder_ / "moor.so");
  Configuration configuration;
  configuration.set(options::kPluginDirs, {folder_.path().native()});
  process_.set(configuration);
  PluginCatalog& catalog = process_.catalog();
  const auto moors = [&] {
    int count = 0;
    for (const CatalogEntry* entry : catalog.usable(FRESHET_KIND_DEPLOYER))
      count += entry->file.identity.name == "moor" ? 1 : 0;
    return count;
  };
  EXPECT_EQ(moors(), 1);
  process_.set(Configuration());
  EXPECT_EQ(&process_.catalog(), &catalog);
  EXPECT_EQ(moors(), 1);
}

}  // namespace
}  // namespace freshet::core
