#include "plugin/check.h"

#include <dlfcn.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "freshet/error.h"
#include "freshet/payload.h"
#include "modules/module_registry.h"
#include "plugin/case_process.h"
#include "shared_objects/plugin_kind.h"
#include "shared_objects/shared_object.h"

namespace freshet::tool {
using namespace core;
namespace fs = std::filesystem;

void CaseContext::note(const std::string& text) { report_.send(kCaseNote, text); }
void CaseContext::doing(const std::string& what) { report_.send(kCaseDoing, what); }

const PluginFile& CaseContext::file() {
  if (!judged_) {
    try {
      file_ = read_compatible_file(request.file);
    } catch (const RefusedFile& refused) {
      throw CaseFailed(refused.reason());
    }
    judged_ = true;
  }
  return file_;
}

const freshet_plugin_v1& CaseContext::contract() {
  if (contract_ == nullptr) {
    const PluginFile& judged = file();
    doing("loading it");
    try {
      contract_ = &load_shared_object(judged);
    } catch (const RefusedFile& refused) {
      throw CaseFailed(refused.reason());
    }
    ModuleRegistry::instance().add_plugin(judged, *contract_);
  }
  return *contract_;
}

void* CaseContext::create() {
  const freshet_plugin_v1& entry = contract();
  doing("create()");
  char error[1024] = "";
  void* const object = entry.create(error, sizeof error);
  error[sizeof error - 1] = '\0';
  if (object != nullptr) return object;
  throw CaseFailed(std::string("create() gives nothing and says: ") +
                   (error[0] == '\0' ? "nothing either" : printable(error, sizeof error)));
}

void CaseContext::destroy(void* object) {
  doing("destroy()");
  contract().destroy(object);
}

std::vector<Case> cases_of(std::uint32_t kind) {
  std::vector<Case> cases = life_cases(kind);
  const auto add = [&](std::uint32_t of, const std::vector<Case>& more) {
    if (kind == of || kind == 0) cases.insert(cases.end(), more.begin(), more.end());
  };
  add(FRESHET_KIND_EXECUTOR, executor_cases());
  add(FRESHET_KIND_DEPLOYER, deployer_cases());
  add(FRESHET_KIND_FRONT_END, front_end_cases());
  add(FRESHET_KIND_FILE_SYSTEM, file_system_cases());
  add(FRESHET_KIND_HIGH_AVAILABILITY, high_availability_cases());
  add(FRESHET_KIND_OPERATORS, operator_cases());
  if (kind != 0) add(FRESHET_KIND_CONNECTOR, operator_cases());
  add(FRESHET_KIND_APPLICATION, application_cases());
  return cases;
}

namespace {

template <class Number>
void append_number(PayloadWriter& to, const std::string& text, const std::string& definition) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw InvalidInput("'" + text + "' in --payload " + definition +
                       " is no number of that type: correct it");
  }
  to.value(number);
}

void append_value(Payload& payload, const std::string& value, const std::string& definition) {
  PayloadWriter to(payload);
  const std::size_t colon = value.find(':');
  const std::string type = value.substr(0, colon);
  const std::string text = colon == std::string::npos ? "" : value.substr(colon + 1);
  if (type == "string") {
    to.value(text);
  } else if (type == "bool" && (text == "true" || text == "false")) {
    to.value(text == "true");
  } else if (type == "i32") {
    append_number<std::int32_t>(to, text, definition);
  } else if (type == "u32") {
    append_number<std::uint32_t>(to, text, definition);
  } else if (type == "i64") {
    append_number<std::int64_t>(to, text, definition);
  } else if (type == "u64") {
    append_number<std::uint64_t>(to, text, definition);
  } else if (type == "f64") {
    append_number<double>(to, text, definition);
  } else {
    throw InvalidInput("'" + value + "' in --payload " + definition +
                       " is no value: write string:TEXT, bool:true, i32:N, u32:N, i64:N, u64:N, "
                       "f64:X, or @FILE for bytes");
  }
}

}  // namespace

std::map<std::string, std::string> read_payloads(const std::vector<std::string>& definitions) {
  std::map<std::string, Payload> payloads;
  for (const std::string& definition : definitions) {
    const std::size_t equals = definition.find('=');
    if (equals == 0 || equals == std::string::npos) {
      throw InvalidInput("'" + definition +
                         "' after --payload is not OPERATOR=TYPE:VALUE: name the operator");
    }
    Payload& payload = payloads[definition.substr(0, equals)];
    const std::string value = definition.substr(equals + 1);
    if (value.empty()) continue;  // the empty payload, where that is the right one
    if (value.rfind('@', 0) != 0) {
      append_value(payload, value, definition);
      continue;
    }
    std::ifstream file(value.substr(1), std::ios::binary);
    if (!file || !fs::is_regular_file(value.substr(1))) {
      throw InvalidInput("can't read the file in --payload " + definition + ": check its path");
    }
    payload.bytes.append(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  std::map<std::string, std::string> bytes;
  for (auto& [name, payload] : payloads) bytes[name] = std::move(payload.bytes);
  return bytes;
}

std::string kit_file() {
  Dl_info core{};
  if (::dladdr(reinterpret_cast<const void*>(&read_compatible_file), &core) == 0) {
    throw InvalidInput("can't tell where the core library stands");
  }
  std::error_code ignored;
  const fs::path libraries = fs::absolute(core.dli_fname, ignored).parent_path();
  const fs::path places[] = {libraries / "freshet/kit/plugin_kit.so",
                             libraries.parent_path() / "tools/kit/plugin_kit.so"};
  for (const fs::path& place : places) {
    if (fs::exists(place, ignored)) return place.lexically_normal().string();
  }
  throw InvalidInput("the test kit is not at " + places[0].native() +
                     ": install Freshet again, whole");
}

}  // namespace freshet::tool
