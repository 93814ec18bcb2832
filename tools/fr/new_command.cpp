// fr new: the files of a project that builds, tests itself and passes `fr plugin check`.
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>

#include "command.h"
#include "exit_code/exit_code.h"
#include "freshet/error.h"
#include "templates/templates.h"

namespace freshet::tool {
using namespace core;
namespace {

namespace fs = std::filesystem;

struct Request {
  std::string kind, name, folder;
};

struct BadUsage : InvalidInput {
  using InvalidInput::InvalidInput;
};

constexpr std::size_t kLongestName = 40;

// Targets that build systems keep for themselves.
const std::set<std::string> kKept{
    "all",     "benchmark",     "clean",       "coverage",   "dist", "help",     "install",
    "package", "rebuild-cache", "reconfigure", "scan-build", "test", "uninstall"};

void check_name(const std::string& name) {
  const auto fits = [](char c) { return std::islower(c) || std::isdigit(c) || c == '-'; };
  const bool is_name = !name.empty() && name.size() <= kLongestName &&
                       std::islower(static_cast<unsigned char>(name[0])) &&
                       std::all_of(name.begin(), name.end(), fits) && name.back() != '-' &&
                       name.find("--") == std::string::npos;
  if (!is_name) {
    throw BadUsage("'" + name + "' can't be a name: it is a-z, 0-9 and single '-' between them, " +
                   "begins with a letter and has at most " + std::to_string(kLongestName) +
                   " characters");
  }
  if (kKept.count(name) != 0) {
    throw BadUsage("'" + name +
                   "' can't be a name: build systems have a target of that name, "
                   "choose another one");
  }
}

// snow-melt: snow_melt in files and functions, SnowMelt in classes.
std::string snake_case(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
std::string pascal_case(const std::string& name) {
  std::string result;
  bool begins = true;
  for (const char c : name) {
    if (c != '-') result += begins ? static_cast<char>(std::toupper(c)) : c;
    begins = c == '-';
  }
  return result;
}

std::string filled_in(std::string text, const std::string& name) {
  const std::array<std::pair<std::string, std::string>, 3> words{
      {{"template-name", name},
       {"template_name", snake_case(name)},
       {"TemplateName", pascal_case(name)}}};
  for (const auto& [word, value] : words) {
    for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += value.size()) {
      text.replace(at, word.size(), value);
    }
  }
  return text;
}

[[noreturn]] void refuse(const fs::path& path, const std::string& reason) {
  throw InvalidInput("can't write " + path.native() + ": " + reason);
}

void write_file(const fs::path& path, const std::string& content, bool executable) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) refuse(path, error.message());
  std::ofstream file(path, std::ios::binary);
  file << content;
  file.close();
  if (!file) refuse(path, std::strerror(errno));
  if (!executable) return;
  using fs::perms;
  fs::permissions(path, perms::owner_exec | perms::group_exec | perms::others_exec,
                  fs::perm_options::add, error);
  if (error) refuse(path, error.message());
}

// Beside where the project shall stand, so that it can take its place at once; gone if it does not.
class Draft {
 public:
  explicit Draft(const fs::path& target) : target_(target) {
    std::string name = (target.parent_path() / ("." + target.filename().string() + ".XXXXXX"));
    if (::mkdtemp(name.data()) == nullptr) refuse(target, std::strerror(errno));
    path_ = name;
    // As a folder that mkdir makes: for all whom the umask lets in.
    const ::mode_t mask = ::umask(0);
    ::umask(mask);
    fs::permissions(path_, static_cast<fs::perms>(0777 & ~mask));
  }
  ~Draft() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  const fs::path& path() const { return path_; }
  void take_place() {
    std::error_code error;
    fs::rename(path_, target_, error);  // over an empty folder, too
    if (error) refuse(target_, error.message());
    path_.clear();
  }

 private:
  fs::path target_, path_;
};

int write_project(const Request& request) {
  check_name(request.name);
  std::error_code error;
  const fs::path given = request.folder.empty() ? request.name : request.folder;
  fs::path target = fs::absolute(given, error).lexically_normal();
  if (!target.has_filename()) target = target.parent_path();
  const fs::file_status status = fs::symlink_status(target, error);
  if (fs::exists(status) && !fs::is_directory(status)) {
    refuse(given, "there is a file of that name: choose another folder with --folder");
  }
  if (fs::exists(status) && !fs::is_empty(target, error)) {
    refuse(given, "the folder is not empty: choose another one with --folder");
  }
  if (!fs::is_directory(target.parent_path(), error)) {
    refuse(given, "there is no folder " + target.parent_path().native() + ": make it first");
  }
  Draft draft(target);
  const std::string prefix = request.kind + "/";
  for (const TemplateFile& file : template_files()) {
    if (file.path.substr(0, prefix.size()) != prefix) continue;
    std::string path = filled_in(std::string(file.path.substr(prefix.size())), request.name);
    if (path == "gitignore") path = ".gitignore";
    write_file(draft.path() / path, filled_in(std::string(file.content), request.name),
               file.executable);
  }
  draft.take_place();
  std::printf(
      "%s: build and test it by\n  cd %s && meson setup build && meson test -C build\n"
      "or by CMake, see its README.md\n",
      given.c_str(), given.c_str());
  return exit_code::kDone;
}

const Command kNew(
    "new", "Write a small project: an application or a plugin that builds, tests and is checked.",
    [](CLI::App& command) -> Command::Run {
      auto request = std::make_shared<Request>();
      command
          .add_option("KIND", request->kind,
                      "application, executor, deployer, connector, front-end or operators")
          ->required()
          ->check(CLI::IsMember(
              {"application", "executor", "deployer", "connector", "front-end", "operators"}));
      command.add_option("NAME", request->name, "a-z, 0-9 and '-', such as snow-melt")->required();
      command.add_option("--folder", request->folder, "Where; a new folder NAME otherwise");
      return [request] {
        try {
          return write_project(*request);
        } catch (const BadUsage& error) {
          std::fprintf(stderr, "fr: %s\n", error.what());
          return exit_code::kBadUsage;
        }
      };
    });

}  // namespace
}  // namespace freshet::tool
