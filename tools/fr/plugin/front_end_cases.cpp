// What a front end and its translator say of themselves, and make of files: a sample that its
// author gives, and what is left of that when it is damaged.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <thread>

#include "backend/in_process_backend.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "freshet/plugin/front_end.h"
#include "freshet/plugin/operator.h"
#include "freshet/plugin/stream_graph.h"
#include "modules/module_registry.h"
#include "plugin/check.h"
#include "plugin/leaks.h"
#include "translation/translator_registry.h"

namespace freshet::tool {
using namespace core;
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFirstBytes = 4096;     // what recognises() gets
constexpr std::size_t kMostCuts = 256;        // a smaller file is cut at each of its bytes
constexpr std::size_t kMostFlips = 512;       // one byte changed in each
constexpr std::size_t kRuntimeKeeps = 16384;  // bytes of heap after fifty translations

const FrontEnd& front_end(CaseContext& context) {
  return *static_cast<const FrontEnd*>(context.create());
}

std::unique_ptr<PipelineTranslator> translator_of(CaseContext& context, const FrontEnd& made) {
  context.doing("make_translator()");
  auto translator = made.make_translator();
  if (!translator) throw CaseFailed("it has no translator: make_translator() gives none");
  return translator;
}

void kind_of_pipelines(CaseContext& context) {
  const auto kind_of = [&] {
    const auto translator = translator_of(context, front_end(context));
    context.doing("kind()");
    return std::string(translator->kind());
  };
  const std::string kind = kind_of();
  if (kind.empty()) throw CaseFailed("its translator is for pipelines of no kind: kind() is empty");
  if (const std::string other = kind_of(); kind != other) {
    throw CaseFailed("two of its translators are for pipelines of different kinds, '" +
                     printable(kind) + "' and '" + printable(other) + "'");
  }
  if (kind == StreamGraph::kKind) {
    throw CaseFailed("its translator is for pipelines of kind '" + kind +
                     "', which Freshet translates itself: name a kind of its own");
  }
  if (printable(kind) != kind) {
    throw CaseFailed("the kind '" + printable(kind) + "' has odd characters: use printable ASCII");
  }
}

void claims(CaseContext& context) {
  const FrontEnd& asked = front_end(context);
  context.doing("name()");
  if (asked.name() == nullptr || *asked.name() == '\0') throw CaseFailed("it has no name: name()");
  const std::string odd[] = {"", std::string(4096, '\0'), "\177ELF", std::string("\xff\xfe\n"),
                             std::string(4096, 'x')};
  for (const std::string& bytes : odd) {
    for (const char* path : {"", "file", "/folder/file.of.no.kind", "/folder/file.yaml",
                             "/folder/file.json", "/folder/file.sql"}) {
      context.doing("recognises()");
      bool claimed = false;
      try {
        claimed = asked.recognises(path, bytes);
      } catch (...) {
        throw CaseFailed(
            "recognises() throws for odd bytes: " + detail::current_exception_message() +
            ": answer false to what is not yours");
      }
      if (claimed) {
        throw CaseFailed("it claims a file '" + std::string(path) + "' that begins with '" +
                         printable(bytes.substr(0, 8)) +
                         "', which is nobody's: claim what is certainly yours");
      }
    }
  }
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// A front end with its translator, beside the operators that the search path has.
class Reading {
 public:
  explicit Reading(CaseContext& context)
      : context_(context),
        front_end_(front_end(context)),
        configuration_(context.request.configuration.load()),
        translators_(ProcessModules::of_this_process()) {
    auto translator = translator_of(context, front_end_);
    kind_ = translator->kind();
    translators_.add(std::move(translator));
    context.doing("loading operator libraries");
    InProcessBackend& backend = InProcessBackend::instance();
    backend.set_configuration(configuration_);
    for (const std::uint32_t kind : {FRESHET_KIND_OPERATORS, FRESHET_KIND_CONNECTOR}) {
      for (const CatalogEntry* library : backend.catalog().usable(kind)) {
        backend.catalog().load(*library);
      }
    }
  }

  const FrontEnd& asked() const { return front_end_; }

  // Never null; throws what read() does. `what` is "the sample cut to 7 bytes".
  std::unique_ptr<Pipeline> read(const std::string& path, const std::string& what) const {
    context_.doing("reading " + what);
    return checked(front_end_.read(path, context_.request.arguments), what);
  }
  std::unique_ptr<Pipeline> checked(std::unique_ptr<Pipeline> pipeline,
                                    const std::string& what) const {
    if (!pipeline) {
      throw CaseFailed("read() gives no pipeline for " + what + ": throw freshet::InvalidInput " +
                       "with file, line and column");
    }
    if (const std::string kind(pipeline->kind()); kind != kind_) {
      throw CaseFailed("read() gives a pipeline of kind '" + printable(kind) + "' for " + what +
                       ", but its translator is for '" + printable(kind_) + "'");
    }
    return pipeline;
  }
  JobGraph translate(const Pipeline& pipeline, const std::string& what) {
    context_.doing("translating " + what);
    return translators_.translate(pipeline, configuration_);
  }

 private:
  CaseContext& context_;
  const FrontEnd& front_end_;
  const Configuration configuration_;
  TranslatorRegistry translators_;
  std::string kind_;
};

// Its process ends without ever taking it down.
Reading& reading(CaseContext& context) { return *new Reading(context); }

const std::string& sample_of(CaseContext& context) {
  if (context.request.sample.empty()) {
    throw CaseSkipped("no file of its own is given: --sample FILE, and its arguments behind --");
  }
  return context.request.sample;
}

void reads_its_sample(CaseContext& context) {
  const std::string& sample = sample_of(context);
  const std::string name = "'" + printable(sample, 4096) + "'";
  Reading& by = reading(context);
  context.doing("recognises()");
  if (!by.asked().recognises(sample, bytes_of(sample).substr(0, kFirstBytes))) {
    throw CaseFailed("recognises() says no to the sample " + name +
                     ": give a file that fr-run would bring to this front end");
  }
  // As the contract has it: stateless, and several at once.
  context.doing("reading " + name + " on several threads at once");
  constexpr int kThreads = 4;
  std::unique_ptr<Pipeline> pipelines[kThreads];
  std::string errors[kThreads];
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      try {
        pipelines[i] = by.asked().read(sample, context.request.arguments);
      } catch (...) {
        errors[i] =
            "read() throws for the sample " + name + ": " + detail::current_exception_message();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::size_t operators = 0;
  for (int i = 0; i < kThreads; ++i) {
    if (!errors[i].empty()) throw CaseFailed(errors[i]);
    const auto pipeline = by.checked(std::move(pipelines[i]), name);
    try {
      operators = by.translate(*pipeline, name).vertices.size();
    } catch (...) {
      throw CaseFailed(
          "the sample " + name + " can't be translated: " + detail::current_exception_message() +
          " (operators are looked for in the search path, --plugin-dir adds a folder)");
    }
  }
  context.note("a job of " + std::to_string(operators) + " operators");
}

struct Damaged {
  std::string what;  // "the sample cut to 7 of 320 bytes"
  std::string bytes;
  bool never_right;  // nothing of the sample is left in it
};

std::vector<Damaged> damaged(const std::string& whole) {
  const std::string of = " of " + std::to_string(whole.size()) + " bytes";
  std::mt19937 random(20260101);
  std::vector<Damaged> all{
      {"an empty file", "", true},
      {"a file of zeros", std::string(std::max<std::size_t>(whole.size(), 1), '\0'), true}};
  std::string noise(4096, '\0');
  for (char& byte : noise) byte = static_cast<char>(random());
  all.push_back({"a file of random bytes", noise, true});
  all.push_back({"the sample twice in one file", whole + whole, false});

  const std::size_t step = std::max<std::size_t>(1, whole.size() / kMostCuts);
  for (std::size_t size = 1; size < whole.size(); size += step) {
    all.push_back({"the sample cut to " + std::to_string(size) + of, whole.substr(0, size), false});
    all.push_back(
        {"the sample without its first " + std::to_string(size) + of, whole.substr(size), false});
  }
  for (std::size_t flip = 0; flip < kMostFlips && !whole.empty(); ++flip) {
    const std::size_t at = flip < whole.size() ? flip : random() % whole.size();
    std::string bytes = whole;
    // Bits that make other text of text, and bytes that are no text at all.
    const std::uint32_t was = static_cast<unsigned char>(bytes[at]);
    bytes[at] = static_cast<char>(flip % 2 == 0 ? was ^ (1U << random() % 8) : random());
    all.push_back({"the sample with another byte at " + std::to_string(at), bytes, false});
  }
  return all;
}

// Read and translated, or refused as the contract says.
void try_one(Reading& by, const std::string& path, const std::string& what, bool never_right) {
  const auto refusal_is_named = [&](const Error& error) {
    if (std::string(error.what()).find(fs::path(path).filename().string()) != std::string::npos)
      return;
    throw CaseFailed("read() refuses " + what + " without naming the file: " +
                     printable(error.what(), 400) + ": begin with file, line and column");
  };
  const auto wrong_exception = [&](const char* call) {
    throw CaseFailed(std::string(call) + " throws what is no freshet::Error for " + what + ": " +
                     printable(detail::current_exception_message(), 400) +
                     ": catch it, and throw freshet::InvalidInput with file, line and column");
  };
  std::unique_ptr<Pipeline> pipeline;
  try {
    pipeline = by.read(path, what);
  } catch (const CaseFailed&) {
    throw;
  } catch (const Error& error) {
    return refusal_is_named(error);
  } catch (...) {
    wrong_exception("read()");
  }
  try {
    static_cast<void>(by.translate(*pipeline, what));
  } catch (const Error&) {
    return;
  } catch (...) {
    wrong_exception("translate()");
  }
  if (never_right) {
    throw CaseFailed("it makes a job of " + what + ": refuse it by freshet::InvalidInput");
  }
}

void refuses_damaged(CaseContext& context) {
  const std::string& sample = sample_of(context);
  const std::string whole = bytes_of(sample);
  Reading& by = reading(context);
  const fs::path folder = context.request.folder;
  // Under its own name, for what goes by that.
  const std::string path = folder / fs::path(sample).filename();
  try_one(by, path, "a file that does not exist", true);
  for (const Damaged& each : damaged(whole)) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << each.bytes;
    file.close();
    if (!file) throw CaseFailed("can't write '" + path + "': check the space there");
    try_one(by, path, each.what, each.never_right);
  }
}

// Once its plugins are loaded, reading takes nothing that it does not give back.
Rounds reading_rounds(CaseContext& context) {
  const std::string& sample = sample_of(context);
  Reading& by = reading(context);
  return {"read() and translate()", "the pipeline's destructor", "read() or translate()",
          [&by, &sample] {
            const auto pipeline = by.read(sample, "the sample");
            static_cast<void>(by.translate(*pipeline, "the sample"));
          },
          kRuntimeKeeps};
}
void keeps_memory(CaseContext& context) { expect_no_more_memory(reading_rounds(context)); }
void keeps_descriptors(CaseContext& context) {
  expect_no_more_descriptors(reading_rounds(context));
}
void keeps_threads(CaseContext& context) { expect_no_more_threads(reading_rounds(context)); }

}  // namespace

std::vector<Case> front_end_cases() {
  return {
      {"kind", "translates pipelines of one kind, its own", "creates", kind_of_pipelines},
      {"claims", "claims no file that is not its own", "creates", claims},
      {"sample", "claims, reads and translates a file of its own", "kind", reads_its_sample},
      {"damaged", "refuses what is left of that file by an error", "sample", refuses_damaged},
      {"sample-threads", "fifty files later has no more threads", "sample", keeps_threads},
      {"sample-descriptors", "fifty files later holds no more descriptors", "sample",
       keeps_descriptors},
      {"sample-memory", "fifty files later holds no more memory", "sample", keeps_memory},
  };
}

}  // namespace freshet::tool
