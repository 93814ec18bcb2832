#include "freshet/plugin/stream_graph.h"

#include <cassert>
#include <utility>

namespace freshet {

StreamGraph::StreamGraph() = default;
StreamGraph::~StreamGraph() = default;

std::uint32_t StreamGraph::add(StreamVertex vertex) {
  const auto place = static_cast<std::uint32_t>(vertices_.size());
  for (const StreamEdge& edge : vertex.inputs) {
    assert(edge.from < place);
    static_cast<void>(edge);
  }
  vertices_.push_back(std::move(vertex));
  return place;
}

}  // namespace freshet
