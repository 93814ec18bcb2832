#include "symbolizer/stacks.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

namespace freshet::tool {
using namespace core;
namespace {

constexpr std::size_t kMostUserFrames = 8;
constexpr std::size_t kMostFrames = 32;  // of each thread
constexpr std::size_t kMostArguments = 40;
constexpr std::size_t kMostOfName = 160;

bool begins(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// Without long arguments of templates, which would fill the screen.
std::string short_name(const std::string& name) {
  std::string text;
  for (std::size_t i = 0; i < name.size(); ++i) {
    text += name[i];
    if (name[i] != '<' || (i >= 8 && name.compare(i - 8, 8, "operator") == 0)) continue;
    int depth = 1;
    std::size_t end = i + 1;
    while (end < name.size() && depth > 0) {
      if (name[end] == '<') ++depth;
      if (name[end] == '>' && name[end - 1] != '-') --depth;
      ++end;
    }
    if (depth != 0 || end - i <= kMostArguments) continue;
    text += "...>";
    i = end - 1;
  }
  if (text.size() > kMostOfName) text = text.substr(0, kMostOfName - 3) + "...";
  return text;
}

// The runtime's own, or of the language and the system.
bool is_ours(const CrashReport::Frame& frame, const Place& place) {
  const std::string_view module = file_name(frame.module);
  if (frame.module.empty() || begins(module, "libfreshet-") || module == "fr" ||
      module == "fr-run" || begins(module, "libboost_") || begins(module, "linux-vdso")) {
    return true;
  }
  for (const std::string_view folder : {"/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/"})
    if (begins(frame.module, folder)) return true;
  if (begins(place.file, "/usr/include/c++/") ||
      place.file.find("include/freshet/") != std::string::npos) {
    return true;
  }
  // A function template's name begins with the type that it returns.
  const std::string_view name =
      std::string_view(place.function).substr(0, place.function.find_first_of("(<", 1));
  for (const std::string_view space : {"freshet::", "std::", "boost::", "__gnu_cxx::"}) {
    if (begins(name, space) || name.find(" " + std::string(space)) != std::string_view::npos)
      return true;
  }
  return false;
}

std::string text_of(std::size_t number, const CrashReport::Frame& frame, const Place& place) {
  char digits[24];
  const auto hexadecimal = [&](std::uint64_t value) {
    return "0x" + std::string(digits, std::to_chars(digits, digits + sizeof digits, value, 16).ptr);
  };
  std::string text = "\n  #" + std::to_string(number) + " ";
  if (place.function.empty()) {
    return text + (frame.module.empty() ? hexadecimal(frame.address)
                                        : hexadecimal(frame.offset) + " in " + frame.module);
  }
  text += short_name(place.function);
  if (place.file.empty())
    return text + "+" + hexadecimal(place.beyond) + " in " + std::string(file_name(frame.module));
  return text + " at " + place.file + ":" + std::to_string(place.line);
}

// The loop of a kernel calls each stage from a step of that number.
std::optional<std::size_t> stage_in(const std::string& function) {
  constexpr std::string_view kStep = "::step<";
  const std::size_t kernel = function.find("freshet::detail::Kernel<");
  const std::size_t step = function.rfind(kStep);
  if (kernel == std::string::npos || step == std::string::npos || step < kernel) return {};
  std::size_t stage = 0;
  const char* const digits = function.data() + step + kStep.size();
  if (std::from_chars(digits, function.data() + function.size(), stage).ec != std::errc())
    return {};
  return stage;
}

}  // namespace

Stacks stacks_of(const CrashReport& report, Symbols& symbols) {
  Stacks stacks;
  for (const CrashReport::Thread& thread : report.threads) {
    const bool died = &thread == &report.threads.front();
    std::string& all = stacks.of_all_threads;
    all += "\nthread " + std::to_string(thread.id) + " (" + thread.name + ")" +
           (died ? ", which died" : "") +
           (thread.frames.empty() ? ": its stack is not known" : ":");
    std::size_t number = 0, of_user_code = 0;
    std::string top;
    for (const CrashReport::Frame& frame : thread.frames) {
      for (const Place& place : symbols.places_of(frame.module, frame.offset)) {
        if (number == kMostFrames) break;
        const std::string text = text_of(number, frame, place);
        all += text;
        if (died && number < kMostUserFrames) top += text;
        if (died && !stacks.stage) stacks.stage = stage_in(place.function);
        if (died && !is_ours(frame, place) && of_user_code++ < kMostUserFrames)
          stacks.of_user_code += text;
        ++number;
      }
    }
    if (died && of_user_code == 0) stacks.of_user_code = top;
  }
  return stacks;
}

}  // namespace freshet::tool
