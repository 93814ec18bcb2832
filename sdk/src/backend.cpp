#include "freshet/detail/backend.h"

#include <dlfcn.h>

#include <atomic>

#include "freshet/error.h"
#include "freshet/job_client.h"

namespace freshet::detail {

namespace {

using Entry = ExecutionBackend* (*)();
std::atomic<ExecutionBackend*> replaced{nullptr};

ExecutionBackend& load_core() {
  constexpr const char* kEntry = "freshet_core_backend";
  void* entry = ::dlsym(RTLD_DEFAULT, kEntry);
  if (!entry) {
    constexpr const char* kLibrary = "libfreshet-core.so.0";
    void* core = ::dlopen(kLibrary, RTLD_NOW | RTLD_GLOBAL);
    if (!core) {
      throw Error("can't load the runtime " + std::string(kLibrary) + ": " + ::dlerror() +
                  ": install it beside libfreshet-sdk.so");
    }
    entry = ::dlsym(core, kEntry);
    if (!entry) {
      throw Error(std::string(kLibrary) + " has no " + kEntry +
                  ": it is not of this version of Freshet; reinstall it");
    }
  }
  return *reinterpret_cast<Entry>(entry)();
}

}  // namespace

ExecutionBackend::~ExecutionBackend() = default;
std::unique_ptr<JobClient> ExecutionBackend::job_client(const Configuration&) {
  throw InvalidInput("a job can't be looked for here: this process knows of no cluster");
}

ExecutionBackend& execution_backend() {
  if (ExecutionBackend* backend = replaced.load(std::memory_order_acquire)) return *backend;
  static ExecutionBackend& core = load_core();
  return core;
}

void set_execution_backend(ExecutionBackend* backend) {
  replaced.store(backend, std::memory_order_release);
}

}  // namespace freshet::detail
