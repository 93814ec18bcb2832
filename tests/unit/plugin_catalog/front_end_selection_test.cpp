#include "selection/front_end_selection.h"

#include "test_modules.h"

namespace freshet::core {
namespace {

using test_modules::contains;
using test_modules::error_of;
using test_modules::ScratchFolder;
namespace fs = std::filesystem;

class FrontEndSelection : public testing::Test {
 protected:
  void put(const std::string& module) {
    fs::copy_file(test_modules::path(module), folder_ / (module + ".so"));
  }
  PluginCatalog catalog() const {
    SearchPath::Sources sources;
    sources.option_folders = {folder_.path().native()};
    return PluginCatalog(SearchPath(sources));
  }
  std::string file(const std::string& content, const std::string& name = "job") const {
    return files_.write(name, content).native();
  }

  const ScratchFolder folder_, files_;
};

TEST_F(FrontEndSelection, TheOneThatRecognisesTheFileIsTaken) {
  put("ink");
  put("quill");
  put("brook");  // an executor: not asked
  PluginCatalog plugins = catalog();
  const SelectedFrontEnd by_content = select_front_end(plugins, file("quill\nrest"));
  EXPECT_STREQ(by_content.front_end.name(), "quill");
  EXPECT_EQ(by_content.entry.file.path, folder_ / "quill.so");
  EXPECT_TRUE(by_content.warnings.empty());
  EXPECT_STREQ(select_front_end(plugins, file("", "job.ink")).front_end.name(), "ink");
}

TEST_F(FrontEndSelection, AFrontEndSeesTheFirstFourKilobytesAndNoMore) {
  put("ink");
  PluginCatalog plugins = catalog();
  const std::string start = std::string(4096 - 3, 'x') + "ink";
  EXPECT_STREQ(select_front_end(plugins, file(start)).front_end.name(), "ink");
  EXPECT_STREQ(select_front_end(plugins, file(start + "more")).front_end.name(), "ink");
  EXPECT_THROW(select_front_end(plugins, file("x" + start)), NoFrontEnd);
}

TEST_F(FrontEndSelection, NoneTellsWhatWasFoundAndWhereItLooked) {
  put("ink");
  folder_.write("broken.so", "no");
  PluginCatalog plugins = catalog();
  const std::string path = file("something else");
  const std::string error = error_of<NoFrontEnd>([&] { select_front_end(plugins, path); });
  EXPECT_TRUE(
      contains(error, "'" + path + "' is no application (not an ELF file), and no front end"))
      << error;
  EXPECT_TRUE(contains(error, "'ink' in " + (folder_ / "ink.so").native())) << error;
  EXPECT_TRUE(contains(error, "refused: " + (folder_ / "broken.so").native())) << error;
  EXPECT_TRUE(contains(error, "looked in: " + folder_.path().native())) << error;
}

TEST_F(FrontEndSelection, TwoThatClaimAFileAreToldWithTheirFiles) {
  put("ink");
  put("quill");
  PluginCatalog plugins = catalog();
  const std::string error =
      error_of<SeveralFrontEnds>([&] { select_front_end(plugins, file("both\n")); });
  EXPECT_TRUE(contains(error, "2 front ends recognise '")) << error;
  EXPECT_TRUE(contains(error, "'ink' in " + (folder_ / "ink.so").native())) << error;
  EXPECT_TRUE(contains(error, "'quill' in " + (folder_ / "quill.so").native())) << error;
}

TEST_F(FrontEndSelection, OneThatThrowsIsSkippedWithAWarning) {
  put("ink");
  put("quill");
  PluginCatalog plugins = catalog();
  const std::string path = file("throws ink", "job.quill");
  const SelectedFrontEnd selected = select_front_end(plugins, path);
  EXPECT_STREQ(selected.front_end.name(), "quill");
  ASSERT_EQ(selected.warnings.size(), 1u);
  EXPECT_EQ(selected.warnings[0],
            "front-end plugin 'ink' (" + (folder_ / "ink.so").native() +
                ") is skipped: its recognises() threw: out of ink: remove the plugin or mend it");
}

TEST_F(FrontEndSelection, WithNoneLeftTheWarningsAreInTheError) {
  put("ink");
  PluginCatalog plugins = catalog();
  const std::string error =
      error_of<NoFrontEnd>([&] { select_front_end(plugins, file("throws a number")); });
  EXPECT_TRUE(contains(error, "its recognises() threw what is no std::exception")) << error;
}

TEST_F(FrontEndSelection, AFileThatIsNotThereIsSaidToBeUnreadable) {
  PluginCatalog plugins = catalog();
  const std::string path = (files_ / "missing").native();
  EXPECT_EQ(error_of<InvalidInput>([&] { select_front_end(plugins, path); }),
            "'" + path + "' can't be read: give a file that this user may read");
}

TEST_F(FrontEndSelection, PipelinesAreRegularFilesWithContentThatAreNoElf) {
  EXPECT_TRUE(may_be_a_pipeline(file("x")));
  EXPECT_TRUE(may_be_a_pipeline(file("\177EL")));
  EXPECT_FALSE(may_be_a_pipeline(file("")));
  EXPECT_FALSE(may_be_a_pipeline(test_modules::path("ink").native()));
  EXPECT_FALSE(may_be_a_pipeline(files_.path().native()));
  EXPECT_FALSE(may_be_a_pipeline((files_ / "missing").native()));
  fs::create_symlink(file("x"), files_ / "link");
  EXPECT_TRUE(may_be_a_pipeline((files_ / "link").native()));
}

}  // namespace
}  // namespace freshet::core
