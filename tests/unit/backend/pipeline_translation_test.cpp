#include "backend/pipeline_translation.h"

#include <gtest/gtest.h>

#include "../translation/test_pipelines.h"
#include "test_modules.h"
#include "translation/completion.h"

namespace freshet::core {
namespace {

using test_modules::contains;
using test_modules::error_of;
using test_modules::Marker;
using test_modules::ScratchFolder;
namespace fs = std::filesystem;

class UnknownPipeline final : public Pipeline {
 public:
  std::string_view kind() const override { return "test.unknown"; }
};

class TranslationWithPlugins : public testing::TranslationTest {
 protected:
  // Its code leaves a marker; a file that is loaded once stays loaded.
  void put_front_end(const std::string& name) {
    fs::copy_file(test_modules::path(name), folder_ / (name + ".so"));
    Configuration configuration;
    configuration.set(options::kPluginDirs, {folder_.path().native()});
    process_.set(configuration);
  }

  const ScratchFolder folder_;
  const Marker marker_{folder_};
  ProcessConfiguration process_;
  PipelineTranslation translation_{process_, modules_};
};

TEST_F(TranslationWithPlugins, AStreamOfItsOwnCodeLoadsNoPlugin) {
  put_front_end("ink");
  sink("write", {map("double", {source("read")})});
  const JobGraph job = translation_.translate(graph_, configuration_);
  EXPECT_EQ(tasks_of(job), "read+double+write");
  EXPECT_EQ(job.settings.at(options::kApplicationWorkingFolder.key()), fs::current_path().native());
  EXPECT_FALSE(marker_.is_there());
}

TEST_F(TranslationWithPlugins, APlanKeepsNoFolder) {
  put_front_end("ink");
  sink("write", {source("read")});
  const JobGraph job = translation_.plan(graph_, configuration_);
  EXPECT_EQ(job.settings.count(options::kApplicationWorkingFolder.key()), 0u);
}

TEST_F(TranslationWithPlugins, FrontEndsAreAskedForAnUnknownKindOfPipeline) {
  put_front_end("quill");  // which has no translator
  const std::string error =
      error_of<InvalidInput>([&] { translation_.translate(UnknownPipeline(), configuration_); });
  EXPECT_TRUE(contains(error, "test.unknown")) << error;
  EXPECT_TRUE(marker_.is_there());
}

TEST_F(TranslationWithPlugins, AnUnknownOperatorIsRefusedWithTheLibrariesThatWereFound) {
  put_front_end("ink");
  const std::uint32_t read = source("read");
  at(read).descriptor = nullptr;
  at(read).registered_name = "acme.read";
  sink("write", {read});
  const std::string error =
      error_of<UnknownOperator>([&] { translation_.translate(graph_, configuration_); });
  EXPECT_TRUE(contains(error, "acme.read")) << error;
  EXPECT_TRUE(contains(error, "looked in: " + folder_.path().native())) << error;
}

}  // namespace
}  // namespace freshet::core
