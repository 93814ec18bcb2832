#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "configuration/configuration.h"

namespace freshet::core {
namespace {

TEST(OptionModule, AddsItsOptionsToTheCatalogueOfTheProcess) {
  ConfigurationSources sources;
  sources.environment = {{"FRESHET_USER_DEPTH", "deep"}};
  sources.flags = {parse_definition("user.rows=0")};
  Configuration configuration = load_configuration(sources);
  EXPECT_FALSE(OptionCatalog::find("user.depth"));

  void* module = ::dlopen(std::getenv("FRESHET_TEST_OPTION_MODULE"), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(module, nullptr) << ::dlerror();
  ASSERT_TRUE(OptionCatalog::find("user.depth"));
  EXPECT_EQ(OptionCatalog::find("user.depth")->expected, "one of shallow, deep");
  EXPECT_EQ(OptionCatalog::find("user.depth")->default_text, "shallow");

  EXPECT_THROW(adopt_new_options(configuration, sources.environment), BadValue);  // user.rows=0
  configuration.set_raw("user.rows", "1", Origin::main());
  adopt_new_options(configuration, sources.environment);
  const auto is_deep = reinterpret_cast<bool (*)(const Configuration&)>(::dlsym(module, "is_deep"));
  ASSERT_NE(is_deep, nullptr);
  EXPECT_TRUE(is_deep(configuration));

  configuration.set_raw("user.depth", "bottomless", Origin::main());
  EXPECT_THROW(is_deep(configuration), BadValue) << "an error of the module is caught outside";
}

}  // namespace
}  // namespace freshet::core
