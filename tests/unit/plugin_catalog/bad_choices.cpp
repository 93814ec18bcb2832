// Choices among plugins that end in a refusal or a warning: of front ends, deployers, operators.
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>

#include "bad_files.h"
#include "freshet/options.h"
#include "freshet/plugin/job_graph.h"
#include "modules/module_registry.h"
#include "selection/deployer_selection.h"
#include "selection/front_end_selection.h"
#include "test_modules.h"
#include "translation/completion.h"

namespace freshet::gallery {
using namespace core;
namespace {

using test_modules::error_of;
using test_modules::ScratchFolder;
namespace fs = std::filesystem;

class Plugins {
 public:
  explicit Plugins(const std::vector<std::string>& modules)
      : catalog_([&] {
          for (const std::string& module : modules)
            fs::copy_file(test_modules::path(module), folder_ / (module + ".so"));
          SearchPath::Sources sources;
          sources.option_folders = {folder_.path().native()};
          return SearchPath(sources);
        }()) {}
  PluginCatalog& catalog() { return catalog_; }
  std::string file(const std::string& module) const {
    return (folder_ / (module + ".so")).native();
  }

 private:
  const ScratchFolder folder_;
  PluginCatalog catalog_;
};

class NoServices final : public DeployerServices {
 public:
  std::string program() const override { return {}; }
  Future<std::unique_ptr<ClusterClient>> connect(const ClusterRecord&, std::int64_t) override {
    return make_failed_future<std::unique_ptr<ClusterClient>>(
        std::make_exception_ptr(InvalidInput("there is no cluster here")));
  }
  std::pair<std::string, std::string> make_key_pair() override { return {}; }
  void write_record(const ClusterRecord&) override {}
  ClusterRecord read_record(const std::string&) const override { return {}; }
  std::vector<ClusterRecord> records() const override { return {}; }
  std::string records_folder() const override { return {}; }
  void remove_record(const std::string&) override {}
  std::shared_ptr<void> lock_cluster(const std::string&) override { return nullptr; }
  std::int64_t start_detached(const std::string&, const std::string&,
                              const std::vector<std::string>&, const std::string&) override {
    return 0;
  }
};

void add_front_ends(std::vector<Refusal>& refusals) {
  const ScratchFolder files;
  Plugins plugins({"ink", "quill"});
  const auto say = [&](const std::string& content) {
    const fs::path file = files.write("job", content);
    return error_of<InvalidInput>([&] { select_front_end(plugins.catalog(), file.native()); });
  };
  refusals.push_back({"no front end",
                      say("something else"),
                      plugins.file("ink"),
                      {"is not an ELF file", "install the front end"}});
  refusals.push_back({"two front ends",
                      say("both\n"),
                      plugins.file("quill"),
                      {"2 front ends recognise", "remove all but one"}});
  refusals.push_back({"recognises() throws",
                      say("throws ink"),
                      plugins.file("ink"),
                      {"its recognises() threw: out of ink", "mend it"}});
  refusals.push_back({"recognises() throws a number",
                      say("throws a number"),
                      plugins.file("ink"),
                      {"threw what is no std::exception", "mend it"}});
}

void add_deployers(std::vector<Refusal>& refusals) {
  Plugins one({"moor"}), two({"moor", "moorage"});
  static NoServices services;
  const auto say = [&](Plugins& plugins, const char* target) {
    Configuration configuration;
    configuration.set(options::kExecutionTarget, target, Origin::command_line("--target"));
    return error_of<InvalidInput>(
        [&] { make_deployer(select_deployer(plugins.catalog(), configuration), services); });
  };
  refusals.push_back({"no deployer",
                      say(one, "nowhere"),
                      one.file("moor"),
                      {"no deployer for target 'nowhere'", "found: 'moor'"}});
  refusals.push_back({"two deployers",
                      say(two, "moor"),
                      two.file("moorage"),
                      {"2 deployers say", "target 'moor'", "remove all but one"}});
  refusals.push_back({"a deployer's is_compatible_with() throws",
                      say(one, "storm"),
                      one.file("moor"),
                      {"threw: not in this weather", "mend it"}});
  refusals.push_back({"a deployer's is_compatible_with() throws a number",
                      say(one, "flood"),
                      one.file("moor"),
                      {"threw what is no std::exception", "mend it"}});
  refusals.push_back({"a deployer's create() gives null",
                      say(one, "moor"),
                      one.file("moor"),
                      {"ClusterDeployerFactory returned null", "mend it"}});
  ::setenv("FRESHET_TEST_NO_ROPE", "1", 1);
  refusals.push_back({"a deployer's create() throws",
                      say(one, "moor"),
                      one.file("moor"),
                      {"ClusterDeployerFactory threw: no rope", "mend it"}});
  ::unsetenv("FRESHET_TEST_NO_ROPE");
}

void add_operators(std::vector<Refusal>& refusals) {
  JobGraph job;
  job.name = "lost";
  job.vertices.resize(1);
  job.vertices[0].name = "step";
  job.vertices[0].op.registered_name = "no.such.operator";
  refusals.push_back(
      {"an operator that nobody has",
       error_of<UnknownOperator>([&] { complete_job(job, ProcessModules::of_this_process()); }),
       "no.such.operator",
       {"operator 'step' of job 'lost'", "install the operator library"}});

  Plugins twins({"castor", "pollux"});
  for (const CatalogEntry* each : twins.catalog().usable(FRESHET_KIND_OPERATORS))
    twins.catalog().load(*each);
  std::ostringstream said;
  const auto before = spdlog::default_logger();
  auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(said);
  sink->set_pattern("%v");
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("heard", sink));
  EXPECT_NE(ModuleRegistry::instance().find_operator("twin.same"), nullptr);
  EXPECT_NE(ModuleRegistry::instance().find_operator("twin.same"), nullptr);
  spdlog::set_default_logger(before);
  std::string text = said.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  refusals.push_back({"an operator that two libraries have",
                      text,
                      twins.file("pollux"),
                      {"'twin.same'", twins.file("castor"), "the first is used", "rename one"}});
}

}  // namespace

// Made once: a plugin that was loaded has its operators for as long as the process.
std::vector<Refusal> of_choices() {
  static const std::vector<Refusal> made = [] {
    std::vector<Refusal> refusals;
    add_front_ends(refusals);
    add_deployers(refusals);
    add_operators(refusals);
    return refusals;
  }();
  return made;
}

}  // namespace freshet::gallery
