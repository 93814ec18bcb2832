// Turns a factory class into a plugin: writes the ELF note and the entry of freshet/plugin.h.
//
//   class LocalExecutorFactory final : public freshet::ExecutorFactory { ... };
//   FRESHET_EXECUTOR_PLUGIN("local", "0.1.0", LocalExecutorFactory);
//
// Once in a shared object, at global scope, in the one source file that includes this header. Link
// with the version script freshet-plugin.map, so that nothing but the entry is exported.
#pragma once

#include <type_traits>

#include "freshet/api.h"
#include "freshet/plugin.h"
#include "freshet/plugin/build_tag.h"
#include "freshet/plugin/module.h"

namespace freshet {

// The classes that FRESHET_KINDS names; each is defined in the header of its kind.
#define FRESHET_DETAIL_DECLARED(id_, number_, words_, interface_) class interface_;
#define FRESHET_DETAIL_SKIPPED(id_, number_, words_)
FRESHET_KINDS(FRESHET_DETAIL_DECLARED, FRESHET_DETAIL_SKIPPED, FRESHET_DETAIL_SKIPPED)
#undef FRESHET_DETAIL_DECLARED

namespace detail {

// void where the kind has none in the SDK.
template <std::uint32_t Kind>
struct InterfaceOf {
  using Class = void;
};
#define FRESHET_DETAIL_INTERFACE(id_, number_, words_, interface_) \
  template <>                                                      \
  struct InterfaceOf<number_> {                                    \
    using Class = interface_;                                      \
  };
FRESHET_KINDS(FRESHET_DETAIL_INTERFACE, FRESHET_DETAIL_SKIPPED, FRESHET_DETAIL_SKIPPED)
#undef FRESHET_DETAIL_INTERFACE
#undef FRESHET_DETAIL_SKIPPED

// Called inside a catch block: writes what the exception says into `error`, zero-terminated, and
// returns the enum freshet_main_outcome of its type.
FRESHET_API std::uint32_t write_current_exception(char* error, std::size_t error_size) noexcept;

template <std::uint32_t Kind, class Interface, class Factory>
struct FRESHET_HIDDEN PluginFunctions {
  using Wanted = typename InterfaceOf<Kind>::Class;
  static_assert(
      std::is_void_v<Wanted> || std::is_same_v<Wanted, Interface>,
      "the interface is the one that FRESHET_KINDS in freshet/plugin.h names for this kind");
  static_assert(std::is_base_of_v<Interface, Factory>,
                "the class of a plugin derives publicly from the interface of its kind");
  static_assert(std::is_default_constructible_v<Factory>,
                "the class of a plugin is made without arguments");
  static_assert(std::has_virtual_destructor_v<Interface>);

  static void* create(char* error, std::size_t error_size) noexcept {
    try {
      Interface* made = new Factory();
      return made;
    } catch (...) {
      write_current_exception(error, error_size);
      return nullptr;
    }
  }
  static void destroy(void* object) noexcept { delete static_cast<Interface*>(object); }
};

template <int (*Main)(int, char**)>
struct FRESHET_HIDDEN ApplicationMain {
  static std::uint32_t run(int argc, char** argv, int* exit_code, char* error,
                           std::size_t error_size) noexcept {
    try {
      *exit_code = Main(argc, argv);
      return FRESHET_MAIN_RETURNED;
    } catch (...) {
      return write_current_exception(error, error_size);
    }
  }
};

}  // namespace detail
}  // namespace freshet

// clang's address sanitizer would put a red zone behind the note.
#if defined(__clang__)
#define FRESHET_DETAIL_NO_RED_ZONE __attribute__((no_sanitize("address")))
#else
#define FRESHET_DETAIL_NO_RED_ZONE
#endif

// The note is kept by the linker with --gc-sections (notes always are), and by strip (it is
// loaded).
#define FRESHET_DETAIL_MODULE(kind_, name_, version_, create_, destroy_, main_)             \
  namespace {                                                                               \
  __attribute__((section(".note.freshet"), used, aligned(4)))                               \
  FRESHET_DETAIL_NO_RED_ZONE constexpr freshet_elf_note freshet_identity_note = {           \
      sizeof(FRESHET_NOTE_OWNER),                                                           \
      sizeof(freshet_note_v1),                                                              \
      FRESHET_NOTE_TYPE,                                                                    \
      FRESHET_NOTE_OWNER,                                                                   \
      {FRESHET_PLUGIN_MAGIC, sizeof(freshet_note_v1), FRESHET_ABI_VERSION, kind_, 0, name_, \
       version_, FRESHET_VERSION_STRING, FRESHET_BUILD_TAG}};                               \
  }                                                                                         \
  extern "C" __attribute__((visibility("default"),                                          \
                            used)) constinit const freshet_plugin_v1 freshet_plugin = {     \
      FRESHET_PLUGIN_MAGIC,                                                                 \
      sizeof(freshet_plugin_v1),                                                            \
      FRESHET_ABI_VERSION,                                                                  \
      kind_,                                                                                \
      0,                                                                                    \
      name_,                                                                                \
      version_,                                                                             \
      FRESHET_VERSION_STRING,                                                               \
      FRESHET_BUILD_TAG,                                                                    \
      create_,                                                                              \
      destroy_,                                                                             \
      main_,                                                                                \
      &::freshet::module_anchor}

// Any kind: `Interface` is the SDK's class for it, `Factory` the author's.
#define FRESHET_PLUGIN(kind_, Interface_, name_, version_, Factory_)              \
  FRESHET_DETAIL_MODULE(                                                          \
      kind_, name_, version_,                                                     \
      (&::freshet::detail::PluginFunctions<kind_, Interface_, Factory_>::create), \
      (&::freshet::detail::PluginFunctions<kind_, Interface_, Factory_>::destroy), nullptr)

#define FRESHET_EXECUTOR_PLUGIN(name_, version_, Factory_) \
  FRESHET_PLUGIN(FRESHET_KIND_EXECUTOR, ::freshet::ExecutorFactory, name_, version_, Factory_)

// A deployer: freshet/plugin/cluster_deployer.h.
#define FRESHET_DEPLOYER_PLUGIN(name_, version_, Factory_)                                  \
  FRESHET_PLUGIN(FRESHET_KIND_DEPLOYER, ::freshet::ClusterDeployerFactory, name_, version_, \
                 Factory_)

// A front end: freshet/plugin/front_end.h.
#define FRESHET_FRONT_END_PLUGIN(name_, version_, FrontEnd_) \
  FRESHET_PLUGIN(FRESHET_KIND_FRONT_END, ::freshet::FrontEnd, name_, version_, FrontEnd_)

// A file system: freshet/plugin/file_system.h.
#define FRESHET_FILE_SYSTEM_PLUGIN(name_, version_, FileSystem_) \
  FRESHET_PLUGIN(FRESHET_KIND_FILE_SYSTEM, ::freshet::FileSystem, name_, version_, FileSystem_)

// A high-availability service: freshet/plugin/high_availability.h.
#define FRESHET_HIGH_AVAILABILITY_PLUGIN(name_, version_, Factory_)                         \
  FRESHET_PLUGIN(FRESHET_KIND_HIGH_AVAILABILITY, ::freshet::HighAvailabilityFactory, name_, \
                 version_, Factory_)

// Operators registered in this module, found by name or by the graphs that were made with them.
#define FRESHET_OPERATOR_LIBRARY(name_, version_) \
  FRESHET_DETAIL_MODULE(FRESHET_KIND_OPERATORS, name_, version_, nullptr, nullptr, nullptr)
