#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdio>
#include <sstream>

#include "bad_files.h"
#include "freshet/job_client.h"
#include "freshet/options.h"
#include "freshet/plugin/job_graph.h"
#include "modules/application.h"
#include "selection/executor_selection.h"
#include "shared_objects/shared_object.h"
#include "test_modules.h"

namespace freshet::gallery {
using namespace core;
namespace {

using test_modules::error_of;
using test_modules::Patient;
using test_modules::ScratchFolder;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

// What the pages say; here the patience with what hangs is shorter.
static_assert(kPluginPatience == 5s);
constexpr auto kForEver = 60min;

fs::path put(const ScratchFolder& folder, const std::string& module, const std::string& as) {
  fs::copy_file(test_modules::path(module), folder / as);
  return folder / as;
}

SearchPath path_of(const std::vector<fs::path>& folders) {
  SearchPath::Sources sources;
  for (const fs::path& folder : folders) sources.option_folders.push_back(folder.native());
  return SearchPath(sources);
}

Refusal of_entry(const std::string& what, const PluginCatalog& catalog, const fs::path& file,
                 std::vector<std::string> said) {
  for (const CatalogEntry& entry : catalog.entries())
    if (entry.file.path == file)
      return {what, file.native() + ": " + entry.reason, file.native(), std::move(said)};
  ADD_FAILURE() << file << " is not in the catalog";
  return {};
}

class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    ::setenv(name, value.c_str(), 1);
  }
  ~Environment() { ::unsetenv(name_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
};

// Keeps the first line that is logged, and makes a file then.
class Heard final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit Heard(fs::path then_make) : then_make_(std::move(then_make)) {}
  std::string text() {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    text_.assign(message.payload.data(), message.payload.size());
    test_modules::write(then_make_, "");
  }
  void flush_() override {}

  const fs::path then_make_;
  std::string text_;
};

class NoServices final : public ExecutorServices {
 public:
  JobGraph translate(const Pipeline&, const Configuration&) override { return {}; }
  std::unique_ptr<JobClient> run_in_process(const std::string&, const Configuration&) override {
    return nullptr;
  }
  std::shared_ptr<ClusterClient> cluster(const Configuration&) override { return nullptr; }
  std::string application_id() const override { return {}; }
};

// Of the plugin 'moody' in one of its moods.
std::string moody(const std::string& mood, std::chrono::nanoseconds patience, std::string& file) {
  const ScratchFolder folder;
  file = put(folder, "moody", "moody.so").native();
  const Environment release("FRESHET_TEST_RELEASE", folder / "release");
  const Environment in_mood("FRESHET_TEST_MOOD", mood);
  PluginCatalog catalog(path_of({folder.path()}), patience);
  static NoServices services;  // a call that is left behind may use it
  Configuration configuration;
  configuration.set(options::kExecutionTarget, "moody", Origin::command_line("--target"));
  const std::string text = error_of<InvalidInput>(
      [&] { make_executor(select_executor(catalog, configuration), services); });
  folder.write("release", "");
  return text;
}

// What a process says that ends while it loads the file.
std::string last_words(const fs::path& file, const fs::path& said) {
  const pid_t child = ::fork();
  if (child == 0) {
    static_cast<void>(std::freopen(said.c_str(), "w", stderr));
    load_shared_object(read_compatible_file(file));
    ::_exit(0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) << status;
  const std::string all = test_modules::content(said);
  return all.substr(0, all.find('\n'));
}

}  // namespace

std::vector<Refusal> of_folders() {
  const ScratchFolder folder;
  std::vector<Refusal> refusals;
  const auto add = [&](const char* what, const std::vector<fs::path>& searched,
                       std::vector<std::string> said) {
    SearchPath::Sources sources;
    sources.plugin_path.emplace();
    for (const fs::path& each : searched) *sources.plugin_path += each.native() + ":";
    const SearchPath path(sources);
    EXPECT_FALSE(path.folders().back().skipped.empty()) << what;
    refusals.push_back({what, path.folders().back().text(), searched.back().native(), said});
  };
  const auto make = [&](const char* name, mode_t mode) {
    fs::create_directory(folder / name);
    EXPECT_EQ(::chmod((folder / name).c_str(), mode), 0);
    return folder / name;
  };
  add("a relative folder", {"plugins"}, {"is relative", "only absolute", "write it out"});
  add("a folder that anybody may write to", {make("open", 0777)}, {"mode 0777", "chmod o-w"});
  add("a folder that its group may write to", {make("shared", 0775)},
      {"mode 0775", "owner ", "chmod g-w"});
  if (::geteuid() == 0) {
    const fs::path others = make("others", 0755);
    EXPECT_EQ(::chown(others.c_str(), 65534, 65534), 0);
    add("a folder of another user", {others},
        {"belongs to user 'nobody' (mode 0755)", "this is user 'root'", "chown it, or copy it"});
  }
  fs::create_directory(make("loose", 0777) / "inner");
  add("a folder below one that anybody may write to", {folder / "loose/inner"},
      {(folder / "loose").native(), "mode 0777", "chmod o-w it"});
  add("a folder that is not there", {folder / "absent"}, {"does not exist", "make it"});
  add("a file", {folder.write("file", "x")}, {"is no folder", "give the folder"});
  add("a folder twice", {folder.path(), folder.path()},
      {"is searched above already", "name it once"});

  fs::create_directory(make("closed", 0700) / "inner");
  EXPECT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  EXPECT_EQ(::chmod((folder / "closed").c_str(), ::geteuid() == 0 ? 0700 : 0), 0);
  const uid_t user = ::geteuid();
  EXPECT_EQ(::seteuid(user == 0 ? 65534 : user), 0);
  add("a folder in one that is closed", {folder / "closed/inner"},
      {"Permission denied", "make it readable"});
  add("a folder that is closed", {folder / "closed"}, {"Permission denied", "make it readable"});
  EXPECT_EQ(::seteuid(user), 0);
  EXPECT_EQ(::chmod((folder / "closed").c_str(), ::geteuid() == 0 ? 0711 : 0311), 0);
  EXPECT_EQ(::seteuid(user == 0 ? 65534 : user), 0);
  add("a folder that may be entered and not read", {folder / "closed"},
      {"Permission denied", "make it readable"});
  EXPECT_EQ(::seteuid(user), 0);
  EXPECT_EQ(::chmod((folder / "closed").c_str(), 0700), 0);
  return refusals;
}

std::vector<Refusal> of_company() {
  const ScratchFolder first, second, store;
  std::vector<Refusal> refusals;
  const fs::path alpha = put(first, "alpha", "alpha.so");
  const fs::path again = put(first, "alpha", "beta.so");
  const fs::path shadowed = put(second, "alpha", "alpha.so");
  const fs::path application = put(second, "count_arguments", "count.so");
  const fs::path other_kind = second.write(
      "other.so",
      Patient("library").note([](freshet_note_v1& n) { std::strcpy(n.name, "alpha"); }).bytes);
  const PluginCatalog catalog(path_of({first.path(), second.path()}));
  refusals.push_back(of_entry("a name twice in a folder", catalog, again,
                              {"is the connector 'alpha', as is", alpha.native(), "remove one"}));
  refusals.push_back(
      of_entry("a name twice", catalog, shadowed,
               {"is shadowed by", alpha.native(), "earlier in the search path", "remove the one"}));
  refusals.push_back(of_entry("a name of two kinds", catalog, other_kind,
                              {"is the operator library 'alpha'", alpha.native(),
                               "is the connector of that name", "rename one of them"}));
  refusals.push_back(of_entry("an application in a plugin folder", catalog, application,
                              {"is an application and not a plugin", "fr-run"}));

  const ScratchFolder open;
  const fs::path anybodys = put(open, "alpha", "alpha.so");
  EXPECT_EQ(::chmod(anybodys.c_str(), 0666), 0);
  refusals.push_back(of_entry("a file that anybody may write to",
                              PluginCatalog(path_of({open.path()})), anybodys,
                              {"anybody may write to it", "chmod o-w"}));

  EXPECT_EQ(::chmod(anybodys.c_str(), 0664), 0);
  refusals.push_back(of_entry("a file that its group may write to",
                              PluginCatalog(path_of({open.path()})), anybodys,
                              {"its group may write to it (mode 0664", "chmod g-w"}));
  if (::geteuid() == 0) {
    EXPECT_EQ(::chmod(anybodys.c_str(), 0644), 0);
    EXPECT_EQ(::chown(anybodys.c_str(), 65534, 65534), 0);
    refusals.push_back(of_entry("a file of another user", PluginCatalog(path_of({open.path()})),
                                anybodys, {"belongs to user 'nobody'", "chown it, or copy it"}));
  }

  const ScratchFolder linked, anywhere, between;
  EXPECT_EQ(::chmod(anywhere.path().c_str(), 0777), 0);
  fs::create_symlink(put(between, "alpha", "alpha.so"), anywhere / "on.so");
  for (const auto& [name, target] : {std::pair("one.so", put(anywhere, "beta", "beta.so")),
                                     std::pair("two.so", anywhere / "on.so")}) {
    fs::create_symlink(target, linked / name);
    refusals.push_back(of_entry("a link into a folder that anybody may write to",
                                PluginCatalog(path_of({linked.path()})), linked / name,
                                {"is a link into " + anywhere.path().native(),
                                 "anybody may write to it (mode 0777)", "chmod o-w it"}));
  }

  const ModuleStore copies(store / "state");
  refusals.push_back({"a plugin as an application",
                      error_of<RefusedFile>([&] { load_application(copies, alpha, {}); }),
                      alpha.native(),
                      {"is a plugin (connector 'alpha')", "not an application", "put it into"}});

  PluginCatalog nothing(path_of({store.path()}));
  Configuration configuration;
  refusals.push_back({"no executor and no target",
                      error_of<NoExecutor>([&] { select_executor(nothing, configuration); }),
                      store.path().native(),
                      {"no target is set", "install its plugin"}});
  configuration.set(options::kExecutionTarget, "brook", Origin::command_line("--target"));
  refusals.push_back({"no executor",
                      error_of<NoExecutor>([&] { select_executor(nothing, configuration); }),
                      store.path().native(),
                      {"no executor for target 'brook'", "install its plugin"}});
  const ScratchFolder two;
  put(two, "broo", "broo.so");
  const fs::path brook = put(two, "brook", "brook.so");
  PluginCatalog both(path_of({two.path()}));
  refusals.push_back({"two executors",
                      error_of<SeveralExecutors>([&] { select_executor(both, configuration); }),
                      brook.native(),
                      {"2 executors say", "target 'brook'", "remove all but one"}});
  return refusals;
}

std::vector<Refusal> of_what_ran() {
  const ScratchFolder folder;
  std::vector<Refusal> refusals;
  PluginCatalog catalog([&] {
    for (const char* name : {"thrower", "silent", "outspoken", "library", "no_operators", "brook"})
      put(folder, name, std::string(name) + ".so");
    return path_of({folder.path()});
  }());
  const auto add = [&](const char* what, const char* name, std::uint32_t kind,
                       std::vector<std::string> said) {
    LoadedPlugin& plugin = catalog.load(*catalog.find(kind, name));
    refusals.push_back({what, error_of<RefusedFile>([&] { plugin.factory<int>(); }),
                        plugin.entry().file.path.native(), said});
  };
  add("create() throws, told by the SDK", "thrower", FRESHET_KIND_CONNECTOR,
      {"its create() failed, it says: no greeting without a hat", "see to what it asks for"});
  add("create() returns null", "silent", FRESHET_KIND_CONNECTOR,
      {"its create() failed, it says: nothing", "or remove the plugin"});
  add("create() lets an exception out", "outspoken", FRESHET_KIND_CONNECTOR,
      {"let an exception out", "I say what I think", "return null and put the reason"});
  add("nothing to create", "library", FRESHET_KIND_OPERATORS,
      {"is of kind 'operator library'", "its create() is null", "use a plugin of a kind"});

  const CatalogEntry& no_operators = *catalog.find(FRESHET_KIND_OPERATORS, "no-operators");
  refusals.push_back({"an entry without a list of operators",
                      error_of<RefusedFile>([&] { catalog.load(no_operators); }),
                      no_operators.file.path.native(),
                      {"its entry has no list of operators", "SDK's macros"}});

  const fs::path no_main = put(folder, "no_main", "no_main.so");
  const ModuleStore copies(folder / "state");
  refusals.push_back({"an application without a main",
                      error_of<RefusedFile>([&] { load_application(copies, no_main, {}); }),
                      no_main.native(),
                      {"its entry has no main", "FRESHET_APPLICATION"}});
  const fs::path liar = folder.write(
      "liar.so",
      Patient("alpha").note([](freshet_note_v1& n) { std::strcpy(n.name, "beta"); }).bytes);
  refusals.push_back(
      {"an entry that says another name than the note",
       error_of<RefusedFile>([&] { load_shared_object(read_compatible_file(liar)); }),
       liar.native(),
       {"its entry says name 'alpha', its note 'beta'", "build it again with the SDK's macros"}});

  Configuration configuration;
  configuration.set(options::kExecutionTarget, "quarrel", Origin::command_line("--target"));
  refusals.push_back(
      {"is_compatible_with() throws",
       error_of<NoExecutor>([&] { select_executor(catalog, configuration); }),
       (folder / "brook.so").native(),
       {"is skipped: its is_compatible_with() threw: I do not talk of this: remove the plugin"}});

  {
    const ScratchFolder elsewhere;
    const Environment mood("FRESHET_TEST_MOOD", "throws in a constructor");
    const fs::path file = put(elsewhere, "moody", "moody.so");
    refusals.push_back({"throws in a constructor",
                        last_words(file, elsewhere / "said"),
                        file.native(),
                        {"a constructor in it threw", "remove the file"}});
  }
  const auto add_moody = [&](const char* mood, std::chrono::nanoseconds patience,
                             std::vector<std::string> said) {
    std::string file;
    const std::string text = moody(mood, patience, file);
    refusals.push_back({mood, text, file, std::move(said)});
  };
  add_moody("throws a number", kForEver,
            {"is_compatible_with() threw what is no std::except", "mend it"});
  add_moody("throws no executor", kForEver, {"ExecutorFactory threw: no executor today"});
  add_moody("gives null", kForEver, {"ExecutorFactory returned null", "remove the plugin"});
  add_moody("hangs in create", 20ms, {"its create() has not returned within 0.02 s", "mend it"});
  // What comes before the call that hangs must end in time, on a busy machine, too.
  const auto add_late = [&](const char* mood, const std::string& call) {
    for (auto patience = 50ms; patience < 1min; patience *= 2) {
      std::string file;
      const std::string text = moody(mood, patience, file);
      if (!test_modules::contains(text, call)) continue;
      std::ostringstream seconds;
      seconds << std::chrono::duration<double>(patience).count();
      refusals.push_back({mood,
                          text,
                          file,
                          {call + " has not returned within " + seconds.str() + " s", "mend it"}});
      return;
    }
    ADD_FAILURE() << mood << ": another call is named";
  };
  add_late("hangs in is_compatible_with", "is skipped: its is_compatible_with()");
  add_late("hangs in the executor", "its ExecutorFactory::create()");

  {
    const Environment release("FRESHET_TEST_RELEASE", folder / "release");
    const Environment mood("FRESHET_TEST_MOOD", "hangs in create");
    PluginCatalog moods(path_of({(put(folder, "moody", "moody"),
                                  [&] {
                                    fs::create_directory(folder / "moods");
                                    fs::rename(folder / "moody", folder / "moods/moody.so");
                                    return folder / "moods";
                                  }())}),
                        20ms);
    LoadedPlugin& plugin = moods.load(*moods.find(FRESHET_KIND_EXECUTOR, "moody"));
    error_of<RefusedFile>([&] { plugin.factory<int>(); });
    refusals.push_back({"is asked while it hangs",
                        error_of<RefusedFile>([&] { plugin.factory<int>(); }),
                        (folder / "moods/moody.so").native(),
                        {"its create() has not returned within 0.02 s", "remove the plugin"}});
    folder.write("release", "");
  }
  {
    const ScratchFolder elsewhere;
    const Environment release("FRESHET_TEST_RELEASE", elsewhere / "release");
    const Environment mood("FRESHET_TEST_MOOD", "hangs in a constructor");
    const auto heard = std::make_shared<Heard>(elsewhere / "release");
    const auto before = spdlog::default_logger();
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("heard", heard));
    const fs::path file = put(elsewhere, "moody", "moody.so");
    EXPECT_NO_THROW(load_shared_object(read_compatible_file(file), 20ms));
    spdlog::set_default_logger(before);
    refusals.push_back({"hangs in a constructor",
                        heard->text(),
                        file.native(),
                        {"a constructor in it has not returned", "end this process"}});
  }
  return refusals;
}

}  // namespace freshet::gallery
