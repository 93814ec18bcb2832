/* The contract between Freshet and a shared object that it loads: a plugin or an application.
 *
 * Plain C, so that a build by any compiler agrees on it. A shared object
 *   - exports exactly one symbol, `freshet_plugin`, a constant of struct freshet_plugin_v1;
 *   - carries the same identity in an ELF note, section `.note.freshet`, of struct freshet_note_v1,
 *     which is read, listed and judged before any of the file's code runs.
 * C++ authors write neither by hand: see freshet/plugin/plugin_registration.h and freshet/application.h.
 *
 * The entry is data, not a function: whether it is there, how large it is and what its first bytes
 * say can be read from the file's tables without running anything, and reading it can't throw.
 *
 * Frozen for ever: the first 24 bytes of both structs, and the note's name, version and SDK version,
 * so that whoever refuses a plugin can say which SDK made it. The rest: for as long as
 * FRESHET_ABI_VERSION stays; a field is never moved or removed, and appending one raises it.
 */
/* NOLINTBEGIN: C, also for C++. */
#ifndef FRESHET_PLUGIN_H
#define FRESHET_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

/* Raised when the layout of these structs or the binary interface of a class in the SDK changes. A
 * Freshet runs plugins of the numbers that it keeps, whatever version of the SDK made them. How it is
 * raised: docs/maintainers/abi.md. */
#define FRESHET_ABI_VERSION 2

/* Eight bytes with the final zero. */
#define FRESHET_PLUGIN_MAGIC "FRESHET"
#define FRESHET_PLUGIN_ENTRY "freshet_plugin"

/* Every kind of shared object, once: identifier, number, words for people, and for those that MAKES
 * an object the C++ class in namespace freshet whose pointer create() returns. PLAIN kinds have no
 * such class in the SDK. RESERVED ones are refused by name until their interface exists. Numbers
 * are never reused. How a kind is added: docs/maintainers/plugin-kinds.md. */
#define FRESHET_KINDS(MAKES, PLAIN, RESERVED)                                       \
  MAKES(EXECUTOR, 1, "executor", ExecutorFactory)                                   \
  MAKES(DEPLOYER, 2, "deployer", ClusterDeployerFactory)                            \
  PLAIN(APPLICATION, 3, "application")                                              \
  MAKES(FRONT_END, 4, "front end", FrontEnd)                                        \
  PLAIN(OPERATORS, 5, "operator library")                                           \
  PLAIN(CONNECTOR, 6, "connector")                                                  \
  MAKES(HIGH_AVAILABILITY, 7, "high-availability service", HighAvailabilityFactory) \
  MAKES(FILE_SYSTEM, 8, "file system", FileSystem)                                  \
  RESERVED(STATE_BACKEND, 9, "state backend")                                       \
  RESERVED(METRICS_REPORTER, 10, "metrics reporter")

/* FRESHET_KIND_EXECUTOR = 1, ... */
#define FRESHET_DETAIL_MAKES(id_, number_, words_, interface_) FRESHET_KIND_##id_ = number_,
#define FRESHET_DETAIL_NUMBER(id_, number_, words_) FRESHET_KIND_##id_ = number_,
enum freshet_plugin_kind {
  FRESHET_KINDS(FRESHET_DETAIL_MAKES, FRESHET_DETAIL_NUMBER, FRESHET_DETAIL_NUMBER)
      FRESHET_KIND_NONE = 0 /* what can't be read */
};
#undef FRESHET_DETAIL_MAKES
#undef FRESHET_DETAIL_NUMBER

/* How the main of an application ended. */
enum freshet_main_outcome {
  FRESHET_MAIN_RETURNED = 0,   /* *exit_code is what it returned */
  FRESHET_MAIN_THREW = 1,      /* an exception; its text is in `error`, as with those below */
  FRESHET_MAIN_REFUSED = 2,    /* freshet::InvalidInput */
  FRESHET_MAIN_JOB_FAILED = 3, /* freshet::JobFailed */
  FRESHET_MAIN_CANCELED = 4    /* freshet::JobCanceled or freshet::Canceled */
};

struct freshet_plugin_v1 {
  /* Frozen. */
  char magic[8];        /* FRESHET_PLUGIN_MAGIC */
  uint32_t struct_size; /* sizeof(struct freshet_plugin_v1) where the plugin was compiled */
  uint32_t abi_version; /* FRESHET_ABI_VERSION where the plugin was compiled */
  uint32_t kind;        /* enum freshet_plugin_kind */
  uint32_t reserved;    /* 0 */

  /* Zero-terminated, constant, equal to the note's. */
  const char* name;
  const char* version;
  const char* sdk_version;
  const char* build_tag; /* freshet/plugin/build_tag.h */

  /* Makes the object that this kind stands for, e.g. a freshet::ExecutorFactory for an executor,
   * as a pointer to that interface class. Null: it failed, and `error` holds the reason,
   * zero-terminated and cut at error_size. Nothing is thrown. May be called again, from any thread;
   * each object is handed back to destroy() once or kept until the process ends.
   * Null in an application and an operator library. */
  void* (*create)(char* error, size_t error_size);
  void (*destroy)(void* object);

  /* Runs the application's main and returns an enum freshet_main_outcome; null in all other kinds.
   * Nothing is thrown. argv[0] names the application; argv[argc] is null. Called at most once in a
   * process, on its main thread. */
  uint32_t (*main)(int argc, char** argv, int* exit_code, char* error, size_t error_size);

  /* This module's freshet::ModuleAnchor (freshet/plugin/module.h): the operators registered in it. */
  const void* operators;
};

#define FRESHET_NOTE_OWNER "Freshet"
#define FRESHET_NOTE_TYPE 1
#define FRESHET_NAME_SIZE 64
#define FRESHET_VERSION_SIZE 32
#define FRESHET_BUILD_TAG_SIZE 256

/* What the note holds; each string ends with a zero inside its array. */
struct freshet_note_v1 {
  /* Frozen. */
  char magic[8];
  uint32_t struct_size; /* sizeof(struct freshet_note_v1) */
  uint32_t abi_version;
  uint32_t kind;
  uint32_t reserved;
  char
      name[FRESHET_NAME_SIZE]; /* a-z 0-9 - _ . ; empty in an application: its file's name counts */
  char version[FRESHET_VERSION_SIZE];
  char sdk_version[FRESHET_VERSION_SIZE];

  char build_tag[FRESHET_BUILD_TAG_SIZE];
};

/* The section `.note.freshet`, 4-byte aligned: an ELF note header and its content. */
struct freshet_elf_note {
  uint32_t owner_size;   /* 8 */
  uint32_t content_size; /* sizeof(struct freshet_note_v1) */
  uint32_t type;         /* FRESHET_NOTE_TYPE */
  char owner[8];         /* FRESHET_NOTE_OWNER */
  struct freshet_note_v1 content;
};

#ifdef __cplusplus
extern "C" {
#endif

/* The entry. Declared here, defined once in each shared object. */
extern __attribute__((visibility("default"))) const struct freshet_plugin_v1 freshet_plugin;

#ifdef __cplusplus
}
#endif

#endif
/* NOLINTEND */
