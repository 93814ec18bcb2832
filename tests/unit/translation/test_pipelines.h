// Pipelines for the tests of translation, vertex by vertex, with operators that are never made.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "freshet/configuration.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "freshet/plugin/stream_graph.h"
#include "translation/process_modules.h"
#include "translation/translator_registry.h"

namespace freshet::testing {
using namespace core;

// Two modules with descriptors, one function each, and a little memory.
class TestModules final : public ProcessModules {
 public:
  OperatorDescriptor* make_descriptor(const std::string& type, std::uint32_t stages = 1,
                                      bool of_plugin = false,
                                      const char* registered_name = nullptr) {
    types_.push_back(type);
    descriptors_.push_back(
        {types_.back().c_str(), nullptr, stages, nullptr, registered_name, nullptr});
    places_[&descriptors_.back()] = {of_plugin ? plugin_ : job_, 64 * types_.size()};
    return &descriptors_.back();
  }
  const std::string& type_at(std::uint64_t offset) const {
    return types_.at(static_cast<std::size_t>(offset) / 64 - 1);
  }

  Place place_of(const OperatorDescriptor* descriptor, const ModuleAnchor*) override {
    return places_.at(descriptor);
  }
  std::optional<Place> place_of_code(const void* function) override {
    if (function == &job_function) return Place{job_, 16};
    if (function == &plugin_function) return Place{plugin_, 32};
    return std::nullopt;
  }
  const OperatorDescriptor* find_operator(std::string_view name) override {
    for (const OperatorDescriptor& descriptor : descriptors_) {
      if (descriptor.registered_name != nullptr && descriptor.registered_name == name) {
        return &descriptor;
      }
    }
    return nullptr;
  }
  RangeOf mapped_memory() override {
    return [](std::uintptr_t address) -> std::string {
      if (address >= 0x5000 && address < 0x6000) return "[heap]";
      if (address >= 0x7000 && address < 0x8000) return "[stack]";
      return "";
    };
  }

  char job_function = 0, plugin_function = 0, foreign_function = 0;

 private:
  const JobModule job_{std::string(64, 'a'), "job.so", ModuleKind::kShipped};
  const JobModule plugin_{std::string(64, 'b'), "plugin.so", ModuleKind::kInstalled};
  std::deque<std::string> types_;
  std::deque<OperatorDescriptor> descriptors_;
  std::map<const OperatorDescriptor*, Place> places_;
};

// A pipeline of i64 records; where nothing else is said, with one output and automatic edges.
class TranslationTest : public ::testing::Test {
 protected:
  TranslationTest() { graph_.job_name = "test"; }

  std::uint32_t source(const std::string& name) {
    StreamVertex vertex = make_vertex("source", name, {});
    vertex.source = true;
    vertex.outputs = {&record_type<std::int64_t>()};
    return graph_.add(std::move(vertex));
  }
  std::uint32_t map(const std::string& name, const std::vector<std::uint32_t>& from,
                    const RecordType& makes = record_type<std::int64_t>()) {
    StreamVertex vertex = make_vertex("map", name, from);
    vertex.outputs = {&makes};
    return graph_.add(std::move(vertex));
  }
  std::uint32_t sink(const std::string& name, const std::vector<std::uint32_t>& from) {
    return graph_.add(make_vertex("sink", name, from));
  }
  StreamVertex& at(std::uint32_t vertex) { return graph_.at(vertex); }
  StreamEdge& input_of(std::uint32_t vertex) { return graph_.at(vertex).inputs.at(0); }
  void partition(std::uint32_t vertex, Partitioning partitioning) {
    input_of(vertex).automatic = false;
    input_of(vertex).partitioning = partitioning;
  }
  // A kernel for the vertices from `head` to `tail`.
  void kernel(const std::string& type, std::uint32_t head, std::uint32_t tail,
              std::uint32_t stages) {
    at(tail).fused.push_back({modules_.make_descriptor(type, stages), nullptr, head});
  }

  JobGraph translate() {
    TranslatorRegistry registry(modules_, "application");
    return registry.translate(graph_, configuration_);
  }
  std::string refusal() {
    try {
      translate();
    } catch (const InvalidInput& error) {
      return error.what();
    }
    return "not refused";
  }
  // "source+map|sink": tasks by '|', links by '+', vertices of one kernel by '*'.
  std::string tasks() { return tasks_of(translate()); }
  static std::string tasks_of(const JobGraph& job) {
    std::string text;
    for (const JobTask& task : job.tasks) {
      const char* separator = text.empty() ? "" : "|";
      for (const JobLink& link : task.links) {
        for (const std::uint32_t v : link.vertices) {
          text += separator + job.vertices[v].name;
          separator = "*";
        }
        separator = "+";
      }
    }
    return text;
  }

  TestModules modules_;
  StreamGraph graph_;
  Configuration configuration_;

 private:
  StreamVertex make_vertex(const char* kind, const std::string& name,
                           const std::vector<std::uint32_t>& from) {
    StreamVertex vertex;
    vertex.kind = kind;
    vertex.name = name;
    vertex.descriptor = modules_.make_descriptor(name);
    for (const std::uint32_t producer : from) {
      StreamEdge edge;
      edge.from = producer;
      edge.input = static_cast<std::uint32_t>(vertex.inputs.size());
      vertex.inputs.push_back(edge);
    }
    return vertex;
  }
};

}  // namespace freshet::testing
